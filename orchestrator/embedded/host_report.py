"""How this host is, with the eyes of a worker: a process beside this one looks, so that no worker is imported here."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress

from pydantic import ValidationError

from orchestrator.contract.doctor import HostReport
from orchestrator.errors import OrcaError

LIMIT = 60.0
"""Seconds that looking may take."""
REAP_LIMIT = 600.0
"""The same where leftovers are removed: each container that runs gets its grace."""
_KILLED = 2.0
"""The same for the end of a process that was killed."""


async def host_report(settings: Mapping[str, str | None], *, reap: bool) -> HostReport:
    """How this host is; with `reap` what nobody needs is removed first.

    Args:
        settings: environment variables on top of this process's own; None takes one away.
        reap: remove leftovers now.

    Raises:
        OrcaError: nobody could look, and why.
    """
    env = {name: value for name, value in os.environ.items() if name not in settings}
    env |= {name: value for name, value in settings.items() if value is not None}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # Not a package that happens to be of that name in the folder that the user is in.
        "-P",
        "-m",
        "workers.doctor",
        *(["--reap"] if reap else []),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env,
    )
    limit = REAP_LIMIT if reap else LIMIT
    try:
        async with asyncio.timeout(limit):
            told, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        # One that waits for a disk that stands still goes when the disk does.
        with suppress(TimeoutError):
            async with asyncio.timeout(_KILLED):
                await process.wait()
        raise OrcaError(f"looking at this host took longer than {limit:.0f} s") from None
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise OrcaError(
            lines[-1] if lines else f"looking at this host ended with exit code {process.returncode}"
        )
    try:
        return HostReport.model_validate_json(told)
    except ValidationError as error:
        raise OrcaError(f"what was seen of this host cannot be read: {error}") from error
