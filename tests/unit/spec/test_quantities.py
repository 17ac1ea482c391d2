"""Durations and sizes as people write them."""

import pytest

from orchestrator.spec.quantities import MAX_SECONDS, duration, size


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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1048576, 1048576), ("1048576", 1048576), ("512m", 512 * 2**20), ("1g", 2**30), ("64MiB", 64 * 2**20),
        ("64MB", 64 * 2**20), ("1.5G", 3 * 2**29), ("10kb", 10240), ("7b", 7), ("1 GiB", 2**30), ("2t", 2**41),
        (-1, None), ("", None), ("x", None), ("5x", None), ("m", None), (True, None), (1.5, None), (None, None),
        (2**63, None), ("9999999999t", None), ("9" * 5000, None),
    ],
)  # fmt: skip
def test_size(value: object, expected: int | None) -> None:
    assert size(value) == expected
