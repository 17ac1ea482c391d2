"""From a matrix or a list to the variants of a job, by GitHub Actions' rules. Pure.

The compiler expands what it knows, the interpreter the rest, both with this. Names, order, what an `exclude` or
`include` matches and how it merges follow GitHub's own reference; ours is `for_each`.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Final, Literal, cast

from orchestrator.errors import OrcaError
from orchestrator.expressions import equal, look_up, render, to_text
from orchestrator.expressions.values import fold, to_number
from orchestrator.plan.model import DEFAULT_MAX_VARIANTS, Json, Strategy, Template, Variant

MAX_NAME: Final = 100
"""Characters of a variant's name, as of a job's at GitHub."""
MAX_EFFORT: Final = 1_000_000
"""What expanding may cost: a step for each combination and filter, however many of them are excluded."""
VARIANT_EFFORT: Final = 25
"""Steps that a variant costs beside: its name and its place in the plan."""
MAX_SIZE: Final = 4_000_000
"""Characters of all variants' values together: what people see of them has to fit into a run's record."""
MAX_VARIANTS: Final = 10_000
"""What `max_variants` may be raised to."""
OPTIONS: Final = ("include", "exclude")
"""Keys of a matrix that are no axes."""

Step = str | int
Fault = Literal["shape", "axis", "empty", "count"]
"""`shape`: not the lists and mappings that it must be. `axis`: an exclude names none. `empty`: nothing to run.
`count`: too many or too large."""


class VariantsError(OrcaError):
    """A matrix or list cannot be expanded.

    Attributes:
        path: leads to the part that is wrong, from the matrix or list on.
        fault: what kind of mistake it is.
        at_key: the last key of `path` is wrong, and not what stands there.
    """

    exit_code = 2

    def __init__(
        self, message: str, path: Sequence[Step] = (), *, fault: Fault = "shape", at_key: bool = False
    ) -> None:
        super().__init__(message)
        self.path = tuple(path)
        self.fault: Fault = fault
        self.at_key = at_key


class Effort:
    """What may still be spent on expanding; one for a whole spec, so that many jobs cannot cost what one may not."""

    def __init__(self, left: int = MAX_EFFORT) -> None:
        self.left = left

    def spend(self, steps: int, combinations: int) -> None:
        """Take `steps` off what is left. Raises VariantsError where that is less."""
        self.left -= steps
        if steps > MAX_EFFORT:
            message = (
                f"the matrix has {combinations:,} combinations, which is more than can be looked through"
            )
            raise VariantsError(message, fault="count")
        if self.left < 0:
            message = (
                "the matrices and lists of this spec together have more variants than can be looked through"
            )
            raise VariantsError(message, fault="count")


def expand(
    strategy: Strategy,
    evaluate: Callable[[Template], Json],
    *,
    title: Template | None = None,
    effort: Effort | None = None,
) -> tuple[Variant, ...]:
    """The variants of a job whose matrix or list is known only when it starts.

    Args:
        strategy: one that is `dynamic`; each text in it that holds `${{ }}` is evaluated, however deep it stands.
        evaluate: the value of such a text; where all of it is one `${{ }}`, of any type.
        title: the job's `name`, if it has one.
        effort: what it may cost, where that is shared with other jobs.

    Raises:
        VariantsError: as `expand_matrix` and `expand_items`.
        ExpressionError: as `evaluate`; or `title` fails.
    """
    if strategy.matrix is None:
        items = _filled(strategy.items, evaluate)
        return expand_items(items, title=title, limit=strategy.max_variants, effort=effort)
    axes = _filled(strategy.matrix.axes, evaluate)
    include: Json = _filled(strategy.matrix.include, evaluate)
    exclude: Json = _filled(strategy.matrix.exclude, evaluate)
    if isinstance(strategy.matrix.axes, str):
        axes, inner_include, inner_exclude = read_matrix(axes)
        include = _joined("include", inner_include, include)
        exclude = _joined("exclude", inner_exclude, exclude)
    return expand_matrix(axes, include, exclude, title=title, limit=strategy.max_variants, effort=effort)


def expand_matrix(
    axes: Mapping[str, Json],
    include: Json = (),
    exclude: Json = (),
    *,
    title: Template | None = None,
    limit: int = DEFAULT_MAX_VARIANTS,
    effort: Effort | None = None,
) -> tuple[Variant, ...]:
    """The variants of a matrix: excludes first, then includes; the first axis varies slowest.

    Args:
        axes: for each name its values, a list that is not empty.
        include: a list of mappings; each merges into all combinations whose axes it leaves alone, else it is one more.
        exclude: a list of mappings; each takes out the combinations that it matches in part.
        title: the job's `name`: with a `${{ matrix… }}` in it, it names each variant; else the values of the axes do.
        limit: how many there may be.
        effort: what it may cost, where that is shared with other jobs.

    Raises:
        VariantsError: a shape is wrong, an exclude names no axis, nothing is left, or there are more than `limit`.
        ExpressionError: `title` fails.
    """
    check_matrix(axes, include, exclude)
    known = {str(name): [_plain(value) for value in values] for name, values in axes.items()}
    includes: list[Values] = [_plain(entry) for entry in include or ()]
    excludes: list[Values] = [_plain(entry) for entry in exclude or ()]
    size = math.prod(len(values) for values in known.values()) if known else 0
    if not excludes:
        _check_count(size, limit)
    steps = size * (1 + len(excludes) + len(includes))
    (effort or Effort()).spend(steps + VARIANT_EFFORT * min(size, limit), size)
    found = list(_combine(known, includes, excludes, limit=limit))
    if not found:
        raise VariantsError(
            "the matrix has no combination left: 'exclude' takes out all of them"
            if size
            else "the matrix has no values: give it at least one axis or one 'include'",
            fault="empty",
        )
    naming = title if title is not None and "${{" in title else None
    names = [_name(values, named, naming) for values, named in found]
    return tuple(
        Variant(name=name, values=values) for name, (values, _) in zip(_unique(names), found, strict=True)
    )


def check_matrix(
    axes: Mapping[str, Json] | Template, include: Json, exclude: Json, *, templates: bool = False
) -> None:
    """See that a matrix has the lists and mappings that it must have, and that each exclude names an axis.

    With `templates`, a text may stand for any of them and is not looked at: it is still to be evaluated.

    Raises:
        VariantsError: at the first that is wrong.
    """
    _check_entries("include", include, templates=templates)
    _check_entries("exclude", exclude, templates=templates)
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


def read_matrix(value: Json) -> tuple[dict[str, Json], Json, Json]:
    """Axes, `include` and `exclude` of a matrix that an expression gave as a whole. Raises VariantsError."""
    if not isinstance(value, Mapping):
        raise VariantsError(f"a matrix must be a mapping of axes to their values, not {_kind(value)}")
    whole = cast("Mapping[str, Json]", value)
    axes = {str(name): values for name, values in whole.items() if str(name) not in OPTIONS}
    return axes, whole.get("include", ()), whole.get("exclude", ())


def expand_items(
    items: Json,
    *,
    title: Template | None = None,
    limit: int = DEFAULT_MAX_VARIANTS,
    effort: Effort | None = None,
) -> tuple[Variant, ...]:
    """The variants of `for_each`: one for each item of a list, or for each `{key, value}` of a mapping, in order.

    None where there are no items. Raises VariantsError where `items` is neither or longer than `limit`, and
    ExpressionError where `title` fails.
    """
    if isinstance(items, Mapping):
        pairs = cast("Mapping[str, Json]", items).items()
        entries: list[tuple[Json, str]] = [
            ({"key": str(key), "value": _plain(value)}, str(key)) for key, value in pairs
        ]
    elif _is_list(items):
        listed = cast("Sequence[Json]", items)
        entries = [(_plain(item), _item_name(item, number)) for number, item in enumerate(listed, start=1)]
    else:
        raise VariantsError(f"'for_each' must be a list or a mapping, not {_kind(items)}")
    _check_count(len(entries), limit)
    (effort or Effort()).spend(VARIANT_EFFORT * len(entries), len(entries))
    _check_size(_weight(item) for item, _ in entries)
    if title is not None and "${{" in title:
        entries = [(item, to_text(render(title, {"item": item, "matrix": {}}))) for item, _ in entries]
    names = _unique([_clean(name) for _, name in entries])
    return tuple(Variant(name=name, item=item) for name, (item, _) in zip(names, entries, strict=True))


Values = dict[str, Json]
Fit = tuple[tuple[int, tuple[bool, ...]], ...]
"""A filter, worked out: for each axis that it names, by the axis's number, which of its values it matches."""


