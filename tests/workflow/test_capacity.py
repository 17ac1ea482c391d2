"""Jobs on hosts that have room for only so much: they wait, go to where there is room, or learn that there is none."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.interpreter import dispatch
from orchestrator.plan.parts import Resources
from orchestrator.store.store import open_store
from tests.support.house import House, activities, service, until, with_services
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import job, plan
from tests.support.serving import Runner
from tests.workflow.conftest import Serve
from workers.placement.amounts import Amount
from workers.placement.hosts import Hosts

GIB = 1024**3
SMALL, LARGE = Amount(8, 1.0, GIB), Amount(8, 4.0, 8 * GIB)


class Counted:
    """Jobs that go on until they may end, and how many were at it at the same time."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.order: list[str] = []
        self.most = self.now = 0
        self._lock = threading.Lock()

    def engine(self) -> MemoryEngine:
        return MemoryEngine(programs={"hold": self.hold})

    def hold(self, box: Running) -> int:
        with self._lock:
            self.order.append(box.env["ORCA_JOB"])
            self.now += 1
            self.most = max(self.most, self.now)
        self.gate.wait(60)
        with self._lock:
            self.now -= 1
        return 0


def asks(cpus: float = 0.0, memory: int | None = None) -> Resources:
    return Resources(cpus=cpus or None, memory=memory)


def waits_for_room(*names: str) -> Callable[[RunRecord], bool]:
    return lambda record: any("room on host" in (record.jobs[name].reason or "") for name in names)


async def summaries(client: Client, run: str) -> list[str]:
    """What stands on the bars of the timeline, in order."""
    history = await client.get_workflow_handle(run).fetch_history()
    return [
        event.user_metadata.summary.data.decode()
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]


async def test_jobs_take_turns_and_the_one_that_waits_says_for_what(client: Client, serve: Serve) -> None:
    counted = Counted()
    jobs = [job(name, entrypoint=("hold",), resources=asks(cpus=0.75)) for name in ("a", "b")]
    free = job("c", entrypoint=("hold",))
    async with serve(client, engine=counted.engine(), offer=SMALL) as runner:
        handle = await runner.start(plan(*jobs, free))
        record = await until(client, handle.id, waits_for_room("a", "b"))
        (waits,) = (one for one in record.jobs.values() if one.status == "waiting")
        assert waits.reason == "waiting for room on host 'host': asks for 0.75 CPUs, 0.25 are free"
        # What asks for nothing goes ahead.
        await until(client, handle.id, lambda _: counted.now == 2)
        counted.gate.set()
        record = await runs.wait(client, handle.id)
    assert (record.status, counted.most, [one.tries for one in record.jobs.values()]) == (
        "success",
        2,
        [1, 1, 1],
    )
    assert sorted(key for _, key in await activities(client, handle.id)) == ["a", "b", "c"]


async def test_what_fits_on_no_host_fails_and_says_so(client: Client, serve: Serve) -> None:
    large = job("large", resources=asks(64, 2 * GIB))
    tied = with_services("tied", service(resources=asks(0.75)), resources=asks(0.5))
    async with serve(client, offer=SMALL) as runner:
        handle = await runner.start(plan(large, tied))
        record = await runs.wait(client, handle.id)
    advice = "ask for less in 'resources', or start a worker on a larger host"
    assert record.jobs["large"].reason == (
        "capacity: the job asks for 64 CPUs and 2 GiB; the largest worker, host 'host', offers 1 CPU and 1 GiB;"
        f" {advice}"
    )
    assert record.jobs["tied"].reason == (
        "capacity: the job and its services together ask for 1.25 CPUs; the largest worker, host 'host', offers 1 CPU;"
        f" {advice}"
    )
    assert [one.tries for one in record.jobs.values()] == [1, 1]
    # Nothing was started, so that there is nothing to stop.
    assert sorted(key for _, key in await activities(client, handle.id)) == ["large", "start services: tied"]


