"""From a job's `strategy` and the values of this moment to its variants. The rules are in `plan.variants`."""

from collections.abc import Mapping, Sequence
from typing import cast

from orchestrator.contract.messages import RunRequest
from orchestrator.expressions import render
from orchestrator.interpreter.requests import place, plain, scope
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import Json, Matrix, Node, Variant
from orchestrator.plan.variants import expand_items, expand_matrix, read_matrix


def expand(node: Node, request: RunRequest, state: RunState) -> tuple[Variant, ...]:
    """The variants of a job; those of a static matrix or list are in its node.

    Raises ExpressionError or VariantsError, the place in its message.
    """
    strategy = node.strategy
    if strategy is None or not strategy.dynamic:
        return node.variants
    contexts = scope(request, state)
    limit = strategy.max_variants
    with place(f"`{'for_each' if strategy.matrix is None else 'matrix'}` of job '{node.name}'"):
        if strategy.matrix is None:
            return expand_items(_rendered(strategy.items, contexts), title=node.title, limit=limit)
        axes, include, exclude = _matrix(strategy.matrix, contexts)
        return expand_matrix(axes, include, exclude, title=node.title, limit=limit)


def _matrix(matrix: Matrix, contexts: Mapping[str, Json]) -> tuple[dict[str, Json], Json, Json]:
    axes, include, exclude = _rendered(matrix.axes, contexts), (), ()
    if isinstance(matrix.axes, str):
        axes, include, exclude = read_matrix(axes)
    beside = _rendered(matrix.include, contexts), _rendered(matrix.exclude, contexts)
    return axes, _joined(include, beside[0]), _joined(exclude, beside[1])


def _rendered(value: Json, contexts: Mapping[str, Json]) -> Json:
    """`value` with every text in it evaluated; one that is a whole `${{ }}` keeps its type."""
    if isinstance(value, str):
        return plain(render(value, contexts))
    if isinstance(value, Mapping):
        parts = cast("Mapping[str, Json]", value)
        return {key: _rendered(part, contexts) for key, part in parts.items()}
    if isinstance(value, Sequence):
        return [_rendered(part, contexts) for part in cast("Sequence[Json]", value)]
    return value


def _joined(inside: Json, beside: Json) -> Json:
    """Filters inside a matrix, then those beside it. What is no list is left for the expansion to refuse."""
    if isinstance(inside, list | tuple) and isinstance(beside, list | tuple):
        return [*cast("Sequence[Json]", inside), *cast("Sequence[Json]", beside)]
    return cast("Json", inside or beside)
