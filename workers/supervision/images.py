"""Sees to it that an image is on this host. Jobs that want the same image share one pull."""

import asyncio
import time

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.images import ImageAsked, ImageFound, mark_of, marks_of
from orchestrator.errors import EngineError
from orchestrator.plan.parts import PullPolicy
from workers.engine.failures import ImageNotFound, PullFailed
from workers.engine.interface import ContainerEngine, ImageFacts
from workers.supervision.reasons import TryFailed
from workers.supervision.threads import Threads


class Images:
    """The images of one engine.

    Args:
        engine: where they are.
        threads: for its calls.
        fresh_for: seconds for which an image's facts are taken as true.
    """

    def __init__(self, engine: ContainerEngine, threads: Threads, *, fresh_for: float) -> None:
        self._engine = engine
        self._threads = threads
        self._fresh_for = fresh_for
        self._known: dict[str, tuple[float, ImageFacts]] = {}
        self._pulls: dict[str, asyncio.Task[None]] = {}

    async def ensure(self, image: str, policy: PullPolicy) -> ImageFacts:
        """Facts of the image, which is on this host when this returns.

        Raises:
            TryFailed: it is not here and may not, or could not, be pulled.
            EngineError: the engine failed.
        """
        if policy != "always":
            try:
                return await self._facts(image)
            except ImageNotFound as error:
                if policy == "never":
                    raise TryFailed(
                        FailureKind.PULL,
                        f"image '{image}' is not on this host and may not be pulled ('pull: never'); load it with"
                        " 'docker load' or build it here",
                    ) from error
        await self._pull(image)
        self.forget(image)
        return await self._facts(image)

    async def look(self, asked: ImageAsked) -> ImageFound:
        """What a container made now would be made of. Nothing is pulled, and what cannot be known is said."""
        try:
            if asked.pull != "always":
                try:
                    facts = await self._threads.call(self._engine.inspect_image, asked.image)
                    return ImageFound(asked=asked, marks=marks_of(facts.id, facts.digests))
                except ImageNotFound:
                    if asked.pull == "never":
                        return ImageFound(asked=asked, unknown="it is not on the host and may not be pulled")
            digest = await self._threads.call(self._engine.registry_digest, asked.image)
            return ImageFound(asked=asked, marks=(mark_of(digest),))
        except EngineError as error:
            return ImageFound(asked=asked, unknown=str(error))

    def forget(self, image: str) -> None:
        """Ask the engine the next time."""
        self._known.pop(image, None)

    async def _facts(self, image: str) -> ImageFacts:
        known = self._known.get(image)
        if known is not None and time.monotonic() - known[0] < self._fresh_for:
            return known[1]
        facts = await self._threads.call(self._engine.inspect_image, image)
        self._known[image] = (time.monotonic(), facts)
        return facts

    async def _pull(self, image: str) -> None:
        task = self._pulls.get(image)
        if task is None:
            task = self._pulls[image] = asyncio.create_task(self._pull_once(image))
            task.add_done_callback(_seen)
        try:
            # Shielded: one job that gives up does not take the pull away from the others.
            await asyncio.shield(task)
        except PullFailed as error:
            raise TryFailed(
                FailureKind.PULL,
                f"{error}; check the name, or load it on this host with 'docker load'",
            ) from error

    async def _pull_once(self, image: str) -> None:
        try:
            await self._threads.call(self._engine.pull_image, image)
        finally:
            del self._pulls[image]


def _seen(task: asyncio.Task[None]) -> None:
    """Nobody may be left who waits for it, and then its failure is nobody's business."""
    if not task.cancelled():
        task.exception()
