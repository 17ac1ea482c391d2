"""How the outside tells a try to end: as a value that it looks at, never as an exception in the middle of a step."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Final, Literal, TypeVar

T = TypeVar("T")
_RANK: Final = {"cancel": 0, "kill": 1, "detach": 2}
Cause = Literal["cancel", "kill", "detach"]
"""`cancel`: the job is to end. `kill`: at once, without its grace. `detach`: the worker lets go of it, the container
goes on."""


class Stopped(Exception):
    """Someone asked the try to end; `Control.cause` says how."""


class Control:
    """One try's ear for the outside."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._hurry = asyncio.Event()
        self.cause: Cause | None = None

    def stop(self, cause: Cause) -> None:
        """Ask the try to end.

        The first cause counts, but one that is to end can be told to do so at once, and whatever it is told, a worker
        that has to go lets go of it: whoever has it next is told again.
        """
        if self.cause is None or _RANK[cause] > _RANK[self.cause]:
            self.cause = cause
            self._event.set()
        if self.cause != "cancel":
            self._hurry.set()

    @property
    def hurried(self) -> bool:
        """Whether there is no grace any more."""
        return self._hurry.is_set()

    @property
    def unwanted(self) -> bool:
        """Whether the try is to end, where a worker that lets go of it says nothing of that."""
        return self.cause in ("cancel", "kill")

    async def grace(self, work: "asyncio.Future[Any]", seconds: float) -> None:
        """Give `work` as many seconds to end, or fewer where there is no grace any more."""
        hurry = asyncio.ensure_future(self._hurry.wait())
        try:
            await asyncio.wait({work, hurry}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurry.cancel()

    async def until(
        self, work: "asyncio.Future[Any]", *, timeout: float | None = None, patient: bool = False
    ) -> bool:
        """Wait until `work` is done (True), someone asks to stop, or `timeout` seconds are over (both False).

        `work` goes on in either case and is not looked into. Who is `patient` stops for no cancel that has its grace.
        """
        stop = asyncio.ensure_future((self._hurry if patient else self._event).wait())
        try:
            await asyncio.wait({work, stop}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
        return work.done()

    async def race(self, work: Coroutine[Any, Any, T], *, patient: bool = False) -> T:
        """The result of `work`. Who is `patient` stops for no cancel that has its grace.

        Raises:
            Stopped: someone asked to stop first; `work` was cancelled.
        """
        task = asyncio.ensure_future(work)
        if await self.until(task, patient=patient):
            return task.result()
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise Stopped

    async def pause(self, seconds: float) -> None:
        """Sleep.

        Raises:
            Stopped: someone asked to stop meanwhile.
        """
        await self.race(_sleep(seconds))


async def _sleep(seconds: float) -> None:
    rest: Awaitable[None] = asyncio.sleep(seconds)
    await rest
