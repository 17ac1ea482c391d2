"""JSON in and out as GitHub Actions reads and writes it. Pure; knows values, not syntax.

Reading is strict JSON. Writing is the pretty form with two spaces, in which a number is written as it becomes
text (`1E+21`, `NaN`), and text is escaped as little as the reference implementation escapes it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NoReturn, cast

from orchestrator.errors import ExpressionError
from orchestrator.expressions.limits import MAX_JSON_DEPTH, MAX_MEMORY, Budget
from orchestrator.expressions.numbers import tidy
from orchestrator.expressions.values import Value, fold, to_text

_ESCAPED: Final = re.compile('["\\\\\x00-\x1f\x85\u2028\u2029]')
_SHORT: Final = {
    '"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r",
}  # fmt: skip
_PART: Final = 16
"""What writing one part of JSON counts beside its characters, as it takes about as long as copying so many."""
_BRACKETS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def write_json(value: Value, budget: Budget) -> str:
    """`value` as pretty JSON.

    Raises:
        ExpressionError: the text gets longer, or `value` is nested deeper, than the limits allow.
    """
    parts: list[str] = []
    length = 0
    for part in _write(value, 0):
        length += len(part)
        if 2 * length > MAX_MEMORY:
            break
        parts.append(part)
    budget.charge(_PART * len(parts))
    budget.make(length)
    return "".join(parts)


def read_json(text: str, *, refusal: str = "Error parsing fromJSON") -> Value:
    """What the JSON `text` says; a `refusal` begins the message that it says nothing.

    Of an object's keys that differ only in case, the first one's spelling and the last one's value stay.

    Raises:
        ExpressionError: it is not JSON, or nested deeper than 100 levels.
    """
    if not text.strip():
        raise ExpressionError(f"{refusal}: the text is empty")
    _check_depth(text, refusal)
    try:
        parsed = cast(
            "Value",
            json.loads(
                text,
                parse_int=_number,
                parse_float=_number,
                parse_constant=_refuse,
                object_pairs_hook=_object,
            ),
        )
    except ValueError as error:
        raise ExpressionError(f"{refusal}: {error}") from error
    if _SURROGATE_ESCAPE.search(text) and _SURROGATE.search(json.dumps(parsed, ensure_ascii=False)):
        raise ExpressionError(f"{refusal}: a text in it has half of a surrogate pair")
    return parsed


def _write(value: Value, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield _quote(value)
    elif value is None:
        yield "null"
    elif isinstance(value, Mapping):
        pairs = ((f"{_quote(key)}: ", item) for key, item in value.items())
        yield from _write_items("{}", pairs, depth)
    elif isinstance(value, Sequence):
        yield from _write_items("[]", (("", item) for item in value), depth)
    elif isinstance(value, bool | int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
        yield to_text(value)
    else:
        yield "{}"  # none of JSON's shapes: an object without properties


def _write_items(brackets: str, items: Iterator[tuple[str, Value]], depth: int) -> Iterator[str]:
    if depth >= MAX_JSON_DEPTH:
        raise ExpressionError(f"toJSON() met a value that is nested deeper than {MAX_JSON_DEPTH} levels")
    indent = "\n" + "  " * (depth + 1)
    start = brackets[0]
    for name, item in items:
        yield f"{start}{indent}{name}"
        yield from _write(item, depth + 1)
        start = ","
    yield brackets if start == brackets[0] else "\n" + "  " * depth + brackets[1]


def _quote(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}"


def _check_depth(text: str, refusal: str) -> None:
    """Refuse what is nested too deep before the parser, which recurses, gets to see it."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise ExpressionError(f"{refusal}: nested deeper than {MAX_JSON_DEPTH} levels")
        elif match[0] in "]}":
            depth -= 1


def _number(text: str) -> int | float:
    return tidy(float(text))


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"'{word}' is not JSON")


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    # In two steps, as the reference does: a key that comes twice keeps its last value, at its first place; then
    # of keys that differ only in case each sets the value of the first.
    result: dict[str, Value] = {}
    spelled: dict[str, str] = {}
    for key, value in dict(pairs).items():
        result[spelled.setdefault(fold(key), key)] = value
    return result
