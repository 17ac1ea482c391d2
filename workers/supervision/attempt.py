"""One worker's go at one try: look, decide, act, wait, collect, record. Starting again finds what was.

Steps raise `TryFailed` for what is the try's own end, `EngineUnreachable` when it is worth looking again, `Stopped`
when someone asked the try to end. All that ends here, in an outcome or in `Detached`.
"""

import logging
import time
from dataclasses import dataclass

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.images import marks_of
from orchestrator.contract.messages import ContainerRequest, FallenService, Heartbeat, JobOutcome
from orchestrator.contract.names import LABEL_SERVICE
from orchestrator.errors import EngineError
from orchestrator.store.logs import timestamp_now
from workers.engine.failures import ContainerGone, EngineUnreachable, ImageNotFound, StartFailed
from workers.engine.interface import ImageFacts, ObservedContainer
from workers.supervision import decide as decision
from workers.supervision.control import Control, Stopped
from workers.supervision.identity import identity_labels, name_of
from workers.supervision.patience import Patience
from workers.supervision.prepare import container_spec, launch_of, orca_folder
from workers.supervision.pulse import Pulse
from workers.supervision.reasons import TryFailed, cancelled_reason
from workers.supervision.record import Record
from workers.supervision.services.beside import with_deaths
from workers.supervision.services.generated import environment
from workers.supervision.services.network import look_for_networks
from workers.supervision.services.standing import fallen, swept, told_fallen
from workers.supervision.site import Site
from workers.supervision.traces import has_run
from workers.supervision.watch import Reach, Watch, Watched

log = logging.getLogger("orca.supervision")


class Detached(Exception):
    """The worker let go of the container, which goes on without it."""


class Elsewhere(Exception):
    """Another host made this try's container before, and must look after it."""

    def __init__(self, host: str) -> None:
        super().__init__(f"host '{host}' has the try")
        self.host = host


