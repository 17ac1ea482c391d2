"""Asks a running service how it is until that is decided, and sees at once when it ends."""

import asyncio
import time
from contextlib import closing
from dataclasses import dataclass, replace

from workers.engine.failures import HalfStarted
from workers.engine.interface import Interrupt
from workers.supervision.services.checks import (
    Check,
    Checking,
    CommandCheck,
    HttpCheck,
    LogCheck,
    NoCheck,
    PortCheck,
)
from workers.supervision.services.health import (
    Healthy,
    NotYet,
    Progress,
    Unhealthy,
    first_pause,
    judge,
)
from workers.supervision.services.probes import CommandProbe, HttpProbe, LogProbe, PortProbe, Probe
from workers.supervision.services.standing import cut_off
from workers.supervision.site import Site
from workers.supervision.threads import Threads

_SHORTEST_CHECK = 0.1
"""Seconds that the last check before the start timeout gets at least."""


@dataclass(frozen=True)
class Ended:
    """The container ended, `at` seconds from its start."""

    exit_code: int
    at: float


@dataclass(frozen=True)
class Judged:
    """It was checked, and this is what came of it `at` seconds from its start."""

    verdict: Healthy | Unhealthy
    progress: Progress
    at: float


@dataclass(frozen=True)
class Unasked:
    """It runs; there was nothing to ask."""


class Asking:
    """The wait for one service.

    Args:
        site: what the worker shares.
        threads: two of them for this service: one waits for its end, one asks.
        container: its id.
        plan: what to ask.
        ran: seconds that the container has run already.
    """

    def __init__(
        self, site: Site, threads: Threads, container: str, *, plan: Checking, ran: float, host: str
    ) -> None:
        self._site = site
        self._threads = threads
        self._container = container
        self._plan = plan
        self._host = host
        self._started = time.monotonic() - ran

    async def run(self) -> Ended | Judged | Unasked:
        """Until it is decided.

        Raises:
            EngineError: the engine failed, or the container was removed.
        """
        interrupt = Interrupt()
        end = self._threads.call(self._site.engine.wait, self._container, interrupt=interrupt)
        end.add_done_callback(_seen)
        try:
            if isinstance(self._plan.check, NoCheck):
                await asyncio.wait({end}, timeout=self._site.limits.settling)
                return self._ended(end) if end.done() else Unasked()
            probe = await self._probe(self._plan.check)
            if probe is None:
                await end
                return self._ended(end)
            with closing(probe):
                return await self._ask(probe, end)
        finally:
            interrupt.fire()

    async def _ask(self, probe: Probe, end: "asyncio.Future[int]") -> Ended | Judged:
        rules, progress = self._plan.rules, Progress()
        pause = max(0.0, first_pause(rules) - self._age())
        while True:
            await _woken(end, probe.wake, timeout=pause)
            timeout = min(rules.timeout, max(rules.start_timeout - self._age(), _SHORTEST_CHECK))
            check = asyncio.create_task(probe.check(timeout))
            try:
                await asyncio.wait({check, end}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # Also when this task is cancelled: nothing goes on behind its back.
                check.cancel()
                await asyncio.wait({check})
            if end.done():
                if not check.cancelled():
                    check.exception()
                return self._ended(end)
            at, result = self._age(), check.result()
            if result.late and timeout < rules.timeout:
                result = replace(result, cut=True)
            progress, verdict = judge(rules, progress, result, at=at)
            if not isinstance(verdict, NotYet):
                return Judged(verdict, progress, at)
            pause = verdict.pause

    async def _probe(self, check: Check) -> Probe | None:
        """How to ask; None where the container has ended."""
        engine = self._site.engine
        match check:
            case CommandCheck():
                return CommandProbe(engine, self._threads, self._container, check)
            case LogCheck():
                return LogProbe(engine, self._threads, self._container, check)
            case PortCheck() | HttpCheck():
                observed = await self._site.threads.call(engine.inspect, self._container)
                if observed is not None and cut_off(observed):
                    raise HalfStarted(
                        f"container '{self._container[:12]}' runs, and its engine has lost its network"
                    )
                if observed is None or observed.address is None:
                    return None
                if isinstance(check, PortCheck):
                    return PortProbe(observed.address, check)
                return HttpProbe(observed.address, check, host=self._host)
            case NoCheck():
                return None

    def _age(self) -> float:
        return time.monotonic() - self._started

    def _ended(self, end: "asyncio.Future[int]") -> Ended:
        return Ended(end.result(), self._age())


async def _woken(end: "asyncio.Future[int]", wake: asyncio.Event | None, *, timeout: float) -> None:
    """Sleep, but not past the container's end or the probe's call."""
    if wake is None:
        await asyncio.wait({end}, timeout=timeout)
        return
    called = asyncio.create_task(wake.wait())
    try:
        await asyncio.wait({end, called}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        called.cancel()


def _seen(end: "asyncio.Future[int]") -> None:
    """Nobody may be left who waits for it."""
    if not end.cancelled():
        end.exception()
