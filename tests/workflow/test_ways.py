"""Decisions and transitions on a real server: the ways that a run takes, and what becomes of those that it does not."""

from typing import Any

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.plan.model import ContainerNode, Plan
from orchestrator.plan.parts import Requirement
from tests.support.kinds import answer, choice, gate, ways
from tests.support.memory_engine import Program
from tests.support.plans import for_each, job, plan
from tests.support.workshop import until
from tests.workflow.conftest import Serve

FAIL: dict[str, Any] = {"entrypoint": ("fail",)}


def ends_with(code: int) -> Program:
    return lambda _: code


PROGRAMS = {"fail": ends_with(3), "true": ends_with(0)}


def states(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


def deployment() -> Plan:
    """The shape of a deployment that only production has to have approved."""
    return plan(
        job("build"),
        choice("check", ("${{ params.to == 'production' }}", "approval"), requires=("build",)),
        gate("approval", triggers=ways("check chosen")),
        job("provision", "check", "approval"),
        job("deploy", "provision", entrypoint=("${{ params.deploy }}",)),
        job("health", "deploy", entrypoint=("${{ params.health }}",)),
        job("rollback", triggers=ways("deploy failure", "health failure")),
        job("told_good", triggers=ways("health success")),
        job("told_bad", triggers=ways("rollback complete")),
    )


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            {"to": "dev", "deploy": "true", "health": "true"},
            {"approval": "skipped", "rollback": "skipped", "told_bad": "skipped"},
        ),
        (
            {"to": "production", "deploy": "true", "health": "true"},
            {"rollback": "skipped", "told_bad": "skipped"},
        ),
        (
            {"to": "dev", "deploy": "true", "health": "fail"},
            {"approval": "skipped", "health": "failed", "told_good": "skipped"},
        ),
        (
            {"to": "dev", "deploy": "fail", "health": "true"},
            {"approval": "skipped", "deploy": "failed", "health": "omitted", "told_good": "skipped"},
        ),
    ],
)
async def test_a_deployment_takes_its_way(
    client: Client, serve: Serve, params: dict[str, str], expected: dict[str, str]
) -> None:
    shape = deployment()
    async with serve(client, PROGRAMS) as runner:
        run = await runner.start(shape, params=params)
        if params["to"] == "production":
            await until(client, run.id, lambda record: record.jobs["approval"].gate is not None)
            before = await runs.record(client, run.id)
            await answer(client, run.id, "approval")
            assert before.jobs["provision"].status == "pending"
        record = await runs.wait(client, run.id)
    assert states(record) == {**dict.fromkeys(shape.jobs, "success"), **expected}
    assert record.status == ("failed" if "failed" in expected.values() else "success")


async def test_why_a_way_was_not_taken_is_told(client: Client, serve: Serve) -> None:
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(deployment(), params={"to": "dev", "deploy": "true", "health": "true"})
    assert record.jobs["check"].outputs == {"branch": None, "default": False, "chosen": []}
    assert record.jobs["check"].summary == (
        "took no branch: no `when` holds, and there is no default (params.to = 'dev')"
    )
    assert record.jobs["approval"].off_path
    assert not record.jobs["provision"].off_path
    assert record.jobs["approval"].reason == (
        "skipped: none of the ways that lead to it was taken ('check' did not choose it)"
    )
    assert record.jobs["rollback"].reason == (
        "skipped: none of the ways that lead to it was taken ('deploy' did not fail, 'health' did not fail)"
    )


async def test_a_choice_takes_the_first_branch_that_holds(client: Client, serve: Serve) -> None:
    shape = plan(
        choice(
            "route",
            ("params.n > 100", "large"),
            ("params.n > 10", "medium also"),
            (None, "small"),
        ),
        job("large", triggers=ways("route chosen")),
        job("medium", triggers=ways("route chosen")),
        job("also", triggers=ways("route chosen"), condition="success()"),
        job("small", triggers=ways("route chosen")),
        job("behind", "large"),
        job("join", "large", "medium", "small", "behind"),
        job("later", Requirement(job="small", condition="always")),
        job("instead", Requirement(job="behind", condition="skipped")),
    )
    async with serve(client) as runner:
        some = await runner.run(shape, params={"n": 50})
        few = await runner.run(shape, params={"n": 1})
    common = dict.fromkeys(("route", "join", "later", "instead"), "success")
    off = dict.fromkeys(("large", "medium", "also", "small", "behind"), "skipped")
    assert states(some) == {**off, **common, "medium": "success", "also": "success"}
    assert states(few) == {**off, **common, "small": "success"}
    assert some.jobs["route"].outputs == {"branch": 2, "default": False, "chosen": ["medium", "also"]}
    assert some.jobs["route"].summary == "took branch 2: `when: params.n > 10` is true (params.n = 50)"
    assert few.jobs["route"].outputs == {"branch": 3, "default": True, "chosen": ["small"]}
    assert some.jobs["behind"].reason == (
        "skipped: all that it requires lies on paths that were not taken ('large')"
    )


async def test_a_choice_that_cannot_decide_fails_and_chooses_nothing(client: Client, serve: Serve) -> None:
    shape = plan(
        choice("route", ("fromJSON('{')", "a"), (None, "b")),
        job("a", triggers=ways("route chosen")),
        job("b", triggers=ways("route chosen")),
        job("heal", triggers=ways("route failure")),
    )
    async with serve(client) as runner:
        record = await runner.run(shape)
    assert states(record) == {"route": "failed", "a": "skipped", "b": "skipped", "heal": "success"}
    assert (record.jobs["route"].reason or "").startswith("expression: `when` of branch 1 of job 'route': ")


