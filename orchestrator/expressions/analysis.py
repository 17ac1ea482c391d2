"""What can be told of an expression without a run, and what a run saw of it.

`check` finds every problem that needs no values; `explain` gives the values behind an outcome. Neither raises
for what a person wrote.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from orchestrator.errors import ExpressionError
from orchestrator.expressions.evaluator import Scope
from orchestrator.expressions.lexer import ParseError
from orchestrator.expressions.names import (
    KNOWN_CONTEXTS,
    KNOWN_FUNCTIONS,
    arity_problem,
    is_function,
    suggest,
)
from orchestrator.expressions.survey import survey
from orchestrator.expressions.values import FilteredArray, Value

ProblemKind: TypeAlias = Literal["syntax", "context", "function", "arity"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an expression: where, what, and the name that was probably meant."""

    offset: int
    message: str
    kind: ProblemKind
    suggestion: str | None = None


def check(source: str, *, contexts: Collection[str] = KNOWN_CONTEXTS) -> tuple[Problem, ...]:
    """Every problem of `source` that needs no values to be seen, in source order.

    Args:
        source: a bare expression, or one wrapped whole in `${{ }}`.
        contexts: the contexts that may be named where it stands.
    """
    try:
        found = survey(source)
    except ParseError as error:
        return (Problem(error.offset or 0, error.reason, "syntax"),)
    problems: list[Problem] = []
    allowed = {name.lower() for name in contexts}
    for reference in found.references:
        name = str(reference.path[0])
        if name.lower() not in allowed:
            known = name.lower() in KNOWN_CONTEXTS
            message = f"context '{name}' is not available here" if known else f"unknown context '{name}'"
            suggestion = None if known else suggest(name, contexts)
            problems.append(Problem(reference.offset, message, "context", suggestion))
    for call in found.calls:
        if not is_function(call.name):
            suggestion = suggest(call.name, KNOWN_FUNCTIONS)
            problems.append(Problem(call.offset, f"unknown function '{call.name}'", "function", suggestion))
        elif (wrong := arity_problem(call.name, call.arity)) is not None:
            problems.append(Problem(call.offset, f"{wrong}: '{call.name}'", "arity"))
    return tuple(sorted(problems, key=lambda problem: problem.offset))


def explain(source: str, contexts: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    """Each distinct context reference in `source`, as written, with its value: why a condition came out so.

    A reference whose value cannot be told (an unknown context, an index that fails) is left out; so is
    everything when `source` cannot be parsed.
    """
    try:
        found = survey(source)
    except ParseError:
        return ()
    seen: dict[str, Value] = {}
    for reference in found.references:
        written = source[reference.offset : reference.end]
        if written in seen:
            continue
        try:
            value = Scope(source, contexts).value(reference.node)
        except ExpressionError:
            continue
        seen[written] = list(value) if isinstance(value, FilteredArray) else value
    return tuple(seen.items())
