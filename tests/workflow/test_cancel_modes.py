"""A run that is cancelled in its three modes, on a real server: what each reaches, and how it is raised to the next."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RawValue

from orchestrator.client import cancelling, runs
from orchestrator.client.cancelling import Cancelled
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.people import Cancel, CancelMode
from orchestrator.errors import UsageError, WorkerUnreachable
from orchestrator.interpreter.cancelling import FORCE_WAIT
from orchestrator.plan.model import ContainerNode
from tests.support.kinds import gate, nested, pause, wait
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import for_each, job, plan
from tests.support.serving import Runner, worker_of
from tests.support.workshop import ITEM, Workshop, states, until
from tests.workflow.conftest import Serve

LAST: dict[str, Any] = {"finalizer": True, "on_complete": "always"}
RUNNING = WorkflowExecutionStatus.RUNNING


class Hall:
    """Containers that heed a stop, that do not, and that go on until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[str] = []
        self.stops: list[str] = []
        self.engine = MemoryEngine(programs={"heeds": self.heeds, "deaf": self.deaf, "until": self.until})

    def heeds(self, box: Running) -> int:
        self.begun.append(box.env["ORCA_JOB"])
        box.sleep(60, until_stopped=True)
        self.stops.append(box.env["ORCA_JOB"])
        return 143

    def deaf(self, box: Running) -> int:
        self.begun.append(box.env["ORCA_JOB"])
        box.sleep(60)
        return 0

    def until(self, box: Running) -> int:
        self.begun.append(box.env["ORCA_JOB"])
        while not self.go.is_set():
            if box.sleep(0.02):
                return 143
        return 0


def does(name: str, what: str, *requires: str, **fields: Any) -> ContainerNode:
    return job(name, *requires, entrypoint=(what,), **fields)


