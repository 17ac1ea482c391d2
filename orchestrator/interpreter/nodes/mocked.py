"""A job in a dry run: nothing is sent out, nobody is asked, and it ends as its mock says."""

from typing import Any, assert_never

from temporalio import workflow

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome
from orchestrator.contract.mocks import Mock, Mocks
from orchestrator.contract.people import Answer, FieldRecord, GateRecord
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.interpreter import gates
from orchestrator.interpreter.gates import Refused
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.nodes.tries import Ended, run_tries
from orchestrator.interpreter.opening import opened
from orchestrator.interpreter.outcomes import failed
from orchestrator.interpreter.outputs import complete_outputs, finished
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.plan.model import (
    CallNode,
    ChoiceNode,
    ContainerNode,
    GateNode,
    Node,
    WaitNode,
    WorkflowNode,
)
from orchestrator.plan.parts import Json

_USUAL = {
    "container": FailureKind.EXIT,
    "call": FailureKind.CALL,
    "gate": FailureKind.REJECTED,
    "wait": FailureKind.EXPRESSION,
    "choice": FailureKind.EXPRESSION,
    "workflow": FailureKind.WORKFLOW,
}
"""The kind of a failure for which the mock names none."""


def mock_of(job: JobState, mocks: Mocks, number: int) -> Mock | None:
    """What is declared for that try of a job or variant; None where nothing is."""
    mock = mocks.jobs.get(job.node.name)
    if mock is not None and job.variant is not None:
        mock = mock.variants.get(job.variant.name, mock)
    if mock is not None and mock.tries:
        mock = mock.tries[min(number, len(mock.tries)) - 1]
    return mock


def declared_end(job: JobState, mocks: Mocks) -> Mock | None:
    """The mock by which a job ends; None where it goes its own way in a dry run too.

    A choice always chooses. A wait ends at once, and a nested workflow is walked, unless an end of their own is
    declared.
    """
    mock = mock_of(job, mocks, 1)
    match job.node:
        case ContainerNode() | CallNode() | GateNode():
            return mock or Mock()
        case ChoiceNode():
            return None
        case WaitNode():
            return mock if mock is not None and mock.status != "success" else None
        case WorkflowNode():
            ends = mock is not None and not mock.jobs and (mock.status != "success" or bool(mock.outputs))
            return mock if ends else None


async def run_mocked(mock: Mock, job: JobState, around: Surroundings) -> JobOutcome:
    """Run `job` to its last outcome. Raises asyncio.CancelledError where it was cancelled."""
    if isinstance(job.node, GateNode):
        return _run_gate(job.node, mock, job, around)

    async def one_try(number: int) -> Ended:
        job.enter("running")
        mocks = around.request.mocks
        declared = (mock_of(job, mocks, number) if mocks else None) or mock
        outcome = _outcome(declared, job.node)
        return Ended(complete_outputs(job, outcome, around.request, around.state))

    return await run_tries(job.node, job, around, one_try)


def _outcome(mock: Mock, node: Node) -> JobOutcome:
    container = isinstance(node, ContainerNode)
    now = rfc3339(workflow.now())
    times = {"started_at": now, "finished_at": now}
    match mock.status:
        case "success":
            # A promise that the mock does not keep is none that the job breaks.
            outputs = {**dict.fromkeys(node.required_outputs), **mock.outputs}
            code = (mock.exit_code or 0) if container else mock.exit_code
            ended = JobOutcome(status="success", exit_code=code, outputs=outputs)
        case "failed":
            kind = mock.kind or _USUAL[node.kind]
            code = mock.exit_code
            if container and kind is FailureKind.EXIT and code is None:
                code = 1
            reason = FailureReason(kind=kind, message=mock.reason or "the mock says so")
            ended = JobOutcome(status="failed", reason=reason, exit_code=code, outputs=mock.outputs)
        case "skipped":
            note = f"skipped: {mock.reason or 'the mock says so'}"
            ended = JobOutcome(status="skipped", note=note)
    return ended.model_copy(update=times)


def _run_gate(node: GateNode, mock: Mock, job: JobState, around: Surroundings) -> JobOutcome:
    """Open it, and answer it at once."""
    now = workflow.now()
    job.begin(rfc3339(now))
    if mock.status != "success":
        return finished(job, _outcome(mock, node), around.request, around.state)
    try:
        gate = opened(node, job, around.request, around.state, now=now)
    except ExpressionError as error:
        return failed(FailureKind.EXPRESSION, str(error))
    answered = _answered(gate, mock, job)
    if isinstance(answered, Refused):
        return failed(FailureKind.EXPRESSION, f"the mock is no answer: {answered.why}")
    job.gate = answered
    job.note = gates.note_of(answered)
    return finished(job, gates.outcome_of(answered, limit=node.limit), around.request, around.state)


def _answered(gate: GateRecord, mock: Mock, job: JobState) -> GateRecord | Refused:
    """The gate as the mock's answers leave it. Who may answer is not asked: these are nobody's."""
    now = workflow.now()
    if mock.decision == "timeout":
        return gates.timed_out(gate, at=rfc3339(now))
    anybody: dict[str, Any] = {"approvers": (), "self_approval": True, "deadline": None}
    if mock.decision == "approve" and not mock.outputs:
        # A dry run asks nobody, so what is required must not end it where its mock says nothing of it.
        gate = gate.model_copy(update={"fields": tuple(_filled(field) for field in gate.fields)})
        anybody["fields"] = tuple(field.model_copy(update={"required": False}) for field in gate.fields)
    number = 0
    while not gates.is_decided(gate):
        number += 1
        answer = Answer(
            gate=job.key,
            decision=mock.decision,
            fields=mock.outputs,
            comment=mock.reason,
            by=mock.by if number == 1 else f"{mock.by} {number}",
        )
        checked = gates.check(answer, gate.model_copy(update=anybody), name=job.key, now=now, submitted_by="")
        if isinstance(checked, Refused):
            return checked
        gate = gates.answered(gate, checked, at=rfc3339(now))
    return gate


def _filled(field: FieldRecord) -> FieldRecord:
    """A required field with a default where the spec gives none: the first option, or what is empty."""
    if not field.required or field.has_default:
        return field
    value: Json
    match field.type:
        case "string":
            value = ""
        case "number":
            value = 0
        case "boolean":
            value = False
        case "select":
            value = field.options[0]
        case "multi_select":
            value = [field.options[0]]
        case _:
            assert_never(field.type)
    return field.model_copy(update={"default": value, "has_default": True})
