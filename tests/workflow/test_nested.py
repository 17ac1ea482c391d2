"""Nested workflows on a real server: values, failure and cancellation pass both ways."""

import asyncio
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus

from orchestrator import ids
from orchestrator.client import runs
from orchestrator.client.listing import list_runs
from orchestrator.contract.messages import RunRecord
from orchestrator.errors import RunNotFound
from orchestrator.plan.model import Node, Param, Plan
from tests.support.kinds import gate, nested
from tests.support.memory_engine import Program, Running
from tests.support.plans import job, plan
from tests.support.workshop import until
from tests.workflow.conftest import Serve

ALWAYS = {"finalizer": True, "on_complete": "always"}


def out(box: Running) -> int:
    box.write("/orca/output", box.env["TEXT"].encode())
    return 0


def nap(box: Running) -> int:
    box.sleep(60, until_stopped=True)
    return 143


PROGRAMS: dict[str, Program] = {"fail": lambda _: 3, "out": out, "nap": nap}


def states(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


def child(*jobs: Node, **fields: Any) -> Plan:
    return plan(*jobs, **{"spec": "provision", **fields})


PROVISION = child(
    job(
        "network",
        entrypoint=("out",),
        env={"TEXT": "id=${{ params.environment }}-${{ params.size }}-${{ git.ref }}"},
    ),
    params=(
        Param(name="environment", required=True),
        Param(name="size", type="integer", default=3, has_default=True),
    ),
    labels={"team": "platform"},
    outputs={"id": "${{ jobs.network.outputs.id }}"},
)


async def test_params_go_in_and_outputs_come_back(client: Client, serve: Serve) -> None:
    shape = plan(
        nested("provision", "provision.yaml", given={"environment": "${{ params.to }}", "size": "${{ 4 }}"}),
        job("use", "provision", entrypoint=("out",), env={"TEXT": "id=${{ jobs.provision.outputs.id }}"}),
        workflows={"provision.yaml": PROVISION},
        outputs={"id": "${{ jobs.use.outputs.id }}"},
    )
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(shape, params={"to": "dev"}, git={"ref": "main"}, submitted_by="ann")
        record = await runs.wait(client, handle.id)
        run = record.jobs["provision"].child
        inner = await runs.record(client, run)
        found = await runs.describe(client, run)
    assert record.outputs == {"id": "dev-4-main"}
    assert run == ids.child_run_id(handle.id, 1, "provision", None, 1)
    assert (inner.run_id, inner.spec, inner.status, states(inner)) == (
        run,
        "provision",
        "success",
        {"network": "success"},
    )
    assert found.parent_id == handle.id
    listed = [one.run_id for one in await list_runs(client, spec="provision", limit=1000)]
    assert run in listed


async def test_a_failure_comes_up_with_its_reason(client: Client, serve: Serve) -> None:
    shape = plan(
        nested("provision", "p", retry={"max_attempts": 2, "delay": 0}),
        job("after", "provision"),
        workflows={"p": child(job("a", entrypoint=("fail",)))},
    )
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(shape)
        record = await runs.wait(client, handle.id)
    assert (record.status, states(record)) == ("failed", {"provision": "failed", "after": "omitted"})
    assert record.jobs["provision"].reason == (
        "workflow: job 'a' failed: exit: the container ended with exit code 3"
    )
    # Each try is a run of its own.
    assert record.jobs["provision"].tries == 2
    assert record.jobs["provision"].child == ids.child_run_id(handle.id, 1, "provision", None, 2)


async def test_a_partial_child_is_a_success_with_a_warning(client: Client, serve: Serve) -> None:
    shape = plan(
        nested("sub", "p"), workflows={"p": child(job("lint", entrypoint=("fail",), on_error="continue"))}
    )
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(shape)
    assert (record.status, states(record)) == ("success", {"sub": "success"})
    assert record.jobs["sub"].warnings == (
        f"run '{record.jobs['sub'].child}' is partial: 'lint' failed and may",
    )


async def test_a_cancel_goes_down_and_the_child_finalizes(client: Client, serve: Serve) -> None:
    shape = plan(
        nested("sub", "p"),
        job("end", **ALWAYS),
        workflows={"p": child(job("nap", entrypoint=("nap",)), job("clean", **ALWAYS))},
    )
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(shape)
        run = await child_of(client, handle.id)
        async with asyncio.timeout(20):
            while not await _naps(client, run):
                await asyncio.sleep(0.1)
        await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
        inner = await runs.record(client, run)
    assert (record.status, states(record)) == ("cancelled", {"sub": "cancelled", "end": "success"})
    assert (inner.status, states(inner)) == ("cancelled", {"nap": "cancelled", "clean": "success"})


async def child_of(client: Client, run: str) -> str:
    """The run of its job 'sub', once it has begun."""
    await until(client, run, lambda found: found.jobs["sub"].child != "")
    started = ids.child_run_id(run, 1, "sub", None, 1)
    assert (await runs.record(client, run)).jobs["sub"].child == started
    # The parent names it before the server has started it.
    async with asyncio.timeout(20):
        while True:
            try:
                await runs.describe(client, started)
            except RunNotFound:
                await asyncio.sleep(0.05)
            else:
                return started


async def _naps(client: Client, run: str) -> bool:
    found = await client.get_workflow_handle(run).describe()
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return False
    return (await runs.record(client, run)).jobs["nap"].status == "running"


async def test_a_child_that_is_cancelled_by_itself_is_a_failure(client: Client, serve: Serve) -> None:
    shape = plan(nested("sub", "p"), workflows={"p": child(gate("ask"))})
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(shape)
        run = await child_of(client, handle.id)
        await until(client, run, lambda found: found.jobs["ask"].status == "waiting")
        await runs.cancel(client, run)
        record = await runs.wait(client, handle.id)
    assert record.jobs["sub"].reason == f"workflow: run '{run}' was cancelled by itself; this run was not"


async def test_a_child_that_is_terminated_is_a_failure(client: Client, serve: Serve) -> None:
    shape = plan(nested("sub", "p"), workflows={"p": child(gate("ask"))})
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(shape)
        run = await child_of(client, handle.id)
        await client.get_workflow_handle(run).terminate("by hand")
        record = await runs.wait(client, handle.id)
    assert record.jobs["sub"].reason == f"workflow: run '{run}' was terminated, so its finalizers did not run"


async def test_params_that_do_not_fit(client: Client, serve: Serve) -> None:
    shape = plan(nested("sub", "p", given={"size": "${{ 'many' }}", "other": 1}), workflows={"p": PROVISION})
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(shape)
    reason = record.jobs["sub"].reason or ""
    assert reason.startswith("workflow: `with` does not fit the params of 'p': unknown param 'other'")
    assert "param 'environment' is required" in reason
    assert "param 'size' must be a whole number, not 'many'" in reason
    assert record.jobs["sub"].child == ""


async def test_a_limit_ends_the_child_and_lets_it_finalize(client: Client, serve: Serve) -> None:
    inner = child(gate("ask"), job("clean", **ALWAYS), timeout=3600)
    shape = plan(nested("sub", "p", limit=1), workflows={"p": inner})
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(shape)
        found = await runs.record(client, record.jobs["sub"].child)
    assert record.jobs["sub"].reason == "workflow: timeout: the run took longer than its timeout of 1 s"
    assert states(found) == {"ask": "cancelled", "clean": "success"}


async def test_each_item_is_a_run_and_nesting_goes_deeper(client: Client, serve: Serve) -> None:
    deepest = child(job("a"), params=(Param(name="n"),), outputs={"n": "${{ params.n }}!"})
    middle = child(
        nested("down", "deepest", given={"n": "${{ params.n }}"}),
        params=(Param(name="n"),),
        outputs={"n": "${{ jobs.down.outputs.n }}"},
    )
    shape = plan(
        nested("each", "middle", items=["a", "b"], given={"n": "${{ item }}"}),
        workflows={"middle": middle, "deepest": deepest},
        outputs={"all": "${{ join(jobs.each.matrix[*].outputs.n) }}"},
    )
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(shape)
    assert record.outputs == {"all": "a!,b!"}
    children = {found.child for found in record.jobs["each"].variants.values()}
    assert len(children) == 2
