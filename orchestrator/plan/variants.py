"""From a matrix or a list to the variants of a job, by GitHub Actions' rules. Pure.

The compiler expands what it knows, the interpreter the rest, both with this. Names, order, what an `exclude` or
`include` matches and how it merges follow GitHub's own reference; ours is `for_each`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final, cast

from orchestrator.errors import OrcaError
from orchestrator.expressions import equal, look_up, render, to_text
from orchestrator.plan.model import DEFAULT_MAX_VARIANTS, Json, Template, Variant

MAX_NAME: Final = 100
"""Characters of a variant's name, as of a job's at GitHub."""
MAX_COMPARISONS: Final = 2_000_000
"""Combinations times filters: what an expansion may cost, however many of them are excluded."""
OPTIONS: Final = ("include", "exclude")
"""Keys of a matrix that are no axes."""

Step = str | int


class VariantsError(OrcaError):
    """A matrix or list cannot be expanded. `path` leads to the part that is wrong, from the matrix or list on."""

    exit_code = 2

    def __init__(self, message: str, path: Sequence[Step] = ()) -> None:
        super().__init__(message)
        self.path = tuple(path)


def expand_matrix(
    axes: Mapping[str, Json],
    include: Json = (),
    exclude: Json = (),
    *,
    title: Template | None = None,
    limit: int = DEFAULT_MAX_VARIANTS,
) -> tuple[Variant, ...]:
    """The variants of a matrix: excludes first, then includes; the first axis varies slowest.

    Args:
        axes: for each name its values, a list that is not empty.
        include: a list of mappings; each merges into all combinations whose axes it leaves alone, else it is one more.
        exclude: a list of mappings; each takes out the combinations that it matches in part.
        title: text with `${{ matrix… }}` that names each variant; None joins the values of the axes.
        limit: how many there may be.

    Raises:
        VariantsError: a shape is wrong, an exclude names no axis, nothing is left, or there are more than `limit`.
        ExpressionError: `title` fails.
    """
    known = {str(name): _axis(str(name), values) for name, values in axes.items()}
    excludes = _mappings("exclude", exclude)
    includes = _mappings("include", include)
    for number, entry in enumerate(excludes):
        for key in entry:
            if not look_up(known, key)[0]:
                there = ", ".join(f"'{name}'" for name in known) or "no axes"
                message = f"'exclude' names '{key}', which is no axis of this matrix; it has {there}"
                raise VariantsError(message, ("exclude", number, key))
    size = math.prod(len(values) for values in known.values()) if known else 0
    if size * (1 + len(excludes) + len(includes)) > MAX_COMPARISONS:
        raise VariantsError(f"the matrix has {size:,} combinations, which is more than can be looked through")
    found = list(_combine(known, includes, excludes, size))
    if not found:
        raise VariantsError(
            "the matrix has no combination left: 'exclude' takes out all of them"
            if size
            else "the matrix has no values: give it at least one axis or one 'include'"
        )
    _check_count(len(found), limit)
    names = [_name(values, named, title) for values, named in found]
    return tuple(
        Variant(name=name, values=values) for name, (values, _) in zip(_unique(names), found, strict=True)
    )


def read_matrix(value: Json) -> tuple[dict[str, Json], Json, Json]:
    """Axes, `include` and `exclude` of a matrix that an expression gave as a whole. Raises VariantsError."""
    if not isinstance(value, Mapping):
        raise VariantsError(f"a matrix must be a mapping of axes to their values, not {_kind(value)}")
    whole = cast("Mapping[str, Json]", value)
    axes = {str(name): values for name, values in whole.items() if str(name) not in OPTIONS}
    return axes, whole.get("include", ()), whole.get("exclude", ())


def expand_items(
    items: Json, *, title: Template | None = None, limit: int = DEFAULT_MAX_VARIANTS
) -> tuple[Variant, ...]:
    """The variants of `for_each`: one for each item of a list, or for each `{key, value}` of a mapping, in order.

    None where there are no items. Raises VariantsError where `items` is neither or longer than `limit`, and
    ExpressionError where `title` fails.
    """
    if isinstance(items, Mapping):
        pairs = cast("Mapping[str, Json]", items).items()
        entries: list[tuple[Json, str]] = [
            ({"key": str(key), "value": value}, str(key)) for key, value in pairs
        ]
    elif _is_list(items):
        listed = cast("Sequence[Json]", items)
        entries = [(item, _item_name(item, number)) for number, item in enumerate(listed, start=1)]
    else:
        raise VariantsError(f"'for_each' must be a list or a mapping, not {_kind(items)}")
    _check_count(len(entries), limit)
    if title is not None:
        entries = [(item, to_text(render(title, {"item": item, "matrix": {}}))) for item, _ in entries]
    names = _unique([_clean(name) for _, name in entries])
    return tuple(Variant(name=name, item=item) for name, (item, _) in zip(names, entries, strict=True))


def _combine(
    axes: Mapping[str, Sequence[Json]],
    includes: Sequence[Mapping[str, Json]],
    excludes: Sequence[Mapping[str, Json]],
    size: int,
) -> Iterator[tuple[dict[str, Json], dict[str, Json]]]:
    """Each combination: all its values, and those that make its name."""
    split = [_split(entry, axes) for entry in includes]
    used = [False] * len(split)
    for values in product(*axes.values()) if size else ():
        combination: dict[str, Json] = dict(zip(axes, values, strict=True))
        if any(_matches(entry, combination) for entry in excludes):
            continue
        extra: dict[str, Json] = {}
        for number, (filter_, added) in enumerate(split):
            if _matches(filter_, combination):
                used[number] = True
                extra.update(added)
        yield {**combination, **extra}, combination
    for (filter_, added), matched in zip(split, used, strict=True):
        if not matched:
            whole = {**filter_, **added}
            yield whole, whole


def _split(
    entry: Mapping[str, Json], axes: Mapping[str, Sequence[Json]]
) -> tuple[dict[str, Json], dict[str, Json]]:
    """What of an include is about axes, and what it adds."""
    filter_: dict[str, Json] = {}
    added: dict[str, Json] = {}
    for key, value in entry.items():
        (filter_ if look_up(axes, key)[0] else added)[key] = value
    return filter_, added


def _matches(filter_: Json, value: Json) -> bool:
    """Whether every leaf of `filter_` equals, as `==` does, what stands at its place in `value`."""
    if isinstance(filter_, Mapping):
        parts = cast("Mapping[str, Json]", filter_).items()
        there = cast("Mapping[str, Json]", value if isinstance(value, Mapping) else {})
        return all(_matches(part, look_up(there, str(key))[1]) for key, part in parts)
    if _is_list(filter_):
        listed = cast("Sequence[Json]", value) if _is_list(value) else ()
        return all(
            _matches(part, listed[number] if number < len(listed) else None)
            for number, part in enumerate(cast("Sequence[Json]", filter_))
        )
    return equal(filter_, value)


def _axis(name: str, values: Json) -> Sequence[Json]:
    if not _is_list(values):
        raise VariantsError(
            f"axis '{name}' of the matrix must be a list of values, not {_kind(values)}", (name,)
        )
    if not values:
        raise VariantsError(f"axis '{name}' of the matrix has no values", (name,))
    return cast("Sequence[Json]", values)


def _mappings(key: str, entries: Json) -> Sequence[Mapping[str, Json]]:
    if entries is None:
        return ()
    if not _is_list(entries):
        raise VariantsError(f"'{key}' of the matrix must be a list of mappings, not {_kind(entries)}", (key,))
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not entry:
            message = f"item {number + 1} of '{key}' of the matrix must be a mapping with at least one value"
            raise VariantsError(message, (key, number))
    return cast("Sequence[Mapping[str, Json]]", entries)


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise VariantsError(
            f"there are {count:,} variants, and this spec allows {limit:,}; raise 'max_variants' at its top level"
        )


def _name(values: Mapping[str, Json], named: Mapping[str, Json], title: Template | None) -> str:
    if title is not None:
        return _clean(to_text(render(title, {"matrix": values, "item": None})))
    return _clean(", ".join(_leaves(list(named.values()))))


def _leaves(value: Json) -> Iterator[str]:
    """The texts in `value`, depth first, without empty ones: what GitHub puts into the brackets."""
    if isinstance(value, Mapping):
        for part in cast("Mapping[str, Json]", value).values():
            yield from _leaves(part)
    elif _is_list(value):
        for part in cast("Sequence[Json]", value):
            yield from _leaves(part)
    elif text := to_text(value):
        yield text


def _item_name(item: Json, number: int) -> str:
    """The item itself; one with parts is told by its `name` or `id`, or by its place."""
    if isinstance(item, Mapping):
        parts = cast("Mapping[str, Json]", item)
        for key in ("name", "id", "key"):
            label = look_up(parts, key)[1]
            if isinstance(label, str | int | float) and to_text(label):
                return to_text(label)
        return f"item {number}"
    return f"item {number}" if _is_list(item) or item in (None, "") else to_text(item)


def _clean(name: str) -> str:
    """One printable line of at most `MAX_NAME` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in name).split())
    return (line if len(line) <= MAX_NAME else f"{line[: MAX_NAME - 3]}...") or "empty"


def _unique(names: Sequence[str]) -> list[str]:
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


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _kind(value: Json) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if _is_list(value):
        return "a list"
    return f"'{to_text(value)[:60]}'"
