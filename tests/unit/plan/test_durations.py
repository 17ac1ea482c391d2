"""Durations as people write them."""

import pytest

from orchestrator.plan.durations import MAX_SECONDS, duration


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 90.0), (1.5, 1.5), (0, 0.0), ("90", 90.0), ("5m", 300.0), ("1h30m", 5400.0), ("500ms", 0.5),
        ("2d", 172800.0), ("1h 30m", 5400.0), ("1.5h", 5400.0), (" 5s ", 5.0), (MAX_SECONDS, MAX_SECONDS),
        ("5", 5.0), (-1, None), ("-1", None), ("", None), ("m", None), ("5x", None), ("5m3", None), ("5 m m", None),
        ("1e3", None), (True, None), (None, None), ([], None), (float("inf"), None), (float("nan"), None),
        (MAX_SECONDS + 1, None), ("9" * 5000, None), ("٣s", None),
    ],
)  # fmt: skip
def test_duration(value: object, seconds: float | None) -> None:
    assert duration(value) == seconds
