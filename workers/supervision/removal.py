"""Removes containers in the background, when their outcome is safe, so that the next job need not wait for it."""

import asyncio
import logging
from typing import Final

from orchestrator.errors import EngineError
from workers.engine.interface import ContainerEngine
from workers.supervision.threads import Threads

log = logging.getLogger("orca.removal")

QUEUE_SIZE: Final = 64
_ATTEMPTS: Final = 3
_PAUSE: Final = 0.5


class Remover:
    """A bounded queue of containers to remove. When it is full, whoever adds to it waits."""

    def __init__(self, engine: ContainerEngine, threads: Threads, *, workers: int) -> None:
        self._engine = engine
        self._threads = threads
        self._workers = workers
        self._queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_SIZE)
        self._tasks: list[asyncio.Task[None]] = []
        self.left = 0
        """Containers that were added and are not removed yet."""

    async def add(self, container: str) -> None:
        """Have `container` removed soon; it may still run."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        self.left += 1
        await self._queue.put(container)

    async def drain(self) -> None:
        """Wait until all that was added is gone, and stop."""
        if not self._tasks:
            return
        await self._queue.join()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            container = await self._queue.get()
            try:
                await self._remove(container)
            finally:
                self.left -= 1
                self._queue.task_done()

    async def _remove(self, container: str) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._threads.call(self._engine.remove, container)
            except EngineError as error:
                if attempt == _ATTEMPTS:
                    log.warning("container %s is left over: %s", container[:12], error)
                    return
                await asyncio.sleep(_PAUSE * attempt)
            else:
                return