async def test_a_larger_host_gets_what_the_first_is_too_small_for(client: Client, serve: Serve) -> None:
    house = House()
    unit = with_services("unit", service(), resources=asks(2))
    plain = job("plain", resources=asks(memory=2 * GIB))
    async with (
        serve(client, offer=SMALL) as runner,
        serve(client, engine=house.engine, queue=runner.task_queue, shared=False, host="b", offer=LARGE),
    ):
        handle = await runner.start(plan(unit, plain))
        record = await runs.wait(client, handle.id)
    assert record.status == "success", record
    assert [(one.tries, one.history[0].host) for one in record.jobs.values()] == [(1, "b"), (1, "b")]
    assert sorted(await activities(client, handle.id)) == [
        ("plain", "plain"),
        ("plain", "plain (dispatch 2)"),
        ("start services", "start services: unit"),
        ("start services", "start services: unit (dispatch 2)"),
        ("stop services", "stop services: unit"),
        ("unit", "unit"),
    ]
    assert (
        sum("(sent to host 'b', which has room)" in line for line in await summaries(client, handle.id)) == 2
    )
    assert house.left == ([], [])


async def test_a_busy_host_passes_work_on_to_one_that_has_room(client: Client, serve: Serve) -> None:
    counted = Counted()
    jobs = [job(name, entrypoint=("hold",), resources=asks(1)) for name in ("a", "b")]
    engine = counted.engine()
    async with (
        serve(client, engine=engine, offer=SMALL) as runner,
        serve(client, engine=counted.engine(), queue=runner.task_queue, shared=False, host="b", offer=SMALL),
    ):
        handle = await runner.start(plan(*jobs))
        await until(client, handle.id, lambda _: counted.now == 2)
        counted.gate.set()
        record = await runs.wait(client, handle.id)
    assert sorted(one.history[0].host for one in record.jobs.values()) == ["b", "host"]
    assert [(one.status, one.tries) for one in record.jobs.values()] == [("success", 1)] * 2


async def test_a_cancel_ends_what_waits_at_once(client: Client, serve: Serve) -> None:
    counted = Counted()
    jobs = [job("a", entrypoint=("hold",), resources=asks(1)), job("b", "a")]
    async with serve(client, engine=counted.engine(), offer=SMALL) as runner:
        first = await runner.start(plan(jobs[0]))
        await until(client, first.id, lambda _: counted.now == 1)
        second = await runner.start(plan(*jobs))
        await until(client, second.id, waits_for_room("a"))
        await runs.cancel(client, second.id)
        record = await asyncio.wait_for(runs.wait(client, second.id), 20)
        assert {one.status for one in record.jobs.values()} == {"cancelled"}
        counted.gate.set()
        assert (await runs.wait(client, first.id)).status == "success"
    assert counted.order == ["a"]


async def test_a_worker_that_stops_gives_back_what_waits(client: Client, serve: Serve) -> None:
    counted, other = Counted(), Counted()
    other.gate.set()
    async with serve(client, engine=counted.engine(), offer=SMALL) as runner:
        first = await runner.start(plan(job("a", entrypoint=("hold",), resources=asks(1))))
        await until(client, first.id, lambda _: counted.now == 1)
        second = await runner.start(plan(job("b", entrypoint=("hold",), resources=asks(1))))
        await until(client, second.id, waits_for_room("b"))
    # Another host takes it: nothing binds it to the one on which it waited.
    async with serve(client, engine=other.engine(), queue=runner.task_queue, host="b", offer=SMALL):
        record = await runs.wait(client, second.id)
        assert (record.status, record.jobs["b"].tries, record.jobs["b"].history[0].host) == (
            "success",
            1,
            "b",
        )
        counted.gate.set()
        await runs.cancel(client, first.id)
    assert (counted.order, other.order) == (["a"], ["b"])


