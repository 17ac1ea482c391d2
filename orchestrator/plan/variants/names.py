"""How variants are called: readable, stable, unique in their job. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, cast

from orchestrator.expressions import look_up, render, to_text
from orchestrator.plan.parts import Json, Template
from orchestrator.plan.variants.values import is_list

MAX_NAME: Final = 100
"""Characters of a variant's name, as of a job's at GitHub."""


def combination_name(values: Mapping[str, Json], named: Mapping[str, Json], title: Template | None) -> str:
    """The name of a combination: by `title`, which may read all its `values`, else by those in `named`."""
    if title is not None:
        return clean(to_text(render(title, {"matrix": values, "item": None})))
    return clean(", ".join(_leaves(list(named.values()))))


def _leaves(value: Json) -> Iterator[str]:
    """The texts in `value`, depth first, without empty ones: what GitHub puts into the brackets."""
    if isinstance(value, Mapping):
        for part in cast("Mapping[str, Json]", value).values():
            yield from _leaves(part)
    elif is_list(value):
        for part in cast("Sequence[Json]", value):
            yield from _leaves(part)
    elif text := to_text(value):
        yield text


def item_name(item: Json, number: int) -> str:
    """The item itself; one with parts is told by its `name`, `id` or `key`, else by its leaves.

    Only an item without any text is told by its place, so that names stay when the list is put in another order.
    """
    if isinstance(item, Mapping):
        parts = cast("Mapping[str, Json]", item)
        for key in ("name", "id", "key"):
            label = look_up(parts, key)[1]
            if isinstance(label, str | int | float) and to_text(label):
                return to_text(label)
    return ", ".join(islice(_leaves(item), MAX_NAME)) or f"item {number}"


def clean(name: str) -> str:
    """One printable line of at most `MAX_NAME` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in name).split())
    return (line if len(line) <= MAX_NAME else f"{line[: MAX_NAME - 3]}...") or "empty"


def unique(names: Sequence[str]) -> list[str]:
    """The names, with ` #2` and so on behind those that an earlier variant has."""
    taken: dict[str, int] = dict.fromkeys(names, 0)
    result: list[str] = []
    for name in names:
        taken[name] += 1
        unique = name
        while taken[name] > 1 and (unique := f"{name} #{taken[name]}") in taken:
            taken[name] += 1
        result.append(unique)
    return result
