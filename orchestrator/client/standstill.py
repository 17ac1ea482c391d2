"""Why an open run does not go on although a worker takes it: what the server was told, in words.

An interpreter that cannot go on fails its workflow task and not the run: the server hands the task out again, with
growing pauses, until some worker can. Nothing of that is in the run's record, which only such a worker could change.
"""

import re
from collections.abc import Iterable, Iterator

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import VersioningBehavior

from orchestrator.client.connect import lost_attribute
from orchestrator.contract.names import SEARCH_LABELS, SEARCH_SPEC, SEARCH_STATE

SEARCH_NAMES = (SEARCH_SPEC, SEARCH_STATE, SEARCH_LABELS)
LOOK_BACK = 100
"""Events, the newest first, among which the failure is looked for: it is near the end."""

PLAN_TOO_NEW = re.compile(
    r"knows plan versions up to (?P<known>\d+), and this plan has version (?P<needed>\d+)"
)
"""What `errors.PlanTooNew` says."""
_UNREADABLE = re.compile(
    r"Extra inputs are not permitted|Input tag .* does not match any of the expected tags"
)
"""What pydantic says of a part of a plan that this code does not know."""
_PLACE = re.compile(r"^(\S+)\n  (.+?)(?: \[type=.*)?$", re.MULTILINE)
_CAUSES = WorkflowTaskFailedCause


async def why_still(client: Client, found: WorkflowExecutionDescription) -> str | None:
    """A sentence about an open run whose last workflow task failed; None for one that goes on."""
    pending = found.raw_description.pending_workflow_task
    if pending.attempt < 2:
        return None
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=found.id, run_id=found.run_id),
            maximum_page_size=LOOK_BACK,
        )
    )
    return told_of(answer.history.events, client.namespace)


def pinned_to(info: WorkflowExecutionInfo) -> tuple[str, str] | None:
    """Deployment and build whose workers alone carry a run on; None where any may."""
    if info.versioning_info.behavior != VersioningBehavior.PINNED.value:
        return None
    version = info.versioning_info.deployment_version
    return version.deployment_name, version.build_id


def who_is_missing(found: WorkflowExecutionDescription) -> str:
    """What to start for a run for which nobody answers."""
    pinned = pinned_to(found.raw_description.workflow_execution_info)
    if pinned is None:
        return "start one with 'orca worker'"
    deployment, build = pinned
    return (
        f"the run is pinned to version '{build}' of deployment '{deployment}': start a worker with "
        f"ORCA_DEPLOYMENT={deployment} ORCA_BUILD_ID={build}"
    )


def told_of(newest_first: Iterable[HistoryEvent], namespace: str) -> str | None:
    """The same from the events of a history, the newest first. Pure."""
    for event in newest_first:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return None  # Since then a worker was only slow, or died.
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            return _sentence(failed.cause, list(_messages(failed.failure)), failed.identity, namespace)
    return None


def told_by(messages: list[str], *, who: str, deterministic: bool = True) -> str:
    """What failures, the outermost first, say of a plan or a history that `who` cannot take over. Pure.

    Args:
        messages: of a failure and of its causes.
        who: such as `worker 'orca@host'`, or `this orca`.
        deterministic: False where the SDK found that the code does not repeat the history.
    """
    text = "\n".join(messages)
    if newer := PLAN_TOO_NEW.search(text):
        return f"it needs plan version {newer['needed']}, and {who} knows no later one than {newer['known']}"
    if _UNREADABLE.search(text):
        # pydantic names the place in a line of its own.
        what = _PLACE.search(text)
        told = f" ({what[1]}: {what[2]})" if what else ""
        return f"{who} is older than the orca that submitted it and cannot read its plan{told}"
    if not deterministic:
        said = messages[0].rpartition("Nondeterminism error: ")[2].strip()
        return f"{who} has other code than what began it and would not do the same again ({said})"
    return f"{who} fails: {messages[-1].splitlines()[0] if messages else 'it does not say why'}"


def _sentence(
    cause: WorkflowTaskFailedCause.ValueType, messages: list[str], worker: str, namespace: str
) -> str:
    who = f"worker '{worker}'"
    if cause == _CAUSES.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES:
        named = next((name for name in SEARCH_NAMES if name in " ".join(messages)), "', '".join(SEARCH_NAMES))
        return f"the run waits: {lost_attribute(namespace, named)}"
    different = cause == _CAUSES.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    why = told_by(messages, who=who, deterministic=not different)
    if newer := PLAN_TOO_NEW.search("\n".join(messages)):
        return (
            f"the run waits: no worker here knows plan version {newer['needed']} ({who} knows {newer['known']}); "
            "upgrade the workers, and it goes on by itself"
        )
    next_step = "start a worker of the version that began it" if different else "start a newer worker"
    return f"the run waits: {why}; {next_step}, and it goes on by itself"


def _messages(failure: Failure) -> Iterator[str]:
    """Of a failure and its causes, the outermost first."""
    while True:
        if failure.message:
            yield failure.message
        if not failure.HasField("cause"):
            return
        failure = failure.cause
