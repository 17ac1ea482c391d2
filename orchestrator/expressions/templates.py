"""Text with `${{ }}` in it: its parts, its value, and what it means as a condition.

A template that is one hole and nothing else keeps the value's type; any other is a text. Nothing is known
here of where a template stands in a spec.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from orchestrator.errors import ExpressionError
from orchestrator.expressions.evaluator import HostFunctions, Status, evaluate
from orchestrator.expressions.lexer import ParseError
from orchestrator.expressions.limits import CACHED, MAX_TEXT
from orchestrator.expressions.numbers import WHITE_SPACE
from orchestrator.expressions.parser import hole_end
from orchestrator.expressions.values import Value, to_text, truthy

_OPENING: Final = "${{"


@dataclass(frozen=True, slots=True)
class Text:
    """A stretch of a template that stands for itself."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Hole:
    """A `${{ }}`: the expression without white space around it, and where in the template that begins.

    `start` and `end` are the place of the whole, from the `$` to after the last brace.
    """

    source: str
    offset: int
    start: int
    end: int


Segment: TypeAlias = Text | Hole


@lru_cache(maxsize=CACHED)
def segments(template: str) -> tuple[Segment, ...]:
    """The parts of `template` in order. The expressions in the holes are not parsed.

    Raises:
        ExpressionError: a `${{` is not closed, or has nothing in it.
    """
    found: list[Segment] = []
    at = 0
    while (start := template.find(_OPENING, at)) >= 0:
        end = hole_end(template, start + len(_OPENING))
        if end < 0:
            raise ParseError(
                "The expression is not closed: there is a '${{' and no '}}' after it outside of quotes", start
            )
        inner = template[start + len(_OPENING) : end]
        source = inner.strip(WHITE_SPACE)
        if not source:
            raise ParseError("An expression was expected between '${{' and '}}'", start)
        if start > at:
            found.append(Text(template[at:start], at))
        offset = start + len(_OPENING) + inner.index(source)
        at = end + 2
        found.append(Hole(source, offset, start, at))
    if at < len(template):
        found.append(Text(template[at:], at))
    return tuple(found)


def render(
    template: str,
    contexts: Mapping[str, Value],
    *,
    status: Status | None = None,
    functions: HostFunctions | None = None,
) -> Value:
    """The value of `template`: a text, or any value where it is one whole `${{ }}`.

    Raises:
        ExpressionError: as `evaluate`, with the offset in the template; or the text gets longer than 1 MB.
    """
    parts: list[str] = []
    length = 0
    found = segments(template)
    for segment in found:
        if isinstance(segment, Text):
            text = segment.text
        else:
            value = _fill(segment, contexts, status, functions)
            if len(found) == 1:
                return value
            text = to_text(value)
        length += len(text)
        if length > MAX_TEXT and len(found) > 1:
            raise ExpressionError(f"The text gets longer than {MAX_TEXT} characters", segment.offset)
        parts.append(text)
    return "".join(parts)


def condition(
    source: str,
    contexts: Mapping[str, Value],
    *,
    status: Status | None = None,
    functions: HostFunctions | None = None,
) -> bool:
    """Whether `source`, the text of an `if` or `unless`, holds. `${{ }}` around all of it is optional.

    With text beside a `${{ }}` it is a text, and so always holds when that is not empty, as in GitHub
    Actions.

    Raises:
        ExpressionError: as `evaluate`; or `source` is empty.
    """
    if not source.strip(WHITE_SPACE):
        raise ExpressionError("An expression was expected", 0)
    if _OPENING in source and any(isinstance(segment, Hole) for segment in segments(source)):
        return truthy(render(source, contexts, status=status, functions=functions))
    return truthy(evaluate(source, contexts, status=status, functions=functions))


def _fill(
    hole: Hole, contexts: Mapping[str, Value], status: Status | None, functions: HostFunctions | None
) -> Value:
    try:
        return evaluate(hole.source, contexts, status=status, functions=functions)
    except ExpressionError as error:
        if error.offset is not None:
            error.offset += hole.offset
        raise
