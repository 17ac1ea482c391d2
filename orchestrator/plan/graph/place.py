"""Where the points of each layer stand across it: near what they are linked to, in order, not too close. Pure."""

import itertools
from collections.abc import Sequence
from typing import Final

from orchestrator.plan.graph.order import Layers, Links

_WORK: Final = 800_000
_MAX_ROUNDS, _MIN_ROUNDS = 40, 4
_STRENGTHS: Final = (1.0, 2.0, 12.0)
"""How much a link counts, by how many of its ends are passing places: long edges are to be straight."""


def places(
    layers: Layers, before: Links, behind: Links, *, sizes: Sequence[float], gaps: Sequence[float]
) -> list[float]:
    """The middle of each point across its layer.

    Args:
        layers: points in their order.
        before: links to the layer before.
        behind: links to the layer behind.
        sizes: how much room each point takes; 0 marks a passing place.
        gaps: how far each keeps from its neighbours, at the least; of two the larger counts.
    """
    middle = [0.0] * len(sizes)
    apart = [_distances(layer, sizes, gaps) for layer in layers]
    for distances, layer in zip(apart, layers, strict=True):
        total = 0.0
        for distance, point in zip(distances, layer, strict=True):
            total += distance
            middle[point] = total
        for point in layer:
            middle[point] -= total / 2
    rounds = max(_MIN_ROUNDS, min(_MAX_ROUNDS, _WORK // max(sum(map(len, behind)), 1)))
    for number in range(rounds):
        both = number >= rounds - 2
        backwards = number % 2 == 1
        near, far = (behind, before) if backwards else (before, behind)
        for place, layer in reversed([*enumerate(layers)]) if backwards else enumerate(layers):
            if place and not backwards and not any(before[point] for point in layer):
                _centre(layer, layers[:place], middle)
            wishes = [_wish(point, middle, (near, far) if both else (near,), sizes) for point in layer]
            _settle(layer, wishes, apart[place], middle)
    return middle


def _distances(layer: Sequence[int], sizes: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """How far each point stands from the one before it, at the least; 0 for the first."""
    found = [0.0] if layer else []
    for one, two in itertools.pairwise(layer):
        found.append((sizes[one] + sizes[two]) / 2 + max(gaps[one], gaps[two]))
    return found


def _centre(layer: Sequence[int], earlier: Layers, middle: list[float]) -> None:
    """Move a layer that nothing leads to, such as the finalizers, beside the middle of all before it."""
    others = [middle[point] for one in earlier for point in one]
    own = [middle[point] for point in layer]
    shift = (min(others) + max(others) - min(own) - max(own)) / 2
    for point in layer:
        middle[point] += shift


def _wish(
    point: int, middle: Sequence[float], sides: Sequence[Links], sizes: Sequence[float]
) -> tuple[float, float]:
    """Where a point would stand by its links alone, and how much that counts."""
    total = weight = 0.0
    for links in sides:
        for end in links[point]:
            strength = _STRENGTHS[(sizes[point] == 0) + (sizes[end] == 0)]
            total += strength * middle[end]
            weight += strength
    return (total / weight, weight) if weight else (middle[point], 0.1)


def _settle(
    layer: Sequence[int],
    wishes: Sequence[tuple[float, float]],
    distances: Sequence[float],
    middle: list[float],
) -> None:
    """Move a layer's points as near to their wishes as order and distances allow.

    Least squares under an order: neighbours that would come too close are pooled and share their mean.
    """
    pools: list[tuple[float, float, int]] = []  # mean of wishes less offsets, weight, points
    offsets: list[float] = []
    offset = 0.0
    for (wish, weight), distance in zip(wishes, distances, strict=True):
        offset += distance
        offsets.append(offset)
        mean, total, size = wish - offset, weight, 1
        while pools and pools[-1][0] >= mean:
            earlier, heavy, many = pools.pop()
            mean = (earlier * heavy + mean * total) / (heavy + total)
            total, size = heavy + total, size + many
        pools.append((mean, total, size))
    at = 0
    for mean, _, size in pools:
        for number in range(at, at + size):
            middle[layer[number]] = mean + offsets[number]
        at += size
