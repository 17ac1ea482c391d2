"""`python -m orchestrator.client.doctor.store_look URL SECONDS`: tries a store out and tells how it is.

An object is written, read, listed and deleted; what is told is one line of JSON. A process of its own, since one that
waits for a folder on a disk that stands still cannot be ended before the disk goes on.
"""

import asyncio
import json
import secrets
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import unquote, urlsplit

from orchestrator.client.doctor.facts import StoreFacts
from orchestrator.client.doctor.storing import silent
from orchestrator.client.leave import leave
from orchestrator.errors import OrcaError
from orchestrator.store.store import Store, open_store

DELETE: Final = 5.0
"""Seconds for taking the object away again where the rest took too long."""
FOLDER: Final = "doctor/"


def main() -> NoReturn:
    """Print `StoreFacts`."""
    facts = asyncio.run(_facts(sys.argv[1], float(sys.argv[2])))
    sys.stdout.write(f"{json.dumps(asdict(facts))}\n")
    leave(0)


async def _facts(url: str, limit: float) -> StoreFacts:
    began = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            ahead = await _try_out(open_store(url))
    except OrcaError as error:
        return StoreFacts(url, error=str(error))
    except TimeoutError:
        return silent(url, limit)
    took = time.monotonic() - began
    folder = _folder(url)
    if folder is None:
        return StoreFacts(url, took=took, ahead=ahead)
    usage = shutil.disk_usage(folder)
    return StoreFacts(url, took=took, ahead=ahead, free=usage.free, size=usage.total)


async def _try_out(store: Store) -> float:
    """By how much its clock is ahead. Raises StoreError."""
    key, data = f"{FOLDER}{secrets.token_hex(8)}", secrets.token_bytes(32)
    before = time.time()
    try:
        await store.put_bytes(key, data)
        here = (before + time.time()) / 2
        times = await store.list_times(FOLDER)
        if await store.get_bytes(key) != data or key not in times:
            raise OrcaError("it does not give back what was just written there")
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(DELETE):
                await store.delete(key)
    return times[key].timestamp() - here


def _folder(url: str) -> Path | None:
    """The folder that a store is; None for one behind a network."""
    if "://" not in url:
        return Path(url).expanduser()
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


if __name__ == "__main__":
    main()
