"""From what a function returned to a job's outcome: its shape, whether it is JSON, and its size. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import MAX_OUTPUT_BYTES, JobOutcome
from orchestrator.handlers import QualityMetrics, StepResult
from workers.calling.faults import MAX_TEXT

MAX_QUALITY_BYTES: Final = 4 * 1024
MAX_DEPTH: Final = 64
"""Lists and mappings inside one another; what holds itself has no end."""
MAX_DIGITS: Final = 400
"""Of a whole number; longer ones are texts to whoever reads JSON."""


class BadResult(Exception):
    """What a function returned cannot be taken; the message says what and where."""


def outcome_of(returned: Any) -> JobOutcome:
    """The outcome of a function that came to its end. Anything but what is agreed is a failure of kind `output`."""
    try:
        return _outcome(returned)
    except BadResult as error:
        return JobOutcome(
            status="failed",
            reason=FailureReason(kind=FailureKind.OUTPUT, message=str(error)[:2000]),
            final=True,
        )


def _outcome(returned: Any) -> JobOutcome:
    result = _result(returned)
    outputs = _checked(result.output, "outputs", "output", MAX_OUTPUT_BYTES)
    updates = _checked(result.updates, "updates", "updates", MAX_OUTPUT_BYTES)
    quality = result.quality
    if isinstance(quality, QualityMetrics):
        quality = quality.as_dict()
    told = None if quality is None else _checked(quality, "quality metrics", "quality", MAX_QUALITY_BYTES)
    match result.status:
        case "ok":
            return JobOutcome(status="success", outputs=outputs, updates=updates, quality=told)
        case "skip":
            note = f"skipped: {str(result.reason)[:MAX_TEXT]}" if result.reason else "skipped by its function"
            return JobOutcome(status="skipped", note=note, quality=told)
        case "fail":
            why = ": ".join(filter(None, (str(result.category)[:100], str(result.error)[:MAX_TEXT])))
            reason = FailureReason(kind=FailureKind.CALL, message=why or "the function said that it failed")
            return JobOutcome(
                status="failed", reason=reason, outputs=outputs, quality=told, final=not result.retry
            )


def _result(returned: Any) -> StepResult:
    match returned:
        case StepResult():
            if returned.status not in ("ok", "fail", "skip"):
                raise BadResult(
                    f"the StepResult has the status {returned.status!r}; make it with ok, fail or skip"
                )
            return returned
        case None:
            return StepResult.ok()
        case Mapping():
            return StepResult.ok(cast("Mapping[str, Any]", returned))
        case _:
            raise BadResult(
                f"the function returned something {_kind(returned)}; it must return a StepResult, a dict of "
                "outputs or None"
            )


def _checked(value: Any, what: str, place: str, limit: int) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadResult(f"the {what} must be a dict, and `{place}` is {_kind(value)}")
    plain: dict[str, Any] = _plain(value, place, 0)
    try:
        size = len(json.dumps(plain, ensure_ascii=False).encode())
    except UnicodeEncodeError as error:
        raise BadResult(
            f"the {what} hold text that is no Unicode ({error.reason}); decode bytes with errors='replace'"
        ) from error
    if plain and size > limit:
        raise BadResult(
            f"the {what} take {size:,} bytes as JSON, and {limit:,} is the limit; put large data where the next job "
            "finds it and return the place"
        )
    return plain


def _plain(value: Any, place: str, depth: int) -> Any:
    """`value` with JSON's own types only: tuples become lists, subclasses what they stand for."""
    if depth > MAX_DEPTH:
        raise BadResult(f"`{place[:120]}` is nested more than {MAX_DEPTH} deep, or holds itself")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        if value.bit_length() > MAX_DIGITS * 3:
            raise BadResult(
                f"`{place}` is a whole number of more than {MAX_DIGITS} digits; return it as text"
            )
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadResult(f"`{place}` is {value}, which JSON does not have")
        return float(value)
    if isinstance(value, Mapping):
        return _plain_mapping(cast("Mapping[Any, Any]", value), place, depth)
    if isinstance(value, list | tuple):
        parts = cast("Sequence[Any]", value)
        return [_plain(part, f"{place}[{number}]", depth + 1) for number, part in enumerate(parts)]
    raise BadResult(f"`{place}` is {_kind(value)}, which is not JSON; convert it in the function")


def _plain_mapping(value: Mapping[Any, Any], place: str, depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, part in value.items():
        if not isinstance(key, str):
            raise BadResult(
                f"`{place}` has the key {key!r:.80}, which is no text; JSON has only texts as keys"
            )
        result[str.__str__(key)] = _plain(part, f"{place}.{key[:80]}", depth + 1)
    return result


def _kind(value: Any) -> str:
    module = type(value).__module__
    name = type(value).__qualname__
    return f"of type {name}" if module == "builtins" else f"of type {module}.{name}"
