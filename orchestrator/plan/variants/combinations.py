"""The combinations of a matrix, by GitHub's rules: excludes first, then includes. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import cast

from orchestrator.expressions import equal, look_up
from orchestrator.expressions.values import fold, to_number
from orchestrator.plan.parts import Json
from orchestrator.plan.variants.limits import MAX_SIZE, MAX_VARIANTS, Step, check_count, check_size, weight
from orchestrator.plan.variants.values import is_list

Values = dict[str, Json]

Fits = list[list[int]]
"""Filters, worked out: for each axis and each of its values the filters, one bit each, that it does not rule out."""


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
    taken_out = _fits(excludes, axes)
    split = [_split(entry, axes) for entry in includes]
    merged = _fits([filter_ for filter_, _ in split], axes)
    additions = [[(fold(key), key, value) for key, value in added.items()] for _, added in split]
    none_out, all_in = (1 << len(excludes)) - 1, (1 << len(includes)) - 1
    used = count = size = 0
    for places in product(*(range(len(values)) for values in axes.values())) if axes else ():
        hits = none_out
        for fits, place in zip(taken_out, places, strict=True):
            hits &= fits[place]
        if hits:
            continue
        hits = all_in
        for fits, place in zip(merged, places, strict=True):
            hits &= fits[place]
        used |= hits
        combination = {
            name: values[place] for (name, values), place in zip(axes.items(), places, strict=True)
        }
        size += sum(one[place] for one, place in zip(weights, places, strict=True))
        extra: Values = {}
        spelled: dict[str, str] = {}
        while hits:
            number = (hits & -hits).bit_length() - 1
            hits &= hits - 1
            size += added_weights[number]
            for folded, key, value in additions[number]:
                # A name that is there in another case stays as it is and gets the new value.
                extra[spelled.setdefault(folded, key)] = value
        count += 1
        if size > MAX_SIZE or count > MAX_VARIANTS:
            break
        if count <= limit:
            yield {**combination, **extra}, combination
    for number, (filter_, added) in enumerate(split):
        if not used >> number & 1:
            count += 1
            size += added_weights[number]
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


def comparisons(axes: Mapping[str, Sequence[Json]], filters: Sequence[Mapping[str, Json]]) -> int:
    """How many values `combine` has to look at to see which of them each filter matches."""
    sizes = {fold(name): len(values) for name, values in axes.items()}
    return sum(
        sizes.get(fold(key), 1) * _leaves(value) if _has_parts(value) else 1
        for entry in filters
        for key, value in entry.items()
    )


def _leaves(value: Json) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_leaves, cast("Mapping[str, Json]", value).values()))
    return 1 + sum(map(_leaves, cast("Sequence[Json]", value))) if is_list(value) else 1


def _has_parts(value: Json) -> bool:
    return isinstance(value, Mapping) or is_list(value)


def _fits(filters: Sequence[Mapping[str, Json]], axes: Mapping[str, Sequence[Json]]) -> Fits:
    by_axis: dict[str, list[tuple[int, Json]]] = {}
    for number, filter_ in enumerate(filters):
        for key, value in filter_.items():
            by_axis.setdefault(fold(key), []).append((1 << number, value))
    every = (1 << len(filters)) - 1
    found: Fits = []
    for name, values in axes.items():
        wanted = by_axis.get(fold(name), [])
        free = every & ~sum(bit for bit, _ in wanted)
        found.append([free | fits for fits in _fits_of(values, wanted)] if wanted else [every] * len(values))
    return found


def _fits_of(values: Sequence[Json], wanted: Sequence[tuple[int, Json]]) -> Iterator[int]:
    """For each of an axis's values those of `wanted` that match it, which are filters' bits and what they say of it.

    What has no parts is looked up, by `==`: texts are equal in any case, all else as numbers, so is a text beside them.
    """
    texts: dict[str, int] = {}
    numbers: dict[float, int] = {}
    read: dict[float, int] = {}
    structured: list[tuple[int, Json]] = []
    for bit, value in wanted:
        if _has_parts(value):
            structured.append((bit, value))
        elif isinstance(value, str):
            texts[fold(value)] = texts.get(fold(value), 0) | bit
            read[to_number(value)] = read.get(to_number(value), 0) | bit
        else:
            numbers[to_number(value)] = numbers.get(to_number(value), 0) | bit
    for value in values:
        fits = 0
        for bit, filter_ in structured:
            if _matches(filter_, value):
                fits |= bit
        if not _has_parts(value):
            if isinstance(value, str):
                fits |= texts.get(fold(value), 0)
            number = to_number(value)
            if not math.isnan(number):
                fits |= numbers.get(number, 0) | (0 if isinstance(value, str) else read.get(number, 0))
        yield fits


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
