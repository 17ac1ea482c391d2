"""Rewrites tar archives as they flow by: renames, selects and sanitises entries, in flat memory.

Nothing is ever unpacked on the host. What comes out is safe to hand to the engine for another container.
"""

import io
import posixpath
import tarfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Final

_BLOCK: Final = tarfile.BLOCKSIZE
_COPY: Final = 1024 * 1024
_END: Final = bytes(2 * _BLOCK)
_KEPT_MODE: Final = 0o1777
"""Permissions and the sticky bit; setuid and setgid are dropped."""


class BadArchive(Exception):
    """The archive cannot be taken; the message is a sentence for people."""


class ChunkReader(io.BufferedIOBase):
    """What `tarfile` reads from: a blocking iterator of chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes; fewer only where a chunk ends, none at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        size = len(self._rest) if size is None or size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


@contextmanager
def read_tar(chunks: Iterator[bytes]) -> Generator[tarfile.TarFile]:
    """An archive to be read once, from front to back.

    Raises:
        BadArchive: it is broken.
    """
    try:
        with tarfile.open(fileobj=ChunkReader(chunks), mode="r|", bufsize=_COPY) as archive:
            yield archive
    except tarfile.TarError as error:
        raise BadArchive(f"the engine's archive is broken: {error}") from error


class Rewriter:
    """One pass over an archive.

    Args:
        chunks: the archive.
        rename: an entry's new path, relative to `/`; None leaves the entry out. Gets a clean relative path.
    """

    def __init__(self, chunks: Iterator[bytes], rename: Callable[[str], str | None]) -> None:
        self._chunks = chunks
        self._rename = rename
        self._parents: list[tarfile.TarInfo] = []
        self._written: set[str] = set()
        self.taken = 0
        """Entries that were selected."""
        self.dropped: list[str] = []
        """Devices, pipes and the like that were left out."""

    def entries(self) -> Iterator[bytes]:
        """The new entries in chunks, without the archive's end.

        Raises:
            BadArchive: an entry's path leaves the archive, or the archive is broken.
        """
        with read_tar(self._chunks) as archive:
            while (member := archive.next()) is not None:
                # tarfile remembers every member it has read, which a large folder would feel.
                archive.members = []  # pyright: ignore[reportAttributeAccessIssue]
                name = clean_path(member.name)
                target = self._rename(name) if name else None
                if target is None:
                    continue
                if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
                    self.dropped.append(target)
                    continue
                self.taken += 1
                yield self._header(member, target)
                if member.isreg():
                    yield from _content(archive, member)

    def _header(self, member: tarfile.TarInfo, target: str) -> bytes:
        entry = tarfile.TarInfo(target)
        entry.type = member.type if not member.isreg() else tarfile.REGTYPE
        entry.mode = member.mode & _KEPT_MODE
        entry.uid, entry.gid, entry.mtime = member.uid, member.gid, int(member.mtime)
        entry.size = member.size if member.isreg() else 0
        entry.linkname = member.linkname
        if member.islnk():
            linked = self._rename(clean_path(member.linkname))
            if linked is None:
                raise BadArchive(f"'/{target}' is a hard link to a file that is not part of the artifact")
            entry.linkname = linked
        return entry.tobuf(tarfile.PAX_FORMAT)


def archive_end() -> bytes:
    """What ends an archive."""
    return _END


def clean_path(name: str) -> str:
    """An entry's name as a relative path without `.`; empty for the root itself.

    Raises:
        BadArchive: it has `..`.
    """
    if ".." in name.split("/"):
        raise BadArchive(f"the entry '{name}' leaves the archive")
    return posixpath.normpath(f"/{name}").lstrip("/")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    content = archive.extractfile(member)
    assert content is not None
    left = member.size
    while left:
        block = content.read(min(_COPY, left))
        if not block:
            raise BadArchive(f"'{member.name}' ends early")
        left -= len(block)
        yield block
    if rest := member.size % _BLOCK:
        yield bytes(_BLOCK - rest)
