"""Packs a folder for shipping: a deterministic gzipped tar, named by its content, without what git ignores.

Used by the client. Entries begin with `workspace/`, since workers hand the archive to the engine at `/` as it
is; nothing here unpacks anything.
"""

import asyncio
import gzip
import hashlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final, Literal

from pathspec import GitIgnoreSpec

from orchestrator.errors import UsageError
from orchestrator.store.store import READ_BYTES, Store

MAX_WORKSPACE_BYTES: Final = 512 * 1024 * 1024
"""All files together, before compression."""
WORKSPACE_DIR: Final = "workspace"
"""The folder's name in the archive, and below `/` in containers."""
_DIR_MODE: Final = 0o777


@dataclass(frozen=True)
class PackedWorkspace:
    """A packed folder in a temporary file, which goes away with the `packed` block."""

    path: Path
    sha256: str
    """Of the archive, hex."""
    size: int
    """Bytes of the archive."""
    warnings: tuple[str, ...]
    """Files that were left out for a reason that people may not expect."""

    @property
    def key(self) -> str:
        """In the store."""
        return f"workspaces/{self.sha256}.tar.gz"


async def ship(
    store: Store, folder: Path, *, limit: int = MAX_WORKSPACE_BYTES
) -> tuple[str, tuple[str, ...]]:
    """Pack `folder` and put it in the store unless the same content is there already.

    Returns:
        Its key and the warnings of `packed`.

    Raises:
        UsageError: see `packed`.
        StoreError: the store cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="orca-workspace-") as scratch:
        package = await asyncio.to_thread(pack, folder, Path(scratch) / "workspace.tar.gz", limit=limit)
        if not await store.exists(package.key):
            await store.put_stream(package.key, _chunks(package.path))
        return package.key, package.warnings


def pack(folder: Path, target: Path, *, limit: int = MAX_WORKSPACE_BYTES) -> PackedWorkspace:
    """Write the archive of `folder` to `target`. The same content gives the same bytes on every machine.

    Names are sorted, times and owners zero, modes 755 or 644. `.gitignore` files count at all levels; `.git`
    is never packed. Symbolic links stay links where they point inside the folder by a relative path; others,
    and sockets and the like, are left out with a warning.

    Raises:
        UsageError: `folder` is no folder, cannot be read, changes meanwhile, or holds over `limit` bytes.
    """
    if not folder.is_dir():
        raise UsageError(
            f"the workspace '{folder}' is not a folder; give one that exists, relative to the spec"
        )
    warnings: list[str] = []
    with (
        _readable(folder),
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        archive.addfile(_entry(PurePosixPath(), tarfile.DIRTYPE, _DIR_MODE))
        total = 0
        for path, relative in _kept(folder, PurePosixPath(), []):
            status = path.lstat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
            if total > limit:
                raise UsageError(
                    f"the workspace '{folder}' holds more than {limit // (1024 * 1024)} MiB; name what the"
                    " jobs do not need in a .gitignore file"
                )
            _add(archive, path, relative, warnings)
    with target.open("rb") as packed:
        digest = hashlib.file_digest(packed, "sha256").hexdigest()
    return PackedWorkspace(target, digest, target.stat().st_size, tuple(warnings))


@dataclass(frozen=True, slots=True)
class Entry:
    """Something below a folder that is shipped with it."""

    path: Path
    relative: PurePosixPath
    kind: Literal["file", "folder", "link"]


def shipped(folder: Path) -> Iterator[Entry]:
    """What `pack` would put into the archive, folders before what is in them, sorted by name.

    Raises:
        UsageError: `folder` is no folder or cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(
            f"the workspace '{folder}' is not a folder; give one that exists, relative to the spec"
        )
    with _readable(folder):
        for path, relative in _kept(folder, PurePosixPath(), []):
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                yield Entry(path, relative, "folder")
            elif stat.S_ISREG(mode):
                yield Entry(path, relative, "file")
            elif stat.S_ISLNK(mode) and _stays_inside(relative, os.readlink(path)):  # noqa: PTH115
                yield Entry(path, relative, "link")


@contextmanager
def _readable(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"the workspace '{folder}' cannot be packed: {error}; make its files readable, keep them as they"
            " are meanwhile, or name them in a .gitignore file"
        ) from error


def _kept(
    folder: Path, relative: PurePosixPath, rules: list[tuple[PurePosixPath, GitIgnoreSpec]]
) -> Iterator[tuple[Path, PurePosixPath]]:
    """Everything below `folder` that git would not ignore, folders before what is in them, sorted by name."""
    ignore = folder / ".gitignore"
    if ignore.is_file():
        lines = ignore.read_text(errors="replace").splitlines()
        rules = [*rules, (relative, GitIgnoreSpec.from_lines(lines))]
    for name in sorted(os.listdir(folder)):  # noqa: PTH208
        path, inner = folder / name, relative / name
        is_folder = path.is_dir() and not path.is_symlink()
        if name == ".git" or _ignored(inner, rules, is_folder=is_folder):
            continue
        yield path, inner
        if is_folder:
            yield from _kept(path, inner, rules)


def _ignored(
    path: PurePosixPath, rules: list[tuple[PurePosixPath, GitIgnoreSpec]], *, is_folder: bool
) -> bool:
    """Git's order: the deepest `.gitignore` that has a word to say decides."""
    for root, spec in reversed(rules):
        verdict = spec.check_file(f"{path.relative_to(root)}{'/' if is_folder else ''}").include
        if verdict is not None:
            return verdict
    return False


def _add(archive: tarfile.TarFile, path: Path, relative: PurePosixPath, warnings: list[str]) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        archive.addfile(_entry(relative, tarfile.DIRTYPE, _DIR_MODE))
    elif stat.S_ISLNK(mode):
        target = os.readlink(path)  # noqa: PTH115
        if not _stays_inside(relative, target):
            warnings.append(f"'{relative}' is a link to '{target}', outside the workspace, and was left out")
            return
        link = _entry(relative, tarfile.SYMTYPE, 0o777)
        link.linkname = target
        archive.addfile(link)
    elif stat.S_ISREG(mode):
        with path.open("rb") as content:
            entry = _entry(relative, tarfile.REGTYPE, 0o755 if mode & 0o100 else 0o644)
            entry.size = os.fstat(content.fileno()).st_size
            archive.addfile(entry, content)
    else:
        warnings.append(f"'{relative}' is not a file, folder or link and was left out")


def _entry(relative: PurePosixPath, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(str(PurePosixPath(WORKSPACE_DIR) / relative))
    entry.type, entry.mode = kind, mode
    return entry


def _stays_inside(link: PurePosixPath, target: str) -> bool:
    if target.startswith("/"):
        return False
    depth = len(link.parts) - 1
    for part in target.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return False
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as packed:
        yield from _blocks(packed)


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(READ_BYTES):
        yield block
