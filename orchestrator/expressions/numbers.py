"""Numbers as text and text as numbers, to the letter of GitHub Actions (a .NET double behind both).

Pure and standard library only. `float()` and `int()` read more than the language does (underscores, other
scripts' digits), so that a pattern decides before they are asked.
"""

import math
import re
from typing import Final

_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_INFINITY: Final = re.compile(r"([+-]?)infinity", re.IGNORECASE | re.ASCII)
_EXACT: Final = 2**53

WHITE_SPACE: Final = "".join(
    ("\t\n\v\f\r \x85\xa0\u1680", *map(chr, range(0x2000, 0x200B)), "\u2028\u2029\u202f\u205f\u3000")
)
"""What counts as white space around a number and between tokens."""


def parse_number(text: str) -> float:
    """The number that `text` says; the empty text is 0, and what says no number is NaN.

    Hexadecimal (`0xff`) and octal (`0o17`) have 32 bits, the highest being the sign: `0xffffffff` is -1. They
    take no sign of their own.
    """
    text = text.strip(WHITE_SPACE)
    if not text:
        return 0.0
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _HEX.fullmatch(text):
        return _signed_32(text[2:], 16)
    if _OCTAL.fullmatch(text):
        return _signed_32(text[2:], 8)
    if (match := _INFINITY.fullmatch(text)) is not None:
        return -math.inf if match[1] == "-" else math.inf
    return math.nan


def format_number(number: float) -> str:
    """`number` as text: 15 significant digits, `1E+21` and `1E-05` outside of them, never `-0`."""
    value = as_double(number)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "0" if value == 0 else format(value, ".15G")


def as_double(number: float) -> float:
    """`number` as the double that the language calculates with; an integer beyond its range is infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def tidy(value: float) -> int | float:
    """`value` as an integer where it is one that a double holds exactly, so that `1.0` comes out as `1`."""
    if value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    return value


def _signed_32(digits: str, base: int) -> float:
    digits = digits.lstrip("0")
    if len(digits) > 11:
        return math.nan
    value = int(digits or "0", base)
    if value >= 2**32:
        return math.nan
    return float(value - 2**32 if value >= 2**31 else value)
