"""`hashFiles` over a folder: SHA-256 of the SHA-256 of each file that the patterns take, as at GitHub Actions.

Sees the files that are shipped with the workspace, since those are what jobs see.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from orchestrator.errors import UsageError
from orchestrator.expressions import HostFunctions
from orchestrator.plan.file_hashes import calls_of, host_functions
from orchestrator.plan.file_patterns import ROOT, FilePatterns, call_key, read_patterns
from orchestrator.plan.model import Plan
from orchestrator.store.workspace import Entry, shipped


class Files:
    """The files below one folder, looked at once. Content is read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = {str(entry.relative): entry for entry in shipped(folder)}
        self._below: dict[str, list[Entry]] = {}
        for entry in self._entries.values():
            self._below.setdefault(str(entry.relative.parent), []).append(entry)
        self._digests: dict[str, bytes] = {}

    def hash(self, arguments: Sequence[str]) -> str:
        """The hash of one call, in hex; empty where its patterns take no file.

        Raises:
            ExpressionError: a pattern is not one.
            UsageError: a file cannot be read.
        """
        patterns = read_patterns(tuple(arguments))
        whole = hashlib.sha256()
        taken = False
        for start in patterns.search_paths():
            for digest in self._found(start, patterns):
                whole.update(digest)
                taken = True
        return whole.hexdigest() if taken else ""

    def _found(self, start: str, patterns: FilePatterns) -> Iterator[bytes]:
        """The digests of the files at or below `start` that are taken, folder by folder, by name in each."""
        relative = _below_root(start)
        if relative is None:
            return
        entry = self._located(relative)
        waiting: list[tuple[PurePosixPath, Entry, tuple[str, ...]]] = []
        if relative == PurePosixPath():
            waiting = self._children(relative, relative, (str(relative),))
        elif entry is not None:
            waiting = [(relative, entry, ())]
        while waiting:
            path, entry, through = waiting.pop()
            target = self._target(entry) if entry.kind == "link" else entry.relative
            if target is None:
                if patterns.follow_links or not patterns.takes_file(f"{ROOT}/{path}"):
                    continue
                raise UsageError(f"hashFiles cannot read '{path}': it is a link to nothing that is shipped")
            if self._is_folder(target):
                is_loop = patterns.follow_links and str(target) in through
                if (entry.kind == "folder" or patterns.follow_links) and not is_loop:
                    waiting += self._children(path, target, (*through, str(target)))
            elif patterns.takes_file(f"{ROOT}/{path}"):
                yield self._digest(str(target))

    def _children(
        self, path: PurePosixPath, folder: PurePosixPath, through: tuple[str, ...]
    ) -> list[tuple[PurePosixPath, Entry, tuple[str, ...]]]:
        """What is in `folder`, which was reached as `path`, the last name first."""
        found = self._below.get(str(folder), [])
        return [(path / entry.relative.name, entry, through) for entry in reversed(found)]

    def _located(self, path: PurePosixPath) -> Entry | None:
        """The entry at `path`, which may lead through links to folders."""
        parent = PurePosixPath()
        for part in path.parts[:-1]:
            entry = self._entries.get(str(parent / part))
            target = self._target(entry) if entry is not None and entry.kind == "link" else None
            if entry is None or (entry.kind == "link" and target is None):
                return None
            parent = target if target is not None else entry.relative
        return self._entries.get(str(parent / path.name))

    def _is_folder(self, path: PurePosixPath) -> bool:
        return path == PurePosixPath() or self._entries[str(path)].kind == "folder"

    def _target(self, link: Entry) -> PurePosixPath | None:
        """What a link leads to in the end; None where that is not shipped."""
        try:
            resolved = link.path.resolve(strict=True).relative_to(self._folder.resolve())
        except (OSError, ValueError, RuntimeError):
            return None
        relative = PurePosixPath(resolved)
        return relative if relative == PurePosixPath() or str(relative) in self._entries else None

    def _digest(self, relative: str) -> bytes:
        if relative not in self._digests:
            try:
                with self._entries[relative].path.open("rb") as content:
                    self._digests[relative] = hashlib.file_digest(content, "sha256").digest()
            except OSError as error:
                raise UsageError(f"hashFiles cannot read '{relative}': {error.strerror or error}") from error
        return self._digests[relative]


def hashes_of(plan: Plan, folder: Path) -> dict[str, str]:
    """The hash of every call in `plan` over the files of `folder`, by its key, as a run's request holds them.

    Raises:
        UsageError: `folder` is none, or a file in it cannot be read.
    """
    calls = calls_of(plan)
    if not calls:
        return {}
    files = Files(folder)
    return {call_key(arguments): files.hash(arguments) for arguments in calls}


def functions_over(folder: Path) -> HostFunctions:
    """`hashFiles` for an evaluation on this machine. Looks at `folder` only when it is called."""
    seen: list[Files] = []

    def look_up(arguments: tuple[str, ...]) -> str:
        if not seen:
            seen.append(Files(folder))
        return seen[0].hash(arguments)

    return host_functions(look_up)


def _below_root(path: str) -> PurePosixPath | None:
    """`path` as it is below the workspace; the workspace itself for one that leads to it; None for others."""
    inner = path.removeprefix(ROOT)
    if path == ROOT or ROOT.startswith(f"{path.rstrip('/')}/"):
        return PurePosixPath()
    return PurePosixPath(inner.lstrip("/")) if path.startswith(f"{ROOT}/") else None
