"""What of an open run waits, as the server knows it."""

from typing import Any, cast

from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowExecutionDescription

from orchestrator.client.converter import data_converter
from orchestrator.client.pending import (
    FOR_A_WORKER,
    running_notes,
    waiting_work,
    with_notes,
    with_waiting,
)
from orchestrator.contract.messages import Heartbeat, JobRecord, RunRecord, ServiceRecord

SCHEDULED, STARTED = 1, 2
NOTE = "waiting for room on host 'a': asks for 2 CPUs, 0.5 are free"


class Described:
    """As much of a client and of a description as is asked for."""

    data_converter = data_converter

    def __init__(self, *pending: PendingActivityInfo) -> None:
        self.raw_description = DescribeWorkflowExecutionResponse(pending_activities=pending)


async def pending(key: str, state: int, beat: Heartbeat | None = None) -> PendingActivityInfo:
    item = PendingActivityInfo(activity_id=key, state=cast("Any", state))
    if beat is not None:
        item.heartbeat_details.payloads.extend(await data_converter.encode([beat]))
    return item


async def test_what_waits_and_for_what() -> None:
    waiting = Heartbeat(host="a", phase="waiting", note=NOTE)
    described = Described(
        await pending("queued", SCHEDULED),
        await pending("full (dispatch 3)", STARTED, waiting),
        await pending("start services: unit #2", STARTED, waiting),
        await pending("runs", STARTED, Heartbeat(host="a", phase="running")),
        await pending("silent", STARTED),
    )
    found = await waiting_work(cast("Client", described), cast("WorkflowExecutionDescription", described))
    assert found == {
        "queued": FOR_A_WORKER,
        "full": NOTE,
        "full (dispatch 3)": NOTE,
        "start services: unit #2": NOTE,
    }


async def test_what_is_said_of_work_that_runs() -> None:
    running = Heartbeat(
        host="a", phase="running", note="service 'db' ended with exit code 1; the job goes on"
    )
    described = Described(
        await pending("test #2", STARTED, running),
        await pending("unit (a) (dispatch 2)", STARTED, running),
        await pending("full", STARTED, Heartbeat(host="a", phase="waiting", note=NOTE)),
        await pending("runs", STARTED, Heartbeat(host="a", phase="running")),
        await pending("silent", STARTED),
        await pending("queued", SCHEDULED, running),
    )
    notes = await running_notes(cast("Client", described), cast("WorkflowExecutionDescription", described))
    assert notes == dict.fromkeys(("test #2", "unit (a)", "unit (a) (dispatch 2)"), running.note)
    state = record(
        test=job(tries=2),
        runs=job(),
        unit=job(variants={"unit (a)": job(), "unit (b)": job()}),
        done=job("success"),
    )
    told = with_notes(state, notes).jobs
    assert [(name, one.status, one.reason) for name, one in told.items()] == [
        ("test", "running", running.note),
        ("runs", "running", None),
        ("unit", "running", None),
        ("done", "success", None),
    ]
    assert [one.reason for one in told["unit"].variants.values()] == [running.note, None]
    assert with_notes(state, {}) == state


def job(status: str = "running", tries: int = 1, variants: dict[str, JobRecord] | None = None) -> JobRecord:
    return JobRecord.model_validate(
        {"kind": "container", "status": status, "tries": tries, "variants": variants or {}}
    )


def record(**jobs: JobRecord) -> RunRecord:
    services = {"db": ServiceRecord(state="starting"), "up": ServiceRecord(state="healthy")}
    return RunRecord(
        run_id="r", attempt=1, spec="s", status="running", created_at="", jobs=jobs, services=services
    )


def test_a_record_tells_of_what_waits() -> None:
    state = record(
        plain=job(),
        again=job(tries=2),
        unit=job(tries=2),
        runs=job(),
        done=job("success"),
        some=job(tries=2, variants={"some (a)": job(), "some (b)": job()}),
        all=job(tries=2, variants={"all (a)": job(), "all (b)": job("success")}),
    )
    waits = {
        "plain": FOR_A_WORKER,
        "again": "an older try's",
        "again #2": NOTE,
        "start services: unit #2": NOTE,
        "done": NOTE,
        "some (a)": NOTE,
        "all (a)": NOTE,
        "start services #2": "for a host",
    }
    told = with_waiting(state, waits)
    assert {name: (one.status, one.reason) for name, one in told.jobs.items()} == {
        "plain": ("waiting", FOR_A_WORKER),
        "again": ("waiting", NOTE),
        "unit": ("waiting", NOTE),
        "runs": ("running", None),
        "done": ("success", None),
        "some": ("running", None),
        "all": ("waiting", NOTE),
    }
    assert [one.status for one in told.jobs["some"].variants.values()] == ["waiting", "running"]
    assert [one.note for one in told.services.values()] == ["for a host", ""]
    assert with_waiting(state, {}) == state
