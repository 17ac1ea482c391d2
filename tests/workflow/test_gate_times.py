"""What takes time, on the server that skips it: gates that nobody answers, reminders, waits of months."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from orchestrator.contract.messages import RunRecord
from tests.support.kinds import gate, wait
from tests.support.memory_engine import Running
from tests.support.plans import job, plan
from tests.workflow.conftest import Serve


async def ended(handle: WorkflowHandle[Any, Any]) -> RunRecord:
    """The record at the end. Waiting for the result is what lets the server skip time."""
    try:
        return RunRecord.model_validate(await handle.result())
    except WorkflowFailureError as error:
        return RunRecord.model_validate(cast("ApplicationError", error.cause).details[0])


@pytest.mark.parametrize(
    ("on_timeout", "status", "reason", "decision"),
    [
        ("approve", "success", None, "approve"),
        ("reject", "failed", "rejected: nobody answered within 1 h", "reject"),
        ("fail", "failed", "timeout: nobody answered within 1 h", "timeout"),
    ],
)
async def test_what_a_timeout_means(
    skipping: Client, serve: Serve, on_timeout: str, status: str, reason: str | None, decision: str
) -> None:
    form = [{"name": "n", "type": "number", "default": 3, "has_default": True, "required": True}]
    shape = plan(gate("go", limit=3600, on_timeout=on_timeout, form=form), job("after", "go"))
    async with serve(skipping) as runner:
        record = await ended(await runner.start(shape))
    found = record.jobs["go"]
    assert (found.status, found.reason, found.outputs["decision"]) == (status, reason, decision)
    assert found.outputs["approved_by"] == []
    assert found.outputs.get("n") == (3 if on_timeout == "approve" else None)
    assert record.jobs["after"].status == ("success" if on_timeout == "approve" else "omitted")
    assert found.gate is not None
    assert [each.via for each in found.gate.answers] == ["timeout"]


async def test_a_timeout_cannot_approve_what_is_required_and_has_no_default(
    skipping: Client, serve: Serve
) -> None:
    shape = plan(gate("go", limit=60, on_timeout="approve", form=[{"name": "n", "required": True}]))
    async with serve(skipping) as runner:
        record = await ended(await runner.start(shape))
    assert record.jobs["go"].reason == (
        "timeout: nobody answered within 1 m, and the field 'n', which is required, has no default"
    )


async def test_a_reminder_runs_as_long_as_the_gate_is_open(skipping: Client, serve: Serve) -> None:
    told: list[str] = []

    def tell(box: Running) -> int:
        told.append(box.env["GATE"])
        return int(len(told) == 2)

    env = {"GATE": "${{ jobs.go.status }}"}
    shape = plan(
        gate("go", limit=3600, remind_every=1000, reminder="tell", on_timeout="approve"),
        job("tell", reminds="go", entrypoint=("tell",), env=env, retry={"max_attempts": 2, "delay": 0}),
        gate("never", limit=100, remind_every=1000, reminder="quiet", on_timeout="approve"),
        job("quiet", reminds="never", entrypoint=("tell",)),
        job("after", "go", "never"),
    )
    async with serve(skipping, {"tell": tell}) as runner:
        record = await ended(await runner.start(shape))
    # Three times, and once more for the try that failed.
    assert told == ["waiting"] * 4
    assert (record.status, record.jobs["tell"].status, record.jobs["tell"].tries) == ("success", "success", 4)
    quiet = record.jobs["quiet"]
    assert (quiet.status, quiet.reason) == (
        "skipped",
        "skipped: gate 'never' was closed before a reminder was due",
    )


async def test_waits(skipping: Client, serve: Serve) -> None:
    month = 31 * 86400
    shape = plan(
        wait("short", duration=90),
        wait("text", duration="${{ params.pause }}"),
        wait("past", until="2020-01-01T00:00:00Z"),
        wait("month", until="${{ params.then }}"),
        wait("number", until="${{ params.seconds }}"),
        wait("wrong", duration="${{ 'soon' }}", on_error="continue"),
        wait("naive", until="2030-01-01T00:00:00", on_error="continue"),
        wait("far", until="2999-01-01T00:00:00Z", on_error="continue"),
        job("after", "month"),
    )
    async with serve(skipping) as runner:
        now = datetime.now(UTC)
        then = (now + timedelta(seconds=month)).astimezone(UTC)
        params = {"pause": "1h30m", "then": then.isoformat(), "seconds": then.timestamp() + 60}
        handle = await runner.start(shape, params=params)
        record = await ended(handle)
        history = await handle.fetch_history()

    def lasted(name: str) -> float:
        found = record.jobs[name]
        assert found.started_at is not None
        assert found.finished_at is not None
        spent = datetime.fromisoformat(found.finished_at) - datetime.fromisoformat(found.started_at)
        return spent.total_seconds()

    assert record.status == "partial"
    assert 90 <= lasted("short") < 100
    assert 5400 <= lasted("text") < 5410
    assert lasted("past") < 5
    assert month - 60 <= lasted("month") < month + 60
    assert lasted("number") >= lasted("month")
    assert record.jobs["past"].outputs == {"until": "2020-01-01T00:00:00.000Z"}
    assert record.jobs["wrong"].reason == (
        "expression: `wait` of job 'wrong': 'soon' is not a duration: give seconds, or a text such as '5m' or "
        "'1h30m', of at most ten years"
    )
    assert "'2030-01-01T00:00:00' is not an instant" in (record.jobs["naive"].reason or "")
    assert "is more than ten years away" in (record.jobs["far"].reason or "")
    timers = [event for event in history.events if event.HasField("timer_started_event_attributes")]
    assert len(timers) == 4
