"""How far a cancel reaches, on a real server: nested runs, workers that heed nothing, runs without a worker."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.common import RawValue

from orchestrator.client import cancelling, runs
from orchestrator.client.cancelling import Cancelled
from orchestrator.contract.people import Cancel, CancelMode
from orchestrator.errors import WorkerUnreachable
from orchestrator.interpreter.cancelling import FORCE_WAIT
from tests.support.hall import LAST, Hall, asked, begun, does, ended, ends
from tests.support.house import activities
from tests.support.kinds import gate, nested
from tests.support.memory_engine import MemoryEngine, Program
from tests.support.plans import job, plan
from tests.support.serving import Runner, worker_of
from tests.support.workshop import until
from tests.workflow.conftest import Serve


@pytest.mark.parametrize(
    ("mode", "inner", "outer"),
    [
        ("drain", {"work": "success", "more": "cancelled", "clean": "success"}, "success"),
        ("graceful", {"work": "cancelled", "more": "cancelled", "clean": "success"}, "success"),
        ("force", {"work": "cancelled", "more": "cancelled", "clean": "cancelled"}, "cancelled"),
    ],
)
async def test_nested_runs_end_in_the_same_mode(
    client: Client, serve: Serve, mode: CancelMode, inner: dict[str, str], outer: str
) -> None:
    hall = Hall()
    child = plan(does("work", "until"), job("more", "work"), job("clean", **LAST), spec="child")
    shape = plan(nested("sub", "c"), job("after", "sub"), job("end", **LAST), workflows={"c": child})
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(shape)
        await begun(client, run.id, hall, "work")
        await asked(client, run.id, mode)
        found = (await runs.record(client, run.id)).jobs["sub"].child if mode != "force" else ""
        hall.go.set() if mode == "drain" else None
        record = await ended(client, run.id)
        found = found or record.jobs["sub"].child
        below = await ended(client, found)
    assert (below.status, ends(below)) == ("cancelled", inner)
    assert ends(record) == {"sub": "cancelled", "after": "cancelled", "end": outer}


async def test_a_nested_run_s_finalizers_end_with_the_second_cancel(client: Client, serve: Serve) -> None:
    child = plan(gate("ask"), gate("sign", **LAST), spec="child")
    async with serve(client) as runner:
        run = await runner.start(plan(nested("sub", "c"), job("end", **LAST), workflows={"c": child}))
        await until(client, run.id, lambda record: record.jobs["sub"].child)
        below = (await runs.record(client, run.id)).jobs["sub"].child
        await asked(client, run.id)
        await until(client, below, lambda record: record.jobs["sign"].gate is not None)
        await asked(client, run.id)
        assert ends(await ended(client, below)) == {"ask": "cancelled", "sign": "cancelled"}
        record = await ended(client, run.id)
    assert ends(record) == {"sub": "cancelled", "end": "cancelled"}


async def test_a_host_that_was_away_hears_of_the_cancel_when_it_is_back(client: Client, serve: Serve) -> None:
    hall, queue = Hall(), uuid4().hex
    async with worker_of(client, queue):
        async with serve(client, engine=hall.engine, queue=queue, decides=False):
            run = await Runner(client, queue).start(plan(does("work", "until"), job("end", **LAST)))
            await begun(client, run.id, hall, "work")
        # Its worker has let go of the container, and nobody is there to take it over.
        await dispatched(client, run.id, 2)
        await runs.cancel(client, run.id)
        await dispatched(client, run.id, 3)
        assert len(hall.engine.list_labelled({})) == 1
        async with serve(client, engine=hall.engine, queue=queue, decides=False):
            record = await ended(client, run.id)
    assert (ends(record)["work"], hall.begun) == ("cancelled", ["work"])
    assert hall.engine.list_labelled({}) == []


LONG = 120.0
"""Seconds of a grace that no worker has when it is stopped."""


class Unwaiting(MemoryEngine):
    """Sends the stop signal, and does not hold a thread for as long as the grace."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        super().__init__(programs=programs)
        self.stops: list[float] = []

    def stop(self, container: str, *, grace: float) -> None:
        with self._changed:
            self._get(container).stop_sent = True
            self.stops.append(grace)
            self._changed.notify_all()

    async def stopped(self, times: int) -> None:
        """Return once it was told so often to stop something."""
        async with asyncio.timeout(30):
            while len(self.stops) < times:
                await asyncio.sleep(0.02)


async def test_a_worker_that_stops_in_a_grace_lets_go_and_the_next_one_goes_on(
    client: Client, serve: Serve
) -> None:
    hall, queue = Hall(), uuid4().hex
    hall.engine = engine = Unwaiting({"deaf": hall.deaf})
    async with worker_of(client, queue):
        async with serve(client, engine=engine, queue=queue, decides=False):
            run = await Runner(client, queue).start(
                plan(does("work", "deaf", stop_grace=LONG), job("end", **LAST))
            )
            await begun(client, run.id, hall, "work")
            await asked(client, run.id)
            await engine.stopped(1)
            at = time.monotonic()
        took = time.monotonic() - at
        (left,) = engine.list_labelled({})
        await dispatched(client, run.id, 2)
        async with serve(client, engine=engine, queue=queue, decides=False):
            await engine.stopped(2)
            between = await runs.record(client, run.id)
            await asked(client, run.id, "force")
            record = await ended(client, run.id)
    assert took < 10
    assert left.state == "running"
    assert (between.status, between.jobs["work"].status) == ("running", "running")
    assert (ends(record), hall.begun) == ({"work": "cancelled", "end": "cancelled"}, ["work"])
    assert engine.list_labelled({}) == []


