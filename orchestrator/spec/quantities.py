"""Durations as people write them. Pure: text and numbers in, seconds out."""

import math
import re
from typing import Final

MAX_SECONDS: Final = 3650 * 86400.0
"""Ten years: beyond it a duration is a typing error, and Temporal's timers end."""

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)\s*")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LONGEST: Final = 64


def duration(value: object) -> float | None:
    """Seconds for `90`, `1.5`, `'90'`, `'5m'`, `'1h30m'`, `'500ms'`, `'2d'`; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        seconds = float(value)
    elif isinstance(value, str) and len(value) <= _LONGEST:
        seconds = _spoken(value.strip())
    else:
        return None
    return seconds if math.isfinite(seconds) and 0 <= seconds <= MAX_SECONDS else None


def _spoken(text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text) != "":
        return math.nan
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
