"""What an expression names: its contexts with their paths, and its functions.

Syntax only: nothing is evaluated, and whether a name exists is for the caller to ask.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from orchestrator.expressions.functions import STATUS_FUNCTIONS
from orchestrator.expressions.limits import CACHED
from orchestrator.expressions.parser import parse
from orchestrator.expressions.syntax import Context, FunctionCall, Index, Literal, Node, Star, children
from orchestrator.expressions.values import to_text

WILDCARD: Final = "*"
"""The part of a `Reference.path` where the expression has `.*` or `[*]`."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One access to a context, from its name to the last property.

    `path` starts with the context as written; a part that only a run can tell is `None`, a star is
    `WILDCARD`. `offset` and `end` are its place in the source.
    """

    path: tuple[str | None, ...]
    offset: int
    end: int
    node: Node


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function: the name as written, its place, and how many arguments it has."""

    name: str
    offset: int
    arity: int


@dataclass(frozen=True, slots=True)
class Survey:
    """An expression's tree and all that it names, in the order of the source."""

    node: Node
    references: tuple[Reference, ...]
    calls: tuple[Call, ...]


@lru_cache(maxsize=CACHED)
def survey(source: str) -> Survey:
    """What `source` names.

    Raises:
        ParseError: it cannot be parsed.
    """
    node = parse(source)
    found = tuple(_find(node))
    return Survey(
        node,
        tuple(item for item in found if isinstance(item, Reference)),
        tuple(item for item in found if isinstance(item, Call)),
    )


def references(source: str) -> tuple[Reference, ...]:
    """Each access to a context in `source`, also those inside an index: `jobs[matrix.x]` has two.

    Raises:
        ParseError: it cannot be parsed.
    """
    return survey(source).references


def called_functions(source: str) -> tuple[Call, ...]:
    """Each call of a function in `source`.

    Raises:
        ParseError: it cannot be parsed.
    """
    return survey(source).calls


def has_status_function(source: str) -> bool:
    """Whether `source` calls `success`, `failure`, `cancelled` or `always`: then no `success()` is implied.

    Raises:
        ParseError: it cannot be parsed.
    """
    return any(call.name.lower() in STATUS_FUNCTIONS for call in survey(source).calls)


def _find(node: Node) -> Iterator[Reference | Call]:
    match node:
        case Context() | Index():
            keys: list[Node] = []
            root: Node = node
            while isinstance(root, Index):
                keys.append(root.key)
                root = root.target
            keys.reverse()
            if isinstance(root, Context):
                yield Reference((root.name, *map(_part, keys)), node.offset, node.end, node)
            else:
                yield from _find(root)
            for key in keys:
                yield from _find(key)
        case FunctionCall():
            yield Call(node.name, node.offset, len(node.arguments))
            for argument in node.arguments:
                yield from _find(argument)
        case _:
            for child in children(node):
                yield from _find(child)


def _part(key: Node) -> str | None:
    match key:
        case Star():
            return WILDCARD
        case Literal():
            return to_text(key.value)
        case _:
            return None