def _combine(
    axes: Mapping[str, Sequence[Json]],
    includes: Sequence[Mapping[str, Json]],
    excludes: Sequence[Mapping[str, Json]],
    *,
    limit: int,
) -> Iterator[tuple[Values, Values]]:
    """Each combination: all its values, and those that make its name."""
    weights = [[_weight(value) for value in values] for values in axes.values()]
    added_weights = [_weight(entry) for entry in includes]
    taken_out = [_fit(entry, axes) for entry in excludes]
    split = [_split(entry, axes) for entry in includes]
    fits = [_fit(filter_, axes) for filter_, _ in split]
    used = [False] * len(split)
    count = size = 0
    for places in product(*(range(len(values)) for values in axes.values())) if axes else ():
        if any(_hits(fit, places) for fit in taken_out):
            continue
        combination = {
            name: values[place] for (name, values), place in zip(axes.items(), places, strict=True)
        }
        size += sum(weight[place] for weight, place in zip(weights, places, strict=True))
        extra: Values = {}
        for number, (_, added) in enumerate(split):
            if _hits(fits[number], places):
                used[number] = True
                _put_all(extra, added)
                size += added_weights[number]
        count += 1
        if size > MAX_SIZE or count > MAX_VARIANTS:
            break
        if count <= limit:
            yield {**combination, **extra}, combination
    for (filter_, added), weight, matched in zip(split, added_weights, used, strict=True):
        if not matched:
            count += 1
            size += weight
            whole = {**filter_, **added}
            yield whole, whole
    _check_size((size,))
    _check_count(count, limit)


