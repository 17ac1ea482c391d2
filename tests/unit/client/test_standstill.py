"""What a run waits for whose workflow task fails, from the events of its history."""

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent, WorkflowTaskFailedEventAttributes

from orchestrator.client.connect import lost_attribute
from orchestrator.client.standstill import told_of
from orchestrator.contract.messages import RunRequest
from orchestrator.errors import PlanTooNew
from orchestrator.plan.model import PLAN_VERSION
from tests.support.plans import job, plan, request

COMPLETED = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
SIGNALLED = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
FAULT = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
OTHER_CODE = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
NO_ATTRIBUTE = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES


def failed(cause: WorkflowTaskFailedCause.ValueType, *messages: str) -> HistoryEvent:
    failure: Failure | None = None
    for message in reversed(messages):
        failure = Failure(message=message, cause=failure)
    return HistoryEvent(
        event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        workflow_task_failed_event_attributes=WorkflowTaskFailedEventAttributes(
            cause=cause, failure=failure, identity="orca@one"
        ),
    )


def told(cause: WorkflowTaskFailedCause.ValueType, *messages: str) -> str | None:
    return told_of([SIGNALLED, failed(cause, *messages), COMPLETED], "ns")


def test_a_plan_that_is_too_new() -> None:
    assert told(FAULT, "Failed decoding arguments", str(PlanTooNew(known=4, needed=6))) == (
        "the run waits: no worker here knows plan version 6 (worker 'orca@one' knows 4); upgrade the workers, and it "
        "goes on by itself"
    )


def test_a_newer_request_is_told_by_the_version_of_its_plan() -> None:
    """And not by the first part of it that is not known."""
    data = request(plan(job("a"))).model_dump(mode="json")
    newer = data["plan"] | {"version": PLAN_VERSION + 1, "novelty": 1}
    with pytest.raises(PlanTooNew):
        RunRequest.model_validate(data | {"plan": newer, "novelty": 1})


def test_a_request_with_parts_that_the_worker_does_not_know() -> None:
    problem = (
        "1 validation error for RunRequest\nplan.new\n  Extra inputs are not permitted [type=extra_forbidden, "
        "input_value=99, input_type=int]\n    For further information visit https://errors.pydantic.dev"
    )
    assert told(FAULT, "Failed decoding arguments", problem) == (
        "the run waits: worker 'orca@one' is older than the orca that submitted it and cannot read its plan "
        "(plan.new: Extra inputs are not permitted); start a newer worker, and it goes on by itself"
    )


def test_other_code() -> None:
    said = "[TMPRL1100] Nondeterminism error: Activity machine does not handle this event"
    assert told(OTHER_CODE, said) == (
        "the run waits: worker 'orca@one' has other code than what began it and would not do the same again (Activity "
        "machine does not handle this event); start a worker of the version that began it, and it goes on by itself"
    )


def test_a_lost_search_attribute() -> None:
    said = "BadSearchAttributes: Namespace ns has no mapping defined for search attribute OrcaState"
    assert told(NO_ATTRIBUTE, said) == f"the run waits: {lost_attribute('ns', 'OrcaState')}"
    assert "has no search attribute 'OrcaSpec', 'OrcaState', 'OrcaLabels', by which" in str(
        told(NO_ATTRIBUTE)
    )


def test_a_fault_of_the_worker() -> None:
    assert told(FAULT, "no such key\nmore") == (
        "the run waits: worker 'orca@one' fails: no such key; start a newer worker, and it goes on by itself"
    )
    assert "it does not say why" in str(told(FAULT))


def test_a_run_that_has_gone_on_since() -> None:
    assert told_of([SIGNALLED, COMPLETED, failed(FAULT, "no")], "ns") is None
    assert told_of([SIGNALLED], "ns") is None
