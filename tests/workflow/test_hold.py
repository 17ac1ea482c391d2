"""Runs that people keep going, on a real server: held jobs and their repairs, pause."""

import asyncio
import threading
from typing import Any

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from orchestrator.client import runs
from orchestrator.plan.model import ContainerNode
from tests.support.kinds import answer, choice, gate, pause, repair, wait, ways, why_refused
from tests.support.memory_engine import Running
from tests.support.plans import for_each, job, plan
from tests.support.workshop import states, until
from tests.workflow.conftest import Serve

HOLD: dict[str, Any] = {"on_error": "hold"}


class Trouble:
    """A container that fails as often as it is told to."""

    def __init__(self, times: int = 1000) -> None:
        self.times = times
        self.tries = 0

    def __call__(self, box: Running) -> int:
        self.tries += 1
        box.write("/orca/output", b"n=1")
        return 3 if self.tries <= self.times else 0


def troubled(name: str = "a", *requires: str, **fields: Any) -> ContainerNode:
    return job(name, *requires, entrypoint=("trouble",), **HOLD, **fields)


async def held(client: Client, run: str, name: str = "a") -> None:
    await until(client, run, lambda record: record.jobs[name].status == "held")


async def test_a_held_job_is_tried_again_with_a_fresh_budget(client: Client, serve: Serve) -> None:
    trouble = Trouble(times=3)
    shape = plan(
        troubled(retry={"max_attempts": 2, "delay": 0}, publish={"x": "${{ jobs.a.outputs.n }}"}),
        job("b", "a"),
        job("end", finalizer=True, on_complete="always"),
        vars={"x": None},
    )
    async with serve(client, {"trouble": trouble}) as runner:
        run = await runner.start(shape)
        await held(client, run.id)
        between = await runs.record(client, run.id)
        said = await repair(client, run.id, "a", "retry", comment="disk is free")
        record = await runs.wait(client, run.id)
    assert (between.status, between.jobs["b"].status, between.jobs["end"].status) == (
        "running",
        "pending",
        "pending",
    )
    assert between.jobs["a"].reason == "exit: the container ended with exit code 3"
    assert said == "job 'a' is tried again"
    found = record.jobs["a"]
    assert (record.status, found.status, found.tries, trouble.tries) == ("success", "success", 4, 4)
    assert [(each.action, each.by, each.comment) for each in found.repairs] == [
        ("retry", "ann", "disk is free")
    ]
    assert record.vars == {"x": "1"}


@pytest.mark.parametrize(
    ("action", "fields", "status", "after", "run_status"),
    [
        ("skip", {}, "skipped", "success", "success"),
        ("set_outputs", {"outputs": {"n": 7}}, "success", "success", "success"),
        ("fail", {}, "failed", "omitted", "failed"),
    ],
)
async def test_a_person_ends_a_held_job(
    client: Client,
    serve: Serve,
    action: str,
    fields: dict[str, Any],
    status: str,
    after: str,
    run_status: str,
) -> None:
    shape = plan(
        troubled(publish={"x": "${{ jobs.a.outputs.n }}"}),
        job("b", "a"),
        vars={"x": 0},
        outputs={"n": "${{ jobs.a.outputs.n }}"},
    )
    async with serve(client, {"trouble": Trouble()}) as runner:
        run = await runner.start(shape)
        await held(client, run.id)
        await repair(client, run.id, "a", action, comment="known", **fields)
        record = await runs.wait(client, run.id)
    found = record.jobs["a"]
    assert (record.status, found.status, record.jobs["b"].status) == (run_status, status, after)
    expected = {
        "skip": "skipped by ann: known",
        "set_outputs": None,
        "fail": "exit: the container ended with exit code 3 (given up by ann: known)",
    }
    assert found.reason == expected[action]
    assert record.vars == {"x": 7 if action == "set_outputs" else 0}
    assert found.outputs.get("n") == (7 if action == "set_outputs" else None)


