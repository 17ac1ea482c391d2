"""How the store is: a process beside this one tries it out, and is left behind where it cannot be ended."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO, Final

from pydantic import TypeAdapter, ValidationError

from orchestrator.client.doctor.facts import StoreFacts

LIMIT: Final = 20.0
"""Seconds that the store may take."""
_BESIDE: Final = 10.0
"""The same for what else such a process does: it is started, and takes its object away again."""
_PAUSE: Final = 0.05
_MOST: Final = 1024 * 1024
_FACTS: Final = TypeAdapter(StoreFacts)


async def store_facts(url: str, *, limit: float = LIMIT) -> StoreFacts:
    """How the store at `url` is. One that fails, or that nobody could name, is a fact too."""
    if not url:
        return StoreFacts(url, error="it is in the state folder unless something else is said")
    command = [sys.executable, "-P", "-m", "orchestrator.client.doctor.store_look", url, str(limit)]
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as errors:
        process = _begun(command, told, errors)
        until = time.monotonic() + limit + _BESIDE
        while process.poll() is None:
            if time.monotonic() >= until:
                # Not waited for: a disk that stands still keeps even one that was killed.
                process.kill()
                return silent(url, limit)
            await asyncio.sleep(_PAUSE)
        try:
            return _FACTS.validate_json(os.pread(told.fileno(), _MOST, 0))
        except ValidationError:
            lines = os.pread(errors.fileno(), _MOST, 0).decode(errors="replace").strip().splitlines()
            why = f": {lines[-1]}" if lines else ""
            return StoreFacts(url, error=f"trying it out ended with exit code {process.returncode}{why}")


def _begun(command: Sequence[str], told: IO[bytes], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Not one of asyncio's, which are missed when their loop ends before them."""
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=errors)


def silent(url: str, limit: float) -> StoreFacts:
    """Those of a store that did not answer within `limit` seconds."""
    return StoreFacts(url, error=f"it did not answer within {limit:.0f} s")
