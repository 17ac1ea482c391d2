"""Between the event loop and the threads in which the engine's blocking calls run. Bytes pass in flat memory.

A running container holds two threads, one for waiting and one for its log, and works with a third.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """The pool for the blocking calls of one worker."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Run `function` in a thread."""
        return asyncio.get_running_loop().run_in_executor(self._pool, partial(function, *args, **kwargs))

    async def drawn(self, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
        """What a blocking iterator gives, each chunk fetched in a thread when it is asked for."""
        while (chunk := await self.call(_next_or_none, chunks)) is not None:
            yield chunk


def _next_or_none(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)


def fed(chunks: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """For a thread: what an asynchronous iterator of `loop` gives, chunk by chunk."""
    while (chunk := asyncio.run_coroutine_threadsafe(_anext_or_none(chunks), loop).result()) is not None:
        yield chunk


async def _anext_or_none(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


async def whole(call: "asyncio.Future[T]") -> T:
    """The result of a call that changes something: a cancellation waits until the call is over.

    Else the change could come after whoever was cancelled has looked at what is to be undone.
    """
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait({call})
        if not call.cancelled():
            call.exception()
        raise
