"""The words of a list of shell commands, as far as quoting depends on them.

Which word is a command, which `)` only ends a `case` pattern, and where the shell calculates with what it is given.
Knows nothing of quotes: a part of a word that is not plain letters comes as a NUL.
"""

import re
from dataclasses import dataclass, field
from typing import Final

_CASE: Final = "case"
_KEYWORDS: Final = ("if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", _CASE, "esac")
_DECLARATIONS: Final = ("declare", "typeset", "local", "readonly", "export")
_ARITHMETIC_TESTS: Final = ("-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v")


@dataclass(slots=True)
class CommandList:
    """Where in a list of commands the walk is: which word begins one, and which `)` ends a `case` pattern."""

    open: list[str] = field(default_factory=list[str])
    word: str | None = None
    """The word so far, with a NUL for each part that is not plain letters; None between words."""
    first: bool = True
    """Whether the next word can be a command."""
    command: str = ""
    calculates: bool = False
    """Whether this command evaluates its arguments as arithmetic."""
    tested: list[int] | None = None
    """The holes seen since `[[`."""

    def add(self, text: str) -> None:
        """Lengthen the word by `text`."""
        self.word = (self.word or "") + text

    def end_word(self) -> list[int]:
        """End the word, if there is one. Gives the holes of a `[[ … ]]` that calculates, when this word shows it."""
        word, self.word = self.word, None
        if word is None:
            return []
        if self.tested is not None:
            return self._tested(word)
        if self.first:
            self._first(word)
        elif self.command in _DECLARATIONS and re.fullmatch(r"-[A-Za-z]*i[A-Za-z]*", word):
            self.calculates = True
        return []

    def begins_arithmetic(self) -> bool:
        """Whether a `((` here begins a calculation: as a command, or after `for`."""
        return self.tested is None and (self.first or self.command == "for")

    def end_command(self) -> None:
        """End the command: what comes next can be another."""
        self.first, self.command, self.calculates = True, "", False
        if self.tested is not None:
            self.tested = []  # another test inside the same "[["

    def closes(self) -> bool:
        """Whether a `)` here ends what these commands stand in."""
        if not self.open:
            return True
        if self.open[-1] == "(":
            self.open.pop()
        return False

    def _first(self, word: str) -> None:
        if word == _CASE:
            self.open.append(_CASE)
        elif word == "esac" and self.open[-1:] == [_CASE]:
            self.open.pop()
        self.first = word in _KEYWORDS and word != _CASE
        self.command = word
        self.calculates = word in ("let", "integer")
        self.tested = [] if word == "[[" else None

    def _tested(self, word: str) -> list[int]:
        holes = self.tested or []
        self.calculates = self.calculates or word in _ARITHMETIC_TESTS
        if word == "]]":
            self.tested = None
        elif self.calculates:
            self.tested = []
        return holes if self.calculates else []
