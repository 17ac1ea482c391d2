import asyncio
import hashlib
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.errors import OrcaError, StoreError, UsageError
from orchestrator.store.failures import CannotRefuse, ObjectNotFound
from orchestrator.store.keys import BadKey, checked_key
from orchestrator.store.store import Store, open_store


@pytest.fixture(name="store", params=["folder", "memory"])
def store_fixture(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "new" / "store") if request.param == "folder" else "memory:///")


async def test_bytes_in_and_out(store: Store) -> None:
    await store.put_bytes("a/b", b"one")
    await store.put_bytes("a/b", b"two")
    assert await store.get_bytes("a/b") == b"two"
    assert [await store.exists("a/b"), await store.exists("a/c"), await store.exists("a")] == [
        True,
        False,
        False,
    ]
    await store.delete("a/b")
    await store.delete("a/b")
    assert await store.exists("a/b") is False


async def test_streams_measure_what_passes(store: Store) -> None:
    parts = [os.urandom(700_000) for _ in range(5)]
    whole = b"".join(parts)

    async def chunks() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    expected = (len(whole), hashlib.sha256(whole).hexdigest())
    assert await store.put_stream("a/async", chunks()) == expected
    assert await store.put_stream("a/sync", iter(parts)) == expected
    assert await store.put_stream("a/none", iter([])) == (0, hashlib.sha256(b"").hexdigest())
    for key, content in (("a/async", whole), ("a/sync", whole), ("a/none", b"")):
        assert b"".join([chunk async for chunk in store.get_stream(key)]) == content


async def test_a_source_that_breaks_off_stores_nothing(store: Store) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x" * 100
        raise FileNotFoundError("the source is gone")

    with pytest.raises(FileNotFoundError, match="the source is gone"):
        await store.put_stream("a/b", chunks())
    assert await store.list_keys("a/") == []


async def test_listing_is_by_folder_and_sorted(store: Store) -> None:
    for key in ("p/log/2", "p/log/10", "p/log/1", "p/logs/1", "p/log/sub/1", "q/1"):
        await store.put_bytes(key, b"")
    assert await store.list_keys("p/log/") == ["p/log/1", "p/log/10", "p/log/2", "p/log/sub/1"]
    assert await store.list_keys("p/log/", "p/log/10") == ["p/log/2", "p/log/sub/1"]
    assert await store.delete_prefix("p/log/") == 4
    assert await store.list_keys("p/") == ["p/logs/1"]
    assert await store.list_keys("none/") == []


CALLS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "get": lambda store: store.get_bytes("a/none"),
    "stream": lambda store: anext(store.get_stream("a/none")),
}


@pytest.mark.parametrize("call", CALLS)
async def test_nothing_there(store: Store, call: str) -> None:
    with pytest.raises(ObjectNotFound) as caught:
        await CALLS[call](store)
    assert str(caught.value) == f"cannot read 'a/none' in the store {store.url}: there is no such object"


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "a\nb", "a\0b", "x" * 1001]
)
def test_keys_that_are_refused(tmp_path: Path, key: str) -> None:
    store = open_store(str(tmp_path))
    with pytest.raises(BadKey, match="is not a key for the store"):
        asyncio.run(store.put_bytes(key, b""))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["a", "runs/x-1/1/job/try-1/log/00000001", "a b/ü.tar", "a..b/.c"])
def test_keys_that_are_taken(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("ftp://host/x", UsageError, "the store 'ftp://host/x' is of an unknown kind"),
        ("/proc/none/x", StoreError, "cannot open the store '/proc/none/x': "),
        ("s3://", StoreError, "cannot open the store 's3://': "),
    ],
)
def test_places_that_cannot_be_opened(url: str, error: type[OrcaError], message: str) -> None:
    with pytest.raises(error, match=message):
        open_store(url)


async def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"cannot write 'file/below' in the store file://.*Not a directory"):
        await store.put_bytes("file/below", b"x")


async def test_200_mb_pass_in_flat_memory(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    block = os.urandom(1024 * 1024)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield block
            await asyncio.sleep(0)

    size, _ = await store.put_stream("big", chunks())
    read = 0
    async for chunk in store.get_stream("big"):
        read += len(chunk)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert (size, read) == (200 * 1024 * 1024, 200 * 1024 * 1024)
    assert grown_mib < 80


async def test_a_store_that_cannot_refuse_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT": "http://127.0.0.1:9",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "r",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_CONDITIONAL_PUT": "disabled",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        CannotRefuse, match=r"cannot write 'runs/a' in the store s3://bucket/orca: .*cannot do this"
    ):
        await open_store("s3://bucket/orca").put_new("runs/a", b"")
