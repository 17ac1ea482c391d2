"""One function on its way, in a thread of its own; an asynchronous one has a loop of its own there."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from workers.calling.ending import End, Raised, end_of
from workers.calling.voice import Voice, speaking

Work = Callable[[], Any]
"""Loads, binds and calls; returns what the function returned, which may be a coroutine."""


class Running:
    """A function that has been started.

    Attributes:
        ended: is done when it has come to its end, with what that means. Cancelling it does nothing to it.
    """

    def __init__(self, work: Work, *, name: str, voice: Voice, cancelled: threading.Event) -> None:
        """Start `work`.

        Args:
            work: what is to be done.
            name: of the thread, for whoever looks at the process.
            voice: where to it speaks.
            cancelled: is set where it is to end.
        """
        self._work = work
        self._voice = voice
        self._cancelled = cancelled
        self._home = asyncio.get_running_loop()
        self.ended: asyncio.Future[End] = self._home.create_future()
        # Of the one who starts it: what comes back to the loop is no speech of the function's.
        self._silent = copy_context()
        self._own: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self._guard = threading.Lock()
        self.thread = threading.Thread(
            # A daemon: one that never ends does not keep the process.
            target=copy_context().run,
            args=(self._main,),
            name=name,
            daemon=True,
        )
        self.thread.start()

    def stop(self) -> None:
        """Tell it to end. A synchronous one has to look by itself."""
        self._cancelled.set()
        with self._guard:
            if self._own is not None:
                loop, task = self._own
                loop.call_soon_threadsafe(task.cancel)

    def _main(self) -> None:
        speaking.set(self._voice)
        try:
            returned = self._work()
            if inspect.iscoroutine(returned):
                returned = asyncio.run(self._on_own_loop(returned))
        except BaseException as error:  # noqa: BLE001 - a function may raise what it likes, SystemExit too
            returned = Raised(error)
        # Here, not on the loop of all calls: it may be much to read, and run code of the author's.
        self._tell(end_of(returned))

    async def _on_own_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.ensure_future(work)
        with self._guard:
            self._own = asyncio.get_running_loop(), task
        if self._cancelled.is_set():
            task.cancel()
        try:
            return await task
        finally:
            # The loop closes after this: nobody may call it any more.
            with self._guard:
                self._own = None

    def _tell(self, end: End) -> None:
        if self._home.is_closed():
            return  # It was left behind, and the worker has ended since.
        self._home.call_soon_threadsafe(self._settle, end, context=self._silent)

    def _settle(self, end: End) -> None:
        if not self.ended.done():
            self.ended.set_result(end)
