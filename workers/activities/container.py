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

from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.contract.names import host_queue
from workers.activities.keeper import Beat, Keepers, failed
from workers.placement.room import Caller, NoRoom, Room
from workers.placement.wanted import of_job, own_network
from workers.supervision.container_try import Supervisor
from workers.supervision.control import Cause
from workers.supervision.identity import name_of


class ContainerActivities:
    """The activities of one worker. At most one of them looks after a container at a time."""

    def __init__(self, client: Client, supervisor: Supervisor, room: Room | None = None) -> None:
        """`room` bounds what runs here at a time; None: no bound."""
        self._supervisor = supervisor
        self._room = room
        self._keepers = Keepers[JobOutcome](client, supervisor.host)

    @activity.defn(dynamic=True)
    async def run(self, arguments: Sequence[RawValue]) -> JobOutcome:
        """Run one logical try, or take over the one that an earlier activity began.

        Dynamic, since the activity's type is the job's name. The one argument is a `ContainerRequest`.

        Raises:
            ApplicationError: the job failed, or was cancelled before this activity was sent out (the outcome is in the
                details), or the worker is stopping and has left the container running (type `detached`, the last
                heartbeat in the details), or another host is to have it (type `misplaced`).
            asyncio.CancelledError: the job was cancelled and the container has stopped.
        """
        payload = arguments[0].payload
        request = activity.payload_converter().from_payload(payload, ContainerRequest)

        async def work(beat: Beat, cause: Callable[[], Cause]) -> JobOutcome:
            try:
                async with self._share(request, beat):
                    beat(Heartbeat(host=self._supervisor.host))
                    return await self._supervisor.run_try(request, beat, cause, previous=request.previous)
            except NoRoom as error:
                return await self._supervisor.refuse(request, error.reason)
            except asyncio.CancelledError:
                if cause() == "detach":
                    raise
                # While it waited for room.
                cancelled = request.model_copy(update={"cancelled": True})
                return await self._supervisor.run_try(cancelled, beat, cause)

        outcome = await self._keepers.keep(
            name_of(request), work, left="the container running", cancelled=request.cancelled
        )
        if outcome.status == "success":
            return outcome
        raise failed(outcome.reason, outcome, cancelled=outcome.status == "cancelled")

    def _share(self, request: ContainerRequest, beat: Beat) -> AbstractAsyncContextManager[None]:
        if self._room is None or request.cancelled:
            return nullcontext()
        host = self._supervisor.host
        queued = not activity.info().task_queue.endswith(host_queue("", host))
        # Beside services of its own it has had its share since they began.
        follows = own_network(request) is not None
        return self._room.share(
            of_job(request, queued=queued),
            Caller(
                say=lambda note: beat(Heartbeat(host=host, phase="waiting", note=note)),
                begun=lambda: self._supervisor.knows(request),
                stays=request.stays,
            ),
            adopt=follows or request.previous is not None,
            keep=follows,
        )
