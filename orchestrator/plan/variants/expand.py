"""From a matrix or a list to the variants of a job. Pure.

The compiler expands what it knows, the interpreter the rest, both with this. Names, order, what an `exclude` or
`include` matches and how it merges follow GitHub's own reference; ours is `for_each`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from orchestrator.expressions import render, to_text
from orchestrator.plan.model import DEFAULT_MAX_VARIANTS, Strategy, Variant
from orchestrator.plan.parts import Json, Template
from orchestrator.plan.variants.checks import check_entries, check_matrix
from orchestrator.plan.variants.combinations import Values, combine, comparisons
from orchestrator.plan.variants.limits import (
    Effort,
    VariantsError,
    check_count,
    check_size,
    weight,
)
from orchestrator.plan.variants.names import clean, combination_name, item_name, unique
from orchestrator.plan.variants.values import filled, is_list, kind_in_words, plain

OPTIONS: Final = ("include", "exclude")
"""Keys of a matrix that are no axes."""


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
        items = filled(strategy.items, evaluate)
        return expand_items(items, title=title, limit=strategy.max_variants, effort=effort)
    axes = filled(strategy.matrix.axes, evaluate)
    include: Json = filled(strategy.matrix.include, evaluate)
    exclude: Json = filled(strategy.matrix.exclude, evaluate)
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
    known = {str(name): [plain(value) for value in values] for name, values in axes.items()}
    includes: list[Values] = [plain(entry) for entry in include or ()]
    excludes: list[Values] = [plain(entry) for entry in exclude or ()]
    size = math.prod(len(values) for values in known.values()) if known else 0
    if not excludes:
        check_count(size, limit)
    (effort or Effort()).spend(
        variants=min(size, limit), combinations=size, comparisons=comparisons(known, [*excludes, *includes])
    )
    found = list(combine(known, includes, excludes, limit=limit))
    if not found:
        raise VariantsError(
            "the matrix has no combination left: 'exclude' takes out all of them"
            if size
            else "the matrix has no values: give it at least one axis or one 'include'",
            fault="empty",
        )
    naming = title if title is not None and "${{" in title else None
    names = [combination_name(values, named, naming) for values, named in found]
    return tuple(
        Variant(name=name, values=values) for name, (values, _) in zip(unique(names), found, strict=True)
    )


def read_matrix(value: Json) -> tuple[dict[str, Json], Json, Json]:
    """Axes, `include` and `exclude` of a matrix that an expression gave as a whole. Raises VariantsError."""
    if not isinstance(value, Mapping):
        raise VariantsError(f"a matrix must be a mapping of axes to their values, not {kind_in_words(value)}")
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
            ({"key": str(key), "value": plain(value)}, str(key)) for key, value in pairs
        ]
    elif is_list(items):
        listed = cast("Sequence[Json]", items)
        entries = [(plain(item), item_name(item, number)) for number, item in enumerate(listed, start=1)]
    else:
        raise VariantsError(f"'for_each' must be a list or a mapping, not {kind_in_words(items)}")
    check_count(len(entries), limit)
    (effort or Effort()).spend(variants=len(entries))
    check_size(weight(item) for item, _ in entries)
    if title is not None and "${{" in title:
        entries = [(item, to_text(render(title, {"item": item, "matrix": {}}))) for item, _ in entries]
    names = unique([clean(name) for _, name in entries])
    return tuple(Variant(name=name, item=item) for name, (item, _) in zip(names, entries, strict=True))


def _joined(key: str, first: Json, second: Json) -> Json:
    """The entries that stand in the matrix, and behind them those beside it."""
    if not first or not second:
        return first or second
    for entries in (first, second):
        check_entries(key, entries)
    return [*first, *second]