def ends(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


async def asked(client: Client, run: str, mode: CancelMode = "graceful", **fields: Any) -> Cancelled:
    wanted = Cancel.model_validate({"mode": mode, "by": "ann", **fields})
    return await cancelling.cancel(client, run, wanted)


async def refused(client: Client, run: str, mode: CancelMode) -> str:
    with pytest.raises(UsageError) as caught:
        await asked(client, run, mode)
    return str(caught.value)


async def begun(client: Client, run: str, hall: Hall, *names: str) -> None:
    await until(client, run, lambda _: set(names) <= set(hall.begun))


async def ended(client: Client, run: str) -> RunRecord:
    """The record, once the server says that the run was cancelled."""
    record = await runs.wait(client, run)
    assert (await client.get_workflow_handle(run).describe()).status is WorkflowExecutionStatus.CANCELED
    return record


async def test_a_drain_lets_end_what_runs_and_begins_nothing(client: Client, serve: Serve) -> None:
    hall = Hall()
    shape = plan(
        does("work", "until", outputs={"x": "1"}),
        job("after", "work"),
        gate("ask"),
        wait("nap", duration=3600),
        job("held", on_error="hold", entrypoint=("${{ fromJSON('?') }}",)),
        does("end", "until", **LAST),
    )
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(shape)
        await begun(client, run.id, hall, "work")
        await until(client, run.id, lambda record: record.jobs["held"].status == "held")
        said = await asked(client, run.id, "drain", comment="no hurry")
        await until(client, run.id, lambda record: record.jobs["ask"].status == "cancelled")
        between = await runs.record(client, run.id)
        again = await refused(client, run.id, "drain")
        hall.go.set()
        record = await ended(client, run.id)
    assert said == Cancelled(
        "requested",
        "the run drains: what runs comes to its end, nothing new starts, then finalizers run",
    )
    assert again == "the run drains already: '--mode graceful' stops what runs, '--mode force' kills it"
    assert (between.status, between.jobs["work"].status, hall.begun) == (
        "running",
        "running",
        ["work", "end"],
    )
    assert (record.status, ends(record)) == (
        "cancelled",
        {
            "work": "success",
            "after": "cancelled",
            "ask": "cancelled",
            "nap": "cancelled",
            "held": "cancelled",
            "end": "success",
        },
    )
    assert record.cancel is not None
    assert (record.cancel.mode, record.cancel.by, record.cancel.comment) == ("drain", "ann", "no hurry")


async def test_a_drain_of_variants_and_of_what_fails(client: Client, serve: Serve) -> None:
    hall, shop = Hall(), Workshop(fails=("b",), lasts=1.5)
    hall.engine = MemoryEngine(programs={**shop.programs, "until": hall.until})
    node = for_each(
        "test", ["a", "b", "c", "d"], max_parallel=2, fail_fast=False, retry={"max_attempts": 3}, **ITEM
    )
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(plan(node, job("after", "test")))
        await until(client, run.id, lambda _: len(shop.begun) == 2)
        await asked(client, run.id, "drain")
        record = await ended(client, run.id)
    assert states(record, "test") == {
        "test (a)": "success",
        "test (b)": "failed",
        "test (c)": "cancelled",
        "test (d)": "cancelled",
    }
    assert dict(shop.tries) == {"a": 1, "b": 1}


async def test_a_cancel_is_raised_and_never_lowered(client: Client, serve: Serve) -> None:
    hall = Hall()
    shape = plan(does("work", "deaf", stop_grace=300), does("end", "until", **LAST))
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(shape)
        await begun(client, run.id, hall, "work")
        await asked(client, run.id, "drain")
        graceful = await asked(client, run.id)
        lower = await refused(client, run.id, "drain")
        await asyncio.sleep(1)
        assert (await runs.record(client, run.id)).jobs["work"].status == "running"
        at = time.monotonic()
        force = await asked(client, run.id, "force")
        record = await ended(client, run.id)
        took = time.monotonic() - at
    assert graceful.message == (
        "the run is being cancelled: what runs gets its stop signal and its grace, then finalizers run"
    )
    assert lower == (
        "a cancel can be raised and not lowered, and the run is being cancelled already: cancel it once more to cancel "
        "its finalizers too, or with '--mode force' to kill what runs"
    )
    assert force.message == "the run is being ended by force: what runs is killed, and no finalizer runs"
    assert (record.status, ends(record)) == ("cancelled", {"work": "cancelled", "end": "cancelled"})
    assert record.jobs["end"].reason == "cancelled: the run was cancelled by force"
    # Killed in the middle of its five minutes of grace, by the worker and not by the run's giving up.
    assert took < FORCE_WAIT
    assert hall.engine.list_labelled({}) == []


async def test_force_gives_no_grace_at_all(client: Client, serve: Serve) -> None:
    hall = Hall()
    names = [f"n{number}" for number in range(5)]
    shape = plan(*(does(name, "deaf", stop_grace=300) for name in names), job("end", **LAST))
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(shape)
        await begun(client, run.id, hall, *names)
        at = time.monotonic()
        await asked(client, run.id, "force")
        record = await ended(client, run.id)
        took = time.monotonic() - at
        with pytest.raises(UsageError, match="has already ended"):
            await asked(client, run.id, "force")
    assert (record.status, set(ends(record).values())) == ("cancelled", {"cancelled"})
    assert took < FORCE_WAIT
    assert hall.engine.list_labelled({}) == []


async def test_a_second_graceful_cancel_reaches_the_finalizers(client: Client, serve: Serve) -> None:
    shape = plan(job("work"), gate("ask", **LAST), job("tell", **LAST), job("late", "ask", **LAST))
    async with serve(client) as runner:
        run = await runner.start(shape)
        await until(client, run.id, lambda record: record.jobs["ask"].gate is not None)
        await asked(client, run.id)
        await until(client, run.id, lambda record: record.jobs["tell"].status == "success")
        # The first lets finalizers be: also one that would wait for ever.
        assert (await runs.record(client, run.id)).jobs["ask"].status == "waiting"
        said = await asked(client, run.id)
        record = await ended(client, run.id)
    assert said.message == (
        "the run's finalizers are cancelled too: what runs of them gets its stop signal and its grace"
    )
    assert ends(record) == {"work": "success", "ask": "cancelled", "tell": "success", "late": "cancelled"}
    assert record.jobs["late"].reason == "cancelled: the run was cancelled, and then its finalizers too"
    assert record.cancel is not None
    assert not record.cancel.finalizers


async def test_a_second_cancel_while_jobs_still_stop_keeps_finalizers_from_beginning(
    client: Client, serve: Serve
) -> None:
    hall = Hall()
    shape = plan(does("work", "deaf", stop_grace=1.5), does("end", "until", **LAST))
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(shape)
        await begun(client, run.id, hall, "work")
        await runs.cancel(client, run.id)
        await until(client, run.id, lambda record: record.cancel is not None)
        await asked(client, run.id)
        record = await ended(client, run.id)
    assert (ends(record), hall.begun) == ({"work": "cancelled", "end": "cancelled"}, ["work"])


async def test_a_run_whose_timeout_passed_can_be_ended_too(client: Client, serve: Serve) -> None:
    shape = plan(wait("nap", duration=600), gate("ask", **LAST), timeout=1)
    async with serve(client) as runner:
        run = await runner.start(shape)
        await until(client, run.id, lambda record: record.jobs["ask"].gate is not None)
        await asked(client, run.id)
        record = await runs.wait(client, run.id)
    assert (record.status, ends(record)) == ("failed", {"nap": "cancelled", "ask": "cancelled"})
    assert record.error == "timeout: the run took longer than its timeout of 1 s"


async def test_a_paused_run_ends(client: Client, serve: Serve) -> None:
    hall = Hall()
    shape = plan(does("work", "until"), job("after", "work"), job("end", **LAST))
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(shape)
        await begun(client, run.id, hall, "work")
        await pause(client, run.id)
        await asked(client, run.id, "drain")
        hall.go.set()
        record = await ended(client, run.id)
    assert ends(record) == {"work": "success", "after": "cancelled", "end": "success"}
    assert record.paused is None


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
        f"no worker on task queue '{queue}' answers, and only the run itself can drain; start one with 'orca worker' "
        f"and ask again, or end the run with 'orca cancel {run.id}', which counts as soon as a worker is there"
    )
    assert (
        again
        == said
        == Cancelled(
            "requested",
            f"run '{run.id}' is to stop, and will as soon as a worker is there: no worker on task queue '{queue}' "
            f"answers. Start one with 'orca worker'; 'orca cancel {run.id} --mode force' ends it without one",
        )
    )
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


