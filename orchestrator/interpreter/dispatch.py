"""One logical try as one Temporal activity, and what a dead or stopping worker means for it.

Temporal's own retry is off here: an infrastructure failure comes back to this room, which sends the try to the host
that had it, so that the container is adopted and not started twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from orchestrator import ids
from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.contract.names import (
    DETACHED_ERROR,
    HEARTBEAT_TIMEOUT,
    HOST_WAIT,
    host_queue,
)

PREPARATION = 3600.0
"""Seconds beyond its own timeout that a try may take in all: pulling, restoring and collecting."""
MAX_DISPATCHES = 20
"""Times that one try is sent out before it counts as lost, so that a host that kills its workers ends too."""


@dataclass(frozen=True)
class _Again:
    """Send the same try out again, to the host that the last heartbeat came from, if there was one."""

    beat: Heartbeat | None
    why: str

    @property
    def host(self) -> str:
        return self.beat.host if self.beat else ""


async def run_try(
    request: ContainerRequest, *, task_queue: str, summary: str, cancelled: Callable[[], bool]
) -> JobOutcome:
    """Run one try to its outcome. Raises asyncio.CancelledError once a cancelled container has stopped.

    `cancelled` says whether the job is to stop. Temporal delivers a cancel once: where a stopping worker has taken it
    and given the try back instead, the next one must be told in the request.
    """
    queue, wait = task_queue, None
    again = _Again(None, "")
    for dispatch in range(1, MAX_DISPATCHES + 1):
        asked = request.model_copy(update={"previous": again.beat, "cancelled": cancelled()})
        answer = await _send(asked, queue=queue, wait=wait, summary=summary, dispatch=dispatch)
        if isinstance(answer, JobOutcome):
            if answer.status == "cancelled":
                # Told in the request and not by Temporal's own cancel, so that it comes back as an outcome.
                raise asyncio.CancelledError
            return answer
        again = answer
        if again.host:
            queue, wait = host_queue(task_queue, again.host), HOST_WAIT
        key = ids.variant_key(request.job, request.variant)
        workflow.logger.warning("%s: %s; sending it out again", key, again.why)
    return _lost(f"it was sent out {MAX_DISPATCHES} times; the last time {again.why}", again.host)


async def _send(
    request: ContainerRequest, *, queue: str, wait: float | None, summary: str, dispatch: int
) -> JobOutcome | _Again:
    key = ids.try_key(request.job, request.variant, request.try_number)
    try:
        return await workflow.execute_activity(
            # The activity's type is the job's name, so that the timeline in the Web UI reads as the run.
            ids.variant_key(request.job, request.variant),
            request,
            result_type=JobOutcome,
            task_queue=queue,
            activity_id=key if dispatch == 1 else f"{key} (dispatch {dispatch})",
            summary=summary if dispatch == 1 else f"{summary} (worker lost, dispatch {dispatch})",
            start_to_close_timeout=timedelta(seconds=request.timeout + request.stop_grace + PREPARATION),
            schedule_to_start_timeout=None if wait is None else timedelta(seconds=wait),
            heartbeat_timeout=timedelta(seconds=HEARTBEAT_TIMEOUT),
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
    except ActivityError as error:
        return _read(error)


def _read(error: ActivityError) -> JobOutcome | _Again:
    """What an activity's failure means. Raises asyncio.CancelledError for a cancelled one."""
    match error.cause:
        case ApplicationError(type=kind) as failure if kind == DETACHED_ERROR:
            return _Again(_beat_in(failure.details), "the worker was stopped and left the container running")
        case ApplicationError() as failure if failure.details:
            return JobOutcome.model_validate(failure.details[0])
        case ApplicationError() as failure:
            reason = FailureReason(kind=FailureKind.WORKER, message=failure.message[:2000])
            return JobOutcome(status="failed", reason=reason)
        case TemporalTimeoutError(type=TimeoutType.HEARTBEAT) as timeout:
            return _Again(_beat_in(timeout.last_heartbeat_details), "its worker stopped answering")
        case TemporalTimeoutError(type=TimeoutType.SCHEDULE_TO_START):
            return _lost(f"the host that had the container did not come back within {HOST_WAIT:.0f} s", "")
        case TemporalTimeoutError():
            return _lost("the worker kept it longer than the job's timeout allows", "")
        case CancelledError():
            raise asyncio.CancelledError from error
        case _:
            raise error


def _beat_in(details: Sequence[object]) -> Heartbeat | None:
    return Heartbeat.model_validate(details[0]) if details else None


def _lost(why: str, host: str) -> JobOutcome:
    reason = FailureReason(kind=FailureKind.LOST, message=f"the job's outcome is not known: {why}")
    return JobOutcome(status="failed", reason=reason, host=host)
