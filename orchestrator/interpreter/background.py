"""Work that no job waits for, such as stopping services that several jobs shared. The run closes after it has ended."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """The tasks of one run that are nobody's own."""

    def __init__(self, ended: Callable[[BaseException | None], None]) -> None:
        """`ended` is told of each end, with the interpreter's own fault where there was one."""
        self._ended = ended
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def busy(self) -> bool:
        """Whether something is still going on."""
        return bool(self._tasks)

    @property
    def left(self) -> int:
        """How many things go on."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside all else."""
        task = asyncio.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.remove(task)
        self._ended(None if task.cancelled() else task.exception())


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Do `work` to its end, whatever cancels whoever waits for it: what was started has to be cleaned up."""
    task = asyncio.create_task(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
