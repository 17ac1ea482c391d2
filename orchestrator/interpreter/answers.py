"""What it means for an errand that its activity failed: what a worker said, or that nothing was heard. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.exceptions import ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from orchestrator.contract.capacity import MISPLACED_ERROR
from orchestrator.contract.messages import Heartbeat
from orchestrator.contract.names import DETACHED_ERROR, host_of
from orchestrator.interpreter.errands import Errand, T, Unanswered


@dataclass(frozen=True)
class Again:
    """Send the same work out again, to the host that the last heartbeat came from, if there was one."""

    beat: Heartbeat | None
    why: str


@dataclass(frozen=True)
class Settle:
    """Whoever had it does not come back, and it cannot be adopted: any other is asked how it ended."""

    had: Heartbeat
    why: str


@dataclass(frozen=True)
class Move:
    """Nobody has begun it: send it to `host`, or to whoever takes it where that is empty."""

    host: str
    why: str
    returned: bool = False
    """A host gave it back that had no room for long, or was stopped before it had."""


Answer = Again | Move | Settle | Unanswered


@dataclass(frozen=True)
class Standing:
    """How far an errand had come when its activity failed."""

    beat: Heartbeat | None
    """The last heartbeat of the worker that had it before this activity; None where nobody had."""
    host: str
    """Where it was sent; empty stands for any."""
    wait: float | None
    """Seconds that it could take to begin there; None waits for ever."""
    sent: bool
    """It went to that host for its room, and another can have it as well."""
    settling: bool
    """It went out to learn how it ended."""
    begun: bool
    """Whether a worker may have begun."""


def told(failure: ApplicationError, result_type: type[T]) -> T | Answer:
    """What a worker said."""
    if failure.type == MISPLACED_ERROR:
        target = _beat_in(failure.details)
        host = target.host if target else ""
        return Move(host, failure.message, returned=not host)
    if failure.type == DETACHED_ERROR:
        return Again(_beat_in(failure.details), failure.message)
    if failure.details:
        return result_type.model_validate(failure.details[0])
    return Unanswered(failure.message[:2000], fault=True)


def timed_out(timeout: TemporalTimeoutError, errand: Errand[T], at: Standing) -> Answer:
    """What it means that the server heard nothing for too long."""
    match timeout.type:
        case TimeoutType.HEARTBEAT:
            beat = _beat_in(timeout.last_heartbeat_details)
            if beat is not None and beat.phase == "waiting":
                # It may have begun since its last word. Then the store knows which host has it.
                return Move("", "its worker stopped answering while it waited for room")
            return Again(beat, "its worker stopped answering")
        case TimeoutType.SCHEDULE_TO_START if at.sent:
            return Move("", f"host '{host_of(at.host)}' did not take it within {at.wait:.0f} s")
        case TimeoutType.SCHEDULE_TO_START:
            had = host_of(at.beat.host) if at.beat else ""
            host = had if at.settling else host_of(at.host)
            why = f"host '{host}', which had {errand.subject}, did not come back within {at.wait:.0f} s"
            if not errand.adopted and not at.settling:
                return Settle(at.beat or Heartbeat(host=at.host), why)
            return Unanswered(why, host, gone=True, begun=at.begun)
        case _:
            return Unanswered("the worker kept it longer than the job's timeout allows")


def _beat_in(details: Sequence[object]) -> Heartbeat | None:
    return Heartbeat.model_validate(details[0]) if details else None