async def test_repairs_that_cannot_be_done_are_refused(client: Client, serve: Serve) -> None:
    node = troubled(required_outputs=("n", "m"))
    shape = plan(
        node, job("b", "a"), for_each("v", ["x", "y"], entrypoint=("trouble",), fail_fast=False, **HOLD)
    )
    async with serve(client, {"trouble": Trouble()}) as runner:
        run = await runner.start(shape)
        await held(client, run.id)
        await held(client, run.id, "v")
        await until(client, run.id, lambda record: set(states(record, "v").values()) == {"held"})

        async def why(name: str, action: str, **fields: Any) -> str:
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                await repair(client, run.id, name, action, **fields)
            return why_refused(caught.value)

        assert await why("z", "retry") == "the run has no job 'z'"
        assert await why("b", "retry") == "job 'b' is not held: it is pending"
        assert await why("v", "retry") == (
            "job 'v' is held in single variants; name one of them: 'v (x)', 'v (y)'"
        )
        assert await why("a", "skip", outputs={"n": 1}) == "outputs can only be given with `set_outputs`"
        assert (
            await why("a", "set_outputs", outputs={"n": 1}) == "job 'a' promises the output 'm': give it too"
        )
        large = {"n": 1, "m": "x" * 70_000}
        assert await why("a", "set_outputs", outputs=large) == (
            "the outputs are larger than 64 KiB; pass large data as artifacts"
        )
        await repair(client, run.id, "a", "skip")
        await repair(client, run.id, "v (x)", "skip")
        await repair(client, run.id, "v (y)", "set_outputs", outputs={"k": True})
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["v"].status) == ("success", "success")
    assert states(record, "v") == {"v (x)": "skipped", "v (y)": "success"}
    assert record.jobs["v"].outputs == {"k": True}


async def test_of_two_repairs_one_wins(client: Client, serve: Serve) -> None:
    async with serve(client, {"trouble": Trouble()}) as runner:
        run = await runner.start(plan(troubled(), gate("go")))
        await held(client, run.id)
        both = await asyncio.gather(
            repair(client, run.id, "a", "skip"), repair(client, run.id, "a", "fail"), return_exceptions=True
        )
        await run.terminate()
    lost = [found for found in both if isinstance(found, WorkflowUpdateFailedError)]
    assert len(lost) == 1
    assert why_refused(lost[0]).startswith("job 'a' is not held: it is ")


async def test_a_cancel_ends_what_is_held(client: Client, serve: Serve) -> None:
    shape = plan(troubled(), job("b", "a"), job("end", finalizer=True, on_complete="always"))
    async with serve(client, {"trouble": Trouble()}) as runner:
        run = await runner.start(shape)
        await held(client, run.id)
        await runs.cancel(client, run.id)
        record = await runs.wait(client, run.id)
    statuses = [found.status for found in record.jobs.values()]
    assert (record.status, statuses) == ("cancelled", ["cancelled", "cancelled", "success"])


async def test_a_rejected_gate_that_is_held_asks_again(client: Client, serve: Serve) -> None:
    async with serve(client) as runner:
        run = await runner.start(plan(gate("go", **HOLD), job("after", "go")))
        await until(client, run.id, lambda record: record.jobs["go"].gate is not None)
        await answer(client, run.id, "go", decision="reject")
        await held(client, run.id, "go")
        await repair(client, run.id, "go", "retry")
        await until(client, run.id, lambda record: record.jobs["go"].status == "waiting")
        await answer(client, run.id, "go")
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["go"].outputs["approved_by"]) == ("success", ["ann"])


async def test_a_cancel_gives_up_a_finalizer_that_is_held(client: Client, serve: Serve) -> None:
    shape = plan(job("a"), troubled("end", finalizer=True, on_complete="always"))
    async with serve(client, {"trouble": Trouble()}) as runner:
        run = await runner.start(shape)
        await held(client, run.id, "end")
        await runs.cancel(client, run.id)
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["end"].status) == ("cancelled", "failed")
    assert record.jobs["end"].reason == (
        "exit: the container ended with exit code 3 (given up by the cancel of the run)"
    )


