"""A run that is cancelled in its three modes, on a real server: what each reaches, and how it is raised to the next."""

import asyncio
import time
from uuid import uuid4

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.cancelling import Cancelled
from orchestrator.errors import UsageError
from orchestrator.interpreter.cancelling import FORCE_WAIT
from tests.support.hall import LAST, Hall, asked, begun, does, ended, ends, refused
from tests.support.kinds import gate, pause, wait
from tests.support.memory_engine import MemoryEngine
from tests.support.plans import for_each, job, plan
from tests.support.serving import Runner, worker_of
from tests.support.workshop import ITEM, Workshop, states, until
from tests.workflow.conftest import Serve


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
