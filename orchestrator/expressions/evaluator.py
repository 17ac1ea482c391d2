"""From a tree and the contexts to a value. Pure, bounded and deterministic, so that replayed code can use it.

Reads no clock, no file and no randomness; walks no set. The tree's depth bounds the recursion. Host functions
(`hashFiles`) come from the caller, who answers for what they do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from orchestrator.errors import ExpressionError
from orchestrator.expressions.functions import STATUS_FUNCTIONS
from orchestrator.expressions.lexer import error_at
from orchestrator.expressions.limits import ITEM, Budget
from orchestrator.expressions.names import (
    ALIASES,
    KNOWN_CONTEXTS,
    KNOWN_FUNCTIONS,
    PURE_FUNCTIONS,
    arity_problem,
    is_function,
    suggest,
)
from orchestrator.expressions.numbers import as_double, tidy
from orchestrator.expressions.parser import span
from orchestrator.expressions.survey import Survey, survey
from orchestrator.expressions.syntax import (
    Comparison,
    Context,
    FunctionCall,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Star,
)
from orchestrator.expressions.values import (
    FilteredArray,
    Value,
    as_array,
    as_object,
    equal,
    is_primitive,
    less,
    look_up,
    to_number,
    to_text,
    truthy,
)

HostFunctions: TypeAlias = Mapping[str, Callable[..., Value]]
"""Functions that the caller brings, by name; each is called with its evaluated arguments."""

_MAX_INDEX: Final = 2**31 - 1
_ALIASES_OF: Final = {**ALIASES, **{name: alias for alias, name in ALIASES.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What `success()`, `failure()` and `cancelled()` answer, over a job's direct dependencies."""

    success: bool
    failure: bool
    cancelled: bool


def evaluate(
    source: str,
    contexts: Mapping[str, Value],
    *,
    status: Status | None = None,
    functions: HostFunctions | None = None,
) -> Value:
    """The value of `source`, a bare expression or one wrapped whole in `${{ }}`.

    Args:
        source: the expression; an empty one is null.
        contexts: the values of the contexts by name. A known context that is missing is null; one that is given
            under its other name (`needs` for `jobs`) is found.
        status: what the status functions answer; without it they are errors.
        functions: what the host adds, such as `hashFiles`; they fail with `ExpressionError`.

    Returns:
        A number is the double that the language has, or an integer where that is one: 1.0 is 1, and digits beyond
        a double's are gone. A list or an object of the contexts is given back as the caller made it.

    Raises:
        ExpressionError: the expression cannot be parsed, names what does not exist, or fails.
    """
    found = survey(source)
    scope = Scope(source, contexts, status=status, functions=functions)
    scope.check(found)
    result = scope.value(found.node)
    return [_as_number(item) for item in result] if isinstance(result, FilteredArray) else _as_number(result)


