"""Work that a host does as one Temporal activity, and what a dead or stopping worker means for it.

Temporal's own retry is off here: an infrastructure failure comes back to this room, which sends the work to the host
that had it, so that the container is adopted and not started twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Generic, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from orchestrator import ids
from orchestrator.contract.calls import REJOIN_WAIT, CallRequest
from orchestrator.contract.capacity import (
    MAX_ROOM_MOVES,
    MAX_ROOM_WAITS,
    MISPLACED_ERROR,
    ROOM_WAIT,
    SETTLES_AFTER,
)
from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.contract.names import (
    DETACHED_ERROR,
    HEARTBEAT_TIMEOUT,
    HOST_WAIT,
    host_of,
    host_queue,
)
from orchestrator.contract.services import HOST_START_WAIT
from orchestrator.interpreter.wishes import Wishes
from orchestrator.plan.parts import Frozen

T = TypeVar("T", bound=Frozen)

PREPARATION = 3600.0
"""Seconds beyond its own timeout that a try may take in all: pulling, restoring and collecting."""
LEFT_BEHIND = "cancelled on a host that is gone"
"""Patch: a job that was cancelled is cancelled, also where its host did not come back."""
TOLD_AGAIN = "cancel told to a host that was away"
"""Patch: a host that had a job and was away when it was cancelled is told once it is back."""
MAX_DISPATCHES = 20
"""Times that one piece of work is sent out before it counts as lost, so that a host that kills its workers ends too."""


@dataclass(frozen=True)
class Sending:
    """What is known when work is sent out."""

    previous: Heartbeat | None
    """The last heartbeat of the worker that had it before; None where nobody has begun it."""
    stays: bool
    """The host that it goes to may not send it on for room."""

    @property
    def update(self) -> dict[str, object]:
        """The fields of a request that say so."""
        return {"previous": self.previous, "stays": self.stays}


@dataclass(frozen=True)
class Errand(Generic[T]):
    """One piece of work, which may have to be sent out more than once."""

    activity: str
    """The activity's type, which the Web UI shows as the bar's name."""
    key: str
    """The activity's id the first time."""
    request: Callable[["Sending"], Frozen]
    """What is asked."""
    result_type: type[T]
    summary: str
    limit: float
    """Seconds from start to close."""
    subject: str
    """What the host looks after, for people: `the container`."""
    taker: str = "has room"
    """Why it is sent to a host that it has not begun on, for people."""
    unplaced: str = "no host had room when it was to begin"
    """That there is no such host, for people."""
    adopted: bool = True
    """A host that comes back takes up what it had. Else nobody does, and any other can say how it ended."""


@dataclass(frozen=True)
class Unanswered:
    """Nobody brought the work to an end."""

    why: str
    """A clause."""
    host: str = ""
    """Which had it, or was to have it."""
    gone: bool = False
    """The host did not take it in time."""
    begun: bool = True
    """Whether a worker may have begun."""
    fault: bool = False
    """A worker had it and failed itself; `why` is its whole sentence."""
    unplaced: bool = False
    """No host had room in all that time; `why` is the whole sentence."""


@dataclass(frozen=True)
class _Again:
    """Send the same work out again, to the host that the last heartbeat came from, if there was one."""

    beat: Heartbeat | None
    why: str


@dataclass(frozen=True)
class _Settle:
    """Whoever had it does not come back, and it cannot be adopted: any other is asked how it ended."""

    had: Heartbeat
    why: str


@dataclass(frozen=True)
class _Move:
    """Nobody has begun it: send it to `host`, or to whoever takes it where that is empty."""

    host: str
    why: str
    returned: bool = False
    """A host gave it back that had no room for long, or was stopped before it had."""


_Answer = _Again | _Move | _Settle | Unanswered


