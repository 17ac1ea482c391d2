"""What a function prints and logs goes to its job's log, as lines, with the time at which they were said.

A context variable tells whose call a line belongs to, so that calls beside one another keep apart. Threads that a
function starts by itself have none: what they print stands in the worker's own output.
"""

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TextIO

from orchestrator.store.logs import MAX_LINE, LogLine, LogWriter, timestamp_now

BACKLOG: Final = 2000
"""Lines that wait for the store; whoever says more waits too."""
PUMP_SECONDS: Final = 0.1

speaking: Final[ContextVar["Voice | None"]] = ContextVar("speaking", default=None)
"""The call that the current code belongs to."""


class Voice:
    """One call's lines, from its threads to the writer of its log.

    `say` and `write` wait for room, which only the loop makes: they are for all threads but the loop's. The rest is for
    the loop's.
    """

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self._lines: list[LogLine] = []
        self._begun = ""
        self._changed = threading.Condition()
        self._closed = False
        self._pump = asyncio.create_task(self._pumping())

    def say(self, text: str) -> None:
        """Add a line, or several."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Add text; what has no line end yet waits for the rest of its line. After the end nothing is taken."""
        with self._changed:
            *whole, self._begun = (self._begun + text).split("\n")
            if len(self._begun) > MAX_LINE:
                whole.append(self._begun)
                self._begun = ""
            if not whole:
                return
            self._changed.wait_for(lambda: self._closed or len(self._lines) < BACKLOG)
            self._take(whole)

    def tell(self, text: str) -> None:
        """Add a line, or several, without waiting for room."""
        with self._changed:
            begun, self._begun = self._begun, ""
            self._take([*([begun] if begun else []), *text.split("\n")])

    async def close(self) -> None:
        """Hand over all that was said. The log itself stays open."""
        self._pump.cancel()
        await asyncio.wait({self._pump})
        with self._changed:
            if self._begun:
                self._lines.append(LogLine(timestamp_now(), self._begun))
            self._closed = True
            self._changed.notify_all()
        await self._hand_over()

    def _take(self, lines: list[str]) -> None:
        if not self._closed:
            now = timestamp_now()
            self._lines += [LogLine(now, line.rstrip("\r")) for line in lines]

    async def _pumping(self) -> None:
        while True:
            await asyncio.sleep(PUMP_SECONDS)
            await self._hand_over()

    async def _hand_over(self) -> None:
        with self._changed:
            lines, self._lines = self._lines, []
            self._changed.notify_all()
        if lines:
            # Whole also where the pump is cancelled: what was taken from the list is nowhere else.
            await asyncio.shield(self._writer.append(lines))


class _Ear(io.TextIOBase):
    """Stands for standard output or error: what a call says goes to its voice, all else to where it went before."""

    def __init__(self, before: TextIO) -> None:
        self._before = before

    def write(self, text: str, /) -> int:
        if (voice := speaking.get()) is None:
            return self._before.write(text)
        voice.write(text)
        return len(text)

    def flush(self) -> None:
        if speaking.get() is None:
            self._before.flush()

    def isatty(self) -> bool:
        return speaking.get() is None and self._before.isatty()

    def fileno(self) -> int:
        return self._before.fileno()

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._before.encoding


class _LogEar(logging.Handler):
    """Takes the `logging` records of calls."""

    def emit(self, record: logging.LogRecord) -> None:
        if (voice := speaking.get()) is not None:
            voice.say(self.format(record))


@contextmanager
def listening() -> Generator[None]:
    """Inside the block, what calls print and log goes to their jobs' logs."""
    ear = _LogEar()
    ear.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    out, err = sys.stdout, sys.stderr
    ears = _Ear(out), _Ear(err)
    root.addHandler(ear)
    sys.stdout, sys.stderr = ears
    try:
        yield
    finally:
        root.removeHandler(ear)
        # Whoever has replaced them since (a test's own capture) puts them back.
        if sys.stdout is ears[0]:
            sys.stdout = out
        if sys.stderr is ears[1]:
            sys.stderr = err
