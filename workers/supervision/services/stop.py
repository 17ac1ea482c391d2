"""Ends all services of a scope: keeps what they said, then removes the containers, then the network.

Once begun it goes to its end. Doing it again finds what was, and what is gone is fine.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from orchestrator.contract.messages import ArtifactRef
from orchestrator.contract.services import ServiceEnd, ServiceRequest, ServicesStopped, StopServices
from orchestrator.errors import EngineError, StoreError
from workers.engine.failures import ContainerGone
from workers.engine.interface import ObservedContainer
from workers.supervision.attempt import Elsewhere
from workers.supervision.patience import Patience
from workers.supervision.pulse import Pulse
from workers.supervision.reasons import TryFailed
from workers.supervision.services.claim import Claim
from workers.supervision.services.identity import container_of, foreign, network_of
from workers.supervision.services.log import keep_log, log_artifact
from workers.supervision.services.network import remove_network
from workers.supervision.site import Site

log = logging.getLogger("orca.supervision")

T = TypeVar("T")


class Stop:
    """One worker's go at the end of one scope.

    Args:
        site: what the worker shares.
        request: what to stop.
        pulse: how it says how it stands.
    """

    def __init__(self, site: Site, request: StopServices, *, pulse: Pulse) -> None:
        self._site = site
        self._request = request
        self._pulse = pulse
        self._claim = Claim(site, request.scope)
        self._patience = Patience(site.limits)
        self._warnings: list[str] = []
        self._first_seen: dict[str, ObservedContainer] = {}

    async def run(self) -> ServicesStopped:
        """To the end. What could not be done is a warning: it is no reason for a job to fail.

        Raises:
            Elsewhere: another host has the services.
        """
        holder = await self._claim.holder()
        if holder is not None and holder != self._site.host:
            raise Elsewhere(holder)
        # An engine that went away is waited for as long as possible: nobody else will remove what is there.
        self._patience.engine_was_there = True
        while True:
            self._patience.begin()
            try:
                return await self._go()
            except EngineError as error:
                try:
                    self._patience.bear(error)
                except TryFailed as failed:
                    return self._left_over(failed)
            await asyncio.sleep(self._site.limits.pause)

    async def _go(self) -> ServicesStopped:
        self._warnings.clear()
        self._pulse.enter("looking")
        ended = await self._claim.stopped()
        services = self._request.services
        observed = await _all(*(self._look(service) for service in services))
        self._patience.answered()
        there = {
            service.name: container
            for service, container in zip(services, observed, strict=True)
            if container is not None
        }
        if ended is None:
            self._pulse.enter("collecting")
            ends = await _all(*(self._end(service, there.get(service.name)) for service in services))
            ended = ServicesStopped(services=tuple(ends), warnings=tuple(self._warnings))
            if there and (warning := await self._claim.write_stopped(ended)):
                self._warnings.append(warning)
        if not self._kept:
            await _all(*(self._site.threads.call(self._site.engine.remove, one.id) for one in there.values()))
            if warning := await remove_network(self._site, self._request.scope):
                self._warnings.append(warning)
        return ended.model_copy(update={"warnings": tuple(dict.fromkeys([*ended.warnings, *self._warnings]))})

    @property
    def _kept(self) -> bool:
        """Whether containers and network stay, for someone to look into."""
        policy = self._request.cleanup
        return policy == "keep" or (policy == "keep_on_failure" and self._request.failed)

    async def _look(self, service: ServiceRequest) -> ObservedContainer | None:
        """The service's container, if there is one."""
        name = container_of(self._request.scope, service.name)
        observed = await self._site.threads.call(self._site.engine.inspect, name)
        if observed is None:
            return None
        if cause := foreign(self._request.scope, service.name, dict(observed.labels)):
            self._warnings.append(f"container '{name}' is left alone, since it is not the service's: {cause}")
            return None
        self._first_seen.setdefault(service.name, observed)
        return observed

    async def _end(self, service: ServiceRequest, container: ObservedContainer | None) -> ServiceEnd:
        """Stop one service and keep what it said."""
        if container is None or container.state == "created":
            return ServiceEnd(name=service.name)
        if container.state in ("running", "paused"):
            await self._stop(container.id)
        lines, warnings = await keep_log(self._site, self._request.scope, service.name, container.id)
        self._warnings += warnings
        artifact = await self._artifact(service) if service.artifact else None
        # As it was when this began: an engine that stopped meanwhile took it along, which is no death of its own.
        first = self._first_seen[service.name]
        if first.state not in ("exited", "dead"):
            return ServiceEnd(name=service.name, artifact=artifact)
        return ServiceEnd(
            name=service.name,
            died=True,
            exit_code=first.exit_code,
            finished_at=first.finished_at,
            last_lines=lines,
            artifact=artifact,
        )

    async def _stop(self, container: str) -> None:
        grace, limits = self._request.stop_grace, self._site.limits
        stopping = self._site.threads.call(self._site.engine.stop, container, grace=grace)
        await asyncio.wait({stopping}, timeout=grace + limits.stop_margin)
        if not stopping.done():
            await self._site.threads.call(self._site.engine.kill, container)
        try:
            await stopping
        except ContainerGone:
            log.info("container %s was removed while it was stopped", container)

    async def _artifact(self, service: ServiceRequest) -> ArtifactRef | None:
        try:
            return await log_artifact(self._site.store, self._request.scope, service.name)
        except StoreError as error:
            self._warnings.append(f"the log of service '{service.name}' is no artifact: {error}")
            return None

    def _left_over(self, failed: TryFailed) -> ServicesStopped:
        network = network_of(self._request.scope)
        text = (
            f"the services could not be stopped: {failed.reason.message}; what is left over has names that begin with"
            f" '{network}': remove the containers with 'docker rm -fv', then 'docker network rm {network}'"
        )
        return ServicesStopped(warnings=(*self._warnings, text))


async def _all(*calls: Awaitable[T]) -> list[T]:
    """Like gather, but the first error waits for the other calls: nothing goes on behind the next go's back."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
