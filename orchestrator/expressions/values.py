"""The values of the language and how they become one another: text, number, condition, equality, order.

The rules are GitHub Actions'. Pure: a value is only read, and nothing here knows of syntax or functions.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, TypeAlias, cast

from orchestrator.expressions.numbers import as_double, format_number, parse_number

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
"""What an expression reads and gives: the shapes of JSON.

Any `Sequence` but text is an array, and any `Mapping` an object.
"""


class Kind(Enum):
    """What a value is; the member's value is the word that GitHub uses for it."""

    NULL = "Null"
    BOOLEAN = "Boolean"
    NUMBER = "Number"
    STRING = "String"
    ARRAY = "Array"
    OBJECT = "Object"


class FilteredArray(list[Value]):
    """What `.*` and `[*]` give: a list whose next `.name` or `[index]` goes into each item."""


PRIMITIVE: Final = (Kind.NULL, Kind.BOOLEAN, Kind.NUMBER, Kind.STRING)

# Letters whose upper case is several letters, or an ASCII one: each stays itself or takes its title form.
_UNUSUAL: Final = re.compile("[ßŉıſǰΐΰև\u1e96-\u1e9e\u1f50-\u1fff\ufb00-\ufb17]")


def kind_of(value: Value) -> Kind:
    """The kind of `value`. What is none of JSON's shapes counts as an object without properties."""
    if value is None:
        return Kind.NULL
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.STRING
    if isinstance(value, Mapping):
        return Kind.OBJECT
    # A caller from outside the type checker's reach may hand in anything.
    return Kind.ARRAY if isinstance(value, Sequence) else Kind.OBJECT  # pyright: ignore[reportUnnecessaryIsInstance]


def is_primitive(value: Value) -> bool:
    """Whether `value` is null, a boolean, a number or a text."""
    return kind_of(value) in PRIMITIVE


def as_array(value: Value) -> Sequence[Value] | None:
    """`value` where it is an array, else nothing."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else None


def as_object(value: Value) -> Mapping[str, Value] | None:
    """`value` where it is an object, else nothing."""
    return value if isinstance(value, Mapping) else None


def truthy(value: Value) -> bool:
    """Whether `value` holds as a condition: all but null, false, 0, NaN and the empty text do."""
    if value is None or value is False or value == "":
        return False
    if isinstance(value, int | float):
        return value == value and value != 0  # noqa: PLR0124 - NaN alone differs from itself
    return True


def to_text(value: Value) -> str:
    """`value` as text: null is empty, a number has at most 15 digits, a list is the word `Array`."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format_number(value)
    return kind_of(value).value


def to_number(value: Value) -> float:
    """`value` as a number: null is 0, true is 1, a text is read as one, and a list or a mapping is NaN."""
    if value is None:
        return 0.0
    if isinstance(value, int | float):
        return as_double(value)
    return parse_number(value) if isinstance(value, str) else float("nan")


def fold(text: str) -> str:
    """`text` as comparisons see it: upper case, letter for letter, in no language's way."""
    if text.isascii() or _UNUSUAL.search(text) is None:
        return text.upper()
    return "".join(map(_fold_letter, text))


def equal(left: Value, right: Value) -> bool:
    """Whether `left == right`: text in any case, arrays and objects by identity, other kinds as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right or fold(left) == fold(right)
    kinds = kind_of(left), kind_of(right)
    if kinds[0] is kinds[1] and kinds[0] is not Kind.NUMBER:
        return left is right if kinds[0] in (Kind.ARRAY, Kind.OBJECT) else left == right
    if Kind.ARRAY in kinds or Kind.OBJECT in kinds:
        return False
    return to_number(left) == to_number(right)


def less(left: Value, right: Value) -> bool:
    """Whether `left < right`: text in any case, all else as numbers; never true of a list or mapping."""
    if isinstance(left, str) and isinstance(right, str):
        return _rank(left) < _rank(right)
    kinds = kind_of(left), kind_of(right)
    if Kind.ARRAY in kinds or Kind.OBJECT in kinds:
        return False
    return to_number(left) < to_number(right)


def look_up(mapping: Mapping[str, Value], key: str) -> tuple[bool, Value]:
    """Whether `mapping` has `key`, in any case, and its value, else null.

    A key that is written as the mapping has it costs one look-up, however large the mapping is; only a miss
    walks through the keys, and takes the first that differs only in case.
    """
    if key in mapping:
        return True, mapping[key]
    wanted = fold(key)
    for name in cast("Iterable[object]", mapping):  # what a caller hands in may have other keys than text
        if isinstance(name, str) and len(name) == len(key) and fold(name) == wanted:
            return True, mapping[name]
    return False, None


def _fold_letter(letter: str) -> str:
    if letter in "ıſ":
        return letter
    upper = letter.upper()
    if len(upper) == 1:
        return upper
    title = letter.title()
    return title if len(title) == 1 else letter


def _rank(text: str) -> bytes:
    # UTF-16 units, which is what .NET compares: they order a letter beyond U+FFFF before U+E000.
    return fold(text).encode("utf-16-be", "surrogatepass")
