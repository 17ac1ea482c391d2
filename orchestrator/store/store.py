"""The store: objects under keys, in a local folder or in S3, GCS or Azure. Knows no jobs, logs or archives.

Objects are written whole and atomically: nobody sees half an object. Nothing here retries for long or caches.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from orchestrator.errors import UsageError
from orchestrator.store.failures import (
    ObjectExists,
    ObjectNotFound,
    StoreSilent,
    bounded,
    translated,
    translated_opening,
)
from orchestrator.store.keys import checked_key, checked_prefix

if TYPE_CHECKING:
    from obstore import ListStream, ObjectMeta
    from obstore.store import RetryConfig

PART_BYTES: Final = 8 * 1024 * 1024
"""One part of a streamed upload. With `PARTS_IN_FLIGHT` this bounds the memory that a stream takes."""
PARTS_IN_FLIGHT: Final = 2
READ_BYTES: Final = 1024 * 1024
_SCHEMES: Final = ("file", "s3", "gs", "az", "memory")
_PARTS_PATIENCE: Final = 3
"""A part of a large object is so many times as patient: it may be tried again within its call."""
_DELETE_BATCH: Final = 500
ANSWER_SECONDS: Final = 20.0
"""How long a store may take for one small object, or stand still within a large one."""


def open_store(url: str, *, patience: float = ANSWER_SECONDS) -> "Store":
    """Open the store at `url`; a folder is made where it does not exist.

    Args:
        url: a folder, `file://`, `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, or
            `memory:///` for one process. Credentials come from the environment, as the cloud's own
            tools have them.
        patience: seconds; see `ANSWER_SECONDS`.

    Raises:
        UsageError: `url` is of no known kind.
        StoreError: the place cannot be opened.
    """
    scheme = urlsplit(url).scheme if "://" in url else ""
    if scheme and scheme not in _SCHEMES:
        raise UsageError(
            f"the store '{url}' is of an unknown kind; give a folder, or a URL that begins with s3://,"
            " gs:// or az://"
        )
    with translated_opening(url):
        return Store(_open(url, scheme), url, patience=patience)


def _open(url: str, scheme: str) -> ObjectStore:
    if scheme in ("", "file"):
        folder = Path(unquote(urlsplit(url).path) if scheme else url).expanduser().absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(folder, automatic_cleanup=True, mkdir=True)
    if scheme == "memory":
        return from_url(url)
    # Obstore's own patience, three minutes, would hold a job's end back for as long.
    retries: RetryConfig = {"max_retries": 5, "retry_timeout": timedelta(seconds=30)}
    return from_url(url, retry_config=retries)


class Store:
    """Objects under keys. Safe to share between tasks of one event loop; has nothing to close.

    Every method raises `orchestrator.errors.StoreError` (`BadKey` is one) when it cannot do its work, and
    `StoreSilent`, which is one too, when the store does not answer in time: none waits for ever.
    """

    def __init__(self, backend: ObjectStore, url: str, *, patience: float = ANSWER_SECONDS) -> None:
        self._backend = backend
        self._patience = patience
        self.url = url
        """As it was opened."""

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Store `data` under `key`, in place of what was there."""
        async with self._asking("write", checked_key(key)):
            await obstore.put_async(self._backend, key, data, use_multipart=False)

    async def put_new(self, key: str, data: bytes) -> bool:
        """Store `data` under `key` unless something is there; says whether it did. Of several callers one succeeds.

        Raises:
            CannotRefuse: the store has no such way of writing.
        """
        try:
            async with self._asking("write", checked_key(key)):
                await obstore.put_async(self._backend, key, data, use_multipart=False, mode="create")
        except ObjectExists:
            return False
        return True

    async def get_bytes(self, key: str) -> bytes:
        """All that is under `key`.

        Raises:
            ObjectNotFound: there is nothing.
        """
        async with self._asking("read", checked_key(key)):
            result = await obstore.get_async(self._backend, key)
            return bytes(await result.bytes_async())

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes] | Iterable[bytes]) -> tuple[int, str]:
        """Store what `chunks` gives, in flat memory. When `chunks` raises, nothing is stored
        and its error passes.

        Returns:
            The size in bytes and the SHA-256 in hex.
        """
        source = _Measured(chunks)
        try:
            with translated(self.url, "write", checked_key(key)):
                storing = obstore.put_async(
                    self._backend,
                    key,
                    source.chunks(),
                    use_multipart=True,
                    chunk_size=PART_BYTES,
                    max_concurrency=PARTS_IN_FLIGHT,
                )
                await self._watched(key, storing, source)
        except BaseException:
            # What went wrong in the source is told as itself, not as a fault of the store.
            if source.failure is not None:
                raise source.failure from None
            raise
        return source.size, source.digest.hexdigest()

    async def get_stream(self, key: str) -> AsyncIterator[bytes]:
        """What is under `key`, in chunks of about 1 MiB.

        Raises:
            ObjectNotFound: there is nothing (at the first chunk).
        """
        async with self._asking("read", checked_key(key)):
            result = await obstore.get_async(self._backend, key)
            stream = result.stream(min_chunk_size=READ_BYTES)
        while True:
            async with self._asking("read", key):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield bytes(chunk)

    async def exists(self, key: str) -> bool:
        """Whether something is under `key`."""
        try:
            async with self._asking("look for", checked_key(key)):
                await obstore.head_async(self._backend, key)
        except ObjectNotFound:
            return False
        return True

    async def list_keys(self, prefix: str, start_after: str = "") -> list[str]:
        """All keys below the folder `prefix` (it ends in `/`) that come after `start_after`, sorted."""
        return sorted(meta["path"] for meta in await self._list(prefix, start_after))

    async def list_times(self, prefix: str) -> dict[str, datetime]:
        """When each key below the folder `prefix` (it ends in `/`) was written last, by the store's own clock."""
        return {meta["path"]: meta["last_modified"] for meta in await self._list(prefix)}

    async def delete(self, key: str) -> None:
        """Remove what is under `key`; nothing there is no error."""
        try:
            async with self._asking("delete", checked_key(key)):
                await obstore.delete_async(self._backend, key)
        except ObjectNotFound:
            return

    async def delete_prefix(self, prefix: str) -> int:
        """Remove all keys in the folder `prefix` (which ends in `/`) and say how many there were."""
        keys = await self.list_keys(prefix)
        for start in range(0, len(keys), _DELETE_BATCH):
            async with self._asking("delete", prefix):
                await obstore.delete_async(self._backend, keys[start : start + _DELETE_BATCH])
        return len(keys)

    async def _list(self, prefix: str, start_after: str = "") -> "list[ObjectMeta]":
        folder = checked_prefix(prefix)
        found: list[ObjectMeta] = []
        with translated(self.url, "list", prefix):
            listing: ListStream[Sequence[ObjectMeta]] = obstore.list(  # pyright: ignore[reportUnknownMemberType]
                self._backend, folder, offset=start_after or None
            )
        while True:
            async with self._asking("list", prefix):
                batch = await anext(listing, None)
            if batch is None:
                return found
            found += batch

    def _asking(self, action: str, key: str) -> AbstractAsyncContextManager[None]:
        return bounded(self.url, action, key, seconds=self._patience)

    async def _watched(self, key: str, work: Awaitable[object], source: "_Measured") -> None:
        """Wait for a large upload; one that stands still, and not for want of what is to be stored, is given up."""
        task = asyncio.ensure_future(work)
        seen, since = source.size, time.monotonic()
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=self._patience / 4)
                if source.size != seen or source.fetching:
                    seen, since = source.size, time.monotonic()
                elif not task.done() and time.monotonic() - since >= self._patience * _PARTS_PATIENCE:
                    raise StoreSilent(
                        f"cannot write '{key}' in the store {self.url}: nothing of it was taken for"
                        f" {self._patience * _PARTS_PATIENCE:g} s; check that the place can be reached"
                    )
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=1.0)
        task.result()


class _Measured:
    """Counts and hashes chunks on their way, and remembers what went wrong in the source itself."""

    def __init__(self, chunks: AsyncIterable[bytes] | Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0
        self.fetching = False
        """Whether it is the source that is waited for."""
        self.digest = hashlib.sha256()
        self.failure: BaseException | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            self.fetching = True
            async for chunk in _asynchronous(self._chunks):
                self.fetching = False
                self.size += len(chunk)
                self.digest.update(chunk)
                yield chunk
                self.fetching = True
            self.fetching = False
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failure = error
            raise


async def _asynchronous(chunks: AsyncIterable[bytes] | Iterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(chunks, AsyncIterable):
        async for chunk in chunks:
            yield chunk
        return
    # Files and archives are read in a thread, so that a slow disk does not stop the event loop.
    iterator = iter(chunks)
    while (chunk := await asyncio.to_thread(next, iterator, None)) is not None:
        yield chunk
