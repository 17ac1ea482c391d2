"""What a plain YAML scalar means: the core schema of YAML 1.2 (its section 10.3.2).

`on`, `off`, `yes` and `no` are text, `012` is twelve, `1_000` and `12:30` are text. Pure.
"""

import re
from typing import Final

Scalar = bool | int | float | str | None

_WORDS: Final[dict[str, bool | float | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"),
    "+.inf": float("inf"), "+.Inf": float("inf"), "+.INF": float("inf"),
    "-.inf": float("-inf"), "-.Inf": float("-inf"), "-.INF": float("-inf"),
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_MAX_DIGITS: Final = 66
_LOWEST: Final = -(2**63)
_HIGHEST: Final = 2**64 - 1


class NumberRangeError(ValueError):
    """The scalar is a number that 64 bits cannot hold."""


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted, untagged) scalar.

    Raises:
        NumberRangeError: a number beyond 64 bits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise NumberRangeError(text)
        return value
    return text


def _integer(text: str) -> int:
    # The length is looked at first: turning a megabyte of digits into a number takes quadratic time.
    if len(text) > _MAX_DIGITS:
        raise NumberRangeError(text)
    if text.startswith("0o"):
        value = int(text[2:], 8)
    elif text.startswith("0x"):
        value = int(text[2:], 16)
    else:
        value = int(text)
    if not _LOWEST <= value <= _HIGHEST:
        raise NumberRangeError(text)
    return value
