"""Sizes as people write and read them. Pure, standard library only."""

import re
from typing import Final

_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_UNITS: Final = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
_LONGEST: Final = 64


def parse_size(value: object) -> int | None:
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


def size_text(size: int) -> str:
    """`64 MiB`."""
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} bytes"