@dataclass
class _Sight:
    """What was seen of the container in this go."""

    container: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class Attempt:
    """One go at one try.

    Args:
        site: what the worker's tries share.
        request: the try.
        control: how it is told to end.
        pulse: how it says how it stands.
        previous: the last heartbeat of the worker that had the try before.
    """

    def __init__(
        self,
        site: Site,
        request: ContainerRequest,
        control: Control,
        *,
        pulse: Pulse,
        previous: Heartbeat | None,
    ) -> None:
        self._site = site
        self._request = request
        self._control = control
        self._pulse = pulse
        self._previous = previous
        self._record = Record(site, request)
        self._sight = _Sight()
        self._patience = Patience(site.limits)
        self._warnings: list[str] = []
        self._fallen: tuple[FallenService, ...] = ()
        self._swept = False
        self._looked = False
        """Whether the engine has said what there is of the try."""
        self._begun_before: bool | None = None

    async def run(self) -> JobOutcome:
        """To the try's end.

        Raises:
            Detached: the worker was told to let go.
        """
        try:
            return await self._look_until_done()
        except TryFailed as error:
            return await self._end_early(error.reason)
        except Stopped:
            if self._control.cause == "detach":
                raise Detached from None
            return await self._end_early(cancelled_reason())

    async def end_before(self, why: FailureReason) -> JobOutcome:
        """The outcome of a try that is not begun; it is recorded like any other."""
        return await self._end_early(why)

    async def known(self) -> bool:
        """Whether a host has the try already, or it has ended. One that cannot be seen counts as not known."""
        if await self._record.holder() is not None:
            return True
        inspect = self._site.engine.inspect
        try:
            return await self._site.threads.call(inspect, name_of(self._request)) is not None
        except EngineError as error:
            log.info("whether the try has a container cannot be seen: %s", error)
            return False

    async def _look_until_done(self) -> JobOutcome:
        while True:
            self._patience.begin()
            try:
                return await self._go()
            except EngineError as error:
                log.debug("looking again: %s", error)
                await self._bear(error)
            await self._control.pause(self._site.limits.pause)

    async def _bear(self, error: EngineError) -> None:
        """Returns when it is worth looking again. An engine that has the try's container is waited for longer.

        Raises:
            TryFailed: it is not.
        """
        unseen = not self._looked and not self._container and await self._has_begun_before()
        self._patience.engine_was_there = unseen or bool(self._container)
        try:
            self._patience.bear(error)
        except TryFailed as failed:
            if not unseen:
                raise
            raise TryFailed(
                FailureKind.LOST,
                f"an earlier worker on host '{self._site.host}' had begun the try, and the Docker engine there does not"
                f" say what became of it: {failed.reason.message}",
            ) from error

    async def _has_begun_before(self) -> bool:
        """Whether an earlier go of this host had the try, and may have made its container; this one has not yet."""
        if self._begun_before is None:
            self._begun_before = await self._record.holder() == self._site.host
        return self._begun_before

    @property
    def _container(self) -> str:
        """The try's container as far as it was ever seen, by an earlier go too; empty where it was not."""
        return self._sight.container or ("" if self._previous is None else self._previous.container_id)

    async def _go(self) -> JobOutcome:
        """Look, decide, act."""
        self._pulse.enter("looking")
        recorded = await self._record.read()
        try:
            observed = await self._observe()
        except EngineUnreachable:
            if recorded is not None:
                return recorded
            raise
        self._patience.answered()
        self._looked = True
        action = decision.decide(self._request, observed, recorded=recorded, previous=self._known_before())
        log.debug("%s: %s, since %s", name_of(self._request), type(action).__name__, action.cause)
        return await self._act(action)

    async def _observe(self) -> ObservedContainer | None:
        """The try's container: by its name, or by the id that it had before, since people can rename it."""
        inspect, call = self._site.engine.inspect, self._site.threads.call
        named = await call(inspect, name_of(self._request))
        before = self._known_before()
        if (
            before is None
            or not before.container_id
            or (named is not None and named.id == before.container_id)
        ):
            return named
        return await call(inspect, before.container_id) or named

    async def _act(self, action: decision.Action) -> JobOutcome:
        match action:
            case decision.Create():
                return await self._create()
            case decision.Start(container):
                self._see(container)
                image = await self._image_of(container.image)
                await self._surely_new(container.id, image)
                await self._beside_what_stands()
                return await self._start(container.id, image, found=True)
            case decision.Attach(container):
                self._see(container)
                image = await self._image_of(container.image)
                return await self._watch(container.id, image, Reach.RUNNING)
            case decision.Collect(container):
                self._see(container)
                image = await self._image_of(container.image)
                return await self._watch(container.id, image, Reach.ENDED)
            case decision.Return(outcome, leftover, _):
                if leftover is not None:
                    await self._record.clear(leftover, outcome)
                return outcome
            case decision.Conflict(container, cause):
                raise TryFailed(
                    FailureKind.START,
                    f"container '{container.name}' exists and is not this try's: {cause}; remove it with"
                    f" 'docker rm -f {container.name}'",
                )
            case decision.Lost(cause):
                raise TryFailed(FailureKind.LOST, cause)

    async def _create(self) -> JobOutcome:
        if self._control.cause is not None:
            self._leave_to(await self._record.holder())
            raise Stopped
        image = await self._image()
        how = launch_of(self._request, image)
        made_up = environment(self._site.service_key, self._request.secrets)
        spec = container_spec(self._request, image, how, namespace=self._site.namespace, made_up=made_up)
        if not await self._claim() and (renamed := await self._renamed()) is not None:
            return await self._act(
                decision.decide(self._request, renamed, recorded=None, previous=self._previous)
            )
        await self._beside_what_stands()
        try:
            container = await self._site.threads.call(self._site.engine.create, spec)
        except ImageNotFound as error:
            self._site.images.forget(self._request.image)
            raise TryFailed(FailureKind.PULL, f"the image went away: {error}") from error
        except StartFailed as error:
            raise TryFailed(FailureKind.START, str(error)) from error
        self._sight.container = container
        return await self._start(container, image)

    async def _claim(self) -> bool:
        """Take the try for this host, and say whether it is the first to have it: else an earlier go of its own was.

        Raises:
            Elsewhere: another host has it.
            TryFailed: somebody has it, and the store does not say who.
        """
        until = time.monotonic() + self._site.limits.store_patience
        while not await self._record.claim():
            holder = await self._record.holder()
            self._leave_to(holder)
            if holder is not None:
                return False
            if time.monotonic() >= until:
                raise TryFailed(
                    FailureKind.LOST,
                    "a worker has begun the try before, and the store does not say on which host, so that nobody here"
                    f" knows how it came out; the log of the worker on host '{self._site.host}' says why it cannot be"
                    " read",
                )
            await self._control.pause(self._site.limits.pause)
        return True

    async def _renamed(self) -> ObservedContainer | None:
        """The container that an earlier go of this host made, where it has another name by now."""
        labels: dict[str, str | None] = dict(identity_labels(self._request))
        listed = await self._site.threads.call(self._site.engine.list_labelled, labels)
        found = [one for one in listed if LABEL_SERVICE not in one.labels]
        return await self._site.threads.call(self._site.engine.inspect, found[0].id) if found else None

    def _leave_to(self, holder: str | None) -> None:
        """Raises `Elsewhere` where another host has the try: its container may run there."""
        if holder is not None and holder != self._site.host:
            raise Elsewhere(holder)

    async def _surely_new(self, container: str, image: ImageFacts) -> None:
        """Raises `TryFailed` where the container ran although its engine says that it never did."""
        if await has_run(self._site, container, launch_of(self._request, image)):
            raise TryFailed(
                FailureKind.LOST,
                f"the container {container[:12]} was started on host '{self._site.host}', whose Docker engine ended in"
                " the same moment and did not take that down, so that nobody knows how the job came out",
            )

    async def _beside_what_stands(self) -> None:
        """Raises `TryFailed` where services have ended: the job would only fail for want of them."""
        self._fallen = await fallen(self._site, self._request.shared_services)
        own = await swept(self._site, self._request)
        self._swept = bool(own)
        if self._fallen or own:
            raise TryFailed(FailureKind.SERVICE, told_fallen(self._fallen, own))

    async def _start(self, container: str, image: ImageFacts, *, found: bool = False) -> JobOutcome:
        await self._prepare(container, image)
        if self._control.cause is not None:
            raise Stopped
        try:
            for network in self._request.networks[1:]:
                await self._site.threads.call(self._site.engine.connect_network, network, container)
            await self._site.threads.call(self._site.engine.start, container)
        except (StartFailed, ContainerGone) as error:
            await look_for_networks(self._site, self._request.networks)
            if isinstance(error, ContainerGone):
                raise
            if found:
                # Its engine was ended as it started it, and what keeps containers for it may run it all the same.
                why = f"{error}; it was there before, so that nobody knows whether it has run"
                raise TryFailed(FailureKind.LOST, why) from error
            raise TryFailed(FailureKind.START, str(error)) from error
        self._sight.started_at = timestamp_now()
        return await self._watch(container, image, Reach.FRESH)

    async def _prepare(self, container: str, image: ImageFacts) -> None:
        request, how = self._request, launch_of(self._request, image)
        if not (how.needs_folder or request.workspace or request.restore):
            return
        self._pulse.enter("preparing", container)
        if how.needs_folder:
            put = self._site.engine.put_archive
            await self._site.threads.call(put, container, "/", [orca_folder(how)])
        if request.workspace is not None:
            await self._control.race(self._site.artifacts.put_workspace(container, request.workspace))
        for artifact in request.restore:
            await self._control.race(self._site.artifacts.restore(container, artifact))

    async def _watch(self, container: str, image: ImageFacts, reach: Reach) -> JobOutcome:
        watch = Watch(self._site, self._request, self._control, pulse=self._pulse)
        watched = await watch.run(
            container,
            image,
            started_at=self._sight.started_at,
            finished_at=self._sight.finished_at,
            reach=reach,
        )
        if watched.image not in ("", image.id):
            # Its name came to stand for another one just before it was made.
            image = await self._image_of(watched.image)
        outcome = await with_deaths(self._site, self._request, self._outcome(container, image, watched))
        return await self._record.write(outcome, watched.writer)

    def _outcome(self, container: str, image: ImageFacts, watched: Watched) -> JobOutcome:
        cancelled = watched.reason is not None and watched.reason.kind is FailureKind.CANCELLED
        status = "success" if watched.reason is None else "cancelled" if cancelled else "failed"
        return JobOutcome(
            status=status,
            reason=watched.reason,
            exit_code=watched.exit_code,
            outputs=dict(watched.outputs),
            artifacts=watched.artifacts,
            started_at=self._sight.started_at,
            finished_at=watched.finished_at,
            host=self._site.host,
            container_id=container,
            warnings=(*self._warnings, *watched.warnings),
            images={self._request.image: marks} if (marks := marks_of(image.id, image.digests)) else {},
        )

    async def _end_early(self, why: FailureReason) -> JobOutcome:
        """The outcome of a try that did not come to the end of a container that ran."""
        outcome = JobOutcome(
            status="cancelled" if why.kind is FailureKind.CANCELLED else "failed",
            reason=why,
            started_at=self._sight.started_at,
            finished_at=timestamp_now(),
            host=self._site.host,
            container_id=self._container,
            warnings=tuple(self._warnings),
            fallen=self._fallen,
            swept=self._swept,
        )
        writer = await self._record.log()
        return await self._record.write(outcome, writer)

    async def _image(self) -> ImageFacts:
        self._pulse.enter("pulling")
        ensured = self._site.images.ensure(self._request.image, self._request.pull)
        return await self._control.race(ensured)

    async def _image_of(self, image: str) -> ImageFacts:
        """Facts of the image of a container that exists. By its id: its name may be another image's by now."""
        inspect = self._site.engine.inspect_image
        try:
            return await self._site.threads.call(inspect, image or self._request.image)
        except ImageNotFound:
            return ImageFacts(id="")

    def _known_before(self) -> Heartbeat | None:
        """Also what this go saw itself: a container that vanished under it must not be made anew."""
        if self._sight.started_at is not None:
            return Heartbeat(host=self._site.host, container_id=self._sight.container, phase="running")
        return self._previous

    def _see(self, container: ObservedContainer) -> None:
        self._sight = _Sight(container.id, container.started_at, container.finished_at)
