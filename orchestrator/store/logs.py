"""The log of one try, as numbered segments under `<try_prefix>log/`, since object stores cannot append.

`log/00000001`, `log/00000002`, … hold lines `<RFC 3339 time with nanoseconds> <text>`; `log/end` says that
no more will come. Knows nothing of containers. Memory is flat however long the log is.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Self

from orchestrator.errors import StoreError
from orchestrator.store.failures import CannotRefuse, ObjectNotFound, StoreSilent
from orchestrator.store.log_replay import OUR_MARK, LogLine, Marked, Stored, encoded, parsed
from orchestrator.store.store import Store

FLUSH_SECONDS: Final = 0.4
FLUSH_BYTES: Final = 256 * 1024
BACKLOG_BYTES: Final = 4 * 1024 * 1024
"""What waits in memory while the store fails; what comes on top waits where it is, or is lost and said to be."""
MAX_LINE: Final = 64 * 1024
"""Characters; a longer line becomes several with the same time."""
POLL_SECONDS: Final = 0.25
NOTE_MARK: Final = f"{OUR_MARK}service "
"""Begins a line about a service that is put between a container's own (see `LogWriter.note`)."""
_END: Final = "end"
_PAUSE: Final = 0.5
"""Seconds between two calls of a store that fails."""
_LAST_CALLS: Final = 3
_LAST_SECONDS: Final = 15.0
"""When no further call begins that is to keep the end of a log."""


