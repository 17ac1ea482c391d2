"""Where things stand in a spec's text: marks beside the data, and `Source`, which finds them by path.

A path names a value as in `("jobs", "build", "commands", 0)`. Marks count from 0, as the YAML reader does;
what people see (`Spot`) counts from 1. Lookups are lazy: a spec without findings never pays for its lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

from orchestrator.spec import text as texts
from orchestrator.spec.diagnostics import MAX_SHOWN_LINE, Diagnostic, Severity

Path = tuple[str | int, ...]

_LONG_TEXT: Final = 20_000
"""Characters beyond which a place inside a text is not looked for: thousands of findings in it would take minutes."""
_SPELLINGS: Final[tuple[tuple[str, dict[int, str]], ...]] = (
    ("", {}),
    ('"', {ord("\\"): "\\\\", ord('"'): '\\"'}),
    ("'", {ord("'"): "''"}),
)
"""How a text can stand in one line: the quotes around it, and the characters that it writes twice inside them."""
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")


class Mark(NamedTuple):
    """Where a value begins, from 0, and what is inside it."""

    line: int
    column: int
    inside: "dict[str, KeyMark] | list[Mark] | str | None"
    """The marks of what a mapping or list holds; the text of a scalar that is not text; None for text."""


class KeyMark(NamedTuple):
    """Where a key begins, from 0, and its value's mark."""

    line: int
    column: int
    value: Mark


class Spot(NamedTuple):
    """A place for people: line and column from 1; `end` is the column after it, where it is known."""

    line: int
    column: int
    end: int | None = None