async def test_of_several_ways_the_first_one_starts_the_job_once(client: Client, serve: Serve) -> None:
    seen: list[str] = []

    def heal(box: Any) -> int:
        seen.append(box.env["ORCA_JOB"])
        return 0

    shape = plan(
        job("a", **FAIL),
        job("b", **FAIL, on_error="continue"),
        job("c"),
        job("heal", "c", entrypoint=("heal",), triggers=ways("a failure", "b failure", "c success")),
        job("after", "heal"),
        job("none", triggers=ways("c failure", "a success")),
        job("alone", "none"),
        job("beside", "none", "c"),
        job("skipped", condition="false"),
        job("optional", triggers=ways("skipped success", "skipped complete")),
    )
    async with serve(client, {**PROGRAMS, "heal": heal}) as runner:
        record = await runner.run(shape)
    assert seen == ["heal"]
    assert states(record) == {
        "a": "failed",
        "b": "failed",
        "c": "success",
        "heal": "success",
        "after": "success",
        "none": "skipped",
        "alone": "skipped",
        "beside": "success",
        "skipped": "skipped",
        "optional": "skipped",
    }
    # A handler heals nothing: the failure stays one of the run.
    assert record.status == "failed"


async def test_a_tolerated_failure_with_a_handler_makes_a_partial_run(client: Client, serve: Serve) -> None:
    shape = plan(job("a", **FAIL, on_error="continue"), job("heal", triggers=ways("a failure")))
    async with serve(client, PROGRAMS) as runner:
        record = await runner.run(shape)
    assert (record.status, record.jobs["heal"].status) == ("partial", "success")


def variable(name: str, *requires: str, sets: str, **fields: Any) -> ContainerNode:
    return job(name, *requires, publish={"x": sets}, **fields)


async def test_variables_are_published_in_the_order_of_the_jobs(client: Client, serve: Serve) -> None:
    def out(box: Any) -> int:
        box.write("/orca/output", box.env["TEXT"].encode())
        return 0

    text = {"TEXT": "seen=${{ vars.x }}"}
    shape = plan(
        job("before", env=text, entrypoint=("out",)),
        variable("a", "before", sets="${{ jobs.a.outputs.seen }}a", env=text, entrypoint=("out",)),
        variable("b", "a", sets="${{ vars.x }}b", env=text, entrypoint=("out",)),
        variable("bad", "b", sets="${{ fromJSON('{') }}", on_error="continue"),
        variable("failed", "b", sets="never", on_error="continue", **FAIL),
        job("after", "bad", "failed", env=text, entrypoint=("out",)),
        vars={"x": "${{ params.first }}", "list": ["${{ params.first }}", 1], "none": None},
        outputs={"x": "${{ vars.x }}"},
    )
    async with serve(client, {**PROGRAMS, "out": out}) as runner:
        record = await runner.run(shape, params={"first": "0"})
    seen = {name: found.outputs.get("seen") for name, found in record.jobs.items()}
    assert (seen["before"], seen["a"], seen["b"], seen["after"]) == ("0", "0", "0a", "0ab")
    assert record.vars == {"x": "0ab", "list": ["0", 1], "none": None}
    assert (record.status, record.outputs) == ("partial", {"x": "0ab"})
    assert (record.jobs["bad"].reason or "").startswith("expression: variable 'x' of job 'bad': ")


async def test_a_job_with_variants_publishes_once_when_all_have_ended_well(
    client: Client, serve: Serve
) -> None:
    def out(box: Any) -> int:
        box.write("/orca/output", box.env["TEXT"].encode())
        return int(box.env["TEXT"] == "n=bad")

    many: dict[str, Any] = {"env": {"TEXT": "n=${{ item }}"}, "entrypoint": ("out",), "fail_fast": False}
    shape = plan(
        for_each("good", ["a", "b"], publish={"x": "${{ join(jobs.good.matrix[*].outputs.n) }}"}, **many),
        for_each("bad", ["a", "bad"], publish={"y": "never"}, on_error="continue", **many),
        for_each(
            "none", ["a", "b"], publish={"y": "${{ jobs.none.outputs.n }}"}, on_error="continue", **many
        ),
        vars={"x": "", "y": ""},
    )
    async with serve(client, {"out": out}) as runner:
        record = await runner.run(shape)
    assert (record.status, record.vars) == ("partial", {"x": "a,b", "y": ""})
    assert (record.jobs["none"].reason or "").startswith(
        "expression: variable 'y' of job 'none': the variants of job 'none' do not agree on the output 'n'"
    )


async def test_first_values_that_cannot_be_had_fail_the_run(client: Client, serve: Serve) -> None:
    shape = plan(
        job("a"),
        job("end", finalizer=True, on_complete="failure"),
        vars={"x": "${{ fromJSON('{') }}"},
    )
    async with serve(client) as runner:
        record = await runner.run(shape)
    assert (record.status, states(record)) == ("failed", {"a": "omitted", "end": "success"})
    assert (record.error or "").startswith("expression: variable 'x': ")
