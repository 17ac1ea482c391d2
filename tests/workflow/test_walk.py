"""Whole runs on a real server: conditions, tolerated failures, finalizers, cancel, failure with its record."""

import asyncio
import threading

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from orchestrator.client import runs
from orchestrator.client.takers import has_worker
from orchestrator.contract.messages import RunRecord
from orchestrator.plan.model import ContainerNode
from orchestrator.plan.parts import Requirement
from tests.support.memory_engine import Running
from tests.support.plans import job, plan
from tests.workflow.conftest import Serve

ALWAYS = {"finalizer": True, "on_complete": "always"}
PROGRAMS = {"fail": lambda _: 3, "nap": lambda box: int(box.sleep(60, until_stopped=True)) * 143}  # pyright: ignore


def does(name: str, program: str, *requires: str | Requirement, **fields: object) -> ContainerNode:
    return job(name, *requires, entrypoint=(program,), **fields)


def states(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


async def test_a_diamond_succeeds(client: Client, serve: Serve) -> None:
    shape = plan(
        job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c"), outputs={"end": "${{ jobs.d.status }}"}
    )
    async with serve(client) as runner:
        record = await runner.run(shape)
    assert (record.status, states(record), record.outputs) == (
        "success",
        {"a": "success", "b": "success", "c": "success", "d": "success"},
        {"end": "success"},
    )
    assert record.error is None


async def test_a_failed_run_is_failed_in_temporal_and_carries_its_record(
    client: Client, serve: Serve
) -> None:
    shape = plan(does("a", "fail"), job("b", "a"), job("heal", Requirement(job="a", condition="failure")))
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(shape)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        found = await handle.describe()
    assert found.status is WorkflowExecutionStatus.FAILED
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    record = RunRecord.model_validate(cause.details[0])
    assert states(record) == {"a": "failed", "b": "omitted", "heal": "success"}
    assert (record.status, record.jobs["a"].exit_code, cause.message) == ("failed", 3, record.error)
    # The record is there without a worker.
    assert await runs.record(client, handle.id) == record


async def test_tolerated_failures_make_a_run_partial(client: Client, serve: Serve) -> None:
    shape = plan(does("lint", "fail", on_error="continue"), job("build", "lint"))
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(shape)
    assert (record.status, states(record)) == ("partial", {"lint": "failed", "build": "success"})


async def test_finalizers_run_after_a_failure_and_a_failing_one_fails_the_run(
    client: Client, serve: Serve
) -> None:
    good = plan(job("a"), does("end", "fail", **ALWAYS), job("alert", finalizer=True, on_complete="failure"))
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(good)
    assert (record.status, states(record)) == (
        "failed",
        {"a": "success", "end": "failed", "alert": "skipped"},
    )


async def test_a_cancelled_run_stops_what_runs_and_finalizes(client: Client, serve: Serve) -> None:
    napping = threading.Event()

    def nap(box: Running) -> int:
        napping.set()
        box.sleep(60, until_stopped=True)
        return 143

    shape = plan(does("nap", "nap"), job("after", "nap"), job("end", **ALWAYS))
    async with serve(client, {**PROGRAMS, "nap": nap}) as runner:
        handle = await runner.start(shape)
        assert await asyncio.to_thread(napping.wait, 30)
        await runs.cancel(client, handle.id)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    record = await runs.record(client, handle.id)
    assert record.status == "cancelled"
    assert states(record) == {"nap": "cancelled", "after": "cancelled", "end": "success"}
    assert record.jobs["after"].reason == "cancelled: the run was cancelled"


async def test_a_cancel_before_the_first_task_is_not_lost(client: Client, serve: Serve) -> None:
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(plan(does("nap", "nap"), job("end", **ALWAYS)))
        await handle.cancel()
        record = await runs.wait(client, handle.id)
    assert (record.status, states(record)) == ("cancelled", {"nap": "cancelled", "end": "success"})


async def test_cancel_while_a_retry_waits(client: Client, serve: Serve) -> None:
    shape = plan(does("a", "fail", retry={"max_attempts": 5, "delay": 300}))
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(shape)
        async with asyncio.timeout(30):
            while (await runs.record(client, handle.id)).jobs["a"].status != "waiting":
                await asyncio.sleep(0.05)
        await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    assert (record.status, states(record), record.jobs["a"].tries) == ("cancelled", {"a": "cancelled"}, 1)


async def test_a_terminated_run_is_shown_as_cancelled_with_the_reason(client: Client, serve: Serve) -> None:
    async with serve(client, PROGRAMS) as runner:
        handle = await runner.start(plan(does("nap", "nap")))
        async with asyncio.timeout(30):
            while (await runs.record(client, handle.id)).jobs["nap"].status != "running":
                await asyncio.sleep(0.05)
        await handle.terminate("by hand")
        record = await runs.record(client, handle.id)
    assert record.status == "cancelled"
    assert record.error == "terminated: the run was ended from outside orca, so its finalizers did not run"


async def test_an_open_run_without_a_worker_shows_its_jobs_as_submitted(client: Client, serve: Serve) -> None:
    async with serve(client) as runner:
        queue = runner.task_queue
    runner = type(runner)(client, f"nobody-{queue}")
    handle = await runner.start(plan(job("a")))
    found = await client.get_workflow_handle(handle.id).describe()
    assert found.status is WorkflowExecutionStatus.RUNNING
    assert not await has_worker(client, runner.task_queue)
    await handle.terminate()


async def test_more_jobs_than_may_be_in_flight(client: Client, serve: Serve) -> None:
    shape = plan(*(job(f"job{number}") for number in range(450)))
    async with serve(client) as runner:
        handle = await runner.start(shape)
        record = await runs.wait(client, handle.id)
        found = await handle.describe()
    assert record.status == "success"
    assert found.raw_description.workflow_execution_info.history_length < 450 * 6


async def test_large_requests_are_spread_over_workflow_tasks(client: Client, serve: Serve) -> None:
    # 40 requests of 100 kB: in one workflow task they would exceed what the server takes, and end the run.
    shape = plan(*(job(f"job{number}", env={"BIG": "${{ params.big }}"}) for number in range(40)))
    async with serve(client) as runner:
        record = await runner.run(shape, params={"big": "x" * 100_000})
    assert record.status == "success"


async def test_a_finalizer_is_retried_also_after_the_run_was_stopped(client: Client, serve: Serve) -> None:
    tries: list[int] = []

    def third_time(_: Running) -> int:
        tries.append(1)
        return int(len(tries) < 3)

    end = job("end", entrypoint=("third",), retry={"max_attempts": 3, "delay": 0}, **ALWAYS)
    async with serve(client, {**PROGRAMS, "third": third_time}) as runner:
        record = await runner.run(plan(does("nap", "nap"), end, timeout=1))
    assert (record.status, record.jobs["end"].status, record.jobs["end"].tries) == ("failed", "success", 3)


async def test_an_output_that_cannot_be_read_does_not_hide_why_the_run_failed(
    client: Client, serve: Serve
) -> None:
    shape = plan(does("a", "fail"), outputs={"x": "${{ fromJSON(jobs.a.outputs.none) }}"})
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(shape)
    assert record.error is not None
    assert record.error.startswith(
        "job 'a' failed: exit: the container ended with exit code 3; expression: output 'x'"
    )


async def test_the_record_of_many_failing_tries_stays_small(client: Client, serve: Serve) -> None:
    shape = plan(*(does(f"job{n}", "fail", retry={"max_attempts": 30, "delay": 0}) for n in range(20)))
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(shape)
    assert {len(found.history) for found in record.jobs.values()} == {20}
    assert {found.tries for found in record.jobs.values()} == {30}
    assert len(record.model_dump_json()) < 200_000
