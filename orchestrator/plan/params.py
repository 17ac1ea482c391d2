"""Params: what a spec declares, checked, and what a caller gives, checked and bound. Pure."""

import difflib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from orchestrator.errors import UsageError
from orchestrator.plan import patterns
from orchestrator.plan.model import Param
from orchestrator.plan.parts import Json, ParamType

_ARTICLES: Final[Mapping[ParamType, str]] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list, as JSON",
    "object": "a mapping, as JSON",
}
_MAX_DIGITS: Final = 400
"""Digits of a number on a command line; more take quadratic time to read and fit nowhere."""


def bind_params(declared: Sequence[Param], given: Mapping[str, Json]) -> dict[str, Json]:
    """The value of every declared param: as given, else its default, else None.

    Args:
        declared: The plan's params.
        given: Values by name. Text for a param of another type is read as on a command line (`parse_given`).

    Raises:
        UsageError: with one line for every problem: missing, unknown, wrong type, not allowed, wrong pattern.
    """
    by_name = {param.name: param for param in declared}
    problems: list[str] = []
    for name in given:
        if name not in by_name:
            near = difflib.get_close_matches(name, list(by_name), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; {_known(by_name)}"
            problems.append(f"unknown param '{name}'{hint}")
    bound: dict[str, Json] = {}
    for param in declared:
        if param.name in given:
            try:
                bound[param.name] = accepted(param, given[param.name])
            except UsageError as error:
                problems.append(str(error))
        elif param.has_default:
            bound[param.name] = param.default
        elif param.required:
            problems.append(f"param '{param.name}' is required: give it with --param {param.name}=VALUE")
        else:
            bound[param.name] = None
    if problems:
        raise UsageError("\n".join(problems))
    return bound


def parse_given(param: Param, text: str) -> Json:
    """The value that `text` on a command line means for `param`: text as it is, all other types as JSON.

    Raises:
        UsageError: it is not of the param's type. Allowed values and pattern are not looked at.
    """
    if param.type == "string":
        return text
    if len(text) > _MAX_DIGITS and param.type in ("integer", "number"):
        raise UsageError(f"param '{param.name}' must be {_ARTICLES[param.type]}, not {len(text)} characters")
    try:
        value: Json = json.loads(text.strip().lower() if param.type == "boolean" else text)
    except (ValueError, RecursionError):
        raise UsageError(
            f"param '{param.name}' must be {_ARTICLES[param.type]}, not '{_short(text)}'"
        ) from None
    return _typed(param, value)


def declaration_problems(param: Param) -> Iterator[tuple[str, str]]:
    """What is wrong with a declared param: the key that is wrong and a sentence."""
    if param.pattern is not None:
        if param.type != "string":
            yield (
                "pattern",
                f"param '{param.name}' has a pattern, but only text can have one and its type is {param.type}",
            )
        elif (reason := patterns.problem(param.pattern)) is not None:
            yield "pattern", f"the pattern of param '{param.name}' cannot be used: {reason}"
            param = param.model_copy(update={"pattern": None})
    for value in param.enum:
        try:
            _typed(param, value)
        except UsageError as error:
            yield "enum", f"an allowed value of {error}"
    if param.has_default and param.default is not None:
        try:
            accepted(param, param.default, read_text=False)
        except UsageError as error:
            yield "default", f"the default of {error}"


def accepted(param: Param, value: Json, *, read_text: bool = True) -> Json:
    """`value` as the param has it; with `read_text` text is read as on a command line where it is no text param.

    Raises:
        UsageError: the param cannot have it.
    """
    value = parse_given(param, value) if read_text and isinstance(value, str) else _typed(param, value)
    if param.enum and all(not _same(value, allowed) for allowed in param.enum):
        allowed = ", ".join(_shown(item) for item in param.enum[:20])
        raise UsageError(f"param '{param.name}' must be one of {allowed}, not {_shown(value)}")
    if param.pattern is not None and isinstance(value, str) and not patterns.is_found(param.pattern, value):
        raise UsageError(
            f"param '{param.name}' must match the pattern {param.pattern}, which {_shown(value)} does not"
        )
    return value


def _typed(param: Param, value: Json) -> Json:
    fits = {
        "string": isinstance(value, str),
        "integer": _is_whole(value),
        "number": _is_number(value),
        "boolean": isinstance(value, bool),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }
    if not fits[param.type] or not _is_finite(value):
        raise UsageError(f"param '{param.name}' must be {_ARTICLES[param.type]}, not {_shown(value)}")
    return int(value) if param.type == "integer" else value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Json) -> bool:
    return _is_number(value) and (isinstance(value, int) or (math.isfinite(value) and value == int(value)))


def _is_finite(value: Json) -> bool:
    """Whether all numbers in it are finite: JSON has no others."""
    open_: list[Any] = [value]
    while open_:
        item = open_.pop()
        if isinstance(item, float) and not math.isfinite(item):
            return False
        if isinstance(item, dict):
            open_.extend(cast("dict[str, Any]", item).values())
        elif isinstance(item, list):
            open_.extend(cast("list[Any]", item))
    return True


def _same(one: Json, other: Json) -> bool:
    """Equality in which true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True) or (
        _is_number(one) and _is_number(other) and one == other
    )


def _known(by_name: Mapping[str, Param]) -> str:
    return f"the spec has {', '.join(by_name)}" if by_name else "the spec declares no params"


def _shown(value: Json) -> str:
    return f"'{_short(value)}'" if isinstance(value, str) else _short(json.dumps(value))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
