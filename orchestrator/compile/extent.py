"""How many characters of a text a finding is about, so that its caret spans the word and not one sign. Pure."""

import re
from typing import Final

from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, references, segments

_TOKEN: Final = re.compile(
    r"'(?:[^']|'')*'?|\"[^\"]*\"?|[A-Za-z_][\w-]*|[0-9][\w.]*|&&|\|\||[=!<>]=|\$\{\{|\S"
)


def of_token(text: str, offset: int) -> int:
    """The length of the word, text, number or sign of an expression that begins at `offset`; 0 where none does."""
    found = _TOKEN.match(text, offset)
    return len(found[0]) if found else 0


def of_reference(source: str, offset: int) -> int:
    """The length of the access to a context that begins at `offset`, `jobs.build.outputs.x`; else of the token."""
    try:
        ends = [reference.end for reference in references(source) if reference.offset == offset]
    except ExpressionError:
        ends = []
    return max(ends) - offset if ends else of_token(source, offset)


def of_hole(text: str, offset: int) -> int:
    """The length of the `${{ }}` that begins at `offset`, or in which an expression begins there; else 0."""
    try:
        holes = [part for part in segments(text) if isinstance(part, Hole)]
    except ExpressionError:
        return 0
    return next(
        (
            hole.end - hole.start if hole.start == offset else len(hole.source)
            for hole in holes
            if offset in (hole.start, hole.offset)
        ),
        0,
    )