class Scope:
    """One evaluation: what the expression may read and call, and the budget it has left."""

    def __init__(
        self,
        source: str,
        contexts: Mapping[str, Value],
        *,
        status: Status | None = None,
        functions: HostFunctions | None = None,
    ) -> None:
        self.budget = Budget(source)
        self._source = source
        self._contexts = contexts
        self._status = status
        self._functions = {name.lower(): function for name, function in (functions or {}).items()}

    def check(self, found: Survey) -> None:
        """See that every name exists, also where the evaluation will not come by.

        Raises:
            ExpressionError: at the first that does not.
        """
        for reference in found.references:
            self._context(str(reference.path[0]), reference.offset)
        for call in found.calls:
            self._check_call(call.name, call.arity, call.offset)

    def value(self, node: Node) -> Value:  # noqa: PLR0911 - one return for each kind of node
        """The value of `node`; a star's items stay a `FilteredArray`."""
        match node:
            case Literal():
                return node.value
            case Context():
                return self._context(node.name, node.offset)
            case Index():
                return self._index(node)
            case FunctionCall():
                return self._call(node)
            case Not():
                return not truthy(self.value(node.operand))
            case Comparison():
                return self._compare(node)
            case Logical():
                result: Value = None
                for operand in node.operands:
                    result = self.value(operand)
                    if truthy(result) == (node.operator == "||"):
                        break
                return result
            case Star():
                return None
            case _:
                assert_never(node)

    def _context(self, name: str, offset: int) -> Value:
        lower = name.lower()
        for candidate in (name, lower, _ALIASES_OF.get(lower, lower)):
            if candidate in self._contexts:
                return self._contexts[candidate]
        there, value = look_up(self._contexts, name)
        if not there and lower not in KNOWN_CONTEXTS:
            nearest = suggest(name, (*self._contexts, *KNOWN_CONTEXTS))
            raise self._problem(f"Unrecognized named-value: '{name}'", offset, nearest)
        return value

    def _problem(self, reason: str, offset: int, suggestion: str | None = None) -> ExpressionError:
        start, end = span(self._source)
        error = error_at(reason, offset, source=self._source, start=start, end=end)
        if suggestion is None:
            return error
        return ExpressionError(f"{error}. Did you mean '{suggestion}'?", offset)

    def _check_call(self, name: str, arity: int, offset: int) -> None:
        lower = name.lower()
        if not is_function(name):
            if lower not in self._functions:
                nearest = suggest(name, KNOWN_FUNCTIONS)
                raise self._problem(f"Unrecognized function: '{name}'", offset, nearest)
        elif (problem := arity_problem(name, arity)) is not None:
            raise self._problem(f"{problem}: '{name}'", offset)
        elif lower in STATUS_FUNCTIONS and self._status is None:
            raise ExpressionError(
                f"{name}() is not available here; it tells about a job's dependencies", offset
            )
        elif lower not in PURE_FUNCTIONS and lower not in STATUS_FUNCTIONS and lower not in self._functions:
            raise ExpressionError(f"{name}() is not available here", offset)

    def _compare(self, node: Comparison) -> bool:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, str):
            self.budget.charge(len(left))
        if isinstance(right, str):
            self.budget.charge(len(right))
        match node.operator:
            case "==":
                return equal(left, right)
            case "!=":
                return not equal(left, right)
            case "<":
                return less(left, right)
            case ">":
                return less(right, left)
            case "<=":
                return equal(left, right) or less(left, right)
            case ">=":
                return equal(left, right) or less(right, left)

    def _index(self, node: Index) -> Value:
        target = self.value(node.target)
        if isinstance(target, FilteredArray):
            return self._filter(target, node.key)
        if isinstance(node.key, Star):
            items = FilteredArray(_members(target))
            self.budget.charge(len(items))
            return items
        if is_primitive(target):
            return None
        return self._property(target, self.value(node.key))[1]

    def _filter(self, items: FilteredArray, key: Node) -> FilteredArray:
        result = FilteredArray()
        self.budget.charge(ITEM * len(items))
        wanted = None if isinstance(key, Star) else self.value(key)
        for item in items:
            if isinstance(key, Star):
                members = _members(item)
                self.budget.charge(len(members))
                result.extend(members)
            else:
                there, value = self._property(item, wanted)
                if there:
                    result.append(value)
        return result

    def _property(self, value: Value, key: Value) -> tuple[bool, Value]:
        """Whether `value` has `key`, and what: an object by text, an array by number, rounded down."""
        mapping = as_object(value)
        if mapping is not None:
            if not is_primitive(key):
                return False, None
            name = to_text(key)
            if name in mapping:
                return True, mapping[name]
            self.budget.charge(len(mapping))  # a name in another case, or a miss, walks through all
            return look_up(mapping, name)
        items = as_array(value)
        number = to_number(key)
        if items is None or not 0 <= number <= _MAX_INDEX or int(number) >= len(items):
            return False, None
        return True, items[int(number)]

    def _call(self, node: FunctionCall) -> Value:
        lower = node.name.lower()
        arguments = _LazyArguments(self, node.arguments)
        before = self.budget.held
        try:
            if lower in self._functions:
                result = self._functions[lower](*(arguments[index] for index in range(len(arguments))))
            elif lower in PURE_FUNCTIONS:
                result = PURE_FUNCTIONS[lower].call(arguments)
            else:
                result = self._status_function(lower)
        except ExpressionError as error:
            if error.offset is None:
                error.offset = node.offset
            raise
        self.budget.settle(before, len(result) if isinstance(result, str) else None)
        return result

    def _status_function(self, name: str) -> bool:
        status = self._status
        match name:
            case "success":
                return status is not None and status.success
            case "failure":
                return status is not None and status.failure
            case "cancelled":
                return status is not None and status.cancelled
            case _:
                return True


class _LazyArguments:
    """A call's arguments, each evaluated when a function first looks at it."""

    def __init__(self, scope: Scope, nodes: tuple[Node, ...]) -> None:
        self.budget = scope.budget
        self._scope = scope
        self._nodes = nodes
        self._values: dict[int, Value] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, index: int, /) -> Value:
        if index not in self._values:
            self._values[index] = self._scope.value(self._nodes[index])
        return self._values[index]


def _as_number(value: Value) -> Value:
    """`value`; a number as the language has it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return tidy(as_double(value))


def _members(value: Value) -> list[Value]:
    mapping = as_object(value)
    return list(mapping.values()) if mapping is not None else list(as_array(value) or ())
