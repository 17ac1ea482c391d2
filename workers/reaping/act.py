"""Stops and removes what nobody needs: containers, then networks, then volumes. Decides nothing."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from orchestrator.errors import EngineError
from workers.engine.failures import ContainerGone
from workers.engine.host import HostEngine
from workers.reaping.ledger import Finding
from workers.reaping.things import Thing
from workers.supervision.threads import Threads

log = logging.getLogger("orca.reaping")

STOP_GRACE: Final = 10.0
"""Seconds between a container's stop signal and its kill."""
MARGIN: Final = 5.0
"""Seconds that the engine may take beyond it before we kill ourselves."""
AT_A_TIME: Final = 4
_ORDER: Final = ("container", "network", "volume")


class Act:
    """Changes one engine. What fails is said and tried again at the next look.

    Args:
        engine: which.
        threads: for its blocking calls.
        stop_grace: see `STOP_GRACE`.
    """

    def __init__(self, engine: HostEngine, threads: Threads, *, stop_grace: float = STOP_GRACE) -> None:
        self._engine, self._threads, self._stop_grace = engine, threads, stop_grace
        self._turns = asyncio.Semaphore(AT_A_TIME)

    async def run(self, due: Iterable[Finding]) -> dict[str, str]:
        """Do what is due. Gives what could not be done: why, by the thing's id."""
        failed: dict[str, str] = {}
        for kind in _ORDER:
            same = [finding for finding in due if finding.thing.kind == kind]
            for finding, why in zip(same, await asyncio.gather(*map(self._one, same)), strict=True):
                if why is not None:
                    failed[finding.thing.id] = why
        return failed

    async def _one(self, finding: Finding) -> str | None:
        thing, verdict = finding.thing, finding.verdict
        try:
            async with self._turns:
                if thing.runs:
                    await self._stop(thing.id)
                if verdict.fate == "remove":
                    await self._remove(thing)
        except EngineError as error:
            log.warning("%s '%s' is still there: %s", thing.kind, thing.name, error)
            return str(error)
        done = "removed" if verdict.fate == "remove" else "stopped"
        log.info("%s %s '%s': %s", done, thing.kind, thing.name, verdict.why)
        return None

    async def _remove(self, thing: Thing) -> None:
        match thing.kind:
            case "container":
                await self._threads.call(self._engine.remove, thing.id)
            case "network":
                await self._threads.call(self._engine.remove_network, thing.id)
            case "volume":
                await self._threads.call(self._engine.remove_volume, thing.id)

    async def _stop(self, container: str) -> None:
        stopping = self._threads.call(self._engine.stop, container, grace=self._stop_grace)
        await asyncio.wait({stopping}, timeout=self._stop_grace + MARGIN)
        if not stopping.done():
            await self._threads.call(self._engine.kill, container)
        try:
            await stopping
        except ContainerGone:
            return