def _split(entry: Mapping[str, Json], axes: Mapping[str, Sequence[Json]]) -> tuple[Values, Values]:
    """What of an include is about axes, and what it adds."""
    filter_: Values = {}
    added: Values = {}
    for key, value in entry.items():
        (filter_ if look_up(axes, key)[0] else added)[key] = value
    return filter_, added


def _fit(filter_: Mapping[str, Json], axes: Mapping[str, Sequence[Json]]) -> Fit:
    wanted = {fold(key): value for key, value in filter_.items()}
    return tuple(
        (number, tuple(_matches(wanted[fold(name)], value) for value in values))
        for number, (name, values) in enumerate(axes.items())
        if fold(name) in wanted
    )


def _hits(fit: Fit, places: tuple[int, ...]) -> bool:
    return all(matched[places[axis]] for axis, matched in fit)


def _matches(filter_: Json, value: Json) -> bool:
    """Whether every leaf of `filter_` equals, as `==` does, what stands at its place in `value`."""
    if isinstance(filter_, Mapping):
        parts = cast("Mapping[str, Json]", filter_).items()
        return all(_matches(part, _part(value, str(key))) for key, part in parts)
    if _is_list(filter_):
        parts = enumerate(cast("Sequence[Json]", filter_))
        return all(_matches(part, _part(value, number)) for number, part in parts)
    return equal(filter_, value)


