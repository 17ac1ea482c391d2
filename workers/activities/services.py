"""The activities around services: start them and wait until they are healthy; keep their logs and remove them.

Named for what they do, so that the Web UI's timeline reads so. Both go to the host that has the services.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from temporalio import activity
from temporalio.client import Client

from orchestrator.contract.messages import Heartbeat
from orchestrator.contract.services import (
    START_SERVICES,
    STOP_SERVICES,
    ServicesStarted,
    ServicesStopped,
    StartServices,
    StopServices,
)
from workers.activities.keeper import Beat, Keepers, failed
from workers.activities.places import Places
from workers.supervision.control import Cause
from workers.supervision.services.identity import network_of
from workers.supervision.services.services import Services


class ServiceActivities:
    """The activities of one worker. At most one of them looks after a scope's services at a time."""

    def __init__(self, client: Client, services: Services, host: str, places: Places | None = None) -> None:
        """`places` bound how many jobs have services here at a time; None: no bound."""
        self._services = services
        self._host = host
        self._places = places
        self._starting = Keepers[ServicesStarted](client, host)
        self._stopping = Keepers[ServicesStopped](client, host)

    @activity.defn(name=START_SERVICES)
    async def start(self, request: StartServices) -> ServicesStarted:
        """Start the services of a scope, or take over those that an earlier activity started.

        Raises:
            ApplicationError: one that is required did not get healthy, or all was cancelled before this activity was
                sent out (the outcome is in the details); or the worker is stopping and has left them running, or
                another host has them (type `detached`, the last heartbeat in the details).
            asyncio.CancelledError: it was cancelled. What was started is there until it is stopped.
        """

        async def work(beat: Beat, cause: Callable[[], Cause]) -> ServicesStarted:
            try:
                async with self._place(request, beat):
                    return await self._services.start(request, beat, cause)
            except asyncio.CancelledError:
                if cause() == "detach":
                    raise
                # While it waited for a place.
                cancelled = request.model_copy(update={"cancelled": True})
                return await self._services.start(cancelled, beat, cause)

        outcome = await self._starting.keep(network_of(request.scope), work, left="the services running")
        if outcome.status == "success":
            return outcome
        raise failed(outcome.reason, outcome, cancelled=outcome.status == "cancelled")

    @activity.defn(name=STOP_SERVICES)
    async def stop(self, request: StopServices) -> ServicesStopped:
        """Keep the logs of a scope's services and remove all that was started for them; goes to its end.

        Raises:
            ApplicationError: another host has the services (type `detached`, its name in the details).
        """
        network = network_of(request.scope)
        if self._places is not None:
            self._places.give_up(network)
        # One that still starts them, for a server that has forgotten it, would go on behind this one's back.
        await self._starting.let_go(network)

        async def work(beat: Beat, cause: Callable[[], Cause]) -> ServicesStopped:
            return await self._services.stop(request, beat)

        return await self._stopping.keep(network, work, left="the services to the next one")

    def _place(self, request: StartServices, beat: Beat) -> AbstractAsyncContextManager[None]:
        """Shared services take none: the jobs that use them do."""
        if self._places is None or not request.scope.job or request.cancelled or request.previous is not None:
            return nullcontext()
        waiting = Heartbeat(host=self._host)
        return self._places.place(network_of(request.scope), lambda: beat(waiting), keep=True)
