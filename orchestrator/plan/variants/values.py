"""JSON values as matrices and lists have them. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from orchestrator.expressions import to_text
from orchestrator.plan.parts import Json, Template


def filled(value: Json, evaluate: Callable[[Template], Json]) -> Json:
    """`value` with all its templates evaluated."""
    if isinstance(value, str):
        return evaluate(value) if "${{" in value else value
    if isinstance(value, Mapping):
        parts = cast("Mapping[str, Json]", value).items()
        return {key: filled(part, evaluate) for key, part in parts}
    if is_list(value):
        return [filled(part, evaluate) for part in cast("Sequence[Json]", value)]
    return value


def plain(value: Json) -> Json:
    """`value` as dicts and lists, whatever mapping or sequence an expression gave."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in cast("Mapping[str, Json]", value).items()}
    return [plain(part) for part in cast("Sequence[Json]", value)] if is_list(value) else value


def is_list(value: Json) -> bool:
    """Whether `value` is one of JSON's arrays."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def kind_in_words(value: Json) -> str:
    """What `value` is, for a message that says what stands there instead."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if is_list(value):
        return "a list"
    return f"'{to_text(value)[:60]}'"
