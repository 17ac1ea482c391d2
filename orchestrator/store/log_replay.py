"""Lines as they are stored, and which of them a log that is read again from its beginning has been stored with."""

import hashlib
from collections import Counter
from typing import Final, NamedTuple

OUR_MARK: Final = "orca: "
"""Begins the lines that are put between a container's own, and what a container may say as well."""
_MARK: Final = OUR_MARK.encode()


class LogLine(NamedTuple):
    """One line. `timestamp` is Docker's own, UTC, always 30 characters; `text` has no line end."""

    timestamp: str
    text: str


def encoded(line: LogLine) -> bytes:
    """As it is stored."""
    return f"{line.timestamp} {line.text}\n".encode(errors="replace")


def parsed(segment: bytes) -> list[LogLine]:
    """The lines of a segment."""
    lines = segment.decode(errors="replace").split("\n")
    return [LogLine(stamp, text) for stamp, _, text in (line.partition(" ") for line in lines if line)]


class Marked:
    """Stored lines that begin with `OUR_MARK`.

    Which of them are a container's own shows when it says them again: the time, to the nanosecond, and the text are
    the same. Nothing but that is to be trusted, since a container can say whatever we do.
    """

    def __init__(self) -> None:
        self._stored: Counter[bytes] = Counter()

    def add(self, line: LogLine) -> None:
        """Take down a line that is stored."""
        self._stored[_digest(line)] += 1

    def take(self, line: LogLine) -> bool:
        """Whether this very line is stored; it is so once for each time that it was added."""
        digest = _digest(line)
        if not self._stored[digest]:
            return False
        self._stored[digest] -= 1
        return True


class Stored:
    """Tells, while a log is replayed from its beginning, which lines an earlier writer stored.

    By counting, since times need not be unique or in order. Where the engine has rotated the beginning away,
    by time. Lines that begin with `OUR_MARK` are left to `Marked`.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first = ""
        self.last = ""
        self.behind = False
        self.marked = Marked()
        self.notes: list[str] = []
        """Texts of the lines that begin with `OUR_MARK`."""
        self._by_count: bool | None = None

    def add(self, segment: bytes) -> None:
        """Take down a segment's lines."""
        if _MARK in segment:
            segment = b"".join(encoded(line) for line in parsed(segment) if not self._mark(line))
        if segment:
            # Counted and not read: a log may be large.
            self.count += segment.count(b"\n")
            self.first = self.first or _stamp(segment, 0)
            self.last = _stamp(segment, segment.rfind(b"\n", 0, -1) + 1)

    def _mark(self, line: LogLine) -> bool:
        if not line.text.startswith(OUR_MARK):
            return False
        self.marked.add(line)
        self.notes.append(line.text)
        return True

    def has(self, line: LogLine) -> bool:
        """Whether the next line of the replay, which does not begin with `OUR_MARK`, was stored."""
        if self._by_count is None:
            self._by_count = line.timestamp == self.first
        if self._by_count:
            known = self.count > 0
            self.count -= 1
        else:
            known = line.timestamp <= self.last
        self.behind = not known
        return known


def _digest(line: LogLine) -> bytes:
    return hashlib.blake2b(encoded(line), digest_size=12).digest()


def _stamp(segment: bytes, start: int) -> str:
    """The time of the line that begins there."""
    return segment[start : start + 64].split(b" ", 1)[0].decode(errors="replace")
