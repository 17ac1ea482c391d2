"""Resuming runs on a real server: what is taken over, what runs again, and that it is told before it begins."""

import asyncio
from typing import Any

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.attempts import execution_of
from orchestrator.client.listing import list_runs
from orchestrator.client.plans import request_of_run
from orchestrator.client.resume import start_attempt
from orchestrator.contract.messages import RunRecord
from orchestrator.errors import UsageError
from orchestrator.interpreter.fingerprints import fingerprint
from orchestrator.plan.model import Param
from orchestrator.plan.parts import Requirement
from tests.support.kinds import answer, choice, gate, nested, wait, ways
from tests.support.plans import for_each, matrix, plan, state
from tests.support.resuming import Starts, counted, counting, planned, resumed
from tests.support.workshop import until
from tests.workflow.conftest import Serve


def states(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


def reused(record: RunRecord) -> list[str]:
    return [name for name, found in record.jobs.items() if found.reused_from]


async def test_of_a_hundred_jobs_only_what_is_needed_runs(
    client: Client, serve: Serve, store_folder: str
) -> None:
    names = [f"job{number:02d}" for number in range(100)]
    before = [None, *names]
    shape = plan(
        *(counting(name, *([before[place]] if before[place] else [])) for place, name in enumerate(names))  # pyright: ignore[reportArgumentType]
    )
    starts = Starts(broken={"job59"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)
        first = await runs.wait(client, handle.id)
        assert starts.take() == dict.fromkeys(names[:60], 1)
        starts.broken.clear()
        told, second = await resumed(client, handle.id, store_folder)
    assert (first.status, second.status, second.attempt) == ("failed", "success", 2)
    assert starts.take() == dict.fromkeys(names[59:], 1)
    assert told == {name: "reuse" if place < 59 else "run" for place, name in enumerate(names)}
    assert reused(second) == names[:59]
    assert second.jobs["job00"].tries == 0
    assert second.jobs["job00"].reused_tries == 1
    assert second.jobs["job00"].finished_at == first.jobs["job00"].finished_at


async def test_outputs_artifacts_and_variables_go_on_to_the_jobs_that_run(
    client: Client, serve: Serve, store_folder: str
) -> None:
    shape = plan(
        counting(
            "build",
            env={"OUT": "id=7"},
            artifacts=("/orca/output",),
            outputs={"twice": "${{ jobs.build.outputs.id }}${{ params.x }}"},
            publish={"last": "${{ jobs.build.outputs.id }}"},
        ),
        counting(
            "use",
            "build",
            env={"OUT": "got=${{ jobs.build.outputs.twice }}-${{ vars.last }}"},
            artifacts_from=("build",),
        ),
        vars={"last": "none"},
        params=(Param(name="x", default="x", has_default=True), Param(name="y")),
    )
    starts = Starts(broken={"use"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape, params={"x": "1", "y": "2"})
        first = await runs.wait(client, handle.id)
        starts.take()
        starts.broken.clear()
        # Nobody reads `y`.
        _, second = await resumed(client, handle.id, store_folder, params=("y=9",))
        assert starts.take() == {"use": 1}
        assert second.jobs["build"].artifacts == first.jobs["build"].artifacts
        assert second.jobs["use"].outputs == {"got": "71-7"}
        assert second.vars == {"last": "7"}
        # `build` reads `x` in its outputs alone.
        told, third = await resumed(client, handle.id, store_folder, params=("x=5",))
    assert told == {"build": "run", "use": "run"}
    assert starts.take() == {"build": 1, "use": 1}
    assert (third.attempt, third.jobs["use"].outputs) == (3, {"got": "75-7"})


async def test_what_is_named_runs_again_with_all_that_comes_after_it(
    client: Client, serve: Serve, store_folder: str
) -> None:
    shape = plan(counting("a"), counting("b", "a"), counting("c", "b"), counting("side"))
    starts = Starts()
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)
        await runs.wait(client, handle.id)
        starts.take()
        with pytest.raises(UsageError, match="nothing in it has changed"):
            await planned(client, handle.id, store_folder)
        with pytest.raises(UsageError, match=r"the run has no job 'd'; it has 'a', 'b', 'c', 'side'"):
            await planned(client, handle.id, store_folder, begin="d")
        told, record = await resumed(client, handle.id, store_folder, begin="b")
        assert told == {"a": "reuse", "b": "run", "c": "run", "side": "reuse"}
        assert starts.take() == {"b": 1, "c": 1}
        # What ran in the second attempt is taken over from there, the rest from the first.
        told, record = await resumed(client, handle.id, store_folder, again=("c",))
    assert starts.take() == {"c": 1}
    assert {name: found.reused_from for name, found in record.jobs.items()} == {
        "a": 1,
        "b": 2,
        "c": 0,
        "side": 1,
    }


async def test_a_job_stands_for_the_values_with_which_it_ran_and_not_for_those_when_it_began_to_wait(
    client: Client, serve: Serve
) -> None:
    """`b` waits for the place that `a` has, which publishes what `b` reads."""
    shape = plan(
        counting("a", publish={"word": "1"}),
        counting("b", env={"WORD": "${{ vars.word }}"}),
        counting("c", "a", "b"),
        vars={"word": "0"},
        max_parallel=1,
    )
    starts = Starts(broken={"c"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)
        first = await runs.wait(client, handle.id)
        asked = await request_of_run(client, handle.id)
    kept = {}
    for word in ("0", "1"):
        run = state(shape)
        run.vars = {"word": word}
        kept[word] = fingerprint(run.jobs["b"], asked, run)
    assert kept["0"] != kept["1"]
    assert first.jobs["b"].fingerprint == kept["1"]


async def test_only_failed_leaves_what_succeeded_alone_although_a_job_before_it_runs(
    client: Client, serve: Serve, store_folder: str
) -> None:
    shape = plan(
        counting("lint", on_error="continue"),
        counting("test", Requirement(job="lint", condition="always")),
        counting("deploy"),
    )
    starts = Starts(broken={"lint", "deploy"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)
        await runs.wait(client, handle.id)
        starts.take()
        with pytest.raises(UsageError, match="--from runs all"):
            await planned(client, handle.id, store_folder, begin="lint", only_failed=True)
        usual = await planned(client, handle.id, store_folder)
        assert [(one.name, one.action, one.why) for one in usual.expected] == [
            ("lint", "run", "it failed before"),
            ("test", "run", "after 'lint'"),
            ("deploy", "run", "it failed before"),
        ]
        starts.broken.clear()
        told, record = await resumed(client, handle.id, store_folder, only_failed=True)
    assert told == {"lint": "run", "test": "reuse", "deploy": "run"}
    assert starts.take() == {"lint": 1, "deploy": 1}
    assert (record.status, reused(record)) == ("success", ["test"])


async def test_a_matrix_and_a_list_by_variant(client: Client, serve: Serve, store_folder: str) -> None:
    shape = plan(
        matrix("test", {"py": ["3.11", "3.12"]}, **counted("${{ matrix.py }}"), fail_fast=False),
        for_each("ship", ["eu", "us"], "test", **counted("${{ item }}")),
    )
    starts = Starts(broken={"3.12"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)
        await runs.wait(client, handle.id)
        assert starts.take() == {"3.11": 1, "3.12": 1}
        starts.broken = {"us"}
        told, second = await resumed(client, handle.id, store_folder)
        assert told == {"test (3.11)": "reuse", "test (3.12)": "run", "ship": "run"}
        assert starts.take() == {"3.12": 1, "eu": 1, "us": 1}
        assert second.jobs["test"].summary == "2/2 passed"
        assert second.jobs["test"].variants["test (3.11)"].reused_from == 1
        starts.broken.clear()
        told, third = await resumed(client, handle.id, store_folder)
        assert told == {
            "test (3.11)": "reuse",
            "test (3.12)": "reuse",
            "ship (eu)": "reuse",
            "ship (us)": "run",
        }
        assert starts.take() == {"us": 1}
        assert third.jobs["test"].variants["test (3.12)"].reused_from == 2
        told, _ = await resumed(client, handle.id, store_folder, again=("test (3.12)",))
    assert starts.take() == {"3.12": 1, "eu": 1, "us": 1}


async def test_a_nested_workflow_is_taken_over_whole_or_resumed_itself(
    client: Client, serve: Serve, store_folder: str
) -> None:
    inner = plan(counting("x"), counting("y", "x", env={"NAME": "${{ params.y }}"}), spec="inner", params=(
        Param(name="y", required=True),
    ))  # fmt: skip
    shape = plan(
        nested("good", "p", given={"y": "y1"}),
        nested("bad", "p", given={"y": "y2"}),
        counting("end", "good", "bad"),
        workflows={"p": inner},
    )
    starts = Starts(broken={"y2"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)
        first = await runs.wait(client, handle.id)
        assert starts.take() == {"x": 2, "y1": 1, "y2": 1}
        starts.broken.clear()
        told, second = await resumed(client, handle.id, store_folder)
        child = await runs.record(client, second.jobs["bad"].child)
        assert starts.take() == {"y2": 1, "end": 1}
        # To run it again means all of it.
        _, third = await resumed(client, handle.id, store_folder, again=("good",))
    assert told == {"good": "reuse", "bad": "run", "end": "run"}
    assert second.jobs["bad"].child == first.jobs["bad"].child
    assert (child.attempt, child.jobs["x"].reused_from, child.jobs["y"].reused_from) == (2, 1, 0)
    assert starts.take() == {"x": 1, "y1": 1, "end": 1}
    assert third.jobs["good"].child != first.jobs["good"].child


async def test_gates_ask_again_choices_choose_again_and_finalizers_run_again(
    client: Client, serve: Serve, store_folder: str
) -> None:
    shape = plan(
        gate("approve"),
        counting("deploy", "approve"),
        choice("route", ("params.to == 'a'", "left"), (None, "right")),
        counting("left", triggers=ways("route chosen")),
        counting("right", triggers=ways("route chosen")),
        wait("pause", duration=0.01),
        counting("last", "left", "right", "pause"),
        counting("end", finalizer=True, on_complete="always"),
        params=(Param(name="to", default="a", has_default=True),),
    )
    starts = Starts(broken={"last"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape, params={"to": "a"})

        async def opens(attempt: int) -> None:
            await until(
                client,
                handle.id,
                lambda now: now.attempt == attempt and now.jobs["approve"].status == "waiting",
            )

        await opens(1)
        await answer(client, handle.id, "approve")
        await runs.wait(client, handle.id)
        assert starts.take() == {"deploy": 1, "left": 1, "last": 1, "end": 1}
        starts.broken.clear()
        found = await planned(client, handle.id, store_folder)
        assert [(one.name, one.action) for one in found.expected] == [
            ("approve", "ask"),
            ("deploy", "run"),
            ("route", "run"),
            ("left", "reuse"),
            ("right", "skip"),
            ("pause", "reuse"),
            ("last", "run"),
            ("end", "run"),
        ]
        await start_attempt(client, found)
        await opens(2)
        await answer(client, handle.id, "approve")
        second = await runs.wait(client, handle.id)
    assert (second.status, reused(second)) == ("success", ["left", "pause"])
    assert starts.take() == {"deploy": 1, "last": 1, "end": 1}


async def test_an_attempt_that_was_cancelled_before_a_job_says_nothing_of_it(
    client: Client, serve: Serve, store_folder: str
) -> None:
    shape = plan(gate("go"), counting("a"), counting("b", "a"), counting("c", "b", "go"))
    starts = Starts(broken={"b"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)

        await until(client, handle.id, lambda now: now.jobs["b"].status == "failed")
        with pytest.raises(UsageError, match="is still open; end it with 'orca cancel"):
            await planned(client, handle.id, store_folder)
        await runs.cancel(client, handle.id)
        first = await runs.wait(client, handle.id)
        assert states(first) == {"go": "cancelled", "a": "success", "b": "failed", "c": "omitted"}
        found = await planned(client, handle.id, store_folder)
        # The worker is told to stop before it has seen the run.
        await start_attempt(client, found)
        with pytest.raises(UsageError, match="has been started meanwhile"):
            await start_attempt(client, found)
        await runs.cancel(client, handle.id)
        assert (await runs.wait(client, handle.id)).status == "cancelled"
        starts.take()
        told = await planned(client, handle.id, store_folder)
    assert [(one.name, one.action) for one in told.expected][1] == ("a", "reuse")
    assert told.request.attempt == 3


async def test_two_at_once_start_one_attempt(client: Client, serve: Serve, store_folder: str) -> None:
    starts = Starts(broken={"a"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(plan(counting("a"), gate("hold")))
        await runs.cancel(client, handle.id)
        await runs.wait(client, handle.id)
        both = [await planned(client, handle.id, store_folder) for _ in range(2)]
        ends = await asyncio.gather(*(start_attempt(client, one) for one in both), return_exceptions=True)
        await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "UsageError"]
    assert record.attempt == 2


async def test_a_list_of_runs_has_each_once_as_its_latest_attempt_stands(
    client: Client, serve: Serve, store_folder: str
) -> None:
    starts = Starts(broken={"a"})
    shape = plan(counting("a"), spec=f"listed-{store_folder[-8:]}")
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)
        await runs.wait(client, handle.id)
        starts.broken.clear()
        for wish in ({}, {"again": ("a",)}):
            await resumed(client, handle.id, store_folder, **wish)

        async def listed(**wanted: Any) -> list[tuple[str, int, str]]:
            found = await list_runs(client, limit=1000, **wanted)
            return [(one.run_id, one.attempt, one.status) for one in found if one.run_id == handle.id]

        assert await listed() == [(handle.id, 3, "success")]
        assert await listed(status="success") == [(handle.id, 3, "success")]
        # The first attempt failed, and the run did not.
        assert await listed(status="failed") == []
        first = await execution_of(client, handle.id, 1)
        assert (await runs.record(client, handle.id, execution=first)).status == "failed"
        with pytest.raises(UsageError, match="has no attempt 7; Temporal knows the attempts 1, 2, 3"):
            await execution_of(client, handle.id, 7)


async def test_a_nested_run_that_has_not_ended_is_waited_for(
    client: Client, serve: Serve, store_folder: str
) -> None:
    inner = plan(gate("ask"), gate("last", finalizer=True, on_complete="always"), spec="inner")
    starts = Starts()
    shape = plan(counting("a"), nested("sub", "p", "a"), workflows={"p": inner})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(shape)
        await until(client, handle.id, lambda now: now.jobs["sub"].child)
        child = (await runs.record(client, handle.id)).jobs["sub"].child
        await until(client, child, lambda now: now.jobs["ask"].status == "waiting")
        await client.get_workflow_handle(handle.id).terminate("by hand")
        # The server asks it to cancel, and its finalizer waits for a person.
        await until(client, child, lambda now: now.jobs["last"].status == "waiting")
        with pytest.raises(UsageError, match=f"run '{child}', which a job of it started, has not ended yet"):
            await planned(client, handle.id, store_folder)
        await answer(client, child, "last")
        await runs.wait(client, child)
        found = await planned(client, handle.id, store_folder)
    assert [(one.name, one.action, one.why) for one in found.expected] == [
        ("a", "reuse", "unchanged"),
        ("sub", "run", "it had not ended when the run was ended"),
    ]
