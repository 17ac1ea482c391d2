"""What can be said of a matrix before it is expanded. Pure."""

from collections.abc import Mapping, Sequence
from typing import cast

from orchestrator.expressions import look_up
from orchestrator.expressions.values import fold
from orchestrator.plan.parts import Json, Template
from orchestrator.plan.variants.limits import Step, VariantsError
from orchestrator.plan.variants.values import is_list, kind_in_words


def check_matrix(
    axes: Mapping[str, Json] | Template, include: Json, exclude: Json, *, templates: bool = False
) -> None:
    """See that a matrix has the lists and mappings that it must have, and that each exclude names an axis.

    With `templates`, a text may stand for any of them and is not looked at: it is still to be evaluated.

    Raises:
        VariantsError: at the first that is wrong.
    """
    check_entries("include", include, templates=templates)
    check_entries("exclude", exclude, templates=templates)
    if isinstance(axes, str):
        return
    for name, values in axes.items():
        if not (templates and isinstance(values, str)):
            _check_axis(str(name), values)
    names = tuple(map(str, axes))
    _differ(names, "axes", "the matrix", ())
    known = dict.fromkeys(names)
    filters = cast("Sequence[Json]", () if isinstance(exclude, str) else exclude or ())
    for number, entry in enumerate(filters):
        for key in cast("Mapping[str, Json]", entry if isinstance(entry, Mapping) else {}):
            if not look_up(known, str(key))[0]:
                there = ", ".join(f"'{name}'" for name in names) or "no axes"
                message = f"'exclude' names '{key}', which is no axis of this matrix; it has {there}"
                raise VariantsError(message, ("exclude", number, str(key)), fault="axis", at_key=True)


def _check_axis(name: str, values: Json) -> None:
    if not is_list(values):
        message = f"axis '{name}' of the matrix must be a list of values, not {kind_in_words(values)}"
        raise VariantsError(message, (name,))
    if not values:
        raise VariantsError(f"axis '{name}' of the matrix has no values", (name,), fault="empty")


def check_entries(key: str, entries: Json, *, templates: bool = False) -> None:
    """See that `entries`, the value of `key`, is a list of mappings that hold something. Raises VariantsError."""
    if entries is None or (templates and isinstance(entries, str)):
        return
    if not is_list(entries):
        raise VariantsError(
            f"'{key}' of the matrix must be a list of mappings, not {kind_in_words(entries)}", (key,)
        )
    for number, entry in enumerate(cast("Sequence[Json]", entries)):
        if templates and isinstance(entry, str):
            continue
        if not isinstance(entry, Mapping) or not entry:
            message = f"item {number + 1} of '{key}' of the matrix must be a mapping with at least one value"
            raise VariantsError(message, (key, number))
        names = tuple(map(str, cast("Mapping[str, Json]", entry)))
        _differ(names, "keys", f"item {number + 1} of '{key}' of the matrix", (key, number))


def _differ(names: tuple[str, ...], what: str, owner: str, path: tuple[Step, ...]) -> None:
    """See that no two names are the same but for their case, as expressions take them for one."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(fold(name), name)
        if other != name:
            message = f"the {what} '{other}' and '{name}' of {owner} differ only in case"
            raise VariantsError(message, (*path, name), at_key=True)
