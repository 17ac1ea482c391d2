"""The activities around services: start them and wait until they are healthy; keep their logs and remove them.

Named for what they do, so that the Web UI's timeline reads so. Both go to the host that has the services.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from temporalio import activity
from temporalio.client import Client

from orchestrator.contract.failures import FailureReason
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
from workers.placement.room import Caller, NoRoom, Room
from workers.placement.wanted import of_services
from workers.supervision.control import Cause
from workers.supervision.services.identity import network_of
from workers.supervision.services.services import Services


class ServiceActivities:
    """The activities of one worker. At most one of them looks after a scope's services at a time."""

    def __init__(self, client: Client, services: Services, host: str, room: Room | None = None) -> None:
        """`room` bounds what runs here at a time; None: no bound."""
        self._services = services
        self._host = host
        self._room = room
        self._starting = Keepers[ServicesStarted](client, host)
        self._stopping = Keepers[ServicesStopped](client, host)

    @activity.defn(name=START_SERVICES)
    async def start(self, request: StartServices) -> ServicesStarted:
        """Start the services of a scope, or take over those that an earlier activity started.

        Raises:
            ApplicationError: one that is required did not get healthy, or all was cancelled before this activity was
                sent out (the outcome is in the details); or the worker is stopping and has left them running, or
                another host has them (type `detached`, the last heartbeat in the details), or is to have them (type
                `misplaced`).
            asyncio.CancelledError: it was cancelled. What was started is there until it is stopped.
        """

        async def work(beat: Beat, cause: Callable[[], Cause]) -> ServicesStarted:
            try:
                async with self._share(request, beat):
                    beat(Heartbeat(host=self._host))
                    return await self._services.start(request, beat, cause)
            except NoRoom as error:
                return self._refused(request, error.reason)
            except asyncio.CancelledError:
                if cause() == "detach":
                    raise
                # While it waited for room.
                cancelled = request.model_copy(update={"cancelled": True})
                return await self._services.start(cancelled, beat, cause)

        outcome = await self._starting.keep(
            network_of(request.scope), work, left="the services running", cancelled=request.cancelled
        )
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
        with nullcontext() if self._room is None else self._room.stopping(network):
            return await self._stop(request, network)

    async def _stop(self, request: StopServices, network: str) -> ServicesStopped:
        # One that still starts them, for a server that has forgotten it, would go on behind this one's back.
        await self._starting.let_go(network)

        async def work(beat: Beat, cause: Callable[[], Cause]) -> ServicesStopped:
            return await self._services.stop(request, beat)

        return await self._stopping.keep(network, work, left="the services to the next one")

    def _share(self, request: StartServices, beat: Beat) -> AbstractAsyncContextManager[None]:
        if self._room is None or request.cancelled:
            return nullcontext()
        return self._room.share(
            of_services(request),
            Caller(
                say=lambda note: beat(Heartbeat(host=self._host, phase="waiting", note=note)),
                begun=lambda: self._services.knows(request),
                stays=request.stays,
            ),
            adopt=request.previous is not None,
            keep=True,
        )

    def _refused(self, request: StartServices, why: FailureReason) -> ServicesStarted:
        return ServicesStarted(
            status="failed", reason=why, host=self._host, network=network_of(request.scope)
        )
