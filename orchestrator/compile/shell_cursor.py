"""A place in a shell's text, what has been written up to there, and what is written for a hole. No quoting."""

from collections.abc import Mapping
from typing import Final, Protocol

from orchestrator.compile.shell_words import Word

MAX_NESTING: Final = 50
ARITHMETIC: Final = "it stands in arithmetic, which runs code that a value carries"
"""Why there is no place for a value in `$(( … ))`."""


class Places(Protocol):
    """What is written for a hole, and what is said of one that nothing can be written for."""

    def name(self, hole: int) -> str:
        """The variable that has the value of hole number `hole`."""
        ...

    def is_number(self, hole: int) -> bool:
        """Whether the value of hole number `hole` can be nothing but a number, so that it carries no code."""
        ...

    def refuse(self, hole: int, why: str) -> None:
        """Hole number `hole` stands where its value cannot be made safe, because of `why`."""
        ...


class TooDeep(Exception):
    """Substitutions or compound commands are nested deeper than `MAX_NESTING`."""


class Cursor:
    """A place in `text`, in which each place in `holes` is a hole and has a NUL.

    Args:
        text: the command.
        holes: the number of the hole at each place that is one.
        places: what is written for them.
        shell: the shell's bare name.
        nesting: how many substitutions are around `text`.
    """

    def __init__(
        self, text: str, holes: Mapping[int, int], places: Places, *, shell: str, nesting: int = 0
    ) -> None:
        self._text = text
        self._holes = holes
        self._places = places
        self._shell = shell
        self._nesting: int = nesting
        self._depth: int = 0
        """How many compound commands are open around the place."""
        self._at = 0
        self._end = len(text)
        self._out: list[str] = []
        self._word = Word()
        self._forbidden: str | None = None
        self._lost: str | None = None

    def _copy(self, length: int) -> None:
        length = min(length, self._end - self._at)
        self._out.append(self._text[self._at : self._at + length])
        self._at += length

    def _take(self, length: int) -> None:
        """Copy what is part of the word at hand."""
        self._word.add(self._text[self._at : min(self._at + length, self._end)])
        self._copy(length)

    def _ahead(self, text: str) -> bool:
        return self._text.startswith(text, self._at, self._end)

    def _hole(self, before: str, after: str) -> None:
        hole = self._holes[self._at]
        self._at += 1
        self._word.add_hole(hole)
        why = self._forbidden or self._lost
        if why == ARITHMETIC and self._places.is_number(hole):
            why = self._lost
        if why is None:
            self._out.append(f"{before}${{{self._places.name(hole)}}}{after}")
        else:
            self._places.refuse(hole, why)

    def _comment(self) -> None:
        while self._at < self._end and (self._at in self._holes or self._text[self._at] != "\n"):
            if self._at in self._holes:
                self._out.append("[value]")
                self._at += 1
            else:
                self._copy(1)

    def _forbid(self, why: str) -> str | None:
        """Refuse holes from here on. Gives what to restore `_forbidden` to."""
        before = self._forbidden
        self._forbidden = before or why
        return before

    def _refuse_until(self, end: int) -> None:
        """Copy the text up to `end`; a hole in it is refused."""
        while self._at < min(end, self._end):
            if self._at in self._holes:
                self._hole("", "")
            else:
                self._take(1)
