"""The log pump: follows a container's log into the store while it runs, and sees to it that its tail is whole."""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Iterable
from typing import Final, Protocol

from orchestrator.errors import EngineError
from orchestrator.store.logs import LogLine, LogWriter, timestamp_now
from workers.engine.failures import Interrupted
from workers.engine.interface import ContainerEngine, Interrupt, LogEntry
from workers.supervision.threads import Threads

_WAITING: Final = 20_000
"""Entries that may wait between the reading thread and the event loop; then the thread waits."""
DETACH_SECONDS: Final = 3.0
"""How long a store may hold up a worker that lets go of a container."""
_RECENT: Final = 256
"""Entries whose times are remembered for closing the gap at the end."""


class Reading(Protocol):
    """What a log goes through on its way."""

    ended_at: str
    """When the log came to its own end; empty where it did not, or has none."""

    def feed(self, entries: Iterable[LogEntry]) -> list[LogLine]:
        """The lines that `entries` become."""
        ...


class LogPump:
    """Pumps one container's log, from its beginning, through `transcript` into `writer`.

    With `follow` until the container ends, else what is there; begins at once.
    """

    def __init__(
        self,
        engine: ContainerEngine,
        threads: Threads,
        container: str,
        *,
        transcript: Reading,
        writer: LogWriter,
        follow: bool = True,
    ) -> None:
        self._engine = engine
        self._threads = threads
        self._container = container
        self._transcript = transcript
        self._writer = writer
        self._interrupt = Interrupt()
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._taken = self._total = self._passing = 0
        self._newest = ""
        self._feeding = False
        """Whether the writer is waited for."""
        self._task = asyncio.create_task(self._run(follow=follow, since=None, known=Counter()))
        self.failure: EngineError | None = None
        """What ended the reading early."""

    @property
    def warning(self) -> str | None:
        """Why the log may not be whole."""
        return None if self.failure is None else f"the log may not be whole: {self.failure}"

    async def ended(self) -> None:
        """Without `follow`: return when all that was there is with the writer."""
        await self._task

    async def finish(self, *, stall: float, patience: float) -> None:
        """After the container's end: return when its whole log is with the writer.

        Args:
            stall: seconds without a new line after which following is given up.
            patience: seconds for which a store that fails is waited for. Then what it does not take is lost.
        """
        releasing = asyncio.get_running_loop().call_later(patience, self._release)
        try:
            await self._to_the_end(stall)
        finally:
            releasing.cancel()

    async def _to_the_end(self, stall: float) -> None:
        taken = -1
        while not self._task.done() and (taken != self._taken or self._feeding):
            taken = self._taken
            await asyncio.wait({self._task}, timeout=stall)
        self._interrupt.fire()
        await self._task
        if not self._transcript.ended_at:
            # The script's own end was not seen, so that what followed the last line seen may be missing: engines
            # end the stream when the container ends, not when its last line is out.
            self._interrupt = Interrupt()
            if self._newest > timestamp_now():
                # The clock was set back: entries that are missing may be older than those that were seen.
                self._passing = self._total
                await self._run(follow=False, since=None, known=Counter())
                return
            since = min(self._recent) if self._recent else None
            await self._run(follow=False, since=since, known=Counter(self._recent))

    def _release(self) -> None:
        self._writer.holds = False

    async def detach(self) -> None:
        """Stop reading. What was read is with the writer, unless its store keeps it waiting."""
        self._interrupt.fire()
        await asyncio.wait({self._task}, timeout=DETACH_SECONDS)
        if not self._task.done():
            # What is not stored is read again by whoever takes up the container.
            self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self, *, follow: bool, since: str | None, known: Counter[str]) -> None:
        pipe = _Pipe(asyncio.get_running_loop())
        reading = self._threads.call(self._read, pipe, follow=follow, since=since)
        try:
            while (entries := await pipe.get()) is not None:
                await self._take(entries, known)
        finally:
            pipe.abandon()
        try:
            await reading
        except Interrupted:
            return
        except EngineError as error:
            self.failure = error

    def _read(self, pipe: "_Pipe", *, follow: bool, since: str | None) -> None:
        """In a thread."""
        try:
            for batch in self._engine.logs(
                self._container, follow=follow, since=since, interrupt=self._interrupt
            ):
                pipe.put(batch)
        finally:
            pipe.end()

    async def _take(self, entries: Iterable[LogEntry], known: Counter[str]) -> None:
        fresh: list[LogEntry] = []
        for entry in entries:
            if self._passing:
                self._passing -= 1
                continue
            if known and known[entry.timestamp] > 0:
                known[entry.timestamp] -= 1
                continue
            fresh.append(entry)
            self._recent.append(entry.timestamp)
            self._newest = max(self._newest, entry.timestamp)
        self._total += len(fresh)
        self._taken += len(fresh)
        self._feeding = True
        await self._writer.append(self._transcript.feed(fresh))
        self._feeding = False


class _Pipe:
    """From a thread to the event loop, in order and bounded."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._room = threading.Condition()
        self._entries: list[LogEntry] = []
        self._ended = False
        self._abandoned = False
        self._told = False
        self._ready = asyncio.Event()

    def put(self, entries: list[LogEntry]) -> None:
        """In the thread; waits for room."""
        with self._room:
            while len(self._entries) > _WAITING and not self._abandoned:
                self._room.wait()
            self._entries += entries
            self._tell()

    def abandon(self) -> None:
        """Nobody takes entries any more; the thread need not wait."""
        with self._room:
            self._abandoned = True
            self._room.notify()

    def end(self) -> None:
        """In the thread: there will be no more."""
        with self._room:
            self._ended = True
            self._tell()

    async def get(self) -> list[LogEntry] | None:
        """All that waits; None when there will be no more."""
        while True:
            await self._ready.wait()
            with self._room:
                entries, self._entries = self._entries, []
                self._told = False
                self._ready.clear()
                self._room.notify()
                if entries:
                    if self._ended:
                        self._ready.set()
                    return entries
                if self._ended:
                    return None

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._ready.set)
