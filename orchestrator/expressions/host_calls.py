"""The calls of one function in an expression with the values of their arguments, where those are known already.

For functions whose answer has to be there before the expression is evaluated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.expressions.evaluator import Scope
from orchestrator.expressions.survey import survey
from orchestrator.expressions.syntax import Context, FunctionCall, Node, children
from orchestrator.expressions.values import Value


@dataclass(frozen=True, slots=True)
class HostCall:
    """One call: where it begins, and its arguments; None where one depends on what is not known."""

    offset: int
    arguments: tuple[Value, ...] | None


def host_calls(source: str, name: str, contexts: Mapping[str, Value]) -> tuple[HostCall, ...]:
    """Every call of `name` in `source`, in its order. `contexts` are those whose values are known.

    Raises:
        ParseError: `source` cannot be parsed.
        ExpressionError: an argument of which everything is known fails.
    """
    known = {context.lower() for context in contexts}
    found: list[HostCall] = []
    for node in _walk(survey(source).node):
        if isinstance(node, FunctionCall) and node.name.lower() == name.lower():
            is_known = all(
                not (isinstance(part, Context) and part.name.lower() not in known)
                and not (isinstance(part, FunctionCall) and _asks(part.name, name))
                for argument in node.arguments
                for part in _walk(argument)
            )
            scope = Scope(source, contexts)
            values = tuple(scope.value(argument) for argument in node.arguments) if is_known else None
            found.append(HostCall(node.offset, values))
    return tuple(found)


def _asks(function: str, name: str) -> bool:
    """Whether `function` needs a run, or is the function itself."""
    return function.lower() in (name.lower(), "success", "failure", "cancelled", "always")


def _walk(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += reversed(children(found))