@dataclass(frozen=True)
class Source:
    """A read spec: its plain data and where each part of it stands."""

    file: str
    text: str
    data: Any
    root: Mark

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines."""
        return texts.lines(self.text)

    def mark(self, path: Path) -> Mark:
        """The mark of the value at `path`, or of the deepest value on the way that exists."""
        return self._find(path)[0]

    def key(self, path: Path) -> Spot:
        """Where the last key of `path` stands, or the deepest key on the way that exists."""
        _, key = self._find(path)
        if key is None:
            return self.value(path)
        name = path[-1] if path else ""
        return spot(self.lines, key.line, key.column, str(name))

    def value(self, path: Path) -> Spot:
        """Where the value at `path` stands, or the deepest value on the way that exists."""
        mark, _ = self._find(path)
        written = mark.inside if isinstance(mark.inside, str) else self._text_at(path)
        return spot(self.lines, mark.line, mark.column, written or "")

    def inside(self, path: Path, offset: int, length: int = 0) -> Spot:
        """Where the `length` characters from `offset` on of the text value at `path` stand.

        Exact for plain and quoted one-line texts and for literal blocks; for a word also in folded texts. Else, and
        with escapes in double quotes that are not just of a quote or backslash, it is the value's beginning.
        """
        value, mark = self._text_at(path), self.mark(path)
        start = Spot(mark.line + 1, mark.column + 1)
        if value is None or mark.line >= len(self.lines) or len(value) > _LONG_TEXT:
            return start
        shown = self.lines[mark.line][mark.column :]
        for quote, doubled in _SPELLINGS:
            if shown.startswith(f"{quote}{value.translate(doubled)}{quote}"):
                column = mark.column + 1 + len(quote) + len(value[:offset].translate(doubled))
                width = len(value[offset : offset + length].translate(doubled))
                return Spot(mark.line + 1, column, column + width if width else None)
        if shown.startswith("|"):
            before = value[:offset].split("\n")
            number = mark.line + len(before)
            wanted = value.split("\n")[len(before) - 1]
            at = self.lines[number].find(wanted) if number < len(self.lines) else -1
            if at < 0:
                return start
            column = at + 1 + len(before[-1])
            width = min(length, len(wanted) - len(before[-1]))
            return Spot(number + 1, column, column + width if width else None)
        word = value[offset : offset + length]
        if not word or len(word.split()) != 1 or not shown.startswith((">", value.split(maxsplit=1)[0])):
            return start
        return self._folded(word, value.count(word, 0, offset), mark) or start

    def _folded(self, word: str, before: int, mark: Mark) -> Spot | None:
        """Where `word` stands in the folded text at `mark`, in which it comes `before` times before that.

        Folding changes nothing but the white space between words.
        """
        column = mark.column
        for number in range(mark.line, len(self.lines)):
            line = self.lines[number]
            while (at := line.find(word, column)) >= 0:
                if before == 0:
                    return Spot(number + 1, at + 1, at + 1 + len(word))
                before -= 1
                column = at + len(word)
            column = 0
        return None

    def without(self, items: Sequence[Path]) -> "Source":
        """The same where these items of lists were taken out, one after the other, so that paths fit what is left."""
        data, root = self.data, self.root
        for path in items:
            data, root = _less(data, path), _unmarked(root, path)
        return replace(self, data=data, root=root)

    def diagnostic(
        self,
        code: str,
        message: str,
        *,
        at: Spot,
        suggestion: str | None = None,
        severity: Severity = "error",
    ) -> Diagnostic:
        """A finding in this file."""
        line = self.lines[at.line - 1] if at.line <= len(self.lines) else ""
        return Diagnostic(
            code=code,
            # Names can hold what YAML escapes wrote; a terminal must not obey it, and a finding is one line.
            message=_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", message),
            file=self.file,
            line=at.line,
            column=at.column,
            end=at.end,
            severity=severity,
            suggestion=suggestion,
            source_line=line if len(line) <= MAX_SHOWN_LINE else "",
        )

    def _find(self, path: Path) -> tuple[Mark, KeyMark | None]:
        mark, key = self.root, None
        for step in path:
            inside = mark.inside
            if isinstance(inside, dict) and isinstance(step, str) and step in inside:
                key = inside[step]
                mark = key.value
            elif isinstance(inside, list) and isinstance(step, int) and step < len(inside):
                mark = inside[step]
            else:
                break
        return mark, key

    def _text_at(self, path: Path) -> str | None:
        value = self.data
        for step in path:
            if isinstance(value, str):
                break  # a text alone stands for a list of one
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                break
        return value if isinstance(value, str) else None


def _less(value: Any, path: Path) -> Any:
    """A copy of plain data without the list item at `path`; what is not there is no matter."""
    step = path[0]
    if isinstance(value, list) and isinstance(step, int):
        items = cast("list[Any]", value)
        if step >= len(items):
            return items
        inner = [_less(items[step], path[1:])] if len(path) > 1 else []
        return [*items[:step], *inner, *items[step + 1 :]]
    if isinstance(value, dict) and step in value and len(path) > 1:
        mapping = cast("dict[Any, Any]", value)
        return {**mapping, step: _less(mapping[step], path[1:])}
    return cast("Any", value)


def _unmarked(mark: Mark, path: Path) -> Mark:
    """The same of marks."""
    step, inside = path[0], mark.inside
    if isinstance(inside, list) and isinstance(step, int) and step < len(inside):
        inner = [_unmarked(inside[step], path[1:])] if len(path) > 1 else []
        return mark._replace(inside=[*inside[:step], *inner, *inside[step + 1 :]])
    if isinstance(inside, dict) and isinstance(step, str) and step in inside and len(path) > 1:
        key = inside[step]
        return mark._replace(inside={**inside, step: key._replace(value=_unmarked(key.value, path[1:]))})
    return mark


def spot(lines: Sequence[str], line: int, column: int, written: str) -> Spot:
    """The place, with its end where `written` stands there as it is."""
    shown = lines[line] if line < len(lines) else ""
    end = None
    for quote in ("", '"', "'"):
        if written and shown.startswith(f"{quote}{written}{quote}", column):
            end = column + 1 + len(written) + 2 * len(quote)
            break
    return Spot(line + 1, column + 1, end)