def _part(value: Json, key: Step) -> Json:
    """`value[key]` as expressions have it: a mapping by text, a list by number, null where there is nothing."""
    if isinstance(value, Mapping):
        return look_up(cast("Mapping[str, Json]", value), str(key))[1]
    if not _is_list(value):
        return None
    listed, number = cast("Sequence[Json]", value), to_number(key)
    return listed[int(number)] if 0 <= number < len(listed) else None


def _put_all(values: Values, added: Values) -> None:
    """Add to `values`; a name that it has in another case stays as it is and gets the new value."""
    for key, value in added.items():
        known = key if key in values else next((name for name in values if fold(name) == fold(key)), key)
        values[known] = value


def _check_axis(name: str, values: Json) -> None:
    if not _is_list(values):
        message = f"axis '{name}' of the matrix must be a list of values, not {_kind(values)}"
        raise VariantsError(message, (name,))
    if not values:
        raise VariantsError(f"axis '{name}' of the matrix has no values", (name,), fault="empty")


def _check_entries(key: str, entries: Json, *, templates: bool = False) -> None:
    if entries is None or (templates and isinstance(entries, str)):
        return
    if not _is_list(entries):
        raise VariantsError(f"'{key}' of the matrix must be a list of mappings, not {_kind(entries)}", (key,))
    for number, entry in enumerate(cast("Sequence[Json]", entries)):
        if templates and isinstance(entry, str):
            continue
        if not isinstance(entry, Mapping) or not entry:
            message = f"item {number + 1} of '{key}' of the matrix must be a mapping with at least one value"
            raise VariantsError(message, (key, number))
        names = tuple(map(str, cast("Mapping[str, Json]", entry)))
        _differ(names, "keys", f"item {number + 1} of '{key}' of the matrix", (key, number))


def _joined(key: str, first: Json, second: Json) -> Json:
    """The entries that stand in the matrix, and behind them those beside it."""
    if not first or not second:
        return first or second
    for entries in (first, second):
        _check_entries(key, entries)
    return [*first, *second]


def _differ(names: tuple[str, ...], what: str, owner: str, path: tuple[Step, ...]) -> None:
    """See that no two names are the same but for their case, as expressions take them for one."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(fold(name), name)
        if other != name:
            message = f"the {what} '{other}' and '{name}' of {owner} differ only in case"
            raise VariantsError(message, (*path, name), at_key=True)


def _filled(value: Json, evaluate: Callable[[Template], Json]) -> Json:
    """`value` with all its templates evaluated."""
    if isinstance(value, str):
        return evaluate(value) if "${{" in value else value
    if isinstance(value, Mapping):
        parts = cast("Mapping[str, Json]", value).items()
        return {key: _filled(part, evaluate) for key, part in parts}
    if _is_list(value):
        return [_filled(part, evaluate) for part in cast("Sequence[Json]", value)]
    return value


def _plain(value: Json) -> Json:
    """`value` as dicts and lists, whatever mapping or sequence an expression gave."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in cast("Mapping[str, Json]", value).items()}
    return [_plain(part) for part in cast("Sequence[Json]", value)] if _is_list(value) else value


def _weight(value: Json) -> int:
    """Characters of `value` as JSON, near enough."""
    if isinstance(value, Mapping):
        parts = cast("Mapping[str, Json]", value).items()
        return 2 + sum(len(str(key)) + 4 + _weight(part) for key, part in parts)
    if _is_list(value):
        return 2 + sum(2 + _weight(part) for part in cast("Sequence[Json]", value))
    return 2 + len(value) if isinstance(value, str) else 5


def _check_size(weights: Iterable[int]) -> None:
    if sum(weights) > MAX_SIZE:
        message = (
            f"the values of all variants together are longer than {MAX_SIZE:,} characters; "
            "keep long texts in files and give variants their names"
        )
        raise VariantsError(message, fault="count")


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        message = (
            f"there are {count:,} variants, and this spec allows {limit:,}; raise 'max_variants' at its top level"
            if count <= MAX_VARIANTS
            else f"there are more than {MAX_VARIANTS:,} variants, which is more than any job may have"
        )
        raise VariantsError(message, fault="count")


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
