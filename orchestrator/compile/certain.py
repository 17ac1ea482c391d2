"""What is certain of an expression's value in every run, though the expression reads what only a run knows. Pure.

Nothing here claims what could be otherwise: where a value is not certain, the answer is None.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.compile.conditions import STATUS_FUNCTIONS
from orchestrator.errors import ExpressionError
from orchestrator.expressions import ALIASES, Reference, Value, equal, evaluate, to_text, truthy
from orchestrator.expressions.survey import Survey, survey
from orchestrator.expressions.syntax import Comparison, FunctionCall, Literal, Logical, Node, Not, children
from orchestrator.expressions.values import to_number
from orchestrator.spec.model import ParamShape
from orchestrator.spec.shapes import one_of_words

RESULTS: Final = ("success", "failure", "cancelled", "skipped")
"""What `jobs.x.result` can be: GitHub Actions' words."""
ENDS: Final = ("success", "failed", "cancelled", "skipped", "omitted")
"""What `jobs.x.status` can be for a job that has ended, as every job that is read has."""
VERDICTS: Final = ("success", "failed", "cancelled", "partial")
"""What `run.status` can be while jobs are asked."""
_MAX_LISTED: Final = 10
_TRUTHS: Final = frozenset(
    {"contains", "startswith", "endswith", "success", "failure", "always", "cancelled"}
)
"""Functions that answer true or false."""


@dataclass(frozen=True, slots=True)
class Range:
    """All values that an expression can have."""

    what: str
    """For people, as the end of `it is …`."""
    values: tuple[Value, ...] = ()
    any_number: bool = False

    def can_equal(self, value: Value) -> bool:
        """Whether any of them equals `value`, which is no list and no mapping."""
        if self.any_number and to_number(value) == to_number(value):
            return True
        return any(equal(own, value) for own in self.values)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A comparison of which one side can never have the value of the other."""

    comparison: Comparison
    literal: Literal
    written: str
    """The other side, as written."""
    range: Range


def decided(source: str, status: Mapping[str, bool] | None = None) -> tuple[bool, Node] | None:
    """What a condition is in every run, and the part of it that decides that; None where that depends on the run.

    Args:
        source: The condition.
        status: What status functions give where that is known, by their names in lower case.

    Raises:
        ExpressionError: it cannot be parsed.
    """
    return _truth(survey(source).node, source, status or {})


def _truth(node: Node, source: str, status: Mapping[str, bool]) -> tuple[bool, Node] | None:
    match node:
        case Literal():
            return truthy(node.value), node
        case Not():
            inner = _truth(node.operand, source, status)
            return None if inner is None else (not inner[0], inner[1])
        case Logical():
            return _truth_of_logic(node, source, status)
        case Comparison() | FunctionCall():
            return _truth_of_value(node, source, status)
        case _:
            return None


def _truth_of_value(
    node: Comparison | FunctionCall, source: str, status: Mapping[str, bool]
) -> tuple[bool, Node] | None:
    if isinstance(node, FunctionCall) and not node.arguments and node.name.lower() in status:
        return status[node.name.lower()], node
    if not _is_constant(node):
        return None
    try:
        return truthy(evaluate(source[node.offset : node.end], {})), node
    except ExpressionError:
        return None


def _truth_of_logic(node: Logical, source: str, status: Mapping[str, bool]) -> tuple[bool, Node] | None:
    ends = node.operator == "||"
    parts = [_truth(operand, source, status) for operand in node.operands]
    deciding = next((part for part in parts if part is not None and part[0] is ends), None)
    if deciding is None and None not in parts:
        return not ends, node
    return deciding


def _is_constant(node: Node) -> bool:
    match node:
        case Literal():
            return True
        case FunctionCall() if node.name.lower() in (*STATUS_FUNCTIONS, "hashfiles"):
            return False
        case FunctionCall() | Comparison() | Logical() | Not():
            return all(map(_is_constant, children(node)))
        case _:
            return False


def mismatches(
    source: str, params: Mapping[str, ParamShape], *, own: str | None = None
) -> Iterator[Mismatch]:
    """Comparisons by `==` and `!=` with a literal that come out the same in every run.

    Args:
        source: The expression.
        params: The declared params by their names in lower case.
        own: The job to which the expression belongs, if it can read that: it has not ended.

    Raises:
        ExpressionError: it cannot be parsed.
    """
    found = survey(source)
    for comparison in _comparisons(found.node):
        for side, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            if isinstance(side, Literal):
                known = _range_of(other, found, params, own)
                if known is not None and not known.can_equal(side.value):
                    yield Mismatch(comparison, side, source[other.offset : other.end], known)


def _comparisons(node: Node) -> Iterator[Comparison]:
    if isinstance(node, Comparison) and node.operator in ("==", "!="):
        yield node
    for child in children(node):
        yield from _comparisons(child)


def _range_of(node: Node, found: Survey, params: Mapping[str, ParamShape], own: str | None) -> Range | None:
    match node:
        case Not() | Comparison():
            return _BOOLEAN
        case FunctionCall():
            return _BOOLEAN if node.name.lower() in _TRUTHS else None
        case _:
            reference = next((item for item in found.references if item.node == node), None)
            return None if reference is None else _range_of_reference(reference, params, own)


def _range_of_reference(
    reference: Reference, params: Mapping[str, ParamShape], own: str | None
) -> Range | None:
    path = tuple("" if part is None else part.lower() for part in reference.path)
    match (ALIASES.get(path[0], path[0]), *path[1:]):
        case ("jobs", _, "result"):
            return _words(RESULTS)
        case ("jobs", name, "status") if own is None or name != own.lower():
            return _words(ENDS)
        case ("run", "status"):
            return _words(VERDICTS)
        case ("run", "attempt" | "try") | ("jobs", _, "tries" | "exit_code"):
            return _NUMBER
        case ("params", name):
            return _range_of_param(params[name]) if name in params else None
        case _:
            return None


def _range_of_param(shape: ParamShape) -> Range | None:
    # Nobody can give null; it is what an optional param without a default has, and what a default may say.
    can_be_null = shape.default is None if shape.has_default else not shape.required
    nothing = (None,) if can_be_null else ()
    if shape.enum:
        return Range(_listed([to_text(value) for value in shape.enum]), (*shape.enum, *nothing))
    make = _BY_TYPE.get(shape.type)
    return None if make is None else make(nothing)


def _words(words: tuple[str, ...]) -> Range:
    return Range(_listed(words), words)


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MAX_LISTED
    return one_of_words([*words[:_MAX_LISTED], f"{more} more"] if more > 0 else words)


_BOOLEAN: Final = Range("true or false", (True, False))
_NUMBER: Final = Range("a number", (None,), any_number=True)
_BY_TYPE: Final[Mapping[str, Callable[[tuple[None, ...]], Range]]] = {
    "boolean": lambda nothing: Range("true or false", (True, False, *nothing)),
    "integer": lambda nothing: Range("a number", nothing, any_number=True),
    "number": lambda nothing: Range("a number", nothing, any_number=True),
    "array": lambda nothing: Range("a list", nothing),
    "object": lambda nothing: Range("a mapping", nothing),
}
"""What a param of each type can be, with what it is when nothing is given. A text can be anything."""
