"""Sizes as people write and read them."""

import pytest

from orchestrator.sizes import parse_size, size_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1048576, 1048576), ("1048576", 1048576), ("512m", 512 * 2**20), ("1g", 2**30), ("64MiB", 64 * 2**20),
        ("64MB", 64 * 2**20), ("1.5G", 3 * 2**29), ("10kb", 10240), ("7b", 7), ("1 GiB", 2**30), ("2t", 2**41),
        (-1, None), ("", None), ("x", None), ("5x", None), ("m", None), (True, None), (1.5, None), (None, None),
        (2**63, None), ("9999999999t", None), ("9" * 5000, None),
    ],
)  # fmt: skip
def test_a_size_is_read(value: object, expected: int | None) -> None:
    assert parse_size(value) == expected


@pytest.mark.parametrize(
    ("size", "text"), [(5, "5 bytes"), (1536, "1.5 KiB"), (64 * 1024**2, "64 MiB"), (3 * 1024**3, "3 GiB")]
)
def test_a_size_is_written(size: int, text: str) -> None:
    assert size_text(size) == text
