"""Waits for a running container, pumps its log, stops it when time is up or someone says so, and takes its harvest."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ArtifactRef, ContainerRequest
from orchestrator.contract.times import parse_rfc3339
from orchestrator.errors import StoreError
from orchestrator.store.logs import LogWriter, timestamp_now
from workers.engine.failures import EngineUnreachable
from workers.engine.interface import ImageFacts, Interrupt
from workers.supervision.attention import Attention
from workers.supervision.collect import Harvest, harvest
from workers.supervision.control import Control, Stopped
from workers.supervision.identity import name_of, prefix_of
from workers.supervision.logs import DETACH_SECONDS, LogPump
from workers.supervision.look_back import look_back
from workers.supervision.prepare import working_dir_of
from workers.supervision.pulse import Pulse
from workers.supervision.reasons import (
    cancelled_reason,
    exit_reason,
    oom_reason,
    reason,
    timeout_reason,
)
from workers.supervision.script import mark_prefix
from workers.supervision.services.beside import Beside
from workers.supervision.site import Site
from workers.supervision.transcript import Transcript
from workers.supervision.verdict import End, by_signal

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
    image: str
    """Id of the image that it was made of, where that was looked at as it began; empty otherwise."""


class Watch:
    """The wait for one container."""

    def __init__(self, site: Site, request: ContainerRequest, control: Control, *, pulse: Pulse) -> None:
        self._site = site
        self._request = request
        self._control = control
        self._pulse = pulse
        self._image = ""

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
        # The engine keeps what the store does not take for now.
        writer.holds = True
        self._pulse.log_position = lambda: writer.position
        self._pulse.enter("running", container)
        pump = LogPump(self._site.engine, self._site.threads, container, transcript=transcript, writer=writer)
        try:
            async with self._looking_on(container, writer):
                begun_at = await self._beginning(container, started_at, reach)
                ending, exit_code = await self._end(
                    container, await self._time_left(container, started_at, reach), reach
                )
            now = timestamp_now()
            await pump.finish(stall=self._site.limits.log_stall, patience=self._site.limits.store_patience)
            if isinstance(pump.failure, EngineUnreachable):
                # It keeps the log, and the container too: what is missing can be read when it is back.
                raise pump.failure
            seen = reach is not Reach.ENDED
            told = bool(transcript.ended_at)
            end = End(
                container,
                self._site.host,
                exit_code,
                begun_at,
                whole=transcript.whole,
                told=told,
                seen=seen,
                code=transcript.code,
                told_at=transcript.ended_at,
                engine=self._pulse.engine,
            )
            failure, leaves = await self._failure(end, ending, transcript)
            result = await self._harvest(container, image, failure, transcript, leaves=leaves)
            # Last, since it is no line of the container's: a later go that replays the log would count it as one.
            await writer.append(transcript.close(exit_code, now))
        except Exception:
            await pump.detach()
            await writer.detach(within=DETACH_SECONDS)
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
            image=self._image,
        )

    @asynccontextmanager
    async def _looking_on(self, container: str, writer: LogWriter) -> AsyncGenerator[None]:
        """While the job runs: what becomes of its container is looked at, and of its services, where it has any."""
        beside = Beside(self._site, self._request.services, writer, pulse=self._pulse)
        attention = Attention(self._site, container, name_of(self._request), pulse=self._pulse)
        looking = {asyncio.create_task(beside.run()), asyncio.create_task(attention.run())}
        try:
            yield
        finally:
            for task in looking:
                task.cancel()
            await asyncio.wait(looking)
            for task in looking:
                if not task.cancelled() and (error := task.exception()) is not None:
                    log.error("a running job was not looked at to its end", exc_info=error)

    async def _writer(self, *, replay: bool) -> LogWriter:
        prefix = prefix_of(self._request)
        if not replay:
            return LogWriter(self._site.store, prefix)
        try:
            return await LogWriter.attach(self._site.store, prefix, replay=True)
        except StoreError:
            # The log is not worth the job: it is written anew, and where that fails too, the outcome says so.
            return LogWriter(self._site.store, prefix)

    async def _beginning(self, container: str, started_at: str | None, reach: Reach) -> str | None:
        """When the container began, by its engine's own clock; None where nobody knows.

        That, and when its engine began, is how an end that came from outside is told later.
        """
        if reach is Reach.ENDED:
            return started_at
        engine = await self._site.threads.call(self._site.engine.engine_started)
        observed = await self._site.threads.call(self._site.engine.inspect, container)
        if observed is not None and observed.state in ("running", "paused"):
            # Of one that has ended meanwhile it may have been an earlier engine, which took it along.
            self._pulse.runs_under(engine or "")
        if reach is Reach.RUNNING:
            return started_at
        if observed is None:
            return None
        self._image = observed.image
        return observed.started_at

    async def _end(self, container: str, time_left: float | None, reach: Reach) -> tuple[Ending, int]:
        """Wait for the container's end, which may be of our making."""
        interrupt = Interrupt()
        waiting = self._site.threads.call(self._site.engine.wait, container, interrupt=interrupt)
        try:
            if reach is Reach.ENDED:
                # It was quicker than any cancel, and its engine says at once how it ended.
                await self._control.until(waiting, timeout=self._site.limits.stop_margin, patient=True)
            if await self._control.until(waiting, timeout=time_left):
                return self._whose(waiting.result(), reach), waiting.result()
            if self._control.cause == "detach":
                raise Stopped
            ending = "timeout" if self._control.cause is None else "cancel"
            self._pulse.end(ending)
            await self._stop(container, waiting)
            return ending, await waiting
        finally:
            interrupt.fire()
            await _settled(waiting)

    def _whose(self, exit_code: int, reach: Reach) -> Ending:
        """Of whose making an end is that this go has not brought about: an earlier one may have."""
        if self._pulse.ending:
            return self._pulse.ending
        # A worker that was killed may have told it to end without anybody having heard of that.
        stopped = reach is Reach.ENDED and self._control.unwanted and by_signal(exit_code)
        return "cancel" if stopped else "own"

    async def _stop(self, container: str, waiting: "asyncio.Future[int]") -> None:
        """Stop the container, with its grace unless there is none any more.

        Raises:
            Stopped: the worker was told to let go meanwhile.
        """
        if self._control.hurried:
            await self._site.threads.call(self._site.engine.kill, container)
            return
        grace = self._request.stop_grace
        stopping = self._site.threads.call(self._site.engine.stop, container, grace=grace)
        await self._control.grace(waiting, grace + self._site.limits.stop_margin)
        if not waiting.done() and self._control.cause == "detach":
            # A grace may be longer than a worker has. The engine goes on with the stop, and the next worker asks again.
            stopping.add_done_callback(_heard)
            raise Stopped
        if not waiting.done():
            await self._site.threads.call(self._site.engine.kill, container)
        await _settled(stopping)

    async def _time_left(self, container: str, started_at: str | None, reach: Reach) -> float | None:
        """Seconds until the container's time is up; None where that no longer matters."""
        if reach is Reach.ENDED or started_at is None:
            return None
        if reach is Reach.FRESH:
            return self._request.timeout
        # By the kernel's count where the engine tells it: a clock that was set says nothing of how long a job ran.
        age = await self._site.threads.call(self._site.engine.age, container)
        if age is None:
            age = time.time() - parse_rfc3339(started_at).timestamp()
        return max(_LAST_CHANCE, self._request.timeout - age)

    async def _failure(
        self, end: End, ending: Ending, transcript: Transcript
    ) -> tuple[FailureReason | None, bool]:
        """Why it failed, None for success, and whether the container may be asked for what it left."""
        if ending == "cancel":
            return cancelled_reason(), False
        if ending == "timeout":
            return timeout_reason(self._request.timeout), True
        observed, foul = await look_back(self._site, end, grace=self._request.stop_grace)
        if foul is not None:
            return reason(FailureKind.LOST, foul.why), foul.leaves
        if end.exit_code == 0:
            return None, True
        if observed is not None and observed.oom_killed:
            return oom_reason(self._request.resources.memory), True
        return exit_reason(self._request, end.exit_code, transcript), True

    async def _harvest(
        self,
        container: str,
        image: ImageFacts,
        failure: FailureReason | None,
        transcript: Transcript,
        *,
        leaves: bool,
    ) -> Harvest:
        if not leaves:
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
            # A job that was quicker than its cancel keeps its own end.
            return await self._control.race(work, patient=True)
        except Stopped:
            if self._control.cause == "detach":
                raise
            return Harvest(cancelled_reason())


async def _settled(call: "asyncio.Future[Any]") -> None:
    """Wait for a call whose result does not matter any more."""
    await asyncio.wait({call})
    _heard(call)


def _heard(call: "asyncio.Future[Any]") -> None:
    """Take note of how a call has ended, so that nobody complains that nobody did."""
    if not call.cancelled():
        call.exception()
