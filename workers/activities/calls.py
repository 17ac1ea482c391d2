"""The call of a function: one logical try, under Temporal's heartbeats and cancellation."""

from collections.abc import Callable

from temporalio import activity
from temporalio.client import Client

from orchestrator.contract.calls import CallRequest
from orchestrator.contract.messages import JobOutcome
from workers.activities.keeper import Beat, Keepers, failed
from workers.calling.caller import Caller
from workers.calling.record import name_of
from workers.supervision.control import Cause


class CallActivities:
    """The calls of one worker."""

    def __init__(self, client: Client, caller: Caller) -> None:
        self._caller = caller
        self._keepers = Keepers[JobOutcome](client, caller.host)

    async def run(self, request: CallRequest) -> JobOutcome:
        """Make one call, or join the one that an earlier activity began.

        Raises:
            ApplicationError: the function failed, was cancelled before this activity was sent out, or was cancelled and
                left behind (the outcome is in the details); or another host has the call (type `detached`, the last
                heartbeat in the details).
            asyncio.CancelledError: it was cancelled and has ended.
        """

        async def work(beat: Beat, cause: Callable[[], Cause]) -> JobOutcome:
            return await self._caller.run(request, beat, cause, leaving=activity.is_worker_shutdown)

        outcome = await self._keepers.keep(name_of(request), work, left="the function running")
        if outcome.status in ("success", "skipped"):
            return outcome
        # A cancellation has no room for an outcome, and that a function still runs has to be told.
        plain = outcome.status == "cancelled" and not outcome.warnings
        raise failed(outcome.reason, outcome, cancelled=plain)
