"""In which order the points of each layer stand, so that few lines cross: barycentres, then swaps. Pure.

A point is a number: a node, or the place where an edge that spans several layers passes one of them.
"""

import itertools
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import Final

Layers = list[list[int]]
Links = Sequence[Sequence[int]]
"""For each point those that it is linked to in the layer before, or in the one behind."""

_WORK: Final = 600_000
"""Links that are looked at in all sweeps together, about: what bounds the time for a large graph."""
_MAX_SWEEPS, _MIN_SWEEPS = 24, 4
_SWAP_LIMIT: Final = 3000
"""Points up to which neighbours are tried the other way round."""


def ordered(layers: Layers, before: Links, behind: Links) -> Layers:
    """The layers, each in an order that keeps crossings few; the same input gives the same order."""
    links = sum(map(len, behind))
    best, fewest = [list(layer) for layer in layers], crossings(layers, behind)
    sweeps = max(_MIN_SWEEPS, min(_MAX_SWEEPS, _WORK // max(links, 1)))
    current = [list(layer) for layer in layers]
    stale = 0
    for sweep in range(sweeps):
        if fewest == 0 or stale == 6:
            break
        _sweep(current, behind if sweep % 2 else before, backwards=bool(sweep % 2))
        if sum(map(len, layers)) <= _SWAP_LIMIT:
            _swap(current, before, behind)
        found = crossings(current, behind)
        stale += 1
        if found < fewest:
            best, fewest, stale = [list(layer) for layer in current], found, 0
    return best


def crossings(layers: Layers, behind: Links) -> int:
    """How many pairs of links cross."""
    total = 0
    for layer, following in itertools.pairwise(layers):
        place = {point: number for number, point in enumerate(following)}
        seen: list[int] = []
        for point in layer:
            ends = sorted(place[other] for other in behind[point])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _sweep(layers: Layers, links: Links, *, backwards: bool) -> None:
    """Sort each layer by the mean place of what its points are linked to; those without links stay about."""
    place: dict[int, float] = {}
    for layer in reversed(layers) if backwards else layers:
        own = {point: (number + 0.5) / len(layer) for number, point in enumerate(layer)}
        for point in layer:
            if links[point]:
                own[point] = sum(place[other] for other in links[point]) / len(links[point])
        layer.sort(key=own.__getitem__)
        place = {point: (number + 0.5) / len(layer) for number, point in enumerate(layer)}


def _swap(layers: Layers, before: Links, behind: Links) -> None:
    """Exchange neighbours of a layer where fewer lines cross then."""
    place: list[int] = [0] * len(behind)
    for layer in layers:
        for number, point in enumerate(layer):
            place[point] = number
    for layer in layers:
        for _ in range(4):
            better = False
            ends = {
                point: (sorted(place[x] for x in before[point]), sorted(place[x] for x in behind[point]))
                for point in layer
            }
            for number in range(len(layer) - 1):
                one, two = layer[number], layer[number + 1]
                now = sum(_inversions(a, b) for a, b in zip(ends[one], ends[two], strict=True))
                then = sum(_inversions(b, a) for a, b in zip(ends[one], ends[two], strict=True))
                if then < now:
                    layer[number], layer[number + 1] = two, one
                    place[one], place[two] = number + 1, number
                    better = True
            if not better:
                break


def _inversions(upper: Sequence[int], lower: Sequence[int]) -> int:
    """Crossings of the links of two neighbours, by the sorted places of their ends."""
    return sum(bisect_left(lower, end) for end in upper)
