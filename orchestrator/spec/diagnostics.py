"""What a finding in a spec is and how it prints. It finds nothing by itself.

Codes never change their meaning: scripts rely on them. `explanations/` has a text and an example for each.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning"]

MAX_DIAGNOSTICS: Final = 1000
"""A file that is wrong in more places than this is not a spec; the rest is counted, not shown."""
MAX_SHOWN_LINE: Final = 400
"""Characters; the line of a finding is left out when it is longer (generated one-line JSON)."""
_MAX_COMPARISONS: Final = 100_000
"""Names that all suggestions for one file may be compared with, so that they stay cheap on huge specs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. `line` and `column` count from 1; `end` is the column after its last character."""

    code: str
    message: str
    file: str
    line: int
    column: int
    severity: Severity = "error"
    end: int | None = None
    suggestion: str | None = None
    """The word that was probably meant; printed as `did you mean '…'?`."""
    source_line: str = ""

    def __str__(self) -> str:
        """One line: `ci.yaml:12:15: error[E103]: job 'deploy' requires 'biuld', …; did you mean 'build'?`."""
        hint = f"; did you mean '{self.suggestion}'?" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {self.severity}[{self.code}]: {self.message}{hint}"

    def pretty(self, *, colour: bool = False) -> str:
        """The line of `str()`, then the source line and a caret under the place; with ANSI colours if asked."""
        paint = _COLOURS[self.severity] if colour else _PLAIN
        headline = str(self).replace(
            f" {self.severity}[{self.code}]:", f" {paint.strong(self.severity, self.code)}:", 1
        )
        if not self.source_line.strip():
            return headline
        number = f"{self.line:>5} | "
        before = self.source_line[: self.column - 1]
        marked = self.source_line[self.column - 1 : (self.end or self.column) - 1]
        pad = "".join("\t" if char == "\t" else " " * _width(char) for char in before)
        caret = "^" * max(1, sum(_width(char) for char in marked))
        return f"{headline}\n{number}{self.source_line}\n{' ' * 5} | {pad}{paint.mark(caret)}"

    def to_json(self) -> dict[str, str | int | None]:
        """For `-o json`: all fields by name, stable."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "end": self.end,
            "suggestion": self.suggestion,
            "source_line": self.source_line,
        }


@dataclass(frozen=True, slots=True)
class _Paint:
    """How a finding's severity and caret look on a terminal."""

    start: str
    end: str

    def strong(self, severity: str, code: str) -> str:
        return f"{self.start}{severity}[{code}]{self.end}"

    def mark(self, caret: str) -> str:
        return f"{self.start}{caret}{self.end}"


_PLAIN: Final = _Paint("", "")
_COLOURS: Final = {"error": _Paint("\x1b[1;31m", "\x1b[0m"), "warning": _Paint("\x1b[1;33m", "\x1b[0m")}


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the order of the source, each once, at most `MAX_DIAGNOSTICS` and then one that counts the rest."""
    unique = list(dict.fromkeys(diagnostics))
    unique.sort(key=lambda item: (item.line, item.column, item.code))
    if len(unique) <= MAX_DIAGNOSTICS:
        return tuple(unique)
    # An error must not fall behind the cut: warnings alone would let the spec pass.
    unique.sort(key=lambda item: item.severity != "error")
    kept, rest = unique[:MAX_DIAGNOSTICS], unique[MAX_DIAGNOSTICS:]
    kept.sort(key=lambda item: (item.line, item.column, item.code))
    first = rest[0]
    more = Diagnostic(
        code=first.code,
        severity=first.severity,
        message=f"and {len(rest)} more findings, which are not shown",
        file=first.file,
        line=first.line,
        column=first.column,
    )
    return (*kept, more)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is more than a warning."""
    return any(item.severity == "error" for item in diagnostics)


class Suggester:
    """Finds the name that was probably meant, and stops looking when a file has too many unknown names."""

    def __init__(self) -> None:
        self._left = _MAX_COMPARISONS

    def closest(self, word: str, known: Sequence[str]) -> str | None:
        """The name in `known` that is most like `word`, or None when none is like it."""
        self._left -= len(known)
        if self._left < 0 or len(word) > 100:
            return None
        by_lower = {name.lower(): name for name in reversed(known)}
        found = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
        return by_lower[found[0]] if found else None


def _width(char: str) -> int:
    """Terminal columns that a character takes."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