class Dispatch(Generic[T]):
    """Sends one errand out until it has an end.

    Attributes:
        host: which has it; empty as long as nobody knows.
        begun: whether a worker may have begun.
    """

    def __init__(
        self,
        errand: Errand[T],
        *,
        task_queue: str,
        host: str = "",
        wait: float | None = None,
        again_wait: float = HOST_WAIT,
    ) -> None:
        """Prepare to send it to `host`, or to whoever serves `task_queue`.

        Args:
            errand: the work.
            task_queue: which all hosts serve.
            host: the only host that may take it; empty lets any.
            wait: seconds that it may take to begin the first time; None waits for ever.
            again_wait: the same once a host has had it.
        """
        self._errand = errand
        self._task_queue = task_queue
        self._wait = wait
        self._again_wait = again_wait
        self._lost = _Again(None, "")
        self._losses = self._moves = self._waits = 0
        self._home, self._home_wait = host, wait
        self._sent = self._settling = False
        self._label = ""
        self.host = host
        self.begun = False

    async def run(self) -> T | Unanswered:
        """To its end. Raises asyncio.CancelledError once the cancelled activity has ended."""
        number = 0
        while True:
            number += 1
            answer = await self._send(number)
            match answer:
                case _Again():
                    end = self._lose(answer, number)
                case _Move():
                    end = self._move(answer)
                case _Settle():
                    end = self._settle(answer)
                case _:
                    return answer
            if end is not None:
                return end
            # A move is how hosts share work, and no trouble.
            log = workflow.logger.info if isinstance(answer, _Move) else workflow.logger.warning
            log("%s: %s; sending it out again", self._errand.key, answer.why)

    def _lose(self, lost: _Again, number: int) -> Unanswered | None:
        """Next it goes to the host that had it, if one is known; how it ends where that has been too often."""
        self._lost, self._sent, self._settling = lost, False, False
        self._label = f"worker lost, dispatch {number + 1}"
        self._losses += 1
        if lost.beat is not None and lost.beat.host:
            self.host = lost.beat.host
        if self.host:
            self._wait = self._again_wait
        if self._losses < MAX_DISPATCHES:
            return None
        why = f"it was sent out {MAX_DISPATCHES} times; the last time {lost.why}"
        return Unanswered(why, self._last_host)

    def _settle(self, settle: _Settle) -> None:
        """Next it goes to any host. Where none has a place for it in time it has ended all the same."""
        self._lost, self._settling, self.host = _Again(settle.had, settle.why), True, ""
        self._wait, self._label = self._again_wait, "to learn how it ended"

    def _move(self, move: _Move) -> Unanswered | None:
        """Next it goes where there is room, or to all; how it ends where that has been too often."""
        if move.returned:
            self._waits, self._moves = self._waits + 1, 0
        else:
            self._moves += 1
        self._lost = _Again(None, move.why)
        self._sent = bool(move.host) and not self._home
        if self._sent:
            self.host, self._wait = move.host, HOST_START_WAIT
            self._label = f"sent to host '{host_of(move.host)}', which {self._errand.taker}"
        else:
            self.host, self._wait = self._home, self._home_wait
            self._label = "offered to all hosts again"
        if self._moves <= MAX_ROOM_MOVES and self._waits <= MAX_ROOM_WAITS:
            return None
        times = f"sent on {self._moves} times" if self._moves else f"given back {self._waits} times"
        why = f"{self._errand.unplaced}: it was {times}; the last time {move.why}"
        return Unanswered(why, host_of(self.host), begun=self.begun, unplaced=True)

    @property
    def _last_host(self) -> str:
        return host_of(self._lost.beat.host) if self._lost.beat else ""

    async def _send(self, number: int) -> T | _Answer:
        errand, again = self._errand, number > 1
        stays = bool(self._home) or (self._sent and self._moves >= SETTLES_AFTER)
        try:
            answer = await workflow.execute_activity(
                errand.activity,
                errand.request(Sending(self._lost.beat, stays)),
                result_type=errand.result_type,
                task_queue=host_queue(self._task_queue, self.host) if self.host else self._task_queue,
                activity_id=f"{errand.key} (dispatch {number})" if again else errand.key,
                summary=f"{errand.summary} ({self._label})" if again else errand.summary,
                start_to_close_timeout=timedelta(seconds=errand.limit + ROOM_WAIT),
                schedule_to_start_timeout=None if self._wait is None else timedelta(seconds=self._wait),
                heartbeat_timeout=timedelta(seconds=HEARTBEAT_TIMEOUT),
                retry_policy=RetryPolicy(maximum_attempts=1),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except ActivityError as error:
            given_back = isinstance(error.cause, ApplicationError) and error.cause.type == MISPLACED_ERROR
            # The server's event of the start: none where the work ended before anybody took it.
            self.begun = self.begun or (error.started_event_id > 0 and not given_back)
            return self._read(error)
        self.begun = True
        return answer

    def _read(self, error: ActivityError) -> T | _Answer:
        """What an activity's failure means. Raises asyncio.CancelledError for a cancelled one."""
        match error.cause:
            case ApplicationError() as failure:
                return self._told(failure)
            case TemporalTimeoutError() as timeout:
                return self._timed_out(timeout)
            case CancelledError():
                beat = self._lost.beat if self._errand.adopted and error.started_event_id <= 0 else None
                if beat is not None and beat.container_id and workflow.patched(TOLD_AGAIN):
                    # Nobody has heard of it: the container goes on where its worker was lost.
                    return _Again(beat, "it was cancelled while its host was away")
                raise asyncio.CancelledError from error
            case _:
                raise error

    def _told(self, failure: ApplicationError) -> T | _Answer:
        """What a worker said."""
        if failure.type == MISPLACED_ERROR:
            target = _beat_in(failure.details)
            host = target.host if target else ""
            return _Move(host, failure.message, returned=not host)
        if failure.type == DETACHED_ERROR:
            return _Again(_beat_in(failure.details), failure.message)
        if failure.details:
            return self._errand.result_type.model_validate(failure.details[0])
        return Unanswered(failure.message[:2000], fault=True)

    def _timed_out(self, timeout: TemporalTimeoutError) -> _Answer:
        """What it means that the server heard nothing for too long."""
        match timeout.type:
            case TimeoutType.HEARTBEAT:
                # Not every server tells of the start of work that was given up.
                self.begun = True
                beat = _beat_in(timeout.last_heartbeat_details)
                if beat is not None and beat.phase == "waiting":
                    # It may have begun since its last word. Then the store knows which host has it.
                    return _Move("", "its worker stopped answering while it waited for room")
                return _Again(beat, "its worker stopped answering")
            case TimeoutType.SCHEDULE_TO_START if self._sent:
                return _Move(
                    "", f"host '{host_of(self.host)}' did not take it within {HOST_START_WAIT:.0f} s"
                )
            case TimeoutType.SCHEDULE_TO_START:
                host = self._last_host if self._settling else host_of(self.host)
                why = f"host '{host}', which had {self._errand.subject}, did not come back within {self._wait:.0f} s"
                if not self._errand.adopted and not self._settling:
                    return _Settle(self._lost.beat or Heartbeat(host=self.host), why)
                return Unanswered(why, host, gone=True, begun=self.begun)
            case _:
                return Unanswered("the worker kept it longer than the job's timeout allows")


async def run_try(
    request: ContainerRequest | CallRequest,
    *,
    task_queue: str,
    summary: str,
    wishes: Wishes,
    host: str = "",
    wait: float | None = None,
) -> JobOutcome | Unanswered:
    """Run one try to its outcome. Raises asyncio.CancelledError once a cancelled container or function has ended.

    Args:
        request: the try.
        task_queue: which all hosts serve.
        summary: what stands behind the job's name on its bar.
        wishes: whether it is still wanted, and where word of it goes once it is not.
        host: the only one that may have it; empty lets any.
        wait: seconds that this one may take to begin.
    """
    is_call = isinstance(request, CallRequest)

    def asked(sending: Sending) -> Frozen:
        # A call is sent on for what a host allows, which has nothing to do with room.
        update = {"previous": sending.previous} if is_call else sending.update
        if wishes.forced():
            update = {**update, "stop_grace": 0.0}
        return request.model_copy(update={**update, "cancelled": wishes.cancelled()})

    errand = Errand(
        # The activity's type is the job's name, so that the timeline in the Web UI reads as the run.
        activity=ids.variant_key(request.job, request.variant),
        key=ids.try_key(request.job, request.variant, request.try_number),
        request=asked,
        result_type=JobOutcome,
        summary=summary,
        limit=request.timeout + request.stop_grace + PREPARATION,
        subject="the container",
    )
    if is_call:
        errand = replace(
            errand,
            subject="the function",
            taker="allows it",
            unplaced="no host that allows it took it",
            adopted=False,
        )
    again_wait = REJOIN_WAIT if is_call else HOST_WAIT
    dispatch = Dispatch(errand, task_queue=task_queue, host=host, wait=wait, again_wait=again_wait)
    answer = await dispatch.run()
    if isinstance(answer, JobOutcome) and answer.status == "cancelled":
        # Told in the request and not by Temporal's own cancel, or with a warning: so it comes back as an outcome.
        if answer.warnings:
            wishes.warned(answer.warnings)
        raise asyncio.CancelledError
    if (
        isinstance(answer, Unanswered)
        and (answer.gone and answer.begun)
        and wishes.left is not None
        and wishes.cancelled()
        and workflow.patched(LEFT_BEHIND)
    ):
        # It is not wanted any more, so that it does not matter how it ended, but what is left there does.
        wishes.unheard(f"{answer.why}: {wishes.left(answer.host)}")
        raise asyncio.CancelledError
    return answer


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


def _beat_in(details: Sequence[object]) -> Heartbeat | None:
    return Heartbeat.model_validate(details[0]) if details else None
