"""The combinations of a matrix, by GitHub's rules: excludes first, then includes. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import cast

from orchestrator.expressions import equal, look_up
from orchestrator.expressions.values import fold, to_number
from orchestrator.plan.model import Json
from orchestrator.plan.variants.limits import MAX_SIZE, MAX_VARIANTS, Step, check_count, check_size, weight
from orchestrator.plan.variants.values import is_list

Values = dict[str, Json]

Fit = tuple[tuple[int, tuple[bool, ...]], ...]
"""A filter, worked out: for each axis that it names, by the axis's number, which of its values it matches."""


def combine(
    axes: Mapping[str, Sequence[Json]],
    includes: Sequence[Mapping[str, Json]],
    excludes: Sequence[Mapping[str, Json]],
    *,
    limit: int,
) -> Iterator[tuple[Values, Values]]:
    """Each combination: all its values, and those that make its name."""
    weights = [[weight(value) for value in values] for values in axes.values()]
    added_weights = [weight(entry) for entry in includes]
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
        size += sum(one[place] for one, place in zip(weights, places, strict=True))
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
    for (filter_, added), added_weight, matched in zip(split, added_weights, used, strict=True):
        if not matched:
            count += 1
            size += added_weight
            whole = {**filter_, **added}
            yield whole, whole
    check_size((size,))
    check_count(count, limit)


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
    if is_list(filter_):
        parts = enumerate(cast("Sequence[Json]", filter_))
        return all(_matches(part, _part(value, number)) for number, part in parts)
    return equal(filter_, value)


def _part(value: Json, key: Step) -> Json:
    """`value[key]` as expressions have it: a mapping by text, a list by number, null where there is nothing."""
    if isinstance(value, Mapping):
        return look_up(cast("Mapping[str, Json]", value), str(key))[1]
    if not is_list(value):
        return None
    listed, number = cast("Sequence[Json]", value), to_number(key)
    return listed[int(number)] if 0 <= number < len(listed) else None


def _put_all(values: Values, added: Values) -> None:
    """Add to `values`; a name that it has in another case stays as it is and gets the new value."""
    for key, value in added.items():
        known = key if key in values else next((name for name in values if fold(name) == fold(key)), key)
        values[known] = value
