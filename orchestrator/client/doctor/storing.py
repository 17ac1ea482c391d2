"""Tries the store out: an object is written, read, listed and deleted."""

import asyncio
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from orchestrator.client.doctor.facts import StoreFacts
from orchestrator.errors import OrcaError
from orchestrator.store.store import Store, open_store

LIMIT: Final = 20.0
"""Seconds that it may take."""
DELETE: Final = 5.0
"""The same for taking the object away again where that was too long."""
FOLDER: Final = "doctor/"


async def store_facts(url: str, *, limit: float = LIMIT) -> StoreFacts:
    """How the store at `url` is. One that fails, or that nobody could name, is a fact too."""
    if not url:
        return StoreFacts(url, error="it is in the state folder unless something else is said")
    began = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            # In a thread, since a folder on a network's disk may be silent as well.
            store = await asyncio.to_thread(open_store, url)
            ahead = await _try_out(store)
    except OrcaError as error:
        return StoreFacts(url, error=str(error))
    except TimeoutError:
        return StoreFacts(url, error=f"it did not answer within {limit:.0f} s")
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
