"""Spec text to plain data, with a place in the text for every key and value. The only importer of yaml.

Works on the reader's events, one at a time, and keeps its own stack: nesting cannot exhaust Python's, and
aliases are counted before they cost anything. It knows YAML and nothing of what a spec may contain.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import yaml

from orchestrator.spec import text as texts
from orchestrator.spec import yaml_words
from orchestrator.spec.diagnostics import MAX_DIAGNOSTICS, Diagnostic
from orchestrator.spec.places import KeyMark, Mark, Source, Spot, spot
from orchestrator.spec.scalars import NumberRangeError, resolve

MAX_BYTES: Final = texts.MAX_BYTES
"""A spec's largest size; whoever reads a file need not read more than one byte beyond it."""
MAX_DEPTH: Final = 100
MAX_WEIGHT: Final = 600_000
"""Values in a file once its aliases are written out; long texts count once for each 100 characters."""
MAX_RATIO: Final = 100
"""How many times over aliases may multiply what is written, once there are more than `FREE_WEIGHT` values."""
FREE_WEIGHT: Final = 100_000

_EVENT_READER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C reader where PyYAML was built with it; the pure one gives the same events, slower."""
_IGNORED: Final = object()
"""Stands for a key whose value is read but not kept."""
_MERGE: Final = object()
"""Stands for the key `<<`."""


def read_source(data: str | bytes, file: str) -> tuple[Source | None, tuple[Diagnostic, ...]]:
    """Reads the text of a spec.

    Args:
        data: The file's content.
        file: How diagnostics name the file.

    Returns:
        The source, or None where no data could be had, and every finding (codes E001 to E015). A source can
        come with errors, for instance duplicate keys; it then holds what is left without them.
    """
    try:
        text = texts.decode(data)
    except texts.TextError as problem:
        empty = Source(file=file, text="", data=None, root=Mark(0, 0, None))
        at = Spot(problem.line + 1, problem.column + 1)
        return None, (empty.diagnostic(problem.code, problem.message, at=at),)
    builder = _Builder()
    fatal = builder.read(text)
    source = Source(file=file, text=text, data=builder.data, root=builder.root)
    found = tuple(
        source.diagnostic(code, message, at=spot(source.lines, line, column, written))
        for code, message, line, column, written in builder.problems
    )
    return (None if fatal else source), found


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    data: Any
    inside: Any
    line: int
    column: int
    anchor: str | None
    weight: int = 1
    height: int = 1
    key: Any = None
    key_line: int = 0
    key_column: int = 0
    merges: list[tuple[Any, Mark]] = field(default_factory=list[tuple[Any, Mark]])


class _Anchored(NamedTuple):
    data: Any
    mark: Mark
    weight: int
    height: int


class _FatalError(Exception):
    """Reading on makes no sense; the last problem says why."""


class _Builder:
    """Makes data and marks out of the reader's events."""

    def __init__(self) -> None:
        self.data: Any = None
        self.root = Mark(0, 0, None)
        self.problems: list[tuple[str, str, int, int, str]] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._written = 0
        self._weight = 0
        self._seen_root = False

    def read(self, text: str) -> bool:
        """Reads all of `text`; True when there is no usable data."""
        reader = _EVENT_READER(text)
        handlers = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            while (event := reader.get_event()) is not None:
                handler = handlers.get(event.__class__)
                if handler is not None:
                    handler(event)
        except _FatalError:
            return True
        except yaml.YAMLError as error:
            line, column, message = yaml_words.explain(error, text)
            self._problem("E004", message, line, column)
            return True
        finally:
            reader.dispose()
        if self.data is None and not self.problems:
            self._problem("E014", "the file is empty; a spec needs at least 'name' and 'jobs'", 0, 0)
        return self.data is None

    def _document(self, event: Any) -> None:
        if self._seen_root:
            mark = event.start_mark
            self._fatal(
                "E008", "a second document begins here; one file is one workflow", mark.line, mark.column
            )
        self._seen_root = True

    def _scalar(self, event: Any) -> None:
        mark, text = event.start_mark, event.value
        line, column = mark.line, mark.column
        plain = event.implicit[0] and not event.style
        self._no_tag(event)
        weight = 1 + len(text) // 100
        self._count(weight, line, column)
        value: Any = text
        if "\0" in text:
            self._problem("E003", "text cannot hold the character U+0000; remove the '\\0'", line, column)
        if plain:
            try:
                value = resolve(text)
            except NumberRangeError:
                self._problem(
                    "E013",
                    "the number does not fit into 64 bits; put it in quotes if it is text",
                    line,
                    column,
                    text[:100],
                )
        stack = self._stack
        if stack and (top := stack[-1]).key is None and top.data.__class__ is dict:
            self._key(top, value, text, line, column, plain=plain)
            if event.anchor:
                self._anchors[event.anchor] = _Anchored(value, Mark(line, column, None), weight, 0)
            return
        placed = Mark(line, column, None if value.__class__ is str else text)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, placed, weight, 0)
        self._add(value, placed, weight, 0)

    def _key(self, top: _Open, value: Any, text: str, line: int, column: int, *, plain: bool) -> None:
        top.key_line, top.key_column = line, column
        if value.__class__ is not str:
            shown = text if len(text) < 40 else text[:40] + "…"
            message = (
                f'a key must be text; write "{shown}" in quotes'
                if shown
                else "a key is missing before the ':'"
            )
            self._problem("E006", message, line, column, text)
            top.key = _IGNORED
        elif value == "<<" and plain:
            if top.merges:
                self._problem(
                    "E005",
                    "the key '<<' is already there; write one with a list of aliases",
                    line,
                    column,
                    text,
                )
            top.key = _MERGE
        elif value in top.data:
            first = top.inside[value]
            self._problem(
                "E005",
                f"the key '{_short(value)}' is already there, in line {first.line + 1}",
                line,
                column,
                value,
            )
            top.key = _IGNORED
        else:
            top.key = value

    def _open(self, event: Any) -> None:
        mark = event.start_mark
        line, column = mark.line, mark.column
        self._no_tag(event)
        self._count(1, line, column)
        stack = self._stack
        if len(stack) >= MAX_DEPTH:
            self._fatal("E012", f"lists and mappings are nested deeper than {MAX_DEPTH} levels", line, column)
        if stack and (top := stack[-1]).key is None and top.data.__class__ is dict:
            # The key is read like a value of its own list, which nobody keeps.
            self._problem("E006", "a key must be text, not a list or a mapping", line, column)
            top.key = _IGNORED
            stack.append(_Open([], [], line, column, None, key=_IGNORED))
        if event.anchor:
            self._anchors[event.anchor] = None
        is_map = event.__class__ is yaml.MappingStartEvent
        empty: Any = {} if is_map else []
        stack.append(_Open(empty, {} if is_map else [], line, column, event.anchor))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        if done.merges:
            self._merge(done)
        placed = Mark(done.line, done.column, done.inside)
        if done.anchor:
            self._anchors[done.anchor] = _Anchored(done.data, placed, done.weight, done.height)
        if self._stack and self._stack[-1].data.__class__ is list and self._stack[-1].key is _IGNORED:
            self._stack.pop()
            self._stack[-1].key = _IGNORED
            return
        self._add(done.data, placed, done.weight, done.height)

    def _alias(self, event: Any) -> None:
        mark = event.start_mark
        line, column, name = mark.line, mark.column, event.anchor
        found = self._anchors.get(name)
        if found is None:
            if name in self._anchors:
                self._problem("E010", f"'*{name}' stands inside the value that '&{name}' names", line, column)
            else:
                self._problem(
                    "E009", f"'*{name}' names no anchor; '&{name}' must stand before it", line, column
                )
            found = _Anchored("", Mark(line, column, None), 1, 0)
        self._count(found.weight, line, column)
        if len(self._stack) + found.height > MAX_DEPTH:
            self._fatal(
                "E012", f"aliases nest lists and mappings deeper than {MAX_DEPTH} levels", line, column
            )
        stack = self._stack
        if stack and (top := stack[-1]).key is None and top.data.__class__ is dict:
            if not isinstance(found.data, str):
                self._problem("E006", f"a key must be text, and '*{name}' is not", line, column)
                top.key = _IGNORED
            else:
                self._key(top, found.data, found.data, line, column, plain=False)
            return
        self._add(found.data, Mark(line, column, found.mark.inside), found.weight, found.height)

    def _add(self, value: Any, placed: Mark, weight: int, height: int) -> None:
        """Puts a finished value where it belongs."""
        if not self._stack:
            self.data, self.root = value, placed
            return
        top = self._stack[-1]
        top.weight += weight
        top.height = max(top.height, height + 1)
        if top.data.__class__ is list:
            top.data.append(value)
            top.inside.append(placed)
            return
        key, top.key = top.key, None
        if key is _MERGE:
            top.merges.append((value, placed))
        elif key is not _IGNORED:
            top.data[key] = value
            top.inside[key] = KeyMark(top.key_line, top.key_column, placed)

    def _merge(self, done: _Open) -> None:
        """Adds what `<<` names; keys that are written out win, and so do earlier ones in its list."""
        for value, placed in done.merges:
            pairs: Iterable[tuple[Any, Mark]] = ((value, placed),)
            if isinstance(placed.inside, list):
                pairs = zip(value, placed.inside, strict=True)
            for data, mark in pairs:
                if data.__class__ is not dict or not isinstance(mark.inside, dict):
                    self._problem(
                        "E015", "'<<' needs an alias of a mapping, or a list of these", mark.line, mark.column
                    )
                    continue
                for key, inner in mark.inside.items():
                    if key not in done.data:
                        done.data[key] = data[key]
                        done.inside[key] = inner

    def _count(self, weight: int, line: int, column: int) -> None:
        self._written += 1
        self._weight += weight
        if self._weight > MAX_WEIGHT:
            self._fatal(
                "E011", f"the file has more than {MAX_WEIGHT:,} values, aliases written out", line, column
            )
        if self._weight > FREE_WEIGHT and self._weight > MAX_RATIO * self._written:
            self._fatal("E011", "the aliases of this file multiply its content beyond all use", line, column)

    def _no_tag(self, event: Any) -> None:
        if event.tag is not None:
            mark = event.start_mark
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._problem(
                "E007",
                f"the tag '{_short(shown)}' is not supported; put text that begins with '!' in quotes",
                mark.line,
                mark.column,
            )

    def _problem(self, code: str, message: str, line: int, column: int, written: str = "") -> None:
        if len(self.problems) > MAX_DIAGNOSTICS:
            raise _FatalError
        self.problems.append((code, message, line, column, written))

    def _fatal(self, code: str, message: str, line: int, column: int) -> None:
        self._problem(code, message, line, column)
        raise _FatalError


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