async def test_a_unit_has_its_share_from_the_start_of_its_services_to_their_stop(
    client: Client, serve: Serve
) -> None:
    running: list[int] = []

    def serve_alone(box: Running) -> int:
        running.append(sum(one.state == "running" for one in engine.list_labelled({})))
        box.out("ready")
        box.sleep(60, until_stopped=True)
        return 143

    engine = MemoryEngine(programs={"serve": serve_alone})
    one, two = (
        with_services(name, service(resources=asks(0.4)), resources=asks(0.4)) for name in ("one", "two")
    )
    async with serve(client, engine=engine, offer=SMALL) as runner:
        record = await runner.run(plan(one, two))
    assert record.status == "success", record
    assert running == [1, 1], "each service began when nothing else ran"


async def test_two_runs_with_shared_services_do_not_wait_for_one_another(
    client: Client, serve: Serve
) -> None:
    house = House()
    shape = plan(
        job("one", shared_services=("db",), entrypoint=("work",), resources=asks(0.5)),
        job("two", "one", shared_services=("db",), entrypoint=("work",), resources=asks(0.5)),
        services=(service("db", resources=asks(0.4)),),
    )
    async with serve(client, engine=house.engine, offer=SMALL) as runner:
        handles = [await runner.start(shape) for _ in range(3)]
        records = await asyncio.wait_for(
            asyncio.gather(*(runs.wait(client, handle.id) for handle in handles)), 60
        )
    assert [record.status for record in records] == ["success"] * 3
    assert house.left == ([], [])


async def test_shared_services_that_fit_nowhere_with_a_job_fail_their_jobs(
    client: Client, serve: Serve
) -> None:
    shape = plan(
        job("one", shared_services=("db",), resources=asks(0.75)),
        services=(service("db", resources=asks(0.5)),),
    )
    async with serve(client, offer=SMALL) as runner:
        handle = await runner.start(shape)
        record = await runs.wait(client, handle.id)
    assert record.jobs["one"].reason == (
        "capacity: the shared services and the largest of their jobs together ask for 1.25 CPUs; the largest worker,"
        " host 'host', offers 1 CPU; ask for less in 'resources', or start a worker on a larger host"
    )
    assert [key for _, key in await activities(client, handle.id)] == ["start services"]


class Ghost:
    """A host that has said what it offers and is gone."""

    async def ask_offer(self) -> Amount:
        return LARGE

    def standing(self) -> tuple[Amount, Amount]:
        return LARGE, LARGE

    def seen(self) -> None:
        raise AssertionError("it never looks")


async def haunt(runner: Runner, folder: str) -> None:
    store = open_store(folder)
    await Hosts(store, "ghost", own=Ghost(), namespace="default", task_queue=runner.task_queue).write()


@pytest.mark.parametrize(("moves", "status"), [(20, "success"), (1, "failed")])
async def test_a_host_that_does_not_take_what_it_is_sent(
    client: Client, serve: Serve, monkeypatch: pytest.MonkeyPatch, store_folder: str, moves: int, status: str
) -> None:
    monkeypatch.setattr(dispatch, "HOST_START_WAIT", 0.5)
    monkeypatch.setattr(dispatch, "MAX_ROOM_MOVES", moves)
    async with serve(client, offer=SMALL) as runner:
        await haunt(runner, store_folder)
        handle = await runner.start(plan(job("a", resources=asks(2))))
        if status == "success":
            await until(client, handle.id, lambda _: True)
            async with serve(
                client, queue=runner.task_queue, shared=False, host="b", offer=Amount(8, 16.0, GIB)
            ):
                record = await runs.wait(client, handle.id)
        else:
            record = await runs.wait(client, handle.id)
    found = record.jobs["a"]
    assert (found.status, found.tries) == (status, 1)
    if status == "failed":
        assert found.reason == (
            "capacity: no host had room when it was to begin: it was sent on 2 times; the last time host 'ghost' did"
            " not take it within 0 s"
        )
    else:
        assert found.history[0].host == "b"
