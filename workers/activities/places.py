"""How many jobs with services a host runs at a time.

Such jobs come to the queue of the host that has their services, which takes work at once: that nobody takes it means
that the host is gone. So here they wait, and not in the queue.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from orchestrator.contract.names import HEARTBEAT_INTERVAL
from orchestrator.contract.services import HOST_START_WAIT

_KEPT: Final = HOST_START_WAIT + 5.0
"""Seconds for which a place is kept for the job once its services have started; afterwards nobody sends it here."""


class Places:
    """The places of one worker. A job keeps its own from the start of its services to its end.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._held: dict[str, int] = {}
        self._kept: dict[str, asyncio.TimerHandle] = {}
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def place(
        self, key: str, waiting: Callable[[], None], *, keep: bool = False
    ) -> AsyncGenerator[None]:
        """Have the place of that name inside the block, which waits until one is free.

        Args:
            key: the name; who asks for one that is taken shares it.
            waiting: called every few seconds while there is none.
            keep: leave it to the next who asks under this name, for a while.
        """
        while key not in self._held and len(self._held) >= self._count:
            waiting()
            self._freed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), HEARTBEAT_INTERVAL)
        self._held[key] = self._held.get(key, 0) + 1
        self.give_up(key)
        try:
            yield
            if keep:
                self._held[key] += 1
                self._kept[key] = asyncio.get_running_loop().call_later(_KEPT, self.give_up, key)
        finally:
            self._give_back(key)

    def give_up(self, key: str) -> None:
        """Nobody needs the place any more that was kept under this name."""
        if (timer := self._kept.pop(key, None)) is not None:
            timer.cancel()
            self._give_back(key)

    def _give_back(self, key: str) -> None:
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
            self._freed.set()
