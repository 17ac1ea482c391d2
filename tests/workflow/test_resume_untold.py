"""Resuming runs that the server ended: how far they came only a worker can tell, and nothing is guessed."""

from uuid import uuid4

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.resume import start_attempt
from orchestrator.errors import WorkerUnreachable
from tests.support.hall import asked
from tests.support.kinds import gate
from tests.support.plans import job, plan
from tests.support.resuming import Starts, counted, planned
from tests.support.serving import Runner
from tests.support.workshop import until
from tests.workflow.conftest import Serve


async def test_a_run_whose_state_nobody_can_tell_is_not_resumed(
    client: Client, serve: Serve, store_folder: str
) -> None:
    starts, queue = Starts(), uuid4().hex
    async with serve(client, starts.programs, queue=queue) as runner:
        run = await runner.start(plan(job("a", **counted("a")), gate("go", "a")))
        await until(client, run.id, lambda now: now.jobs["go"].status == "waiting")
    assert (await asked(client, run.id, "force")).how == "terminated"
    with pytest.raises(WorkerUnreachable) as caught:
        await planned(client, run.id, store_folder)
    assert str(caught.value).startswith(
        f"run '{run.id}' was ended at the server, and only a worker can tell how far it had come: none on task queue "
        f"'{queue}' answers ("
    )
    assert str(caught.value).endswith("); start one with 'orca worker'")
    shown = await runs.record(client, run.id)
    assert {job.reason for job in shown.jobs.values()} == {
        "how far it came is not known: no worker is there to tell, and the run was ended at the server"
    }
    async with serve(client, starts.programs, queue=queue):
        found = await planned(client, run.id, store_folder)
        assert [(one.name, one.action) for one in found.expected] == [("a", "reuse"), ("go", "ask")]
        await start_attempt(client, found)
        await until(client, run.id, lambda now: now.jobs["go"].status == "waiting")
        await runs.cancel(client, run.id)
        await runs.wait(client, run.id)
    assert starts.take() == {"a": 1}


async def test_a_run_that_no_worker_had_taken_is_resumed_without_one(
    client: Client, store_folder: str
) -> None:
    run = await Runner(client, uuid4().hex).start(plan(job("a")))
    await run.terminate("by hand")
    shown = await runs.record(client, run.id)
    assert (shown.jobs["a"].status, shown.jobs["a"].reason) == (
        "cancelled",
        "the run was ended at the server before a worker took it",
    )
    found = await planned(client, run.id, store_folder)
    assert [(one.name, one.action) for one in found.expected] == [("a", "run")]
