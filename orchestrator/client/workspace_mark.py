"""What a shipped workspace holds beside the specs themselves: an edited spec is no reason to run every job again."""

import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path

from orchestrator.errors import UsageError
from orchestrator.store.workspace import Entry, shipped


def mark_of(folder: Path, *, but: Collection[Path]) -> str:
    """A digest of what is shipped of `folder`, as 64 hex digits, without the files in `but`.

    Raises UsageError where something cannot be read.
    """
    left_out = {path.resolve() for path in but}
    digest = hashlib.sha256()
    try:
        for entry in shipped(folder):
            if entry.path.resolve() not in left_out:
                digest.update(json.dumps([str(entry.relative), entry.kind, *_content(entry)]).encode())
    except OSError as error:
        raise UsageError(
            f"the workspace '{folder}' cannot be read: {error}; make its files readable, keep them as they are "
            "meanwhile, or name them in a .gitignore file"
        ) from error
    return digest.hexdigest()


def _content(entry: Entry) -> tuple[str, ...]:
    match entry.kind:
        case "folder":
            return ()
        case "link":
            return (os.readlink(entry.path),)  # noqa: PTH115 - as it is written
        case "file":
            runs = "runs" if entry.path.stat().st_mode & 0o100 else ""
            with entry.path.open("rb") as content:
                return runs, hashlib.file_digest(content, "sha256").hexdigest()
