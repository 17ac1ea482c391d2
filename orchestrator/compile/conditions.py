"""What can be said of `if` and `unless` before a run. Pure."""

from orchestrator.errors import ExpressionError
from orchestrator.expressions import (
    Hole,
    called_functions,
    condition,
    has_status_function,
    references,
    segments,
)

STATUS_FUNCTIONS = ("success", "failure", "cancelled", "always")


def asks_for_status(text: str | None) -> bool:
    """Whether a condition calls `success()`, `failure()`, `cancelled()` or `always()`. False where it is not valid."""
    if text is None or "(" not in text:
        return False
    try:
        holes = [part.source for part in segments(text) if isinstance(part, Hole)]
        return any(has_status_function(source) for source in holes or [text.strip()])
    except ExpressionError:
        return False


def constant_value(text: str | None) -> bool | None:
    """What the condition is in every run; None where that depends on the run, or where it is not valid."""
    if text is None:
        return None
    try:
        holes = [part.source for part in segments(text) if isinstance(part, Hole)] or [text.strip()]
        if any(not is_literal(source) for source in holes):
            return None
        return condition(text.strip(), {})
    except ExpressionError:
        return None


def is_literal(source: str) -> bool:
    """Whether an expression has neither contexts nor functions that ask a run or a file.

    Raises:
        ExpressionError: it cannot be parsed.
    """
    asking = {*STATUS_FUNCTIONS, "hashfiles"}
    return not references(source) and all(
        call.name.lower() not in asking for call in called_functions(source)
    )


def never_runs(if_: str | None, unless: str | None) -> bool:
    """Whether the two conditions say no in every run."""
    return constant_value(if_) is False or constant_value(unless) is True
