"""Keeps a piece of supervision under Temporal's heartbeats and cancellation, whatever it supervises."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError

from orchestrator.contract.capacity import MISPLACED_ERROR
from orchestrator.contract.failures import FailureReason
from orchestrator.contract.messages import Heartbeat
from orchestrator.contract.names import DETACHED_ERROR
from workers.placement.room import Misplaced
from workers.supervision.attempt import Elsewhere
from workers.supervision.control import Cause

T = TypeVar("T")
Beat = Callable[[Heartbeat], None]
Work = Callable[[Beat, Callable[[], Cause]], Coroutine[Any, Any, T]]
"""What is kept: gets where to say how it stands, and whom to ask why it was cancelled. A cancellation ends it, with a
result, or with CancelledError where the cause is `detach`."""

SHORTEST_PAUSE = 1.5
"""Seconds between two heartbeats that are worth sending. A shorter job sends none: whose it is stands in the store."""


class Keepers(Generic[T]):
    """The keepers of one worker: at most one of them looks after a thing at a time."""

    def __init__(self, client: Client, host: str) -> None:
        self._client = client
        self._host = host
        self._keepers: dict[str, Keeper[T]] = {}

    async def keep(self, name: str, work: Work[T], *, left: str) -> T:
        """Do the work on the thing of that name for the current activity.

        Args:
            name: tells what is looked after.
            work: the work.
            left: what a stopping worker leaves, for people: `the container running`.

        Raises:
            ApplicationError: the worker is stopping, or another host has it (type `detached`, the last heartbeat in the
                details); or it has not begun and another host is to have it (type `misplaced`).
        """
        # The server sent it out again while this worker still had it: after an outage of the server.
        await self.let_go(name)
        keeper = self._keepers[name] = Keeper(self._client, Heartbeat(host=self._host), work, left=left)
        try:
            return await keeper.keep()
        finally:
            if self._keepers.get(name) is keeper:
                del self._keepers[name]

    async def let_go(self, name: str) -> None:
        """Have whoever looks after the thing leave it, and return when it is free."""
        if (earlier := self._keepers.get(name)) is not None:
            await earlier.let_go()


class Keeper(Generic[T]):
    """Looks after one thing for one activity."""

    def __init__(self, client: Client, beat: Heartbeat, work: Work[T], *, left: str) -> None:
        self._client = client
        self._beat = beat
        self._work = work
        self._left = left
        self._info = activity.info()
        self._trying: asyncio.Task[T] | None = None
        self._cause: Cause = "detach"
        self._said = time.monotonic()
        self._gone = asyncio.Event()

    async def keep(self) -> T:
        """To the work's end, or until the worker stops."""
        self._note(self._beat)
        self._trying = asyncio.create_task(self._work(self._note, lambda: self._cause))
        stopping = asyncio.create_task(activity.wait_for_worker_shutdown())
        try:
            try:
                await asyncio.wait({self._trying, stopping}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                self._cause = await asyncio.shield(self._why())
            return await self._end(self._trying)
        finally:
            stopping.cancel()
            self._gone.set()

    async def let_go(self) -> None:
        """Leave the thing to another keeper, and return when it is free."""
        if self._trying is not None:
            self._cause = "detach"
            self._trying.cancel()
        await self._gone.wait()

    async def _end(self, trying: asyncio.Task[T]) -> T:
        """The work's result; work that is still going is stopped or left, by cause."""
        if not trying.done():
            trying.cancel()
        while not trying.done():
            try:
                await asyncio.wait({trying})
            except asyncio.CancelledError:
                # Cancelled once more while it stops: the clean-up goes to its end all the same.
                continue
        if trying.cancelled() and self._beat.phase == "waiting":
            raise _not_begun("the worker was stopped before there was room", "")
        if trying.cancelled():
            raise _given_back(f"the worker was stopped and left {self._left}", self._beat)
        try:
            return trying.result()
        except Elsewhere as error:
            raise _given_back(str(error), Heartbeat(host=error.host)) from error
        except Misplaced as error:
            raise _not_begun(str(error), error.host) from error

    async def _why(self) -> Cause:
        """Whether the activity's cancellation means to stop the thing or to leave it to someone else."""
        details = activity.cancellation_details()
        if details is None or details.worker_shutdown:
            return "detach"
        if details.cancel_requested:
            return "cancel"
        # The server no longer knows this activity: it timed out during an outage and was sent out again, or the whole
        # run was ended from outside. Only in the second case does nobody want it any more.
        try:
            handle = self._client.get_workflow_handle(
                self._info.workflow_id or "", run_id=self._info.workflow_run_id
            )
            found = await handle.describe()
        except RPCError:
            return "detach"
        return "detach" if found.status is WorkflowExecutionStatus.RUNNING else "cancel"

    def _note(self, beat: Heartbeat) -> None:
        """Take down how it stands, and tell the server where it is time: each call costs a processor something.

        The supervisor beats again before long, so that what is not said now is said then. That it waits, and that it no
        longer does, is said at once.
        """
        turned = "waiting" in (self._beat.phase, beat.phase) and beat.phase != self._beat.phase
        self._beat = beat
        now = time.monotonic()
        if turned or now - self._said >= SHORTEST_PAUSE:
            self._said = now
            activity.heartbeat(beat)


def failed(reason: FailureReason | None, outcome: object, *, cancelled: bool) -> BaseException:
    """What an activity raises for work that did not succeed; the outcome is in the details."""
    details = activity.cancellation_details()
    if cancelled and details is not None and details.cancel_requested:
        return asyncio.CancelledError()
    return ApplicationError(
        str(reason),
        outcome,
        type=reason.kind.value if reason else "failed",
        non_retryable=True,
        # A job's failure is no fault of the worker: no stack in its log, no error in its metrics.
        category=ApplicationErrorCategory.BENIGN,
    )


def _given_back(message: str, beat: Heartbeat) -> ApplicationError:
    """The error that makes the interpreter send the work to the host that `beat` names."""
    return ApplicationError(
        message, beat, type=DETACHED_ERROR, non_retryable=True, category=ApplicationErrorCategory.BENIGN
    )


def _not_begun(message: str, host: str) -> ApplicationError:
    """The error that makes the interpreter send work that has not begun to `host`, or to any where that is empty."""
    return ApplicationError(
        message,
        Heartbeat(host=host),
        type=MISPLACED_ERROR,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
