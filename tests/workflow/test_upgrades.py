"""Workers of several versions: what a run waits for is said, and it goes on by itself once a worker can carry it on."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from orchestrator.client import cancelling, runs
from orchestrator.client.plans import plan_of_run
from orchestrator.client.replaying import Replayed, replay
from orchestrator.contract.messages import RunRequest
from orchestrator.contract.names import WORKFLOW_TYPE
from orchestrator.contract.people import Cancel
from orchestrator.errors import OrcaError, PlanTooNew
from orchestrator.plan.model import PLAN_VERSION, Plan
from tests.support.cli import Orca
from tests.support.house import until
from tests.support.kinds import gate
from tests.support.plans import job, plan, request
from tests.support.resuming import resumed
from tests.support.serving import Runner
from tests.workflow import older_host
from tests.workflow.conftest import Serve

ROOT = Path(__file__).parents[2]


@workflow.defn(name=WORKFLOW_TYPE)
class OtherCode:
    """What another version of orca would do with the same plan."""

    @workflow.run
    async def run(self, request: RunRequest) -> None:
        """Sends out a job that this version would not."""
        await workflow.execute_activity(
            "something else", task_queue="nobody", start_to_close_timeout=timedelta(seconds=60)
        )


def other_worker(client: Client, queue: str) -> Worker:
    return Worker(
        client, task_queue=queue, workflows=[OtherCode], workflow_runner=UnsandboxedWorkflowRunner()
    )


async def start(client: Client, queue: str, shape: Plan, **changes: Any) -> WorkflowHandle[Any, Any]:
    """Start a run whose plan has these fields instead of its own."""
    run = f"upgrade-{uuid4().hex[:12]}"
    data = request(shape, run_id=run, task_queue=queue).model_dump(mode="json")
    data["plan"] |= changes
    return await client.start_workflow(WORKFLOW_TYPE, data, id=run, task_queue=queue)


async def replayed(client: Client, queue: str, count: int, **options: Any) -> list[Replayed]:
    """What became of the runs of a task queue, once the server lists as many."""
    async with asyncio.timeout(20):
        while True:
            found = [one async for one in replay(client, query=f"TaskQueue = '{queue}'", **options)]
            if len(found) == count:
                return found
            await asyncio.sleep(0.2)


@asynccontextmanager
async def older_worker(address: str, queue: str, store_folder: str) -> AsyncGenerator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", older_host.__name__, address, queue, store_folder, cwd=ROOT
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def test_a_run_whose_plan_no_worker_knows_says_so_and_goes_on_once_one_does(
    server: str, client: Client, serve: Serve, store_folder: str
) -> None:
    queue = uuid4().hex
    handle = await Runner(client, queue).start(plan(job("a")))
    async with older_worker(server, queue, store_folder):
        record = await until(client, handle.id, lambda found: found.error)
    assert (record.status, record.jobs["a"].status) == ("pending", "pending")
    assert record.error is not None
    assert record.error.startswith(
        f"the run waits: no worker here knows plan version {PLAN_VERSION} (worker '"
    )
    assert record.error.endswith(
        f"' knows {PLAN_VERSION - 1}); upgrade the workers, and it goes on by itself"
    )
    async with serve(client, queue=queue):
        record = await runs.wait(client, handle.id)
    assert (record.status, record.error) == ("success", None)


async def test_a_plan_that_is_newer_than_the_command_line(client: Client) -> None:
    handle = await start(client, uuid4().hex, plan(job("a")), version=PLAN_VERSION + 1, novelty=[1])
    for look in (runs.record, plan_of_run):
        with pytest.raises(PlanTooNew) as caught:
            await look(client, handle.id)
        assert str(caught.value) == (
            f"this orca knows plan versions up to {PLAN_VERSION}, and this plan has version {PLAN_VERSION + 1}; "
            "upgrade orca here"
        )


async def test_a_run_whose_plan_is_newer_than_this_orca_can_be_cancelled(
    client: Client, serve: Serve
) -> None:
    queue = uuid4().hex
    async with serve(client, queue=queue):
        handle = await start(client, queue, plan(job("a")), version=PLAN_VERSION + 1)
        async with asyncio.timeout(30):
            while (await handle.describe()).raw_description.pending_workflow_task.attempt < 2:
                await asyncio.sleep(0.1)
        done = await cancelling.cancel(client, handle.id, Cancel())
    assert done.how == "requested"
    assert done.message.startswith(
        f"run '{handle.id}' is to stop, and will as soon as it goes on: no worker can carry it on. The run waits: no "
        f"worker here knows plan version {PLAN_VERSION + 1} (worker '"
    )
    assert done.message.endswith(
        "; upgrade the workers, and it goes on by itself; "
        f"'orca cancel {handle.id} --mode force' ends it at the server"
    )
    assert (await handle.describe()).raw_description.workflow_extended_info.cancel_requested


async def test_a_new_attempt_of_an_older_plan_needs_what_reads_what_it_takes_over(
    client: Client, serve: Serve, store_folder: str
) -> None:
    queue = uuid4().hex
    async with serve(client, queue=queue):
        handle = await start(client, queue, plan(job("a")), version=PLAN_VERSION - 1)
        first = await runs.wait(client, handle.id)
        assert (await plan_of_run(client, handle.id)).version == PLAN_VERSION - 1
        _, second = await resumed(client, handle.id, store_folder, again=("a",))
    assert (first.status, second.status, second.attempt) == ("success", "success", 2)
    assert (await plan_of_run(client, handle.id)).version == PLAN_VERSION


async def test_a_run_that_other_code_began_is_found_before_the_upgrade(client: Client, serve: Serve) -> None:
    queue = uuid4().hex
    shape = plan(gate("go"), job("a", "go"))
    async with serve(client, queue=queue) as runner:
        good = await runner.start(shape)
        await until(client, good.id, lambda found: found.jobs["go"].gate)
    async with other_worker(client, queue):
        bad = await runner.start(shape)
        async with asyncio.timeout(20):
            while len((await bad.describe()).raw_description.pending_activities) == 0:
                await asyncio.sleep(0.05)
    untouched = await runner.start(shape)
    unreadable = await start(client, queue, shape, novelty=[1])
    found = {one.run_id: one for one in await replayed(client, queue, 4)}
    assert {run: (one.problem, one.where) for run, one in found.items()} == {
        good.id: ("", ""),
        untouched.id: ("", ""),
        bad.id: (
            "this orca has other code than what began it and would not do the same again "
            "(UpsertWorkflowSearchAttributesMachine does not handle HistoryEvent(id: 5, ActivityTaskScheduled))",
            "event 5 (activity task scheduled 'something else')",
        ),
        unreadable.id: (
            "this orca is older than the orca that submitted it and cannot read its plan "
            "(plan.novelty: Extra inputs are not permitted)",
            "event 1",
        ),
    }
    assert [one.run_id for one in await replayed(client, queue, 1, limit=1)] == [unreadable.id]


async def test_what_the_command_line_says_of_it(
    client: Client, server: str, serve: Serve, tmp_path: Path
) -> None:
    queue = uuid4().hex
    orca = Orca(tmp_path, {"TEMPORAL_ADDRESS": server, "PYTHONPATH": str(ROOT)})
    chosen = ("doctor", "--replay", "--query", f"TaskQueue = '{queue}'")
    nothing = await asyncio.to_thread(orca.ok, *chosen)
    assert nothing == "no run in namespace 'default' to replay\n"
    async with serve(client, queue=queue) as runner:
        good = await runner.start(plan(gate("go")))
        await until(client, good.id, lambda found: found.jobs["go"].gate)
    await replayed(client, queue, 1)
    fine = await asyncio.to_thread(orca.ok, *chosen)
    assert fine.splitlines()[-1] == "1 run replayed: workers with this orca can carry on all of them"
    async with other_worker(client, queue):
        bad = await runner.start(plan(gate("go")))
        async with asyncio.timeout(20):
            while len((await bad.describe()).raw_description.pending_activities) == 0:
                await asyncio.sleep(0.05)
    await replayed(client, queue, 2)
    done = await asyncio.to_thread(orca, *chosen)
    assert (done.returncode, done.stderr) == (1, "")
    head, first, second, last = done.stdout.splitlines()
    assert head.split() == ["run", "events", "goes", "on", "note"]
    assert first.startswith(bad.id)
    assert "  NO       event 5 (activity task scheduled" in first
    assert second.split() == [good.id, second.split()[1], "yes"]
    assert last.startswith(
        "2 runs replayed: 1 could not go on with this orca, and would wait for a worker of the "
    )
    data = await asyncio.to_thread(lambda: orca.json(*chosen, expect=1))
    assert (data["replayed"], data["broken"]) == (2, 1)
    assert [(one["run_id"], one["breaks"]) for one in data["runs"]] == [(bad.id, True), (good.id, False)]
    refused = await asyncio.to_thread(orca, "doctor", "--replay", "--query", "nonsense")
    assert refused.returncode == 2
    assert "Temporal refused the request: " in refused.stderr


async def test_a_run_that_only_other_code_can_carry_on_says_so(
    client: Client, server: str, serve: Serve
) -> None:
    """A worker without any of it in memory is asked for how it stands, and cannot repeat what was done."""
    queue = uuid4().hex
    async with other_worker(client, queue):
        handle = await Runner(client, queue).start(plan(gate("go")))
        async with asyncio.timeout(20):
            while len((await handle.describe()).raw_description.pending_activities) == 0:
                await asyncio.sleep(0.05)
    async with serve(client, queue=queue):
        await handle.signal("approve", {"gate": "go"})
        async with asyncio.timeout(30):
            while (await handle.describe()).raw_description.pending_workflow_task.attempt < 2:
                await asyncio.sleep(0.1)
        with pytest.raises(OrcaError) as caught:
            await runs.record(client, handle.id)
        done = await cancelling.cancel(client, handle.id, Cancel())
    assert "would not do the same again" in str(caught.value)
    assert str(caught.value).endswith("start a worker of the version that began it, and it goes on by itself")
    assert done.message.startswith(
        f"run '{handle.id}' is to stop, and will as soon as it goes on: no worker can carry it on. The run waits: "
    )
    assert (
        "start a worker of the version that began it, and it goes on by itself; 'orca cancel" in done.message
    )
