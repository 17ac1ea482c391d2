"""What a finding in a spec is, how it prints, and the table of all codes.

Codes never change their meaning: scripts rely on them. This module describes; it finds nothing by itself.
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
_MAX_COMPARISONS: Final = 300_000
"""Names that all suggestions for one file may be compared with, so that they stay cheap on huge specs."""

EXPLANATIONS: Final[dict[str, str]] = {
    "E001": (
        "The file is larger than a spec may be (10 MB). Ship data as part of the workspace and let a job "
        "read it."
    ),
    "E002": ("The file is not UTF-8 text. Save it as UTF-8, without a byte order mark or with UTF-8's own."),
    "E003": (
        "The file holds a control character that YAML does not allow. Remove it, or write it as an escape "
        'such as "\\x1b" in double quotes.'
    ),
    "E004": (
        "The text is not valid YAML. The place is where the reader gave up, which is often one line after "
        "the mistake: look for a missing quote, bracket or colon and for wrong indentation."
    ),
    "E005": (
        "A mapping has the same key twice. YAML readers that accept this drop one value silently, so orca "
        "does not."
    ),
    "E006": (
        "A key is not text. Keys such as 1, true or null must be written in quotes; lists and mappings "
        "cannot be keys."
    ),
    "E007": (
        "The text holds a YAML tag (`!name` or `!!name`). Specs are plain data: tags are not supported. A "
        "value that begins with an exclamation mark belongs in quotes."
    ),
    "E008": ("The file holds more than one YAML document. One file is one workflow: split it at the `---`."),
    "E009": ("An alias (`*name`) names an anchor (`&name`) that does not exist before it in the file."),
    "E010": (
        "An alias stands inside the very value that its anchor names, so the value would contain itself."
    ),
    "E011": (
        "The file has more values than a spec may have once its aliases are written out, or its aliases "
        "multiply their content beyond all use. Use fewer aliases, or split the workflow."
    ),
    "E012": ("Lists and mappings are nested deeper than 100 levels."),
    "E013": ("A number does not fit into 64 bits. If it is a name, a version or a hash, put it in quotes."),
    "E014": ("The file is empty. A spec needs at least `name` and `jobs`."),
    "E015": ("A merge key (`<<`) must be followed by an alias of a mapping, a mapping, or a list of these."),
    "E101": (
        "A key is not part of the language at this place. Keys are never ignored, as a mistyped `requires` "
        "would change what runs."
    ),
    "E102": ("A value has the wrong type or is out of range. The message says what may stand there."),
    "E103": ("A job is named that does not exist in this file."),
    "E104": ("A key that must be there is missing."),
    "E105": (
        "Jobs wait for each other in a cycle, so that none of them could ever start. The message names "
        "every job of the cycle in order. Remove one of its edges."
    ),
    "E106": (
        "A job can never start, whatever happens: its conditions exclude each other, ask for an end that "
        "the job they name cannot have, or wait for a job that is itself unreachable."
    ),
    "E107": (
        "Two jobs are to run in parallel, but one of them waits for the other, directly or through further "
        "jobs."
    ),
    "E108": (
        "The key, value or context belongs to the language but this version of orca does not know it yet."
    ),
    "E109": (
        "A name is not allowed. Names of jobs, params and outputs begin with a letter or `_`, go on with "
        "letters, digits, `_` and `-`, have at most 100 characters, and no two differ only in case."
    ),
    "E110": (
        "Artifacts are taken from a job that is not upstream, so they need not exist when this job starts."
    ),
    "E111": (
        "A param contradicts itself: its default or an allowed value has another type, is not among the "
        "allowed values, or does not match the pattern; or the pattern is not a regular expression."
    ),
    "E112": (
        "A job that runs in the normal flow cannot run in parallel with one that runs after everything else."
    ),
    "E113": ("The jobs have more dependencies than a plan may hold once `parallel_with` is written out."),
    "E201": ("An expression cannot be parsed. The position points into the `${{ }}` where that is possible."),
    "E202": (
        "An expression begins with a name that is not a context, such as `params`, `env`, `jobs`, `run` or "
        "`git`."
    ),
    "E203": (
        "An expression reads a job that need not have ended when it is evaluated. A job may read the jobs "
        "that it waits for, directly or through others; a job that runs after everything else may read all "
        "normal jobs; the workflow's `outputs` may read every job."
    ),
    "E204": ("An expression calls a function that does not exist."),
    "E205": ("A function is called with too many or too few arguments."),
    "E206": ("An expression reads a param that the spec does not declare."),
    "E207": (
        "Text beside `${{ }}` in a condition makes it text, and text that is not empty counts as true. "
        "Write the whole condition inside one `${{ }}`."
    ),
    "E208": (
        "The context exists but has no values at this place: the workflow's own `env` is shared by all jobs "
        "and cannot read what single jobs left, and only conditions may ask how things stand (`success()`, "
        "`failure()`)."
    ),
    "E209": (
        "An expression stands at a place in a command where its value could not reach the shell safely. "
        "Give it to the job as an `env` value and use that variable in double quotes."
    ),
    "E210": ("An expression has only constants and fails when it is computed."),
    "W101": (
        "An expression reads an `env` name that neither the workflow nor the job sets. It will be empty."
    ),
    "W102": ("The condition is constant and says no: the job will be skipped in every run."),
    "W103": (
        "Names that begin with `ORCA_` are set by orca in each container and replace values of the same name."
    ),
    "W104": (
        "An expression reads an output that the job does not list among its `outputs`. It may well be empty."
    ),
}
"""Every code with one paragraph for a person who meets it for the first time."""


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
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
