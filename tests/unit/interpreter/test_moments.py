"""Durations and instants as values give them when a `wait` starts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.errors import ExpressionError
from orchestrator.interpreter.moments import after, instant

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"), [(0, 0), (1.5, 1.5), ("90", 90), ("5m", 300), ("1h 30m", 5400), ("2d", 172800)]
)
def test_durations(value: Any, seconds: float) -> None:
    assert after(value, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", [None, True, "", "soon", -1, "-5m", [], {}, float("nan"), 10**12, "x" * 500]
)
def test_what_is_no_duration(value: Any) -> None:
    with pytest.raises(ExpressionError, match="is not a duration: give seconds"):
        after(value, NOW)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31 13:00:00+01:00",
        " 2026-01-31T12:00:00.000000000Z ",
        NOW.timestamp(),
        str(int(NOW.timestamp())),
    ],
)
def test_instants(value: Any) -> None:
    assert instant(value, NOW) == NOW


def test_an_instant_keeps_its_fraction_and_may_have_passed() -> None:
    assert instant("2026-01-31T12:00:00.25Z", NOW) == NOW + timedelta(milliseconds=250)
    assert instant(0, NOW) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        None, False, "", "tomorrow", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T00:00:00Z", [], {},
        "0001-01-01T00:00:00+09:00", "\u0662\u0660\u0662\u0666-01-31T12:00:00Z", float("inf"), 1e30, -1e30,
    ],
)  # fmt: skip
def test_what_is_no_instant(value: Any) -> None:
    with pytest.raises(ExpressionError, match="is not an instant: give one such as"):
        instant(value, NOW)


def test_an_instant_too_far_away_is_a_mistake() -> None:
    with pytest.raises(ExpressionError, match="more than ten years away"):
        instant("2036-02-01T00:00:00Z", NOW)
