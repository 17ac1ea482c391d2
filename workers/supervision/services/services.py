"""The way into this room: starts and stops the services of scopes for one worker."""

import asyncio
from collections.abc import Callable

from orchestrator.contract.messages import Heartbeat
from orchestrator.contract.services import ServicesStarted, ServicesStopped, StartServices, StopServices
from workers.supervision.attempt import Detached
from workers.supervision.control import Cause, Control
from workers.supervision.pulse import Pulse
from workers.supervision.services.claim import Claim
from workers.supervision.services.start import Start
from workers.supervision.services.stop import Stop
from workers.supervision.site import Site


class Services:
    """The services of one worker.

    Args:
        site: what the worker shares.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def start(
        self, request: StartServices, beat: Callable[[Heartbeat], None], cancel_cause: Callable[[], Cause]
    ) -> ServicesStarted:
        """Start all services of a scope, or take up those that an earlier go started.

        May be cancelled: with `cancel` the outcome says so, and what was started waits for `stop`.

        Args:
            request: what to start.
            beat: gets how it stands, at once on a change and every few seconds; may not block.
            cancel_cause: asked when this task is cancelled: `cancel` or `detach`.

        Raises:
            asyncio.CancelledError: the cause was `detach`; what runs goes on.
            Elsewhere: another host has the scope.
        """
        control = Control()
        if request.cancelled:
            control.stop("cancel")
        pulse = Pulse(beat, self._site.host, interval=self._site.limits.heartbeat)
        work = asyncio.create_task(Start(self._site, request, control, pulse=pulse).run())
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

    async def knows(self, request: StartServices) -> bool:
        """Whether a host has the scope already."""
        return await Claim(self._site, request.scope).holder() is not None

    async def there(self, network: str) -> bool:
        """Whether a scope's network is there. Raises EngineError."""
        return await self._site.threads.call(self._site.engine.inspect_network, network) is not None

    async def stop(self, request: StopServices, beat: Callable[[Heartbeat], None]) -> ServicesStopped:
        """Keep the logs, then remove the containers and the network. Goes to its end, also when cancelled.

        Raises:
            Elsewhere: another host has the services.
        """
        pulse = Pulse(beat, self._site.host, interval=self._site.limits.heartbeat)
        work = asyncio.create_task(Stop(self._site, request, pulse=pulse).run())
        beating = asyncio.create_task(pulse.run())
        try:
            while not work.done():
                try:
                    await asyncio.wait({work})
                except asyncio.CancelledError:
                    continue
            return work.result()
        finally:
            beating.cancel()
