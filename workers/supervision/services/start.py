"""Starts all services of a scope side by side, in a network of their own. Starting again finds what was.

What was started stays when this fails or is cancelled: `stop` keeps the logs first and then removes it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.services import ServiceRequest, ServicesStarted, StartServices
from orchestrator.errors import EngineError
from workers.engine.failures import HalfStarted
from workers.supervision.attempt import Detached, Elsewhere
from workers.supervision.control import Control, Stopped
from workers.supervision.patience import Patience
from workers.supervision.pulse import Pulse
from workers.supervision.reasons import TryFailed, cancelled_reason
from workers.supervision.services.claim import Claim
from workers.supervision.services.clear import clear
from workers.supervision.services.identity import network_of
from workers.supervision.services.network import make_network
from workers.supervision.services.one import Stand, Starting
from workers.supervision.site import Site
from workers.supervision.threads import Threads

_THREADS_EACH = 3
"""One that waits for a service's end, one that asks how it is, and one for a question whose answer came too late."""


class Start:
    """One worker's go at one scope.

    Args:
        site: what the worker shares.
        request: what to start.
        control: how it is told to end.
        pulse: how it says how it stands.
    """

    def __init__(
        self,
        site: Site,
        request: StartServices,
        control: Control,
        *,
        pulse: Pulse,
    ) -> None:
        self._site = site
        self._request = request
        # An empty name is how a matrix switches a service off.
        self._services = [service for service in request.services if service.image]
        self._control = control
        self._pulse = pulse
        self._claim = Claim(site, request.scope)
        self._patience = Patience(site.limits)
        self._afresh = False

    async def run(self) -> ServicesStarted:
        """Until all are up, or one that is required cannot be.

        Raises:
            Detached: the worker was told to let go; what runs goes on.
            Elsewhere: another host has the scope.
        """
        try:
            return await self._look_until_done()
        except TryFailed as error:
            return self._outcome(error.reason)
        except Stopped:
            if self._control.cause == "detach":
                raise Detached from None
            return self._outcome(cancelled_reason())

    async def _look_until_done(self) -> ServicesStarted:
        with _pool(len(self._services)) as threads:
            while True:
                self._patience.begin()
                try:
                    return await self._go(threads)
                except EngineError as error:
                    self._patience.bear(error)
                    self._afresh = self._afresh or isinstance(error, HalfStarted)
                await self._control.pause(self._site.limits.pause)

    async def _go(self, threads: Threads) -> ServicesStarted:
        self._pulse.enter("looking")
        if self._control.cause is not None:
            self._leave_to(await self._claim.holder())
            raise Stopped
        claimed = await self._claim.take()
        self._leave_to(claimed.host)
        if not claimed.fresh and await self._claim.stopped() is not None:
            raise Stopped
        self._pulse.enter("preparing")
        if self._afresh:
            await clear(self._site, self._request)
            self._afresh = False
        stands = await self._side_by_side(threads, fresh=claimed.fresh)
        reason = next((stand.reason for stand in stands if stand.reason is not None), None)
        return self._outcome(reason, stands)

    async def _side_by_side(self, threads: Threads, *, fresh: bool) -> list[Stand]:
        """How each service came out; those that were not decided yet when one failed are left out.

        Raises:
            Stopped: someone asked to end first.
            TryFailed, EngineError: something that all need is not there.
        """
        network = asyncio.create_task(self._network())

        async def ready() -> None:
            await asyncio.shield(network)

        tasks = [
            asyncio.create_task(self._one(service, threads, ready).run(fresh=fresh))
            for service in self._services
        ]
        try:
            await self._control.race(_decided(network, tasks))
        finally:
            for task in (network, *tasks):
                task.cancel()
            # They end with what they are doing to the engine: nothing of theirs appears after this.
            await asyncio.wait({network, *tasks})
        failures = [
            error for task in (network, *tasks) if not task.cancelled() and (error := task.exception())
        ]
        stands = [task.result() for task in tasks if not task.cancelled() and not task.exception()]
        if failures and not any(stand.reason for stand in stands):
            raise failures[0]
        return stands

    def _one(
        self, service: ServiceRequest, threads: Threads, ready: Callable[[], Awaitable[None]]
    ) -> Starting:
        return Starting(self._site, self._request, service, threads=threads, network=ready)

    async def _network(self) -> None:
        await make_network(self._site, self._request)
        self._patience.answered()
        self._pulse.enter("running")

    def _leave_to(self, holder: str | None) -> None:
        """Raises `Elsewhere` where another host has the scope: the services may run there."""
        if holder is not None and holder != self._site.host:
            raise Elsewhere(holder)

    def _outcome(self, reason: FailureReason | None, stands: Sequence[Stand] = ()) -> ServicesStarted:
        cancelled = reason is not None and reason.kind is FailureKind.CANCELLED
        return ServicesStarted(
            status="success" if reason is None else "cancelled" if cancelled else "failed",
            reason=reason,
            host=self._site.host,
            network=network_of(self._request.scope),
            services=tuple(stand.report for stand in stands),
            warnings=tuple(stand.warning for stand in stands if stand.warning is not None),
        )


async def _decided(network: "asyncio.Task[None]", tasks: "Sequence[asyncio.Task[Stand]]") -> None:
    """Return when all are done, or one has failed."""
    pending: set[asyncio.Task[Any]] = {network, *tasks}
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if any(task.exception() is not None for task in done):
            return
        if any(task.done() and task.result().reason is not None for task in tasks):
            return


@contextmanager
def _pool(services: int) -> Generator[Threads]:
    """Threads of these services alone: waiting for them takes none away from jobs, nor they from one another."""
    pool = ThreadPoolExecutor(max(1, services * _THREADS_EACH), thread_name_prefix="services")
    try:
        yield Threads(pool)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
