"""What workers and servers that were killed leave in the state folder: logs, half-written files."""

import logging
import os
import re
import time
from pathlib import Path
from typing import Final

log = logging.getLogger("orca.reaping")

KEPT_LOGS: Final = 7 * 86400.0
"""Seconds for which the log of a worker that did not end in good order is kept."""
KEPT_FILES: Final = 3600.0
"""The same for a file that it had not finished writing."""
_LOG: Final = re.compile(r"worker-(\d+)\.log")
_UNFINISHED: Final = re.compile(r"(?:host-id|service-key|reaper-[0-9a-f]+\.json)\.(\d+)")


def old_files(home: Path, *, now: float | None = None) -> list[Path]:
    """Files of processes that are no longer there, old enough that nobody looks for them."""
    now = time.time() if now is None else now
    found = [(path, _LOG, KEPT_LOGS) for path in _files(home / "log")]
    found += [(path, _UNFINISHED, KEPT_FILES) for path in _files(home)]
    return sorted(path for path, shape, kept in found if _is_old(path, shape, now - kept))


def remove_old_files(home: Path) -> None:
    """Remove them. One that cannot be removed is said and left."""
    for path in old_files(home):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("'%s' is left over: %s", path, error.strerror or error)


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]
    except OSError:
        return []


def _is_old(path: Path, shape: re.Pattern[str], before: float) -> bool:
    match = shape.fullmatch(path.name)
    if match is None or _alive(int(match[1])):
        return False
    try:
        return path.stat().st_mtime < before
    except OSError:
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
