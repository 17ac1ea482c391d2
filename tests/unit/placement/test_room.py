"""Work waits for its share of a host, is sent elsewhere, or is refused."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.contract.capacity import Ask, SharedRoom
from orchestrator.store.store import open_store
from workers.engine.failures import EngineUnreachable
from workers.placement import room as module
from workers.placement.amounts import Amount
from workers.placement.hosts import Hosts
from workers.placement.room import Caller, Misplaced, NoRoom, Room, Surroundings
from workers.placement.wanted import Wanted

OFFER = Amount(2, 2.0, 8)


@dataclass
class Site:
    """What a room asks, as a test says, and how often it was asked."""

    offer: Amount | None = OFFER
    offers: int = 0
    networks: list[str] = field(default_factory=list[str])

    async def offered(self) -> Amount:
        self.offers += 1
        if self.offer is None:
            raise EngineUnreachable("no engine")
        return self.offer

    async def there(self, network: str) -> bool:
        return network in self.networks

    def room(self, name: str = "a") -> Room:
        return Room(name, OFFER.jobs, Surroundings(self.offered, self.there))


@dataclass
class Work:
    """One that asks for room, and what it was told."""

    wanted: Wanted
    known: bool = False
    stays: bool = False
    said: list[str] = field(default_factory=list[str])
    looks: int = 0
    end: asyncio.Event = field(default_factory=asyncio.Event)
    runs: bool = False

    async def begun(self) -> bool:
        self.looks += 1
        return self.known

    def go(self, room: Room, *, adopt: bool = False, keep: bool = False) -> "asyncio.Task[None]":
        async def run() -> None:
            caller = Caller(self.said.append, self.begun, self.stays)
            async with room.share(self.wanted, caller, adopt=adopt, keep=keep):
                self.runs = True
                await self.end.wait()
            self.runs = False

        return asyncio.create_task(run())


def work(
    key: str, cpus: float = 0.0, *, jobs: int = 0, lender: SharedRoom | None = None, stays: bool = False
) -> Work:
    return Work(Wanted(key, Amount(jobs, cpus, 0), "the job", lender), stays=stays)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_the_second_waits_for_the_first_and_says_so() -> None:
    room, first, second = Site().room(), work("a", 1.5), work("b", 1)
    tasks = [one.go(room) for one in (first, second)]
    await until(lambda: second.said)
    assert (first.runs, second.runs, first.looks) == (True, False, 0)
    assert second.said[0] == "waiting for room on host 'a': asks for 1 CPU, 0.5 are free"
    assert room.standing() == (OFFER, Amount(2, 0.0, 8))
    first.end.set()
    await until(lambda: second.runs)
    second.end.set()
    await asyncio.gather(*tasks)
    assert room.standing() == (OFFER, OFFER)


async def test_what_asks_for_nothing_costs_nothing() -> None:
    site = Site()
    room, one = site.room(), work("a")
    task = one.go(room)
    await until(lambda: one.runs)
    assert (one.looks, site.offers, one.said) == (0, 0, [])
    one.end.set()
    await task


async def test_a_host_whose_places_are_taken_says_that_it_is_full() -> None:
    room = Site().room()
    await room.ask_offer()
    tasks = [(one := work("a")).go(room), (other := work("b", jobs=1)).go(room)]
    await until(lambda: one.runs and other.runs)
    assert room.standing() == (OFFER, Amount(0, 2.0, 8))
    one.end.set()
    other.end.set()
    await asyncio.gather(*tasks)


async def test_places_alone_are_waited_for_without_a_look_at_anything() -> None:
    site = Site()
    room, works = site.room(), [work(key, jobs=1) for key in "abc"]
    tasks = [one.go(room) for one in works]
    await until(lambda: works[2].said)
    assert (works[2].looks, site.offers) == (0, 0)
    assert works[2].said[0] == "waiting for room on host 'a': it runs at most 2 jobs at a time"
    for one in works:
        one.end.set()
    await asyncio.gather(*tasks)


async def test_what_a_host_has_begun_already_does_not_wait() -> None:
    room, first, again, adopted = Site().room(), work("a", 2), work("b", 2), work("c", 2)
    again.known = True
    tasks = [first.go(room)]
    await until(lambda: first.runs)
    tasks += [again.go(room), adopted.go(room, adopt=True)]
    await until(lambda: first.runs and again.runs and adopted.runs)
    assert (again.looks, adopted.looks) == (1, 0)
    for one in (first, again, adopted):
        one.end.set()
    await asyncio.gather(*tasks)
    assert room.standing() == (OFFER, OFFER)


async def test_a_unit_keeps_its_share_until_it_is_stopped() -> None:
    room, services, job, other = Site().room(), work("unit", 2), work("unit", 2), work("other", 2)
    services.end.set()
    await services.go(room, keep=True)
    waiting = other.go(room)
    await until(lambda: other.said)
    job.end.set()
    await job.go(room, adopt=True, keep=True)
    assert not other.runs
    with room.stopping("unit"):
        await asyncio.sleep(0.02)
        assert not other.runs
    await until(lambda: other.runs)
    other.end.set()
    await waiting


async def test_a_unit_of_which_nothing_more_comes_frees_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 0.1)
    room, services, other = Site().room(), work("unit", 2), work("other", 2)
    services.end.set()
    await services.go(room, keep=True)
    waiting = other.go(room)
    await until(lambda: other.runs)
    other.end.set()
    await waiting


async def test_a_cancelled_one_leaves_nothing_behind() -> None:
    room, first, second = Site().room(), work("a", 2), work("b", 2)
    holding, waiting = first.go(room), second.go(room)
    await until(lambda: second.said)
    for task in (waiting, holding):
        task.cancel()
    await asyncio.gather(holding, waiting, return_exceptions=True)
    assert room.standing() == (OFFER, OFFER)


async def test_an_engine_that_does_not_answer_holds_nothing_up() -> None:
    site = Site(offer=None)
    room, first, second = site.room(), work("a", 64), work("b", 64)
    tasks = [one.go(room) for one in (first, second)]
    await until(lambda: first.runs and second.runs)
    assert (site.offers, room.standing()) == (1, None)
    for one in (first, second):
        one.end.set()
    await asyncio.gather(*tasks)


async def test_what_fits_nowhere_is_refused() -> None:
    one = work("a", 64)
    with pytest.raises(
        NoRoom, match="the job asks for 64 CPUs; the largest worker, host 'a', offers 2 CPUs; "
    ):
        await one.go(Site().room())


async def test_work_that_waits_for_too_long_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOM_WAIT", 0.1)
    monkeypatch.setattr(module, "HEARTBEAT_INTERVAL", 0.05)
    room, first, second = Site().room(), work("a", 2), work("b", 2)
    holding = first.go(room)
    await until(lambda: first.runs)
    with pytest.raises(Misplaced, match="host 'a' had no room for 0 min") as caught:
        await second.go(room)
    assert caught.value.host == ""
    first.end.set()
    await holding


LENDER = SharedRoom(network="net", services=Ask(cpus=0.5), reserve=Ask(cpus=1.5))


async def test_shared_services_that_a_new_worker_finds_are_counted_until_they_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CHECK_EVERY", 0.05)
    monkeypatch.setattr(module, "HEARTBEAT_INTERVAL", 0.05)
    site = Site(networks=["net"])
    room, user, other = site.room(), work("a", 1.5, lender=LENDER, stays=True), work("b", 1)
    using, waiting = user.go(room), other.go(room)
    await until(lambda: user.runs and other.said)
    user.end.set()
    await using
    await asyncio.sleep(0.2)
    assert not other.runs, "the services are still there"
    # Their run was ended from outside and somebody has cleared them away: no stop ever comes.
    site.networks.clear()
    await until(lambda: other.runs)
    other.end.set()
    await waiting


@pytest.fixture(name="neighbours")
async def neighbours_fixture(tmp_path: Path) -> tuple[Room, Room]:
    """A host 'a' of 2 CPUs and a host 'b' of 16."""
    store, sites = open_store(str(tmp_path)), (Site(), Site(Amount(2, 16.0, 64)))
    rooms = [site.room(name) for site, name in zip(sites, "ab", strict=True)]
    for room, name in zip(rooms, "ab", strict=True):
        hosts = Hosts(store, name, own=room, namespace="default", task_queue="orca")
        room.join(hosts)
        await hosts.write()
    return rooms[0], rooms[1]


async def test_work_goes_where_there_is_room(neighbours: tuple[Room, Room]) -> None:
    room, _ = neighbours
    first = work("a", 2)
    holding = first.go(room)
    await until(lambda: first.runs)
    with pytest.raises(Misplaced, match="host 'a' has no room for 1 CPU now, and host 'b' has") as caught:
        await work("b", 1).go(room)
    assert caught.value.host == "b"
    with pytest.raises(Misplaced, match="host 'a' has no room for 8 CPUs now, and host 'b' has"):
        await work("c", 8).go(room)
    with pytest.raises(NoRoom, match="asks for 64 CPUs; the largest worker, host 'b', offers 16 CPUs"):
        await work("d", 64).go(room)
    tied = work("e", 1, stays=True)
    waiting = tied.go(room)
    await until(lambda: tied.said)
    first.end.set()
    await until(lambda: tied.runs)
    tied.end.set()
    await asyncio.gather(holding, waiting)
