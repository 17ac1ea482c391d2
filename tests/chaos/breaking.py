"""Carries a schedule out on real parts, and takes down when each part was really gone."""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.faults import BREATH, PARTS, Fault, Manner, Part
from tests.chaos.lab import Breakable, Worker


@dataclass(frozen=True)
class Done:
    """A fault that was carried out. Times are those of this host's clock."""

    part: Part
    manner: Manner
    began: float
    ended: float
    """The part was there again: its process at least."""


@dataclass
class Breaking:
    """Breaks parts by a schedule.

    Attributes:
        done: what was done so far, by its end.
    """

    parts: Mapping[Part, Breakable]
    worker: Worker
    done: list[Done] = field(default_factory=list[Done])
    _away: set[Part] = field(default_factory=set[Part])

    async def run(self, faults: tuple[Fault, ...]) -> None:
        """All of them; each part has its own. Cancelled, what is broken is mended first, and the rest left out."""
        begin = time.monotonic()
        each = [
            asyncio.create_task(self._break([one for one in faults if one.part == part], begin))
            for part in PARTS
        ]
        try:
            await asyncio.gather(*each)
        except asyncio.CancelledError:
            for one in each:
                one.cancel()
            await asyncio.gather(*each, return_exceptions=True)
            raise

    async def look_after_worker(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(0.3)
            if "worker" not in self._away:
                self.worker.look_after()

    async def _break(self, faults: list[Fault], begin: float) -> None:
        pause = 0.0
        for fault in faults:
            # The part may have taken longer to come back than was planned.
            await asyncio.sleep(max(pause, begin + fault.at - time.monotonic()))
            await _whole(self._do(fault))
            pause = BREATH

    async def _do(self, fault: Fault) -> None:
        """One fault, to the part's return."""
        part = self.parts[fault.part]
        self._away.add(fault.part)
        began = time.time()
        match fault.manner:
            case "kill":
                await asyncio.to_thread(part.kill)
            case "stop":
                await asyncio.to_thread(part.stop)
            case "freeze":
                part.freeze()
        await asyncio.sleep(fault.lasting)
        if fault.manner == "freeze":
            part.thaw()
        else:
            await asyncio.to_thread(part.start)
        self._away.discard(fault.part)
        self.done.append(Done(fault.part, fault.manner, began, time.time()))


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """To its end, also where the caller is cancelled meanwhile."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
