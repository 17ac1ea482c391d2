"""The functions that orca adds to GitHub Actions' own. Their table is `ADDITIONS`.

All are total and bounded: a value of the wrong kind, a list of more than 10 000 items or a text of more than
1 MB is an `ExpressionError` that says so. Null counts as empty, as a property that is missing is null.
"""

import math
from collections.abc import Sequence
from typing import Final

from orchestrator.errors import ExpressionError
from orchestrator.expressions.functions import Arguments, Function
from orchestrator.expressions.limits import MAX_ITEMS
from orchestrator.expressions.values import (
    Value,
    as_array,
    as_object,
    is_primitive,
    kind_of,
    to_number,
    to_text,
)


def _text(arguments: Arguments, index: int, function: str) -> str:
    value = arguments[index]
    if not is_primitive(value):
        raise ExpressionError(f"{function}() works on text, not on {_described(value)}")
    text = to_text(value)
    arguments.budget.charge(len(text))
    return text


def _items(arguments: Arguments, function: str) -> Sequence[Value]:
    value = arguments[0]
    if value is None:
        return ()
    items = as_array(value)
    if items is None:
        raise ExpressionError(f"{function}() works on a list, not on {_described(value)}")
    arguments.budget.charge(len(items))
    return items


def _whole(arguments: Arguments, index: int, function: str) -> int:
    number = to_number(arguments[index])
    if not math.isfinite(number) or number != math.floor(number) or abs(number) > 2**53:
        raise ExpressionError(f"{function}() needs a whole number, not '{to_text(arguments[index])}'")
    return int(number)


def _described(value: Value) -> str:
    kind = kind_of(value).value.lower()
    return f"an {kind}" if kind[0] in "ao" else f"a {kind}"


def _checked_count(count: int, function: str) -> None:
    if count > MAX_ITEMS:
        raise ExpressionError(f"{function}() makes at most {MAX_ITEMS} items; this would be {count}")


def _upper(arguments: Arguments) -> Value:
    text = _text(arguments, 0, "upper")
    arguments.budget.make(len(text))
    return text.upper()


def _lower(arguments: Arguments) -> Value:
    text = _text(arguments, 0, "lower")
    arguments.budget.make(len(text))
    return text.lower()


def _trim(arguments: Arguments) -> Value:
    text = _text(arguments, 0, "trim")
    arguments.budget.make(len(text))
    return text.strip()


def _first(arguments: Arguments) -> Value:
    if isinstance(value := arguments[0], str):
        return value[:1]
    items = _items(arguments, "first")
    return items[0] if items else None


def _last(arguments: Arguments) -> Value:
    if isinstance(value := arguments[0], str):
        return value[-1:]
    items = _items(arguments, "last")
    return items[-1] if items else None


def _length(arguments: Arguments) -> Value:
    value = arguments[0]
    if value is None:
        return 0
    if isinstance(value, bool | int | float):
        raise ExpressionError(f"length() works on text, a list or an object, not on {_described(value)}")
    return len(value)


def _replace(arguments: Arguments) -> Value:
    text = _text(arguments, 0, "replace")
    old, new = _text(arguments, 1, "replace"), _text(arguments, 2, "replace")
    if not old:
        return text
    arguments.budget.make(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _split(arguments: Arguments) -> Value:
    text = _text(arguments, 0, "split")
    separator = _text(arguments, 1, "split") if len(arguments) > 1 else ","
    if not separator:
        raise ExpressionError("split() needs a separator that is not empty")
    _checked_count(text.count(separator) + 1, "split")
    return list(text.split(separator)) if text else []


def _batch(arguments: Arguments) -> Value:
    items = _items(arguments, "batch")
    size = _whole(arguments, 1, "batch")
    if size < 1:
        raise ExpressionError(f"batch() needs a size of at least 1, not {size}")
    _checked_count(-(-len(items) // size), "batch")
    return [list(items[at : at + size]) for at in range(0, len(items), size)]


def _default(arguments: Arguments) -> Value:
    value = arguments[0]
    return arguments[1] if value is None or value == "" else value


def _keys(arguments: Arguments) -> Value:
    return [key for key, _ in _pairs(arguments, "keys")]


def _values(arguments: Arguments) -> Value:
    return [value for _, value in _pairs(arguments, "values")]


def _pairs(arguments: Arguments, function: str) -> list[tuple[str, Value]]:
    value = arguments[0]
    if value is None:
        return []
    mapping = as_object(value)
    if mapping is None:
        raise ExpressionError(f"{function}() works on an object, not on {_described(value)}")
    arguments.budget.charge(len(mapping))
    return list(mapping.items())


def _range(arguments: Arguments) -> Value:
    numbers = [_whole(arguments, index, "range") for index in range(len(arguments))]
    step = numbers[2] if len(numbers) > 2 else 1
    if step == 0:
        raise ExpressionError("range() needs a step that is not 0")
    wanted = range(numbers[0]) if len(numbers) == 1 else range(numbers[0], numbers[1], step)
    _checked_count(len(wanted), "range")
    arguments.budget.charge(len(wanted))
    return list(wanted)


ADDITIONS: Final = (
    Function("batch", 2, 2, _batch),
    Function("default", 2, 2, _default),
    Function("first", 1, 1, _first),
    Function("keys", 1, 1, _keys),
    Function("last", 1, 1, _last),
    Function("length", 1, 1, _length),
    Function("lower", 1, 1, _lower),
    Function("range", 1, 3, _range),
    Function("replace", 3, 3, _replace),
    Function("split", 1, 2, _split),
    Function("trim", 1, 1, _trim),
    Function("upper", 1, 1, _upper),
    Function("values", 1, 1, _values),
)
