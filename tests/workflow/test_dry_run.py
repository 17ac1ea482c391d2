"""Dry runs on a real server without any worker for jobs: conditions and ways as in life, ends as declared."""

from typing import Any

from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.mocks import Mocks
from orchestrator.plan.model import Param, Plan
from orchestrator.plan.parts import Requirement
from tests.support.kinds import call, choice, gate, nested, wait, ways
from tests.support.plans import for_each, job, plan
from tests.workflow.conftest import Serve


def states(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


async def dry(client: Client, serve: Serve, shape: Plan, mocks: dict[str, Any], **fields: Any) -> RunRecord:
    """The record of a dry run. That nothing was sent out and nothing waited for is part of every test."""
    async with serve(client) as runner:
        handle = await runner.start(shape, mocks=Mocks.model_validate({"jobs": mocks}), **fields)
        record = await runs.wait(client, handle.id)
        events = [event async for event in handle.fetch_history_events()]
    assert not [event for event in events if event.HasField("activity_task_scheduled_event_attributes")]
    assert not [event for event in events if event.HasField("timer_started_event_attributes")]
    return record


DEPLOY = plan(
    call("create", "deployments:create", publish={"id": "${{ jobs.create.outputs.id }}"}),
    choice("where", ("${{ params.environment == 'production' }}", "approve"), requires=("create",)),
    gate(
        "approve",
        triggers=ways("where chosen"),
        approvers=("user:lead",),
        form=[{"name": "why", "type": "string", "required": True}],
        limit=3600,
        min_approvals=2,
    ),
    nested("provision", "provision.yaml", "where", "approve"),
    job("deploy", "provision", retry={"max_attempts": 3, "delay": 600}),
    call("health", "http", "deploy", retry={"max_attempts": 5, "delay": 600}),
    wait("cool", "health", duration=86400),
    call("rollback", "cluster:rollback", triggers=ways("health failure", "deploy failure")),
    vars={"id": None},
    workflows={
        "provision.yaml": plan(
            job("network", required_outputs=("id",)),
            job("cluster", "network"),
            spec="provision",
            outputs={"cluster": "${{ jobs.cluster.outputs.id }}"},
        )
    },
    outputs={"id": "${{ vars.id }}", "cluster": "${{ jobs.provision.outputs.cluster }}"},
)


async def test_by_default_everything_succeeds(client: Client, serve: Serve) -> None:
    record = await dry(client, serve, DEPLOY, {}, params={"environment": "dev"})
    assert record.error is None
    assert states(record) == {
        "create": "success",
        "where": "success",
        "approve": "skipped",
        "provision": "success",
        "deploy": "success",
        "health": "success",
        "cool": "success",
        "rollback": "skipped",
    }
    assert record.jobs["deploy"].exit_code == 0


async def test_a_failure_takes_its_way(client: Client, serve: Serve) -> None:
    mocks = {
        "create": {"outputs": {"id": "d-1"}},
        "approve": {"outputs": {"why": "ready"}, "by": "lead"},
        "provision": {"jobs": {"cluster": {"outputs": {"id": "c-1"}}}},
        "deploy": {"tries": [{"status": "failed", "exit_code": 7}, {}]},
        "health": {"status": "failed", "reason": "answered 503"},
    }
    record = await dry(client, serve, DEPLOY, mocks, params={"environment": "production"})
    assert states(record) == {
        "create": "success",
        "where": "success",
        "approve": "success",
        "provision": "success",
        "deploy": "success",
        "health": "failed",
        "cool": "omitted",
        "rollback": "success",
    }
    assert record.outputs == {"id": "d-1", "cluster": "c-1"}
    assert record.jobs["approve"].outputs["why"] == "ready"
    assert record.jobs["approve"].outputs["approved_by"] == ["lead", "lead 2"]
    assert (record.jobs["deploy"].tries, record.jobs["deploy"].history[0].exit_code) == (2, 7)
    assert (record.jobs["health"].tries, record.jobs["health"].reason) == (5, "call: answered 503")


async def test_a_gate_is_rejected_times_out_or_gets_no_answer_that_fits(client: Client, serve: Serve) -> None:
    form = [{"name": "n", "type": "number"}]
    shape = plan(
        gate("reject", on_error="continue"),
        gate("late", limit=60, on_error="continue"),
        gate("wrong", form=form, on_error="continue"),
        gate("skipped"),
    )
    mocks = {
        "reject": {"decision": "reject", "by": "ann", "reason": "no"},
        "late": {"decision": "timeout"},
        "wrong": {"outputs": {"n": "many"}},
        "skipped": {"status": "skipped", "reason": "not today"},
    }
    record = await dry(client, serve, shape, mocks)
    reasons = {name: found.reason for name, found in record.jobs.items()}
    assert reasons["reject"] == "rejected: by ann: no"
    assert (reasons["late"] or "").startswith("timeout: ")
    assert reasons["wrong"] == (
        "expression: the mock is no answer: field 'n' of gate 'wrong' must be a number, not 'many'"
    )
    assert (record.jobs["skipped"].status, reasons["skipped"]) == ("skipped", "skipped: not today")


async def test_a_gate_without_a_mock_gets_what_it_requires(client: Client, serve: Serve) -> None:
    form = [
        {"name": "text", "required": True, "pattern": "[A-Z]+"},
        {"name": "number", "type": "number", "required": True},
        {"name": "sure", "type": "boolean", "required": True},
        {"name": "one", "type": "select", "options": ["eu", "us"], "required": True},
        {"name": "some", "type": "multi_select", "options": [3, 4], "required": True},
        {
            "name": "own",
            "type": "select",
            "options": ["eu", "us"],
            "required": True,
            "default": "us",
            "has_default": True,
        },
        {"name": "free"},
    ]
    shape = plan(gate("form", form=form, min_approvals=2), gate("given", form=form[:1], on_error="continue"))
    record = await dry(client, serve, shape, {"given": {"outputs": {"text": ""}}})
    people = {"approved_by": ["mock", "mock 2"], "comment": "", "decision": "approve"}
    assert record.jobs["form"].outputs == {
        "text": "", "number": 0, "sure": False, "one": "eu", "some": [3], "own": "us", "free": None, **people,
    }  # fmt: skip
    # What a mock gives counts as an answer, and has to be one.
    assert (record.jobs["given"].reason or "").startswith("expression: the mock is no answer: field 'text'")


async def test_variants_have_ends_of_their_own(client: Client, serve: Serve) -> None:
    mocks = {"test": {"outputs": {"n": 1}, "variants": {"b": {"status": "failed", "kind": "oom"}}}}
    shape = plan(for_each("test", ["a", "b", "c"], fail_fast=False))
    record = await dry(client, serve, shape, mocks)
    found = {name: (one.status, one.reason) for name, one in record.jobs["test"].variants.items()}
    assert found == {
        "test (a)": ("success", None),
        "test (b)": ("failed", "oom: the mock says so"),
        "test (c)": ("success", None),
    }
    assert record.jobs["test"].variants["test (a)"].outputs == {"n": 1}


async def test_a_nested_workflow_may_end_as_a_whole(client: Client, serve: Serve) -> None:
    inner = plan(job("a"), params=(Param(name="x", required=True),))
    shape = plan(
        nested("given", "p"),
        nested("failed", "p", on_error="continue"),
        nested("walked", "p", given={"x": "one"}, on_error="continue"),
        workflows={"p": inner},
    )
    mocks = {
        "given": {"outputs": {"id": 1}},
        "failed": {"status": "failed"},
        "walked": {"jobs": {"a": {"status": "failed"}}},
    }
    record = await dry(client, serve, shape, mocks)
    assert {name: (found.status, found.child != "") for name, found in record.jobs.items()} == {
        "given": ("success", False),
        "failed": ("failed", False),
        "walked": ("failed", True),
    }
    assert record.jobs["given"].outputs == {"id": 1}
    assert record.jobs["failed"].reason == "workflow: the mock says so"
    assert record.jobs["walked"].reason == "workflow: job 'a' failed: exit: the mock says so"


async def test_nobody_is_asked_about_a_job_that_would_be_held(client: Client, serve: Serve) -> None:
    shape = plan(job("a", on_error="hold"), job("heal", Requirement(job="a", condition="failure")))
    record = await dry(client, serve, shape, {"a": {"status": "failed"}})
    assert states(record) == {"a": "failed", "heal": "success"}
    assert record.jobs["a"].exit_code == 1


async def test_a_thousand_jobs_are_walked(client: Client, serve: Serve) -> None:
    jobs = [job("job0")] + [job(f"job{n}", f"job{n - 1}") for n in range(1, 300)]
    wide = [job(f"wide{n}", "job299") for n in range(600)]
    record = await dry(client, serve, plan(*jobs, *wide), {})
    assert record.status == "success"
