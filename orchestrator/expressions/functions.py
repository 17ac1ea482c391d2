"""GitHub Actions' own functions. What orca adds to them is in `additions`.

A function takes its arguments lazily, as the reference implementation does: what it does not look at is not
evaluated, and cannot fail. `hashFiles` needs files and the status functions need a run; both come from the
caller, and only their names and arities are here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from orchestrator.errors import ExpressionError
from orchestrator.expressions.json_text import read_json, write_json
from orchestrator.expressions.limits import ITEM, MAX_MEMORY, Budget, shorten
from orchestrator.expressions.values import (
    Value,
    as_array,
    equal,
    fold,
    is_primitive,
    kind_of,
    to_text,
)

MAX_ARGUMENTS: Final = 255
STATUS_FUNCTIONS: Final = ("success", "failure", "cancelled", "always")


class Arguments(Protocol):
    """The arguments of one call; each is evaluated when it is first asked for."""

    @property
    def budget(self) -> Budget:
        """What this evaluation may still go through."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Value: ...


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its name as the reference writes it, how many arguments it takes, and what it does."""

    name: str
    least: int
    most: int
    call: Callable[[Arguments], Value]


_BRACE: Final = re.compile("[{}]")
_PLACE: Final = re.compile(r"([0-9]+)(?::((?:[^}]|\}\})*+))?\}")


def _contains(arguments: Arguments) -> Value:
    search = arguments[0]
    if is_primitive(search):
        item = arguments[1]
        return is_primitive(item) and _folded(item, arguments) in _folded(search, arguments)
    for member in as_array(search) or ():
        arguments.budget.charge(ITEM + (len(member) if isinstance(member, str) else 0))
        if equal(arguments[1], member):
            return True
    return False


def _starts_with(arguments: Arguments) -> Value:
    if not is_primitive(arguments[0]) or not is_primitive(arguments[1]):
        return False
    return _folded(arguments[0], arguments).startswith(_folded(arguments[1], arguments))


def _ends_with(arguments: Arguments) -> Value:
    if not is_primitive(arguments[0]) or not is_primitive(arguments[1]):
        return False
    return _folded(arguments[0], arguments).endswith(_folded(arguments[1], arguments))


def _folded(value: Value, arguments: Arguments) -> str:
    text = to_text(value)
    arguments.budget.charge(len(text) if text.isascii() else 3 * len(text))
    return fold(text)


def _join(arguments: Arguments) -> Value:
    items = as_array(arguments[0])
    if items is None:
        return to_text(arguments[0]) if is_primitive(arguments[0]) else ""
    arguments.budget.charge(len(items))
    separator = ","
    if len(items) > 1 and len(arguments) > 1 and is_primitive(arguments[1]):
        separator = to_text(arguments[1])
    texts = [to_text(item) for item in items]
    arguments.budget.make(sum(map(len, texts)) + len(separator) * max(0, len(texts) - 1))
    return separator.join(texts)


def _format(arguments: Arguments) -> Value:
    template = to_text(arguments[0])
    arguments.budget.charge(len(template))
    texts: dict[int, str] = {}
    parts: list[str] = []
    length = 0
    for part in _format_parts(template, len(arguments) - 1):
        if isinstance(part, str):
            text = part
        else:
            index, specifiers = part
            if index not in texts:
                texts[index] = to_text(arguments[index + 1])
            if specifiers:
                kind = kind_of(arguments[index + 1]).value
                raise ExpressionError(
                    f"The format specifiers '{specifiers}' are not valid for objects of type '{kind}'"
                )
            text = texts[index]
        length += len(text)
        if 2 * length > MAX_MEMORY:
            break
        parts.append(text)
    arguments.budget.make(length)
    return "".join(parts)


def _format_parts(template: str, supplied: int) -> list[str | tuple[int, str]]:
    """`template` as text and places `(index, format specifiers)`, all checked before anything is read."""
    parts: list[str | tuple[int, str]] = []
    at = 0
    while (found := _BRACE.search(template, at)) is not None:
        brace = found.start()
        if brace > at:
            parts.append(template[at:brace])
        letter = template[brace]
        if template.startswith(letter, brace + 1):
            parts.append(letter)
            at = brace + 2
            continue
        place = _PLACE.match(template, brace + 1) if letter == "{" else None
        index = int(place[1]) if place is not None and len(place[1].lstrip("0")) <= 3 else MAX_ARGUMENTS + 1
        if place is None or index > MAX_ARGUMENTS:
            raise ExpressionError(f"The following format string is invalid: {shorten(template)}")
        if index >= supplied:
            raise ExpressionError(
                "The following format string references more arguments than were supplied: "
                + shorten(template)
            )
        parts.append((index, (place[2] or "").replace("}}", "}")))
        at = place.end()
    parts.append(template[at:])
    return parts


def _to_json(arguments: Arguments) -> Value:
    return write_json(arguments[0], arguments.budget)


def _from_json(arguments: Arguments) -> Value:
    text = to_text(arguments[0])
    arguments.budget.charge(4 * len(text))  # what it says takes far more room than the text
    return read_json(text)


def _case(arguments: Arguments) -> Value:
    for index in range(0, len(arguments) - 1, 2):
        predicate = arguments[index]
        if not isinstance(predicate, bool):
            raise ExpressionError("case predicate must evaluate to a boolean value")
        if predicate:
            return arguments[index + 1]
    return arguments[len(arguments) - 1]


GITHUB: Final = (
    Function("case", 3, MAX_ARGUMENTS, _case),
    Function("contains", 2, 2, _contains),
    Function("endsWith", 2, 2, _ends_with),
    Function("format", 1, MAX_ARGUMENTS, _format),
    Function("fromJSON", 1, 1, _from_json),
    Function("join", 1, 2, _join),
    Function("startsWith", 2, 2, _starts_with),
    Function("toJSON", 1, 1, _to_json),
)
"""The functions that need nothing but their arguments."""
