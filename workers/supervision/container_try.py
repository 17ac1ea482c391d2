"""The way into this room: runs tries of container jobs, and keeps what they share."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import Executor

from orchestrator.contract.failures import FailureReason
from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.store.store import Store
from workers.engine.capacity import EngineCapacity
from workers.engine.interface import ContainerEngine
from workers.supervision.artifacts import Artifacts
from workers.supervision.attempt import Attempt, Detached
from workers.supervision.control import Cause, Control
from workers.supervision.identity import Namespace
from workers.supervision.images import Images
from workers.supervision.limits import Limits
from workers.supervision.pulse import Pulse
from workers.supervision.removal import Remover
from workers.supervision.services.services import Services
from workers.supervision.site import Site
from workers.supervision.threads import Threads


class Supervisor:
    """Runs tries for one worker. Made once; call `drain` before the event loop ends.

    Args:
        engine: where containers run.
        store: where logs, outcomes and artifacts go.
        host: this host's durable name.
        threads: for blocking calls; three threads for each job at a time, and a few more. Not closed here.
        namespace: Temporal's, for the containers' labels.
        limits: how patient to be.
        service_key: gives the host's key for values that it makes up for services; None: one of this object alone.
    """

    def __init__(
        self,
        *,
        engine: ContainerEngine,
        store: Store,
        host: str,
        threads: Executor,
        namespace: Namespace | None = None,
        limits: Limits | None = None,
        service_key: Callable[[], bytes] | None = None,
    ) -> None:
        limits = limits or Limits()
        pool = Threads(threads)
        self.host = host
        self._site = Site(
            engine=engine,
            store=store,
            host=host,
            namespace=namespace or Namespace(),
            limits=limits,
            threads=pool,
            images=Images(engine, pool, fresh_for=limits.image_facts),
            artifacts=Artifacts(engine, store, pool),
            remover=Remover(engine, pool, workers=limits.removers),
            service_key=service_key or _passing_key(),
        )
        self.services = Services(self._site)
        """Starts and stops services beside jobs."""
        self.images = self._site.images
        """What is on this host."""

    async def run_try(
        self,
        request: ContainerRequest,
        beat: Callable[[Heartbeat], None],
        cancel_cause: Callable[[], Cause],
        *,
        previous: Heartbeat | None = None,
    ) -> JobOutcome:
        """Run one logical try, or take over the one that an earlier go began.

        What the job does wrong is a value: an outcome with a reason. When this task is cancelled and the cause is
        `cancel`, or the request says that it was cancelled, the container is stopped with its grace and the outcome
        (`cancelled`, or the real one where the job was quicker) is returned; clean-up is never cut short.

        Args:
            request: the try.
            beat: gets how it stands, at once on a change and every few seconds; may not block.
            cancel_cause: asked when this task is cancelled: `cancel` or `detach`.
            previous: the last heartbeat of the worker that had this try before.

        Raises:
            asyncio.CancelledError: the cause was `detach`; the container goes on, its log is stored so far.
            Elsewhere: another host has the try.
        """
        control = Control()
        if request.cancelled:
            control.stop("cancel")
        pulse = Pulse(beat, self.host, interval=self._site.limits.heartbeat, previous=previous)
        attempt = Attempt(self._site, request, control, pulse=pulse, previous=previous)
        work = asyncio.create_task(attempt.run())
        beating = asyncio.create_task(pulse.run())
        try:
            while not work.done():
                try:
                    await asyncio.wait({work})
                except asyncio.CancelledError:
                    control.stop(cancel_cause())
            return work.result()
        except Detached:
            raise asyncio.CancelledError from None
        finally:
            beating.cancel()

    async def refuse(self, request: ContainerRequest, why: FailureReason) -> JobOutcome:
        """The end of a try for which there will never be room; its log says why."""
        return await self._attempt(request).end_before(why)

    async def knows(self, request: ContainerRequest) -> bool:
        """Whether a host has the try already, or it has ended."""
        return await self._attempt(request).known()

    async def capacity(self) -> EngineCapacity:
        """What this host has for all its containers. Raises EngineError."""
        return await self._site.threads.call(self._site.engine.capacity)

    def _attempt(self, request: ContainerRequest) -> Attempt:
        pulse = Pulse(lambda _: None, self.host, interval=self._site.limits.heartbeat)
        return Attempt(self._site, request, Control(), pulse=pulse, previous=None)

    @property
    def removing(self) -> int:
        """Containers that are done and not removed yet."""
        return self._site.remover.left

    async def drain(self) -> None:
        """Wait until all containers that are done are removed."""
        await self._site.remover.drain()


def _passing_key() -> Callable[[], bytes]:
    key = secrets.token_bytes(32)
    return lambda: key
