"""The worker's settings; the only reader of its environment. DOCKER_HOST and TEMPORAL_* have their own readers."""

import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from orchestrator.contract.names import DEFAULT_TASK_QUEUE
from orchestrator.errors import UsageError
from orchestrator.ids import slug

MAX_MAX_JOBS: Final = 500
"""More containers at a time help no host, and threads are not free."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.@:-]{1,100}")


@dataclass(frozen=True)
class Settings:
    """What a worker needs to know of its surroundings."""

    store: str
    """Folder or URL (ORCA_STORE)."""
    host_id: str
    """This host's durable name (ORCA_HOST_ID): the same after a restart of the worker or the machine."""
    max_jobs: int
    """Containers at a time (ORCA_MAX_JOBS)."""
    task_queue: str
    """Where the worker gets its work (ORCA_TASK_QUEUE)."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read `environ`. Makes ORCA_HOME (`~/.orca`) and the host's id in it where they are needed and missing.

        An empty variable counts as one that is not set.

        Raises:
            UsageError: a value makes no sense, or ORCA_HOME cannot be written.
        """
        home = Path(environ.get("ORCA_HOME") or "~/.orca").expanduser()
        return cls(
            store=environ.get("ORCA_STORE") or str(home / "store"),
            host_id=_name(environ, "ORCA_HOST_ID") or _durable_id(home),
            max_jobs=_max_jobs(environ),
            task_queue=_name(environ, "ORCA_TASK_QUEUE") or DEFAULT_TASK_QUEUE,
        )


def _name(environ: Mapping[str, str], variable: str) -> str:
    value = environ.get(variable, "")
    if value and not _NAME.fullmatch(value):
        raise UsageError(
            f"{variable} is '{value[:100]}'; give at most 100 letters, digits and '_', '.', '@', ':', '-'"
        )
    return value


def _max_jobs(environ: Mapping[str, str]) -> int:
    text = environ.get("ORCA_MAX_JOBS", "")
    if not text:
        return max(4, 4 * (os.cpu_count() or 1))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_MAX_JOBS):
        raise UsageError(f"ORCA_MAX_JOBS is '{text[:100]}'; give a whole number from 1 to {MAX_MAX_JOBS}")
    return int(text)


def _durable_id(home: Path) -> str:
    """The id kept in `home`, made at the first call: the host's name and something random."""
    path = home / "host-id"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Written aside and linked, so that of two workers that start together both read the same whole id.
            draft = home / f".host-id-{secrets.token_hex(8)}"
            draft.write_text(f"{slug(socket.gethostname())}-{secrets.token_hex(3)}\n")
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        found = path.read_text().strip()
    except OSError as error:
        raise UsageError(
            f"the host's id cannot be kept in '{path}': {error}; set ORCA_HOME to a folder that can be written,"
            " or ORCA_HOST_ID to a name for this host"
        ) from error
    if not _NAME.fullmatch(found):
        raise UsageError(f"'{path}' does not hold a host's id; remove the file, and a new one is made")
    return found
