"""What the end of a function means: an outcome, and the lines that tell of it.

For the function's own thread: the texts of an error, the keys of a mapping and the like may be the author's code, which
may take long, fail or speak.
"""

from dataclasses import dataclass
from typing import Any

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome
from workers.calling.faults import CallFault, described, told
from workers.calling.results import outcome_of


@dataclass(frozen=True)
class Raised:
    """What a function raised."""

    error: BaseException


@dataclass(frozen=True)
class End:
    """How a function ended; `told` are lines for the job's log, the traceback of an error."""

    outcome: JobOutcome
    told: tuple[str, ...] = ()


def end_of(ended: Any) -> End:
    """What it means that a function returned something, or raised it. Raises nothing, whatever that is."""
    # Not `isinstance`, which asks the object itself.
    raised = type(ended) is Raised
    try:
        return _fault(ended.error) if raised else End(outcome_of(ended))
    except BaseException:  # noqa: BLE001 - reading it runs the author's code, which may raise SystemExit too
        kind, what = (FailureKind.CALL, "raised") if raised else (FailureKind.OUTPUT, "returned")
        message = f"what the function {what} cannot be read, since code of its own fails when it is"
        return End(_failed(kind, message, final=not raised))


def _fault(error: BaseException) -> End:
    if isinstance(error, CallFault):
        lines = () if error.__cause__ is None else told(error.__cause__)
        return End(_failed(FailureKind.CALL, str(error), final=error.final), tuple(lines))
    return End(_failed(FailureKind.CALL, described(error), final=False), tuple(told(error)))


def _failed(kind: FailureKind, message: str, *, final: bool) -> JobOutcome:
    return JobOutcome(status="failed", reason=FailureReason(kind=kind, message=message[:2000]), final=final)
