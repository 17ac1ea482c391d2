"""Durations and sizes as people write them. Pure: text and numbers in, seconds and bytes out."""

import re
from typing import Final

from orchestrator.plan.durations import MAX_SECONDS, duration

_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_LONGEST: Final = 64

__all__ = ["MAX_SECONDS", "duration", "size"]


def size(value: object) -> int | None:
    """Bytes for `1048576`, `'512m'`, `'1g'`, `'64MiB'`, `'64MB'`; None for anything else.

    Units are powers of 1024, in every spelling: so Docker reads them.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 2**63 else None
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        return None
    size_in_bytes = float(match[1]) * 1024 ** _POWERS[match[2].lower()]
    return int(size_in_bytes) if size_in_bytes < 2**63 else None
