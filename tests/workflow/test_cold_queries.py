"""Queries that reach a worker which does not have the run, with more of it than the tasks that were done."""

import asyncio
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Replayer

from orchestrator.client import people, runs
from orchestrator.client.converter import data_converter
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import QUERY_RECORD, SIGNAL_APPROVE
from orchestrator.contract.people import Answer
from orchestrator.interpreter.workflow import RunWorkflow
from tests.support.hall import does
from tests.support.kinds import gate
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import plan
from tests.support.serving import Runner, worker_of
from tests.support.workshop import until
from tests.workflow.conftest import Serve
from workers import cold_queries
from workers.cold_queries import ColdQueries

DELAY = 3
"""Seconds between two tries: in them the worker is stopped."""


class Flaky:
    """Fails once."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.engine = MemoryEngine(programs={"flaky": self.flaky})

    def flaky(self, box: Running) -> int:
        self.begun.append(box.env["ORCA_JOB"])
        return 7 if self.begun == ["flaky"] else 0


@pytest.fixture
def doomed(server: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A worker that decides, and its queue."""
    queue = uuid4().hex
    process = subprocess.Popen([sys.executable, "-m", "tests.support.deciding", server, queue])
    try:
        yield process, queue
    finally:
        process.kill()
        process.wait()


async def event(client: Client, run: str, kind: EventType.ValueType) -> float:
    """When the first event of a kind was written down, in seconds since 1970; waits for it."""
    async with asyncio.timeout(60):
        while True:
            async for one in client.get_workflow_handle(run).fetch_history_events():
                if one.event_type == kind:
                    return one.event_time.ToMilliseconds() / 1000
            await asyncio.sleep(0.05)


async def waiting(client: Client, queue: str) -> WorkflowHandle[RunWorkflow, RunRecord]:
    """A run with a gate that is open, and with a job that is tried again in a second."""
    shape = plan(
        does("flaky", "flaky", retry={"max_attempts": 2, "delay": DELAY}),
        gate("ask"),
        does("more", "flaky", "ask"),
    )
    run = await Runner(client, queue).start(shape)
    await until(client, run.id, lambda record: record.jobs["ask"].gate)
    begins = await event(client, run.id, EventType.EVENT_TYPE_TIMER_STARTED)
    await asyncio.sleep(begins + DELAY - 1 - time.time())
    return run


@pytest.mark.parametrize("how", ["update", "signal"])
async def test_what_comes_after_it_leaves_a_history_that_replays(
    client: Client, serve: Serve, doomed: tuple["subprocess.Popen[bytes]", str], how: str
) -> None:
    dying, queue = doomed
    work = Flaky()
    async with serve(client, engine=work.engine, queue=queue, decides=False):
        run = await waiting(client, queue)
        dying.send_signal(signal.SIGSTOP)
        # It goes to the worker that has the run, like the task after it. Neither is answered.
        asking = asyncio.create_task(run.query(QUERY_RECORD))
        await event(client, run.id, EventType.EVENT_TYPE_TIMER_FIRED)
        await asyncio.sleep(0.5)
        dying.kill()
        given = Answer(gate="ask", decision="approve", by="ann")
        async with worker_of(client, queue):
            await asking
            if how == "update":
                await people.answer(client, run.id, given)
            else:
                await run.signal(SIGNAL_APPROVE, given)
            record = await runs.wait(client, run.id)
    assert record.status == "success", record
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT in await kinds(run)
    await replay(await run.fetch_history())


async def test_events_that_no_task_was_begun_for_leave_a_history_that_replays(
    client: Client,
    serve: Serve,
    doomed: tuple["subprocess.Popen[bytes]", str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such are told by the history, however busy the worker is."""
    monkeypatch.setattr(cold_queries, "AT_ONCE", 0.0)
    dying, queue = doomed
    work = Flaky()
    async with serve(client, engine=work.engine, queue=queue, decides=False):
        run = await waiting(client, queue)
        dying.kill()
        # It waits for the worker that had the run, and goes to the other one before the task does, which waits as long.
        asking = asyncio.create_task(run.query(QUERY_RECORD))
        await event(client, run.id, EventType.EVENT_TYPE_TIMER_FIRED)
        async with worker_of(client, queue):
            await asking
            assert EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT not in await kinds(run)
            await people.answer(client, run.id, Answer(gate="ask", decision="approve", by="ann"))
            record = await runs.wait(client, run.id)
    assert record.status == "success", record
    await replay(await run.fetch_history())


async def test_a_run_that_is_asked_often_is_kept(
    client: Client, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="orca.worker")
    async with serve(client) as runner:
        run = await runner.start(plan(gate("ask")))
        for _ in range(20):
            await run.query(QUERY_RECORD)
        await people.answer(client, run.id, Answer(gate="ask", decision="approve", by="ann"))
        assert (await runs.wait(client, run.id)).status == "success"
    # Once at most: as its first task was done when it was asked.
    assert sum("is played anew" in message for message in caplog.messages) <= 1
    await replay(await run.fetch_history())


async def kinds(run: WorkflowHandle[RunWorkflow, RunRecord]) -> set[EventType.ValueType]:
    """Of the events that its history has."""
    return {one.event_type for one in (await run.fetch_history()).events}


async def replay(history: WorkflowHistory) -> None:
    """Raises where it is not repeated."""
    replayer = Replayer(workflows=[RunWorkflow], data_converter=data_converter, workflow_runner=ColdQueries())
    await replayer.replay_workflow(history)