async def dispatched(client: Client, run: str, times: int) -> None:
    """Return once the job has been sent out so often."""
    async with asyncio.timeout(30):
        while len([name for name, _ in await activities(client, run) if name == "work"]) < times:
            await asyncio.sleep(0.1)


class Mute:
    """A worker that takes a try, says that it is alive, and heeds nothing."""

    def __init__(self) -> None:
        self.taken = asyncio.Event()
        self.free = asyncio.Event()

    @activity.defn(dynamic=True)
    async def run(self, arguments: Sequence[RawValue]) -> None:
        self.taken.set()
        while not self.free.is_set():
            try:
                activity.heartbeat()
                await asyncio.sleep(0.2)
            except asyncio.CancelledError:
                continue


async def test_force_ends_the_run_also_where_its_worker_heeds_nothing(client: Client) -> None:
    queue, mute = uuid4().hex, Mute()
    async with worker_of(client, queue, mute.run):
        try:
            run = await Runner(client, queue).start(plan(job("work"), job("end", **LAST)))
            await asyncio.wait_for(mute.taken.wait(), 30)
            await asked(client, run.id, "force")
            record = await ended(client, run.id)
        finally:
            mute.free.set()
    reason = record.jobs["work"].reason or ""
    assert ends(record) == {"work": "cancelled", "end": "cancelled"}
    assert reason.startswith(
        f"cancelled: the run was cancelled by force, and no worker said within {FORCE_WAIT:.0f} s that the job has "
        "ended: container 'orca-"
    )
    assert (
        "' may still run on the host that had it, whose worker removes it once it is back; 'docker rm -f orca-"
        in reason
    )


async def test_without_a_worker(client: Client, serve: Serve) -> None:
    queue = uuid4().hex
    run = await Runner(client, queue).start(plan(job("work"), job("end", **LAST)))
    with pytest.raises(WorkerUnreachable) as caught:
        await asked(client, run.id, "drain")
    said = await asked(client, run.id)
    again = await asked(client, run.id)
    assert str(caught.value) == (
        f"no worker on task queue '{queue}' answers, and only the run itself can drain. Start one with 'orca worker', "
        f"and ask again; or end the run with 'orca cancel {run.id}', which counts as soon as a worker is there"
    )
    soon = f"and will as soon as a worker is there: no worker on task queue '{queue}' answers. Start one with"
    assert [said, again] == [
        Cancelled(
            "requested",
            f"run '{run.id}' is to stop, {soon} 'orca worker'; 'orca cancel {run.id} --mode force' ends it at the "
            "server",
        ),
        Cancelled(
            "requested",
            f"run '{run.id}' was told to stop before, {soon} 'orca worker'; ask again then to end its finalizers too, "
            f"or end it now with 'orca cancel {run.id} --mode force'",
        ),
    ]
    async with serve(client, queue=queue):
        record = await ended(client, run.id)
    assert ends(record) == {"work": "cancelled", "end": "success"}


async def test_force_without_a_worker_ends_the_run_at_the_server(client: Client, serve: Serve) -> None:
    hall = Hall()
    told: list[str] = []
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(plan(does("work", "until"), job("end", **LAST)))
        await begun(client, run.id, hall, "work")
    wanted = Cancel(mode="force", by="ann", comment="gone")
    done = await cancelling.cancel(client, run.id, wanted, say=told.append)
    record = await runs.record(client, run.id)
    why = f"no worker on task queue '{runner.task_queue}' answers"
    assert told == [f"{why}: ending run '{run.id}' at the server"]
    assert done == Cancelled(
        "terminated",
        f"{why}, so run '{run.id}' was ended at the server: no finalizer runs, and containers that still run are "
        "removed by their hosts' workers once these are back",
    )
    assert record.error == (
        "terminated: cancelled by force by ann (gone): no worker on task queue "
        f"'{runner.task_queue}' answered, so its finalizers did not run"
    )
    assert (record.status, set(ends(record).values())) == ("cancelled", {"cancelled"})
    hall.go.set()


async def test_force_without_a_worker_ends_all_nested_runs_too(client: Client, serve: Serve) -> None:
    leaf = plan(gate("ask"), job("end", **LAST), spec="leaf")
    middle = plan(nested("low", "l"), gate("also"), job("end", **LAST), spec="middle")
    shape = plan(nested("sub", "m"), nested("brief", "b"), workflows={
        "m": middle, "l": leaf, "b": plan(job("a"), spec="brief"),
    })  # fmt: skip
    queue = uuid4().hex
    async with serve(client, queue=queue) as runner:
        run = await runner.start(shape)
        await until(client, run.id, lambda now: now.jobs["brief"].status == "success")
        await until(client, run.id, lambda now: now.jobs["sub"].child)
        below = (await runs.record(client, run.id)).jobs["sub"].child
        await until(client, below, lambda now: now.jobs["low"].child)
        lowest = (await runs.record(client, below)).jobs["low"].child
        await until(client, lowest, lambda now: now.jobs["ask"].status == "waiting")
    done = await asked(client, run.id, "force")
    assert done.how == "terminated"
    assert f"so run '{run.id}' was ended at the server with the 2 nested runs below it: " in done.message
    async with serve(client, queue=queue):
        found = [await runs.wait(client, one) for one in (run.id, below, lowest)]
    assert [(one.status, one.error) for one in found] == 3 * [
        (
            "cancelled",
            f"terminated: cancelled by force by ann: no worker on task queue '{queue}' answered, so its finalizers "
            "did not run",
        )
    ]
    assert found[2].jobs["end"].status == "pending"