async def test_expressions_that_fail_are_held_too(client: Client, serve: Serve) -> None:
    bad = "fromJSON(vars.x)"
    shape = plan(
        job("condition", condition=bad, **HOLD),
        job("list", strategy={"items": f"${{{{ {bad} }}}}"}, **HOLD),
        gate("go"),
        job("fix", "go", publish={"x": "[1, 2]"}),
        job("after", "condition", "list"),
        vars={"x": "["},
    )
    async with serve(client) as runner:
        run = await runner.start(shape)
        await held(client, run.id, "condition")
        await held(client, run.id, "list")
        await answer(client, run.id, "go")
        await until(client, run.id, lambda record: record.jobs["fix"].status == "success")
        await repair(client, run.id, "condition", "retry")
        await repair(client, run.id, "list", "retry")
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["condition"].status, record.jobs["list"].summary) == (
        "success",
        "success",
        "2/2 passed",
    )


async def test_a_held_choice_gets_no_outputs_as_they_take_no_branch(client: Client, serve: Serve) -> None:
    shape = plan(
        choice("where", ("${{ fromJSON(vars.x) }}", "yes"), (None, "no"), **HOLD),
        job("yes", triggers=ways("where chosen")),
        job("no", triggers=ways("where chosen")),
        job("fix", publish={"x": "true"}),
        vars={"x": "["},
    )
    async with serve(client) as runner:
        run = await runner.start(shape)
        await held(client, run.id, "where")
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await repair(client, run.id, "where", "set_outputs", outputs={"chosen": ["yes"]})
        assert why_refused(caught.value) == (
            "job 'where' is a choice: outputs would leave it without a branch; let it choose again with `retry`, or "
            "`skip` it or let it `fail`"
        )
        await until(client, run.id, lambda record: record.jobs["fix"].status == "success")
        await repair(client, run.id, "where", "retry")
        record = await runs.wait(client, run.id)
    assert {name: found.status for name, found in record.jobs.items()} == {
        "where": "success",
        "yes": "success",
        "no": "skipped",
        "fix": "success",
    }


async def test_a_pause_lets_nothing_new_start(client: Client, serve: Serve) -> None:
    begun = threading.Event()
    release = threading.Event()

    def slow(_: Running) -> int:
        begun.set()
        release.wait(30)
        return 0

    shape = plan(
        job("slow", entrypoint=("slow",)),
        job("next", "slow"),
        for_each("many", [1, 2], entrypoint=("slow",), max_parallel=1),
        gate("go"),
        job("behind", "go"),
        wait("nap", duration=0.5),
        job("later", "nap"),
        job("end", finalizer=True, on_complete="always"),
        max_parallel=3,
    )
    async with serve(client, {"slow": slow}) as runner:
        run = await runner.start(shape)
        assert await asyncio.to_thread(begun.wait, 30)
        await until(client, run.id, lambda record: record.jobs["go"].gate is not None)
        assert await pause(client, run.id, comment="freeze") == (
            "the run is paused: what runs goes on, and nothing new starts"
        )
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await pause(client, run.id)
        assert why_refused(caught.value).startswith("the run is paused already, by ann since ")
        release.set()
        await answer(client, run.id, "go")
        await until(client, run.id, lambda record: record.jobs["slow"].status == "success")
        await until(client, run.id, lambda record: record.jobs["nap"].status == "success")
        await until(client, run.id, lambda record: states(record, "many")["many (1)"] == "success")
        await asyncio.sleep(0.5)
        record = await runs.record(client, run.id)
        assert record.paused is not None
        assert (record.paused.by, record.paused.comment) == ("ann", "freeze")
        assert {
            name: record.jobs[name].status for name in ("next", "behind", "later", "end")
        } == dict.fromkeys(("next", "behind", "later", "end"), "pending")
        second = record.jobs["many"].variants["many (2)"]
        assert (second.status, second.reason, second.tries) == ("waiting", "waiting: the run is paused", 0)
        assert await pause(client, run.id, paused=False) == "the run goes on"
        record = await runs.wait(client, run.id)
    assert record.status == "success"
    assert record.paused is None


async def test_a_cancel_lifts_a_pause(client: Client, serve: Serve) -> None:
    shape = plan(gate("go"), job("a", "go"), job("end", finalizer=True, on_complete="always"))
    async with serve(client) as runner:
        run = await runner.start(shape)
        await until(client, run.id, lambda record: record.jobs["go"].gate is not None)
        await pause(client, run.id)
        await runs.cancel(client, run.id)
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["end"].status, record.paused) == ("cancelled", "success", None)
