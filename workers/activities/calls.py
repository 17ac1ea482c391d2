"""The call of a function: one logical try, under Temporal's heartbeats and cancellation."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from temporalio import activity
from temporalio.client import Client

from orchestrator.contract.calls import CallRequest
from orchestrator.contract.messages import Heartbeat, JobOutcome
from orchestrator.contract.names import host_of, host_queue
from workers.activities.keeper import Beat, Keepers, failed
from workers.calling.allowing import need_of
from workers.calling.caller import Caller
from workers.calling.record import name_of
from workers.placement.callers import Callers
from workers.supervision.control import Cause


class CallActivities:
    """The calls of one worker."""

    def __init__(self, client: Client, caller: Caller, callers: Callers | None = None) -> None:
        """`callers` are the workers to which a call can go that is not allowed here; None: there are none."""
        self._caller = caller
        self._callers = callers
        self._keepers = Keepers[JobOutcome](client, caller.name)

    async def run(self, request: CallRequest) -> JobOutcome:
        """Make one call, or join the one that an earlier activity began.

        Raises:
            ApplicationError: the function failed, was cancelled before this activity was sent out, or was cancelled and
                left behind (the outcome is in the details); or another caller has the call (type `detached`, the last
                heartbeat in the details), or is to have it (type `misplaced`).
            asyncio.CancelledError: it was cancelled and has ended.
        """

        async def work(beat: Beat, cause: Callable[[], Cause]) -> JobOutcome:
            try:
                async with self._placed(request, beat) as refused:
                    return await self._caller.run(
                        request, beat, cause, leaving=activity.is_worker_shutdown, refused=refused
                    )
            except asyncio.CancelledError:
                if cause() == "detach":
                    raise
                # While it waited.
                return await self._caller.run(request.model_copy(update={"cancelled": True}), beat, cause)

        outcome = await self._keepers.keep(
            name_of(request), work, left="the function running", cancelled=request.cancelled
        )
        if outcome.status in ("success", "skipped"):
            return outcome
        # A cancellation has no room for an outcome, and that a function still runs has to be told.
        plain = outcome.status == "cancelled" and not outcome.warnings
        raise failed(outcome.reason, outcome, cancelled=plain)

    @asynccontextmanager
    async def _placed(self, request: CallRequest, beat: Beat) -> AsyncGenerator[str | None]:
        """Be where the call may be made, when it may: gives why it is refused, where no worker allows it.

        Calls from the queue of all hosts are as many as that queue's slots; those that were sent here take turns.

        Raises:
            Misplaced: another caller is to have it.
        """
        name = self._caller.name
        need = need_of(request)
        allowed = need is None or need.met_by(self._caller.calls)
        sent = activity.info().task_queue.endswith(host_queue("", name))
        if (
            self._callers is None
            or request.cancelled
            or (allowed and not sent)
            or await self._caller.knows(request)
        ):
            yield None
            return

        def say(note: str) -> None:
            beat(Heartbeat(host=name, phase="waiting", note=note))

        if need is not None and not allowed:
            others = await self._callers.send_on(need.met_by, need.what, say)
            workers = [(self._caller.host, self._caller.calls)]
            workers += [(host_of(one.name), one.calls) for one in others]
            yield need.nowhere(workers) if others else None
            return
        async with self._callers.turn(name_of(request), say):
            beat(Heartbeat(host=name))
            yield None
