"""What hosts tell one another through the store, and which of them count as alive."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from orchestrator import ids
from orchestrator.errors import StoreError
from orchestrator.store.store import Store, open_store
from workers.placement import board
from workers.placement import hosts as room
from workers.placement.amounts import Amount
from workers.placement.decide import Host
from workers.placement.hosts import Hosts

OFFER = Amount(4, 2.0, 8)


class Own:
    """How a host stands, as a test says."""

    def __init__(self, offer: Amount | None = OFFER) -> None:
        self.offer = self.free = offer
        self.looked = asyncio.Event()

    async def ask_offer(self) -> Amount | None:
        return self.offer

    def standing(self) -> tuple[Amount, Amount] | None:
        return None if self.offer is None or self.free is None else (self.offer, self.free)

    def seen(self) -> None:
        self.looked.set()


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    return tmp_path / "store"


def host(folder: Path, name: str, own: Own | None = None, **changes: str) -> Hosts:
    where = {"namespace": "default", "task_queue": "orca"} | changes
    return Hosts(open_store(str(folder)), name, own=own or Own(), **where)


def entry(folder: Path, name: str) -> Path:
    return folder / "hosts" / "orca" / f"{name}.json"


def age(path: Path, seconds: float) -> None:
    """Have it be written so long before now."""
    at = path.stat().st_mtime - seconds
    os.utime(path, (at, at))


async def seen(hosts: Hosts, own: Own) -> tuple[Host, ...] | None:
    """After one look."""
    own.looked.clear()
    before = hosts.others()
    assert before is None, "nobody has looked yet"
    await asyncio.wait_for(own.looked.wait(), 10)
    return hosts.others()


@asynccontextmanager
async def kept(hosts: Hosts) -> AsyncGenerator[None]:
    telling = asyncio.create_task(hosts.run())
    try:
        yield
    finally:
        hosts.end()
        await asyncio.wait_for(telling, 10)


async def test_hosts_of_one_queue_see_one_another(folder: Path) -> None:
    own, busy = Own(), Own()
    busy.free = Amount(0, 0.5, 3)
    for name, stands in (("b", busy), ("c", Own(Amount(1, 16.0, 64)))):
        await host(folder, name, stands).write()
    await host(folder, "d", task_queue="gpu").write()
    await host(folder, "e", namespace="other").write()
    # One that has not written yet does so before it looks: without its own entry it knows no time.
    others = await seen(host(folder, "a", own), own)
    assert others is not None
    assert sorted(others, key=lambda one: one.name) == [
        Host("b", OFFER, Amount(0, 0.5, 3)),
        Host("c", Amount(1, 16.0, 64), Amount(1, 16.0, 64)),
    ]
    assert entry(folder, "a").exists()


async def test_the_dead_are_told_by_the_store_s_clock_alone(folder: Path) -> None:
    own = Own()
    for name in ("a", "fresh", "dead", "gone"):
        await host(folder, name).write()
    # This host wrote long ago too, as the store's clock has it: only the difference counts.
    for name, seconds in (("a", 7000), ("fresh", 7080), ("dead", 7100), ("gone", 7001 + 86400)):
        age(entry(folder, name), seconds)
    others = await seen(host(folder, "a", own), own)
    assert others is not None
    assert [one.name for one in others] == ["fresh"]
    await asyncio.sleep(0)
    assert [entry(folder, name).exists() for name in ("dead", "gone")] == [True, False]


async def test_what_is_no_entry_is_passed_over(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    own = Own()
    await host(folder, "b").write()
    entry(folder, "c").write_text("{}")
    with caplog.at_level(logging.WARNING):
        others = await seen(host(folder, "a", own), own)
    assert others is not None
    assert [one.name for one in others] == ["b"]
    assert "'hosts/orca/c.json' in the store tells of no worker" in caplog.text


async def test_work_that_was_sent_is_taken_off_for_a_while(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Own()
    await host(folder, "b").write()
    hosts = host(folder, "a", own)
    await seen(hosts, own)
    hosts.send("b", Amount(1, 1.5, 2))
    assert hosts.others() == (Host("b", OFFER, Amount(3, 0.5, 6)),)
    monkeypatch.setattr(room, "SENT_FOR", 0.0)
    assert hosts.others() == (Host("b", OFFER, OFFER),)


async def test_a_store_that_fails_is_borne_and_nobody_is_known(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = Own()
    hosts = host(folder, "a", own)
    (folder / "hosts").parent.mkdir(exist_ok=True)
    (folder / "hosts").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        await hosts.write()
        assert await seen(hosts, own) is None
    assert "other workers cannot be told" in caplog.text
    assert "which other workers there are cannot be seen" in caplog.text


async def test_an_entry_follows_what_is_left_and_goes_with_its_host(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "WRITE_PAUSE", 0.05)
    own, path = Own(), entry(folder, "a")
    hosts = host(folder, "a", own)
    await hosts.write()
    first = path.stat().st_mtime_ns
    async with kept(hosts):
        await asyncio.sleep(0.3)
        assert path.stat().st_mtime_ns == first, "nothing has changed, and it is not yet time"
        own.free = Amount(1, 0.25, 7)
        hosts.changed()
        async with asyncio.timeout(10):
            while '"cpus":0.25' not in path.read_text():
                await asyncio.sleep(0.01)
        monkeypatch.setattr(board, "WRITE_EVERY", 0.1)
        own.free = OFFER
        hosts.changed()
        second = path.stat().st_mtime_ns
        async with asyncio.timeout(10):
            while path.stat().st_mtime_ns == second or '"cpus":0.25' in path.read_text():
                await asyncio.sleep(0.01)
    assert not path.exists()
    await hosts.write()
    assert not path.exists(), "a host that ends says nothing any more"


async def test_a_host_whose_engine_has_not_answered_offers_nothing(folder: Path) -> None:
    own = Own(None)
    await host(folder, "a", own).write()
    assert not entry(folder, "a").exists()


def test_queues_with_odd_names_have_folders_of_their_own() -> None:
    assert ids.hosts_prefix("orca") == "hosts/orca/"
    odd = [ids.hosts_prefix(name) for name in ("a b", "a-b", "a/b", "../a-b")]
    assert len(set(odd)) == 4
    assert all(prefix.startswith("hosts/a-b") and prefix.count("/") == 2 for prefix in odd)


async def test_times_are_the_store_s(folder: Path) -> None:
    store = open_store(str(folder))
    await store.put_bytes("a/b", b"1")
    await store.put_bytes("a/c/d", b"2")
    await store.put_bytes("e", b"3")
    times = await store.list_times("a/")
    assert sorted(times) == ["a/b", "a/c/d"]
    assert abs(times["a/b"].timestamp() - (folder / "a" / "b").stat().st_mtime) < 1
    with pytest.raises(StoreError):
        await Store.list_times(store, "a")
