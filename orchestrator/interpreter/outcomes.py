"""Outcomes of tries that no container's end stands for."""

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome
from orchestrator.interpreter.errands import Unanswered


def unknown(answer: Unanswered) -> JobOutcome:
    """The outcome of a try that nobody brought to an end."""
    if answer.fault:
        return failed(FailureKind.WORKER, answer.why, host=answer.host)
    if answer.unplaced:
        return failed(FailureKind.CAPACITY, answer.why)
    return failed(FailureKind.LOST, f"the job's outcome is not known: {answer.why}", host=answer.host)


def failed(kind: FailureKind, message: str, *, host: str = "") -> JobOutcome:
    """The outcome of a try that has no container's end."""
    return JobOutcome(status="failed", reason=FailureReason(kind=kind, message=message[:2000]), host=host)
