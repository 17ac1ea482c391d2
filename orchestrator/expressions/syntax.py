"""The syntax tree of an expression: frozen nodes, each with its place in the source.

Parentheses leave no node. `a && b && c` is one `Logical` of three. Every node's `offset` and `end` count
characters of the source that was parsed, from 0, the end excluded.
"""

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

Comparator: TypeAlias = OneOf["==", "!=", "<", "<=", ">", ">="]
Connective: TypeAlias = OneOf["&&", "||"]


@dataclass(frozen=True, slots=True)
class Literal:
    """`null`, `true`, `0xff`, `'text'`, or the name after a dot."""

    value: bool | int | float | str | None
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Context:
    """A context by its name, as written: `jobs`."""

    name: str
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Star:
    """The `*` of `.*` and `[*]`; only ever an `Index`'s key."""

    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Index:
    """`target.name`, `target[key]`, `target.*`."""

    target: "Node"
    key: "Node"
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Not:
    """`!operand`."""

    operand: "Node"
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left == right` and its kin."""

    operator: Comparator
    left: "Node"
    right: "Node"
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Logical:
    """`a && b`, `a || b || c`: gives the operand that decided, not a boolean."""

    operator: Connective
    operands: tuple["Node", ...]
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`name(arguments)`; the name as written."""

    name: str
    arguments: tuple["Node", ...]
    offset: int
    end: int


Node: TypeAlias = Literal | Context | Star | Index | Not | Comparison | Logical | FunctionCall


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below `node`, in the order of the source."""
    match node:
        case Index():
            return (node.target, node.key)
        case Not():
            return (node.operand,)
        case Comparison():
            return (node.left, node.right)
        case Logical():
            return node.operands
        case FunctionCall():
            return node.arguments
        case Literal() | Context() | Star():
            return ()
