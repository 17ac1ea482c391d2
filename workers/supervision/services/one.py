"""Brings one service up: image, container, start, health. Starting again takes up the container that is there."""

import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.images import marks_of
from orchestrator.contract.services import ServiceReport, ServiceRequest, StartServices
from orchestrator.contract.times import parse_rfc3339
from orchestrator.errors import EngineError
from workers.engine.failures import (
    ContainerGone,
    EngineUnreachable,
    HalfStarted,
    ImageNotFound,
    NameTaken,
    StartFailed,
)
from workers.engine.interface import ImageFacts, ObservedContainer
from workers.supervision.reasons import TryFailed, reason
from workers.supervision.services import words
from workers.supervision.services.asking import Asking, Ended, Judged, Unasked
from workers.supervision.services.checks import BadCheck, NoCheck, checking, ports_of
from workers.supervision.services.generated import environment
from workers.supervision.services.health import Unhealthy
from workers.supervision.services.identity import container_of, foreign
from workers.supervision.services.last_lines import last_lines
from workers.supervision.services.ports import holder_of, taken_port
from workers.supervision.services.prepare import published, secrets_of, service_spec
from workers.supervision.services.standing import cut_off, taken
from workers.supervision.site import Site
from workers.supervision.threads import Threads, whole

Bad = Literal["unhealthy", "exited", "absent"]


@dataclass(frozen=True)
class Stand:
    """How a service came out. `reason` says why it is not up, though it is required."""

    report: ServiceReport
    reason: FailureReason | None = None
    warning: str | None = None


class _Down(Exception):
    """The service will not come up. `clause` goes on from its name: `ended at once with exit code 1`."""

    def __init__(
        self,
        state: Bad,
        clause: str,
        *,
        kind: FailureKind = FailureKind.SERVICE,
        exit_code: int | None = None,
    ) -> None:
        super().__init__(clause)
        self.state: Bad = state
        self.clause = clause
        self.kind = kind
        self.exit_code = exit_code


