"""The container activity: one logical try, supervised under Temporal's heartbeats and cancellation.

What a job does wrong comes back as an outcome; it is raised as an ApplicationError that carries the outcome, so that
the Web UI shows the try as failed.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from temporalio import activity
from temporalio.client import Client
from temporalio.common import RawValue

from orchestrator import ids
from orchestrator.contract.messages import NO_NETWORK, ContainerRequest, Heartbeat, JobOutcome
from workers.activities.keeper import Beat, Keepers, failed
from workers.activities.places import Places
from workers.supervision.container_try import Supervisor
from workers.supervision.control import Cause
from workers.supervision.identity import name_of


class ContainerActivities:
    """The activities of one worker. At most one of them looks after a container at a time."""

    def __init__(self, client: Client, supervisor: Supervisor, places: Places | None = None) -> None:
        """`places` bound how many jobs with services run here at a time; None: no bound."""
        self._supervisor = supervisor
        self._places = places
        self._keepers = Keepers[JobOutcome](client, supervisor.host)

    @activity.defn(dynamic=True)
    async def run(self, arguments: Sequence[RawValue]) -> JobOutcome:
        """Run one logical try, or take over the one that an earlier activity began.

        Dynamic, since the activity's type is the job's name. The one argument is a `ContainerRequest`.

        Raises:
            ApplicationError: the job failed, or was cancelled before this activity was sent out (the outcome is in the
                details), or the worker is stopping and has left the container running (type `detached`, the last
                heartbeat in the details).
            asyncio.CancelledError: the job was cancelled and the container has stopped.
        """
        payload = arguments[0].payload
        request = activity.payload_converter().from_payload(payload, ContainerRequest)

        async def work(beat: Beat, cause: Callable[[], Cause]) -> JobOutcome:
            try:
                async with self._place(request, beat):
                    return await self._supervisor.run_try(request, beat, cause, previous=request.previous)
            except asyncio.CancelledError:
                if cause() == "detach":
                    raise
                # While it waited for a place.
                cancelled = request.model_copy(update={"cancelled": True})
                return await self._supervisor.run_try(cancelled, beat, cause)

        outcome = await self._keepers.keep(name_of(request), work, left="the container running")
        if outcome.status == "success":
            return outcome
        raise failed(outcome.reason, outcome, cancelled=outcome.status == "cancelled")

    def _place(self, request: ContainerRequest, beat: Beat) -> AbstractAsyncContextManager[None]:
        """Of a job in networks of services: without them it comes from the queue that takes no more than fit."""
        fresh = request.previous is None and not request.cancelled
        if self._places is None or not fresh or request.networks in ((), (NO_NETWORK,)):
            return nullcontext()
        own = ids.network_name(
            request.run_id, request.attempt, request.job, request.variant, request.try_number
        )
        key = own if own in request.networks else name_of(request)
        waiting = Heartbeat(host=self._supervisor.host)
        return self._places.place(key, lambda: beat(waiting))