def timestamp_now() -> str:
    """The time as Docker writes it in logs."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def _segment(prefix: str, number: int) -> str:
    return f"{prefix}log/{number:08d}"


class LogWriter:
    """Appends lines.

    Failures of the store never reach the caller: lines wait, and in the end are lost, and `loss` says so.

    Several writers of one try, as there are where a frozen worker wakes up beside the one that took its place, write
    the same lines in the same order: a segment that is there already is passed over, line by line.
    """

    def __init__(self, store: Store, try_prefix: str) -> None:
        self._store = store
        self._prefix = try_prefix
        self._next = 1
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._newest = ""
        self._lock = asyncio.Lock()
        self._timer: asyncio.Task[None] | None = None
        self._stored: Stored | None = None
        self._ahead = 0
        """Lines to come that another writer has stored."""
        self._marked = Marked()
        """What is stored and begins like ours: lines to come of the container's may be among it."""
        self._ours: set[bytes] = set()
        """Which of those that wait are no container's."""
        self._lost_lines = 0
        self._failure: StoreError | None = None
        self._failing = False
        self.holds = False
        """While the store fails and the backlog is full, `append` waits: who reads the lines can come back for them."""
        self.position = ""
        """Timestamp of the last line that is safely in the store."""
        self.notes: list[str] = []
        """What has been put between the lines, by an earlier writer too."""

    @classmethod
    async def attach(cls, store: Store, try_prefix: str, *, replay: bool) -> Self:
        """Go on with a log that an earlier writer left.

        Args:
            store: where it is.
            try_prefix: whose it is.
            replay: the caller appends the whole log from its beginning, and what is stored already is left out;
                else what is appended is all new.

        Raises:
            StoreError: what is there cannot be read.
        """
        writer = cls(store, try_prefix)
        segments = [key for key in await store.list_keys(f"{try_prefix}log/") if not key.endswith(_END)]
        stored = Stored()
        async for segment in LogReader(store, try_prefix).segments():
            stored.add(segment)
        if segments:
            writer._next = int(segments[-1].rsplit("/", 1)[1]) + 1
        writer.position = stored.last
        writer.notes += stored.notes
        if replay:
            writer._stored, writer._marked = stored, stored.marked
        return writer

    @property
    def loss(self) -> str | None:
        """What was lost and why, in one sentence; None when nothing was."""
        if not self._lost_lines:
            return None
        return f"{self._lost_lines} log lines were lost: {self._failure}"

    async def append(self, lines: Iterable[LogLine]) -> None:
        """Take `lines`; returns when there is room for more."""
        for line in lines:
            while self._buffered >= BACKLOG_BYTES and (self.holds or not self._failing):
                await self._make_room()
            for start in range(0, max(len(line.text), 1), MAX_LINE):
                self._take(LogLine(line.timestamp, line.text[start : start + MAX_LINE]))
        if self._buffered >= FLUSH_BYTES and not self._failing:
            await self.flush()
        else:
            self._flush_in_time()

    async def _make_room(self) -> None:
        await self.flush()
        if self._failing:
            await asyncio.sleep(_PAUSE)

    def note(self, texts: Iterable[str]) -> None:
        """Put lines of our own where the log is now. Each begins with `OUR_MARK`, and none is part of a replay."""
        now = timestamp_now()
        for text in texts:
            self.notes.append(text)
            line = LogLine(now, text)
            self._ours.add(encoded(line))
            self._put(line)
        self._flush_in_time()

    async def flush(self) -> None:
        """Store what waits."""
        async with self._lock:
            if not self._buffer:
                return
            lines, newest = self._buffer, self._newest
            self._buffer, self._buffered = [], 0
            try:
                await self._put_segment(lines)
            except BaseException as error:
                self._buffer[:0] = lines
                self._buffered += sum(map(len, lines))
                if not isinstance(error, StoreError):
                    raise
                self._failure, self._failing = error, True
            else:
                self._failing = False
                self.position = newest

    async def _put_segment(self, lines: list[bytes]) -> None:
        """Store `lines` and take them from the list, in segments of which a small store holds at least the first."""
        while lines:
            key, count = _segment(self._prefix, self._next), _head(lines)
            if await self._put_new(key, b"".join(lines[:count])):
                del lines[:count]
            else:
                # Another writer was there first; or this one, whose answer got lost.
                lines[:] = self._without(lines, parsed(await self._store.get_bytes(key)))
            self._next += 1

    async def _put_new(self, key: str, data: bytes) -> bool:
        try:
            return await self._store.put_new(key, data)
        except CannotRefuse:
            await self._store.put_bytes(key, data)
            return True

    def _without(self, lines: list[bytes], stored: list[LogLine]) -> list[bytes]:
        """What `stored`, a segment with the same beginning, lacks of `lines`."""
        texts: set[str] = set()
        count = 0
        for line in stored:
            if line.text.startswith(OUR_MARK):
                self._marked.add(line)
                texts.add(line.text)
            else:
                count += 1
        rest: list[bytes] = []
        for data in lines:
            (line,) = parsed(data)
            if data in self._ours:
                known = line.text in texts
            elif line.text.startswith(OUR_MARK):
                known = self._marked.take(line)
            else:
                known = count > 0
                count -= known
            if not known:
                rest.append(data)
        self._ahead += count
        return rest

    async def detach(self, *, within: float | None = None) -> None:
        """Store what waits, for so many seconds at most, and leave the log open for the next writer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.flush()

    async def finish(self) -> None:
        """Store what waits and say that no more will come."""
        self.holds = False
        await self.detach()
        begun = time.monotonic()
        for _ in range(_LAST_CALLS - 1):
            if not self._buffer or time.monotonic() - begun >= _LAST_SECONDS:
                break
            await asyncio.sleep(_PAUSE)
            await self.flush()
        self._lost_lines += len(self._buffer)
        if self._buffer and isinstance(self._failure, StoreSilent):
            return
        end = json.dumps({"segments": self._next - 1}).encode()
        try:
            await self._store.put_bytes(f"{self._prefix}log/{_END}", end)
        except StoreError as error:
            self._failure = error

    def _take(self, line: LogLine) -> None:
        if line.text.startswith(OUR_MARK):
            if not self._marked.take(line):
                self._put(line)
            return
        if self._ahead:
            self._ahead -= 1
            return
        if self._stored is not None:
            if self._stored.has(line):
                return
            if self._stored.behind:
                self._stored = None
        self._put(line)

    def _put(self, line: LogLine) -> None:
        if self._failing and self._buffered >= BACKLOG_BYTES:
            self._lost_lines += 1
            return
        data = encoded(line)
        self._buffer.append(data)
        self._buffered += len(data)
        self._newest = line.timestamp

    def _flush_in_time(self) -> None:
        if self._buffer and self._timer is None:
            self._timer = asyncio.create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        await asyncio.sleep(FLUSH_SECONDS)
        # While it stores it is still the timer: a store that hangs must not gather them. Storing is never broken off.
        await asyncio.shield(self.flush())
        self._timer = None
        if self._buffer and self._timer is None:
            self._timer = asyncio.create_task(self._flush_soon())


def _head(lines: list[bytes]) -> int:
    """How many of them make a segment."""
    size = 0
    for count, line in enumerate(lines, 1):
        size += len(line)
        if size >= FLUSH_BYTES:
            return count
    return len(lines)


class LogReader:
    """Reads the log of one try, also while it is being written."""

    def __init__(self, store: Store, try_prefix: str) -> None:
        self._store = store
        self._prefix = try_prefix

    async def lines(self) -> AsyncIterator[LogLine]:
        """All that is there now, from the beginning."""
        async for segment in self.segments():
            for line in parsed(segment):
                yield line

    async def segments(self) -> AsyncIterator[bytes]:
        """The same as it is stored: whole lines, each with its end."""
        number = 1
        while (segment := await self._get(_segment(self._prefix, number))) is not None:
            yield segment
            number += 1

    async def follow(self, stopped: Callable[[], bool] = lambda: False) -> AsyncIterator[LogLine]:
        """All lines as they come, until the log has its end or `stopped()` and all that is there was read.

        Raises:
            StoreError: the store cannot be read.
        """
        number = 1
        while True:
            # Asked before reading: what was written until then is surely seen by the read that follows.
            last = stopped() or await self._store.exists(f"{self._prefix}log/{_END}")
            while (segment := await self._get(_segment(self._prefix, number))) is not None:
                for line in parsed(segment):
                    yield line
                number += 1
            if last:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _get(self, key: str) -> bytes | None:
        try:
            return await self._store.get_bytes(key)
        except ObjectNotFound:
            return None
