"""Turns a container's raw log into what people read: marks become `$ command` and `[0.4 s, exit 0]`. Pure.

The same raw log always gives the same lines, so that a log can be replayed after a crash and continued.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from orchestrator.store.logs import LogLine
from workers.engine.interface import LogEntry

TAIL_LINES: Final = 10
_MAX_HEADER: Final = 200
_MARK: Final = re.compile(
    r"begin:(?P<index>\d{1,6})|end:(?P<outputs>[01])(?P<whole>:whole)?(:(?P<code>\d{1,3}))?"
)


class Transcript:
    """The state of reading one container's log."""

    def __init__(self, commands: Sequence[str], mark: str) -> None:
        self._commands = commands
        self._mark = mark
        self._began = ""
        self._open = False
        self.current: int | None = None
        """Index of the command that began last; None before the first, which means no shell ever ran."""
        self.outputs_written: bool | None = None
        """What the script said at its end; None while, or where, it did not get there."""
        self.whole = False
        """Whether it came behind its last command."""
        self.code: int | None = None
        """The exit code with which it said that it ends; earlier versions' scripts do not say it."""
        self.ended_at = ""
        """When the script got to its end."""
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        """The last lines that the commands printed."""

    def feed(self, entries: Iterable[LogEntry]) -> list[LogLine]:
        """The lines that `entries` become."""
        lines: list[LogLine] = []
        for entry in entries:
            place = entry.text.find(self._mark)
            if place < 0:
                self._print(entry.timestamp, entry.text, lines)
                continue
            found = _MARK.fullmatch(entry.text, place + len(self._mark))
            if found is None:
                continue  # The shell's own trace (`set -x`) of our mark.
            if place:
                self._print(entry.timestamp, entry.text[:place], lines)
            if found["index"] is not None:
                self._begin(int(found["index"]), entry.timestamp, lines)
            else:
                self.outputs_written = found["outputs"] == "1"
                self.whole = found["whole"] is not None
                self.code = None if found["code"] is None else int(found["code"])
                self.ended_at = entry.timestamp
        return lines

    def close(self, exit_code: int, timestamp: str) -> list[LogLine]:
        """The line that ends the last command, when the container has ended with `exit_code`."""
        if not self._open:
            return []
        self._open = False
        return [_footer(self._began, self.ended_at or timestamp, exit_code)]

    def _print(self, timestamp: str, text: str, lines: list[LogLine]) -> None:
        lines.append(LogLine(timestamp, text))
        if text.strip():
            self.tail.append(text)

    def _begin(self, index: int, timestamp: str, lines: list[LogLine]) -> None:
        if self._open:
            lines.append(_footer(self._began, timestamp, 0))
        self.current, self._began, self._open = index, timestamp, True
        command = self._commands[index] if index < len(self._commands) else ""
        lines.append(LogLine(timestamp, f"$ {first_line(command, limit=_MAX_HEADER)}"))


def first_line(text: str, *, limit: int) -> str:
    """The first line of `text` with something in it, and `…` where more was left out."""
    stripped = text.strip()
    line = stripped.split("\n", 1)[0].rstrip()
    return line if line == stripped and len(line) <= limit else f"{line[:limit]} …"


def _footer(began: str, ended: str, exit_code: int) -> LogLine:
    seconds = max(0.0, _unix(ended) - _unix(began))
    return LogLine(ended, f"[{seconds:.1f} s, exit {exit_code}]")


def _unix(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp[:26] + "+00:00").timestamp()
