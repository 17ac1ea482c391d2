"""Keeps a piece of supervision under Temporal's heartbeats and cancellation, whatever it supervises."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Generic, TypeVar

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError

from orchestrator.contract.capacity import MISPLACED_ERROR
from orchestrator.contract.failures import FailureReason
from orchestrator.contract.messages import Heartbeat
from orchestrator.contract.names import CANCEL_FORCE, DETACHED_ERROR, MEMO_CANCEL
from workers.activities.causes import (
    CANCELLED,
    HANDED_OVER,
    STOPPED_WORKER,
    Run,
    Treatment,
    asks_for_the_run,
    treatment,
)
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
ASK_LIMIT = 3.0
"""Seconds that the server may take to say how the run stands."""
HURRY_INTERVAL = 1.0
"""Seconds between two looks at whether a run whose work is just stopped is to end by force by now."""


class Keepers(Generic[T]):
    """The keepers of one worker: at most one of them looks after a thing at a time."""

    def __init__(self, client: Client, host: str) -> None:
        self._client = client
        self._host = host
        self._keepers: dict[str, Keeper[T]] = {}

    async def keep(self, name: str, work: Work[T], *, left: str, cancelled: bool = False) -> T:
        """Do the work on the thing of that name for the current activity.

        Args:
            name: tells what is looked after.
            work: the work.
            left: what is left where it is let go, for people: `the container running`.
            cancelled: the work was cancelled before it was sent out.

        Raises:
            ApplicationError: it was let go, or another host has it (type `detached`, the last heartbeat in the
                details); or it has not begun and another host is to have it (type `misplaced`).
        """
        # The server sent it out again while this worker still had it: after an outage of the server.
        await self.let_go(name)
        keeper = self._keepers[name] = Keeper(
            self._client,
            Heartbeat(host=self._host),
            work,
            left=left,
            treatment=CANCELLED if cancelled else STOPPED_WORKER,
        )
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

    def __init__(
        self, client: Client, beat: Heartbeat, work: Work[T], *, left: str, treatment: Treatment
    ) -> None:
        self._client = client
        self._beat = beat
        self._work = work
        self._left = left
        self._info = activity.info()
        self._trying: asyncio.Task[T] | None = None
        self._treatment = treatment
        self._said = time.monotonic()
        self._gone = asyncio.Event()

    async def keep(self) -> T:
        """To the work's end, or until it is to be let go."""
        self._note(self._beat)
        self._trying = asyncio.create_task(self._work(self._note, lambda: self._treatment.cause))
        stopping = asyncio.create_task(activity.wait_for_worker_shutdown())
        # Work that was cancelled before it came here is told of nothing more by the server.
        hurrying = asyncio.create_task(self._hurry(self._trying))
        try:
            try:
                await asyncio.wait({self._trying, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not self._trying.done():
                    self._treatment = STOPPED_WORKER
            except asyncio.CancelledError:
                self._treatment = await _whole(self._why())
            hurrying.cancel()
            return await self._end(self._trying, stopping)
        finally:
            hurrying.cancel()
            stopping.cancel()
            self._gone.set()

    async def let_go(self) -> None:
        """Leave the thing to another keeper, and return when it is free."""
        if self._trying is not None:
            self._treatment = HANDED_OVER
            self._trying.cancel()
        await self._gone.wait()

    async def _end(self, trying: asyncio.Task[T], stopping: asyncio.Task[None]) -> T:
        """The work's result; work that is still going is stopped or left, by cause."""
        if not trying.done():
            trying.cancel()
        hurrying = asyncio.create_task(self._hurry(trying))
        leaving = asyncio.create_task(self._leave(trying, stopping))
        while not trying.done():
            try:
                await asyncio.wait({trying})
            except asyncio.CancelledError:
                # Cancelled once more while it stops: the clean-up goes to its end all the same.
                continue
        hurrying.cancel()
        leaving.cancel()
        why = self._treatment.why
        if trying.cancelled() and self._beat.phase == "waiting":
            raise _not_begun(f"{why} before there was room", "")
        if trying.cancelled():
            raise _given_back(f"{why}, which left {self._left}", self._beat)
        try:
            return trying.result()
        except Elsewhere as error:
            raise _given_back(str(error), Heartbeat(host=error.host)) from error
        except Misplaced as error:
            raise _not_begun(str(error), error.host) from error

    async def _why(self) -> Treatment:
        """What the activity's cancellation means for the thing."""
        details = activity.cancellation_details()
        return treatment(details, await self._run() if asks_for_the_run(details) else None)

    async def _run(self) -> Run | None:
        """How the run stands; None where the server does not say."""
        try:
            handle = self._client.get_workflow_handle(
                self._info.workflow_id or "", run_id=self._info.workflow_run_id
            )
            async with asyncio.timeout(ASK_LIMIT):
                found = await handle.describe()
                forced = await found.memo_value(MEMO_CANCEL, "") == CANCEL_FORCE
        except (RPCError, TimeoutError):
            return None
        return Run(open=found.status is WorkflowExecutionStatus.RUNNING, forced=forced)

    async def _hurry(self, trying: asyncio.Task[T]) -> None:
        """While work that is cancelled comes to its end: end it at once as soon as its run is cancelled by force.

        The activity itself is told of one cancellation only.
        """
        while self._treatment.cause == "cancel":
            await asyncio.sleep(HURRY_INTERVAL)
            run = await self._run()
            if run is not None and run.forced and self._treatment.cause == "cancel":
                self._treatment = replace(self._treatment, cause="kill")
                trying.cancel()

    async def _leave(self, trying: asyncio.Task[T], stopping: asyncio.Task[None]) -> None:
        """Once the worker is stopped: let go of work that was cancelled and is not yet at its end.

        A container's grace may be longer than a worker has. The next one is told of the cancel in its request.
        """
        await asyncio.wait({stopping})
        if self._treatment.cause != "detach":
            self._treatment = STOPPED_WORKER
            trying.cancel()

    def _note(self, beat: Heartbeat) -> None:
        """Take down how it stands, and tell the server where it is time: each call costs a processor something.

        The supervisor beats again before long, so that what is not said now is said then. That it waits, and that it no
        longer does, is said at once; so is that it is told to end, which whoever has it next must know.
        """
        turned = "waiting" in (self._beat.phase, beat.phase) and beat.phase != self._beat.phase
        turned = turned or beat.ending != self._beat.ending
        self._beat = beat
        now = time.monotonic()
        if turned or now - self._said >= SHORTEST_PAUSE:
            self._said = now
            activity.heartbeat(beat)


async def _whole(asking: Coroutine[Any, Any, Treatment]) -> Treatment:
    """The answer, also where this task is cancelled once more meanwhile."""
    task = asyncio.create_task(asking)
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            continue
    return task.result()


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