async def test_a_signal_does_the_same(client: Client, serve: Serve) -> None:
    hall = Hall()
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(plan(does("work", "until"), job("end", **LAST)))
        await begun(client, run.id, hall, "work")
        await run.signal("cancel", {"mode": "gently"})
        await run.signal("cancel", {"mode": "drain", "by": "bob"})
        await run.signal("cancel", {"mode": "drain"})
        await until(client, run.id, lambda record: len(record.ignored) == 2)
        hall.go.set()
        record = await ended(client, run.id)
    assert ends(record) == {"work": "success", "end": "success"}
    assert [one.why for one in record.ignored] == [
        'it says no mode; send {"mode": "drain" | "graceful" | "force", "by": …, "comment": …}',
        "the run drains already: '--mode graceful' stops what runs, '--mode force' kills it",
    ]


async def test_a_job_s_end_that_comes_with_the_cancel_counts(client: Client, serve: Serve) -> None:
    """Both reach the run in one workflow task, as its worker was away when they came."""
    hall = Hall()
    queue = uuid4().hex
    shape = plan(does("work", "until"), job("after", "work"), job("end", **LAST))
    async with serve(client, engine=hall.engine, queue=queue, decides=False):
        async with worker_of(client, queue):
            run = await Runner(client, queue).start(shape)
            await begun(client, run.id, hall, "work")
        for first in (hall.go.set, None):
            if first is not None:
                first()
            else:
                await runs.cancel(client, run.id)
            await asyncio.sleep(1.5)
        async with worker_of(client, queue):
            record = await ended(client, run.id)
    assert ends(record) == {"work": "success", "after": "cancelled", "end": "success"}
