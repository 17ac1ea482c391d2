"""Sends an errand out as Temporal activities, and does what a dead or stopping worker calls for.

Temporal's own retry is off here: an infrastructure failure comes back to this room, which sends the work to the host
that had it, so that the container is adopted and not started twice. What a failure means is said in `answers`.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Generic

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from orchestrator.contract.capacity import (
    MAX_ROOM_MOVES,
    MAX_ROOM_WAITS,
    MISPLACED_ERROR,
    ROOM_WAIT,
    SETTLES_AFTER,
)
from orchestrator.contract.names import HEARTBEAT_TIMEOUT, HOST_WAIT, host_of, host_queue
from orchestrator.contract.services import HOST_START_WAIT
from orchestrator.interpreter.answers import Again, Answer, Move, Settle, Standing, timed_out, told
from orchestrator.interpreter.errands import Errand, Sending, T, Unanswered

TOLD_AGAIN = "cancel told to a host that was away"
"""Patch: a host that had a job and was away when it was cancelled is told once it is back."""
NOT_SERVICES = "cancel of a services' start not told again"
"""Patch: a host that was away as it started services is not told of their cancel; their stop follows there."""
MAX_DISPATCHES = 20
"""Times that one piece of work is sent out before it counts as lost, so that a host that kills its workers ends too."""


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
        self._lost = Again(None, "")
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
                case Again():
                    end = self._lose(answer, number)
                case Move():
                    end = self._move(answer)
                case Settle():
                    end = self._settle(answer)
                case _:
                    return answer
            if end is not None:
                return end
            # A move is how hosts share work, and no trouble.
            log = workflow.logger.info if isinstance(answer, Move) else workflow.logger.warning
            log("%s: %s; sending it out again", self._errand.key, answer.why)

    def _lose(self, lost: Again, number: int) -> Unanswered | None:
        """Next it goes to the host that had it, if one is known; how it ends where that has been too often."""
        # Who died before a first heartbeat takes nothing back of what others have said before.
        self._lost = replace(lost, beat=lost.beat or self._lost.beat)
        self._sent = self._settling = False
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

    def _settle(self, settle: Settle) -> None:
        """Next it goes to any host. Where none has a place for it in time it has ended all the same."""
        self._lost, self._settling, self.host = Again(settle.had, settle.why), True, ""
        self._wait, self._label = self._again_wait, "to learn how it ended"

    def _move(self, move: Move) -> Unanswered | None:
        """Next it goes where there is room, or to all; how it ends where that has been too often."""
        if move.returned:
            self._waits, self._moves = self._waits + 1, 0
        else:
            self._moves += 1
        self._lost = Again(None, move.why)
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

    @property
    def _standing(self) -> Standing:
        return Standing(
            beat=self._lost.beat,
            host=self.host,
            wait=self._wait,
            sent=self._sent,
            settling=self._settling,
            begun=self.begun,
        )

    async def _send(self, number: int) -> T | Answer:
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

    def _read(self, error: ActivityError) -> T | Answer:
        """What an activity's failure means. Raises asyncio.CancelledError for a cancelled one."""
        match error.cause:
            case ApplicationError() as failure:
                return told(failure, self._errand.result_type)
            case TemporalTimeoutError() as timeout:
                # Not every server tells of the start of work that was given up.
                self.begun = self.begun or timeout.type is TimeoutType.HEARTBEAT
                return timed_out(timeout, self._errand, self._standing)
            case CancelledError():
                if error.started_event_id <= 0 and self._is_to_be_told():
                    # Also where nobody knows which host that is: whoever is asked does not wait behind others' work.
                    self._wait = self._again_wait
                    return Again(self._lost.beat, "it was cancelled while its host was away")
                raise asyncio.CancelledError from error
            case _:
                raise error

    def _is_to_be_told(self) -> bool:
        """Whether what goes on where a worker was lost is to hear of a cancel that reached nobody there.

        Also where the worker died before it had said which container it has: whoever has the try looks for it.
        """
        if not (self._errand.adopted and self.begun):
            return False
        if not self._errand.retold and workflow.patched(NOT_SERVICES):
            return False
        return workflow.patched(TOLD_AGAIN)
