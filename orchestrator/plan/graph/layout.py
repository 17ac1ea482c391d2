"""From layers, sizes and edges to boxes and routes. Pure geometry: it knows neither jobs nor SVG.

Layers are columns from left to right. An edge that spans several of them passes each one in between at a place of
its own, level through the whole column, so that no line runs through a box.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.plan.graph.order import Layers, ordered
from orchestrator.plan.graph.place import places

MAX_POINTS: Final = 20_000
"""Nodes and places where edges pass a layer: what can be laid out in a second or two."""

_ROW_GAP: Final = 18.0
_PASS_GAP: Final = 11.0


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Half its height, from above."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes by node and a route by edge, with 0/0 as the upper left corner of all."""

    boxes: tuple[Box, ...]
    routes: tuple[tuple[tuple[float, float], ...], ...]
    """Points in pairs: from the first to the second the line bends, from the second to the third it is level, …"""
    columns: tuple[tuple[float, float], ...]
    """Each layer's left side and width."""
    height: float


def lay_out(
    layers: Sequence[Sequence[int]],
    edges: Sequence[tuple[int, int]],
    *,
    sizes: Sequence[tuple[float, float]],
    gaps: Sequence[float],
) -> Layout:
    """Lay out nodes 0, 1, ….

    Args:
        layers: the nodes of each layer.
        edges: pairs of nodes; each leads to a later layer.
        sizes: width and height of each node.
        gaps: the room to the right of each layer.

    Raises:
        UsageError: there is more than can be laid out in a reasonable time.
    """
    level = {node: number for number, layer in enumerate(layers) for node in layer}
    points = len(sizes) + sum(level[target] - level[source] - 1 for source, target in edges)
    if points + len(edges) > 2 * MAX_POINTS or points > MAX_POINTS:
        raise UsageError(
            f"this graph is too large to be laid out as a picture: {len(sizes):,} jobs, {len(edges):,} edges and "
            f"{points - len(sizes):,} places where these pass other jobs; "
            "use '--format dot' and Graphviz, or look at 'orca plan'"
        )
    filled: Layers = [list(layer) for layer in layers]
    chains: list[list[int]] = []
    count = len(sizes)
    for source, target in edges:
        passing = list(range(count, count + level[target] - level[source] - 1))
        count += len(passing)
        for number, point in enumerate(passing, start=level[source] + 1):
            filled[number].append(point)
        chains.append([source, *passing, target])
    before: list[list[int]] = [[] for _ in range(count)]
    behind: list[list[int]] = [[] for _ in range(count)]
    for chain in chains:
        for one, two in itertools.pairwise(chain):
            behind[one].append(two)
            before[two].append(one)
    heights = [*(height for _, height in sizes), *([0.0] * (count - len(sizes)))]
    spacing = [_ROW_GAP] * len(sizes) + [_PASS_GAP] * (count - len(sizes))
    rows = ordered(filled, before, behind)
    middle = places(rows, before, behind, sizes=heights, gaps=spacing)
    top = min((y - height / 2 for y, height in zip(middle, heights, strict=True)), default=0.0)
    middle = [round(y - top, 1) for y in middle]

    columns: list[tuple[float, float]] = []
    x = 0.0
    for layer, gap in zip(layers, gaps, strict=True):
        width = max((sizes[node][0] for node in layer), default=0.0)
        columns.append((x, width))
        x += width + gap
    boxes: list[Box] = []
    for node, (_, height) in enumerate(sizes):
        left, width = columns[level[node]]
        boxes.append(Box(left, middle[node] - height / 2, width, height))
    return Layout(
        boxes=tuple(boxes),
        routes=tuple(_route(chain, level[chain[0]], columns, middle) for chain in chains),
        columns=tuple(columns),
        height=max((y + height / 2 for y, height in zip(middle, heights, strict=True)), default=0.0),
    )


def _route(
    chain: Sequence[int], first: int, columns: Sequence[tuple[float, float]], middle: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    left, width = columns[first]
    points = [(left + width, middle[chain[0]])]
    for number, point in enumerate(chain[1:-1], start=first + 1):
        left, width = columns[number]
        points += [(left, middle[point]), (left + width, middle[point])]
    points.append((columns[first + len(chain) - 1][0], middle[chain[-1]]))
    return tuple(points)
