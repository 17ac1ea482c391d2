"""From what a function returned to a job's outcome: its shape, whether it is JSON, and its size. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import MAX_OUTPUT_BYTES, JobOutcome
from orchestrator.handlers import QualityMetrics, StepResult
from workers.calling.faults import MAX_TEXT, clean, described

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
        message = str(error)
    except Exception as error:  # noqa: BLE001 - subclasses of mappings, numbers and texts are the author's code
        message = f"what the function returned cannot be read: {described(error)}"
    return JobOutcome(
        status="failed",
        reason=FailureReason(kind=FailureKind.OUTPUT, message=clean(message[:2000])),
        final=True,
    )


def _outcome(returned: Any) -> JobOutcome:
    result = _result(returned)
    outputs = _checked(result.output, "outputs", "output", MAX_OUTPUT_BYTES)
    updates = _checked(result.updates, "updates", "updates", MAX_OUTPUT_BYTES)
    quality = result.quality
    if isinstance(quality, QualityMetrics):
        try:
            quality = quality.as_dict()
        except Exception as error:
            raise BadResult(
                f"the quality metrics cannot be read: {described(error)}; counts must be numbers, and `extra` a dict"
            ) from error
    told = None if quality is None else _checked(quality, "quality metrics", "quality", MAX_QUALITY_BYTES)
    match result.status:
        case "ok":
            return JobOutcome(status="success", outputs=outputs, updates=updates, quality=told)
        case "skip":
            note = (
                f"skipped: {clean(str(result.reason)[:MAX_TEXT])}"
                if result.reason
                else "skipped by its function"
            )
            return JobOutcome(status="skipped", note=note, quality=told)
        case "fail":
            why = ": ".join(filter(None, (str(result.category)[:100], str(result.error)[:MAX_TEXT])))
            reason = FailureReason(
                kind=FailureKind.CALL, message=clean(why) or "the function said that it failed"
            )
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
    plain = _Reading(what, limit).mapping(cast("Mapping[Any, Any]", value), place, 0)
    if plain and len(json.dumps(plain, ensure_ascii=False).encode()) > limit:
        raise _too_large(what, limit)
    return plain


def _too_large(what: str, limit: int) -> BadResult:
    return BadResult(
        f"the {what} take more than {limit:,} bytes as JSON, which is the limit; put large data where the next job "
        "finds it and return the place"
    )


class _Reading:
    """Makes one value plain, and stops where it is sure to be larger than `limit`: it may be without end."""

    def __init__(self, what: str, limit: int) -> None:
        self._what = what
        self._limit = limit
        self._size = 0
        """Bytes that what was read takes at least."""

    def plain(self, value: Any, place: str, depth: int) -> Any:
        """`value` with JSON's own types only: tuples become lists, subclasses what they stand for."""
        if depth > MAX_DEPTH:
            raise BadResult(f"`{place[:120]}` is nested more than {MAX_DEPTH} deep, or holds itself")
        self._count(1)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            if int.bit_length(value) > MAX_DIGITS * 3:
                raise BadResult(
                    f"`{place}` is a whole number of more than {MAX_DIGITS} digits; return it as text"
                )
            self._count(int.bit_length(value) // 4)
            return int.__int__(value)
        if isinstance(value, float):
            number = float.__float__(value)
            if not math.isfinite(number):
                raise BadResult(f"`{place}` is {number}, which JSON does not have")
            return number
        if isinstance(value, Mapping):
            return self.mapping(cast("Mapping[Any, Any]", value), place, depth)
        if isinstance(value, list | tuple):
            parts = cast("Sequence[Any]", value)
            return [self.plain(part, f"{place}[{number}]", depth + 1) for number, part in enumerate(parts)]
        raise BadResult(f"`{place}` is {_kind(value)}, which is not JSON; convert it in the function")

    def mapping(self, value: Mapping[Any, Any], place: str, depth: int) -> dict[str, Any]:
        """See `plain`."""
        result: dict[str, Any] = {}
        for key, part in value.items():
            if not isinstance(key, str):
                raise BadResult(
                    f"`{place}` has the key {key!r:.80}, which is no text; JSON has only texts as keys"
                )
            name = self._text(key)
            result[name] = self.plain(part, f"{place}.{name[:80]}", depth + 1)
        return result

    def _text(self, value: str) -> str:
        text = str.__str__(value)
        self._count(len(text))
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadResult(
                f"the {self._what} hold text that is no Unicode ({error.reason}); decode bytes with errors='replace'"
            ) from error
        return text

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            raise _too_large(self._what, self._limit)


def _kind(value: Any) -> str:
    module = type(value).__module__
    name = type(value).__qualname__
    return f"of type {name}" if module == "builtins" else f"of type {module}.{name}"