class Starting:
    """One go at one service.

    Args:
        site: what the worker shares.
        request: what all services of the scope have in common.
        service: which one.
        threads: two of them for this service.
        network: returns when the network is there.
    """

    def __init__(
        self,
        site: Site,
        request: StartServices,
        service: ServiceRequest,
        *,
        threads: Threads,
        network: Callable[[], Awaitable[None]],
    ) -> None:
        self._site = site
        self._request = request
        self._service = service
        self._threads = threads
        self._network = network
        self._image = ImageFacts(id="")
        self._check = ""

    async def run(self, *, fresh: bool) -> Stand:
        """Until it is up, or will not be.

        Args:
            fresh: nobody has begun before, so that there is nothing to look for.

        Raises:
            EngineError: the engine failed, or the container went away; it is worth another go.
            HalfStarted: likewise, once all of the scope has been removed.
            TryFailed: something that all services of the scope need is not to be had.
        """
        service = self._service
        try:
            return await self._up(fresh=fresh)
        except _Down as down:
            message = f"service '{service.name}' {down.clause}"
            report = self._report(down.state, exit_code=down.exit_code, note=message)
            if service.required:
                return Stand(report, reason(down.kind, message))
            return Stand(report, warning=f"{message}\n(it is not required, so the job goes on)")

    async def _up(self, *, fresh: bool) -> Stand:
        name = container_of(self._request.scope, self._service.name)
        observed = None
        if not fresh:
            observed = await self._site.threads.call(self._site.engine.inspect, name)
        if observed is None:
            return await self._create()
        if cause := foreign(self._request.scope, self._service.name, dict(observed.labels)):
            raise _Down(
                "absent",
                f"cannot be started: container '{name}' exists and is not its own: {cause}; remove it with"
                f" 'docker rm -f {name}'",
            )
        self._image = await self._image_of_old(observed)
        if cut_off(observed):
            raise HalfStarted(f"container '{name}' runs, and its engine has lost its network")
        match observed.state:
            case "created":
                # Whether the go that made it started it too is not known: an engine that is ended just then says later
                # that it did not, and what runs of it all the same does not let it start again.
                raise HalfStarted(f"container '{name}' is there, and nobody knows whether it has started")
            case "running" | "paused":
                return await self._ask(observed.id, ran=_age(observed))
            case "exited" | "dead":
                if await taken(self._site, observed):
                    return await self._anew(observed.id)
                raise await self._ended(observed.id, Ended(observed.exit_code or 0, _life(observed)))

    async def _create(self) -> Stand:
        service = self._service
        with _its_own("absent", "cannot be started"):
            try:
                self._image = await self._site.images.ensure(service.image, service.pull)
            except TryFailed as error:
                text = f"cannot be started: {error.reason.message}"
                raise _Down("absent", text, kind=error.reason.kind) from error
        await self._network()
        made_up = environment(self._site.service_key, secrets_of(self._request, service))
        spec = service_spec(self._request, service, made_up, namespace=self._site.namespace)
        with _its_own("absent", "cannot be started"):
            try:
                container = await whole(self._site.threads.call(self._site.engine.create, spec))
            except ImageNotFound as error:
                self._site.images.forget(service.image)
                text = f"cannot be started: its image went away: {error}"
                raise _Down("absent", text, kind=FailureKind.PULL) from error
            except StartFailed as error:
                raise _Down("absent", f"cannot be started: {error}") from error
        return await self._start(container)

    async def _anew(self, container: str) -> Stand:
        """Give up a container that no job has used yet, and make another one."""
        await whole(self._site.threads.call(self._site.engine.remove, container))
        return await self._create()

    async def _start(self, container: str) -> Stand:
        await self._network()
        with _its_own("absent", "cannot be started"):
            try:
                await whole(self._site.threads.call(self._site.engine.start, container))
            except StartFailed as error:
                raise _Down("absent", await self._not_started(error)) from error
        return await self._ask(container, ran=0.0)

    async def _ask(self, container: str, *, ran: float) -> Stand:
        service = self._service
        try:
            plan = checking(service, self._image)
        except BadCheck as error:
            raise _Down("unhealthy", f"cannot be checked: {error}") from error
        self._check = plan.text
        asking = Asking(self._site, self._threads, container, plan=plan, ran=ran, host=service.name)
        with _its_own("unhealthy", "cannot be checked"):
            found = await asking.run()
        match found:
            case Ended() as end:
                raise await self._ended(container, end)
            case Unasked():
                wanted = service.health_check.test is not None
                udp = isinstance(plan.check, NoCheck) and plan.check.udp
                warning = None if wanted else words.unchecked(service.name, udp=udp)
                return Stand(self._report("started"), warning=warning)
            case Judged(verdict, progress, at):
                if isinstance(verdict, Unhealthy):
                    text = words.unhealthy(verdict, progress, check=plan.quoted)
                    raise _Down("unhealthy", words.with_lines(text, await last_lines(self._site, container)))
                lacking = verdict.lacking
                warning = words.lacking(service.name, lacking) if lacking else None
                return Stand(self._report("healthy", after=round(at, 3)), warning=warning)

    async def _ended(self, container: str, end: Ended) -> _Down:
        observed = await self._site.threads.call(self._site.engine.inspect, container)
        oom = observed is not None and observed.oom_killed
        text = words.ended(end.exit_code, oom=oom, after=end.at)
        lines = await last_lines(self._site, container)
        return _Down("exited", words.with_lines(text, lines), exit_code=end.exit_code)

    async def _not_started(self, error: StartFailed) -> str:
        """The engine's words, and who has the port where that is the matter."""
        sentence = str(error)
        port = taken_port(sentence, published(self._service))
        if port is None:
            return f"cannot be started: {sentence}"
        own = container_of(self._request.scope, self._service.name)
        try:
            others = await self._site.threads.call(self._site.engine.list_labelled, {})
        except EngineError as missing:
            who = f"something (what, cannot be seen: {missing})"
        else:
            holder = holder_of(port, others, but=own)
            who = "a program on the host" if holder is None else f"container '{holder}'"
        return words.port_taken(port, who, engine=sentence)

    async def _image_of_old(self, container: ObservedContainer) -> ImageFacts:
        """Facts of the image of a container that exists. By its id: its name may be another image's by now."""
        image = container.image or self._service.image
        try:
            return await self._site.threads.call(self._site.engine.inspect_image, image)
        except ImageNotFound:
            return ImageFacts(id="")

    def _report(
        self,
        state: Literal["healthy", "started", "unhealthy", "exited", "absent"],
        *,
        after: float | None = None,
        exit_code: int | None = None,
        note: str = "",
    ) -> ServiceReport:
        ports = ports_of(self._service, self._image)
        return ServiceReport(
            name=self._service.name,
            state=state,
            after=after,
            check=self._check,
            port=ports[0] if ports else None,
            ports=ports,
            exit_code=exit_code,
            note=note,
            image=marks_of(self._image.id, self._image.digests),
        )


@contextmanager
def _its_own(state: Bad, clause: str) -> Generator[None]:
    """An engine that fails for good at one service is that service's failure; `clause` says what failed."""
    try:
        yield
    except (EngineUnreachable, ContainerGone, HalfStarted, NameTaken):
        raise  # worth another go
    except EngineError as error:
        raise _Down(state, f"{clause}: {error}", kind=FailureKind.DOCKER) from error


def _age(observed: ObservedContainer) -> float:
    """Seconds that a container has run."""
    if observed.started_at is None:
        return 0.0
    return max(0.0, time.time() - _seconds(observed.started_at))


def _life(observed: ObservedContainer) -> float:
    """Seconds that a container ran."""
    if observed.started_at is None or observed.finished_at is None:
        return 0.0
    return max(0.0, _seconds(observed.finished_at) - _seconds(observed.started_at))


def _seconds(timestamp: str) -> float:
    """Since the epoch, from Docker's time."""
    return parse_rfc3339(timestamp).timestamp()
