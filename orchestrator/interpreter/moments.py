"""When a `wait` ends, read from values that are known only when it starts. Pure."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestrator.errors import ExpressionError
from orchestrator.plan.durations import MAX_SECONDS, duration
from orchestrator.plan.parts import Json

_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_SHOWN: Final = 60


def after(value: Json, now: datetime) -> datetime:
    """The instant that is `value` after `now`: seconds, or a text such as `5m`. Raises ExpressionError."""
    seconds = duration(value)
    if seconds is None:
        raise ExpressionError(
            f"{_shown(value)} is not a duration: give seconds, or a text such as '5m' or '1h30m', of at most ten years"
        )
    return now + timedelta(seconds=seconds)


def instant(value: Json, now: datetime) -> datetime:
    """The instant that `value` names: RFC 3339 with its offset, or seconds since 1970. Raises ExpressionError."""
    found = (
        _seconds(value) if not isinstance(value, str) or _NUMBER.fullmatch(value.strip()) else _text(value)
    )
    if found is None:
        raise ExpressionError(
            f"{_shown(value)} is not an instant: give one such as '2026-01-31T12:00:00Z' or "
            "'2026-01-31T14:00:00+02:00', or seconds since 1970"
        )
    if (found - now).total_seconds() > MAX_SECONDS:
        raise ExpressionError(f"{_shown(value)} is more than ten years away")
    return found


def _seconds(value: Json) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds, UTC) if math.isfinite(seconds) else None
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: str) -> datetime | None:
    match = _INSTANT.fullmatch(value.strip())
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    digits = (fraction or ".0")[:7]
    try:
        moment = datetime.fromisoformat(
            f"{day}T{clock}{digits.ljust(7, '0')}{offset.upper().replace('Z', '+00:00')}"
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _shown(value: Json) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
