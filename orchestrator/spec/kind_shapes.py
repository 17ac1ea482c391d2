"""Validators of what gates, waits, choices, calls and nested workflows have: as in `shapes`, short forms become long
ones and what is wrong is said in words.
"""

import datetime
import math
import re
from typing import Any, Final, cast

from orchestrator.spec.shapes import is_expression, positive_duration, wrong

BUILT_IN: Final = ("http",)
"""Functions that every worker has, by the names under which they are called."""
_WORD: Final = "[A-Za-z_][A-Za-z0-9_]*"
FUNCTION: Final = rf"{_WORD}(\.{_WORD})*:{_WORD}(\.{_WORD})*"
INSTANT: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
APPROVER: Final = r"((user|group):)?[^\s:,][^\s:,]*"
FIELD_TYPES: Final = ("string", "number", "boolean", "select", "multi_select")
LAST_SECOND: Final = 253_402_300_799
"""Since 1970: the end of the year 9999, where RFC 3339 ends too."""
_HOLE: Final = "${{"


def function(value: Any) -> str:
    """What is called: `package.module:function`, or a built-in one."""
    if isinstance(value, str) and (value in BUILT_IN or re.fullmatch(FUNCTION, value)):
        return value
    raise wrong("must be a function such as 'package.module:function', or 'http'")


def spec_path(value: Any) -> str:
    """A spec's path from the folder of the spec that names it."""
    if not isinstance(value, str) or not value or value.startswith("/") or _HOLE in value or "\0" in value:
        raise wrong("must be the path of a spec, from this one's folder, such as './provision.yaml'")
    return value


def gate(value: Any) -> Any:
    """A text is short for `prompt`."""
    if isinstance(value, str):
        return {"prompt": value}
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise wrong("must be what people are asked, or a mapping with 'prompt', 'fields', 'approvers' and so on")


def field(value: Any) -> Any:
    """A text is short for `type`; a name with nothing after it is a text field."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"type": value}
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise wrong("must be a type such as 'string', or a mapping with 'type', 'required', 'default' and so on")


def field_type(value: Any) -> str:
    """`multi-select` is another spelling of `multi_select`."""
    value = "multi_select" if value == "multi-select" else value
    if not isinstance(value, str) or value not in FIELD_TYPES:
        raise wrong("must be 'string', 'number', 'boolean', 'select' or 'multi_select'", FIELD_TYPES)
    return value


def options(value: Any) -> Any:
    """A list with at least one option, or one expression."""
    if isinstance(value, str) and is_expression(value):
        return value.rstrip()
    if isinstance(value, list) and value:
        return tuple(cast("list[Any]", value))
    raise wrong(
        "must be a list with at least one option, or one expression such as ${{ jobs.find.outputs.names }}",
        complete=value == [],
    )


def option(value: Any) -> Any:
    """One that can be chosen: text, a number, true or false."""
    if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise wrong("must be text, a number, true or false")


def approvers(value: Any) -> Any:
    """A list, one name that counts as a list of one, or one expression."""
    if isinstance(value, list):
        return tuple(cast("list[Any]", value))
    if is_expression(value):
        return str(value).rstrip()
    if isinstance(value, str):
        return (value,)
    raise wrong("must be a list such as ['user:ann', 'group:release']")


def approver(value: Any) -> str:
    """`user:ann`, `group:release`, or a user's name alone."""
    if isinstance(value, str) and (_HOLE in value or re.fullmatch(APPROVER, value)):
        return value
    raise wrong("must be such as 'user:ann', 'group:release' or 'ann'")


def wait(value: Any) -> Any:
    """A duration is short for `for`."""
    if isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        known = [key for key in ("for", "until") if key in given]
        if len(known) > 1 or not given:
            raise wrong("must have exactly one of 'for' and 'until'", complete=True)
        return given  # a mistyped key is told of as such
    return {"for": wait_for(value)}


def wait_for(value: Any) -> float | str:
    """Seconds, more than 0; or a text with an expression that gives them."""
    if isinstance(value, str) and _HOLE in value:
        return value
    return positive_duration(value)


def instant(value: Any) -> str:
    """An instant of RFC 3339, seconds since 1970, or a text with an expression that gives one of them."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LAST_SECOND:
        return str(value)
    if isinstance(value, str) and _HOLE in value:
        return value
    if not isinstance(value, str) or not re.fullmatch(INSTANT, value):
        raise wrong(
            "must be an instant with its time zone, such as 2026-01-31T08:00:00Z, or seconds since 1970"
        )
    try:
        datetime.datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise wrong(f"is not an instant that there is: {error}", complete=True) from None
    return value


def branch(value: Any) -> Any:
    """`when` with `then`, or `default`."""
    wish = "must have 'when' and 'then', or 'default' alone"
    if not isinstance(value, dict):
        raise wrong(wish)
    given = cast("dict[str, Any]", value)
    known = sorted(key for key in ("when", "then", "default") if key in given)
    # Beside an unknown key, which is told of as such, what is missing is most likely what it should be.
    if known not in (["default"], ["then", "when"]) and len(known) == len(given):
        raise wrong(wish, complete=True)
    return given
