"""Waits for a running container, pumps its log, stops it when time is up or someone says so, and takes its harvest."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal

from orchestrator.contract.failures import FailureReason
from orchestrator.contract.messages import ArtifactRef, ContainerRequest
from orchestrator.errors import StoreError
from orchestrator.store.logs import LogWriter, timestamp_now
from workers.engine.failures import EngineUnreachable
from workers.engine.interface import ImageFacts, Interrupt
from workers.supervision.collect import Harvest, harvest
from workers.supervision.control import Control, Stopped
from workers.supervision.identity import prefix_of
from workers.supervision.logs import LogPump
from workers.supervision.prepare import working_dir_of
from workers.supervision.pulse import Pulse
from workers.supervision.reasons import (
    cancelled_reason,
    exit_reason,
    oom_reason,
    timeout_reason,
)
from workers.supervision.script import mark_prefix
from workers.supervision.services.beside import Beside
from workers.supervision.site import Site
from workers.supervision.transcript import Transcript

log = logging.getLogger("orca.supervision")

Ending = Literal["own", "timeout", "cancel"]

_LAST_CHANCE = 0.5
"""Seconds for an attached container whose time is up: it may be ending by itself just now."""


_NO_END = (
    "the log may not be whole: its end is missing; what a container says while its Docker engine is away is lost where"
    " the container ends before the engine is back"
)


class Reach(Enum):
    """At what point of its life the container was taken up."""

    FRESH = "fresh"
    """This go has just started it."""
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class Watched:
    """How a container ended and what it left. Its log is with `writer`, which is still open."""

    reason: FailureReason | None
    exit_code: int
    finished_at: str
    outputs: dict[str, str]
    artifacts: tuple[ArtifactRef, ...]
    warnings: tuple[str, ...]
    writer: LogWriter


class Watch:
    """The wait for one container."""

    def __init__(self, site: Site, request: ContainerRequest, control: Control, *, pulse: Pulse) -> None:
        self._site = site
        self._request = request
        self._control = control
        self._pulse = pulse

    async def run(
        self,
        container: str,
        image: ImageFacts,
        *,
        started_at: str | None,
        finished_at: str | None,
        reach: Reach,
    ) -> Watched:
        """Until the container has ended and its harvest is in.

        Args:
            container: its id.
            image: its image's facts.
            started_at: when it started; its time limit counts from there.
            finished_at: when it ended, where that is known already.
            reach: whether an earlier go may have stored a part of its log, and whether its time counts.

        Raises:
            Stopped: the worker was told to let go; what was read of the log is stored.
            EngineUnreachable: the engine went away; what was read of the log is stored.
        """
        transcript = Transcript(self._request.titles or self._request.commands, mark_prefix(self._request))
        writer = await self._writer(replay=reach is not Reach.FRESH)
        self._pulse.log_position = lambda: writer.position
        self._pulse.enter("running", container)
        pump = LogPump(self._site.engine, self._site.threads, container, transcript=transcript, writer=writer)
        try:
            async with self._looking_beside(writer):
                ending, exit_code = await self._end(container, self._time_left(started_at, reach))
            now = timestamp_now()
            await pump.finish(stall=self._site.limits.log_stall)
            if isinstance(pump.failure, EngineUnreachable):
                # It keeps the log, and the container too: what is missing can be read when it is back.
                raise pump.failure
            failure = await self._failure(container, ending, exit_code, transcript)
            result = await self._harvest(container, image, failure, ending, transcript)
            # Last, since it is no line of the container's: a later go that replays the log would count it as one.
            await writer.append(transcript.close(exit_code, now))
        except Exception:
            await pump.detach()
            await writer.detach()
            raise
        warnings = [*result.warnings, *([pump.warning] if pump.warning else [])]
        if reach is Reach.ENDED and exit_code == 0 and self._request.commands and not transcript.ended_at:
            warnings.append(_NO_END)
        return Watched(
            reason=result.reason,
            exit_code=exit_code,
            finished_at=finished_at or now,
            outputs=result.outputs,
            artifacts=tuple(result.artifacts),
            warnings=tuple(warnings),
            writer=writer,
        )

    @asynccontextmanager
    async def _looking_beside(self, writer: LogWriter) -> AsyncGenerator[None]:
        """While the job runs: its services are looked at too, where it has any."""
        beside = Beside(self._site, self._request.services, writer, pulse=self._pulse)
        looking = asyncio.create_task(beside.run())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait({looking})
            if not looking.cancelled() and (error := looking.exception()) is not None:
                log.error("the services beside a job were not looked at to its end", exc_info=error)

    async def _writer(self, *, replay: bool) -> LogWriter:
        prefix = prefix_of(self._request)
        if not replay:
            return LogWriter(self._site.store, prefix)
        try:
            return await LogWriter.attach(self._site.store, prefix, replay=True)
        except StoreError:
            # The log is not worth the job: it is written anew, and where that fails too, the outcome says so.
            return LogWriter(self._site.store, prefix)

    async def _end(self, container: str, time_left: float | None) -> tuple[Ending, int]:
        """Wait for the container's end, which may be of our making."""
        interrupt = Interrupt()
        waiting = self._site.threads.call(self._site.engine.wait, container, interrupt=interrupt)
        try:
            if await self._control.until(waiting, timeout=time_left):
                return "own", waiting.result()
            if self._control.cause == "detach":
                raise Stopped
            ending: Ending = "timeout" if self._control.cause is None else "cancel"
            await self._stop(container, waiting)
            return ending, await waiting
        finally:
            interrupt.fire()
            await _settled(waiting)

    async def _stop(self, container: str, waiting: "asyncio.Future[int]") -> None:
        grace = self._request.stop_grace
        stopping = self._site.threads.call(self._site.engine.stop, container, grace=grace)
        await asyncio.wait({waiting}, timeout=grace + self._site.limits.stop_margin)
        if not waiting.done():
            await self._site.threads.call(self._site.engine.kill, container)
        await _settled(stopping)

    def _time_left(self, started_at: str | None, reach: Reach) -> float | None:
        """Seconds until the container's time is up; None where that no longer matters."""
        if reach is Reach.ENDED or started_at is None:
            return None
        if reach is Reach.FRESH:
            return self._request.timeout
        started = datetime.fromisoformat(started_at[:19]).replace(tzinfo=UTC).timestamp()
        return max(_LAST_CHANCE, started + self._request.timeout - time.time())

    async def _failure(
        self, container: str, ending: Ending, exit_code: int, transcript: Transcript
    ) -> FailureReason | None:
        """Why it failed; None for success."""
        if ending == "cancel":
            return cancelled_reason()
        if ending == "timeout":
            return timeout_reason(self._request.timeout)
        if exit_code == 0:
            return None
        observed = await self._site.threads.call(self._site.engine.inspect, container)
        if observed is not None and observed.oom_killed:
            return oom_reason(self._request.resources.memory)
        return exit_reason(self._request, exit_code, transcript)

    async def _harvest(
        self,
        container: str,
        image: ImageFacts,
        failure: FailureReason | None,
        ending: Ending,
        transcript: Transcript,
    ) -> Harvest:
        if ending == "cancel":
            return Harvest(failure)
        self._pulse.enter("collecting")
        work = harvest(
            self._site,
            self._request,
            container,
            failure=failure,
            outputs_written=transcript.outputs_written,
            working_dir=working_dir_of(self._request, image),
        )
        try:
            return await self._control.race(work)
        except Stopped:
            if self._control.cause == "detach":
                raise
            return Harvest(cancelled_reason())


async def _settled(call: "asyncio.Future[Any]") -> None:
    """Wait for a call whose result does not matter any more."""
    await asyncio.wait({call})
    if not call.cancelled():
        call.exception()
