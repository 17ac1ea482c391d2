"""The layout's promises, on random graphs: nothing overlaps, and no line runs through a box."""

import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.plan.graph.layout import Layout, lay_out
from orchestrator.plan.graph.order import crossings, ordered

GAP = 60.0


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[int, int]], list[tuple[float, float]]]:
    """Layers, edges to later layers, and sizes."""
    widths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=7))
    numbers = iter(range(sum(widths)))
    layers = [[next(numbers) for _ in range(width)] for width in widths]
    pairs = [(a, b) for one, two in combinations(layers, 2) for a in one for b in two]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=40)) if pairs else []
    size = st.tuples(st.integers(50, 300).map(float), st.integers(30, 90).map(float))
    return layers, edges, draw(st.lists(size, min_size=sum(widths), max_size=sum(widths)))


@settings(deadline=None)
@given(graphs())
def test_boxes_keep_apart_and_lines_keep_out_of_them(
    graph: tuple[list[list[int]], list[tuple[int, int]], list[tuple[float, float]]],
) -> None:
    layers, edges, sizes = graph
    layout = lay_out(layers, edges, sizes=sizes, gaps=[GAP] * len(layers))
    assert layout == lay_out(layers, edges, sizes=sizes, gaps=[GAP] * len(layers))
    for column, layer in zip(layout.columns, layers, strict=True):
        stacked = sorted((layout.boxes[node] for node in layer), key=lambda box: box.y)
        assert all(box.x == column[0] and box.width == column[1] for box in stacked)
        for upper, lower in pairwise(stacked):
            assert upper.y + upper.height + 17 <= lower.y
    assert min(box.y for box in layout.boxes) >= -0.1
    assert max(box.y + box.height for box in layout.boxes) <= layout.height + 0.1
    for (source, target), route in zip(edges, layout.routes, strict=True):
        start, end = layout.boxes[source], layout.boxes[target]
        assert route[0] == pytest.approx((start.x + start.width, start.middle))
        assert route[-1] == pytest.approx((end.x, end.middle))
        _keeps_out(layout, route)


def _keeps_out(layout: Layout, route: tuple[tuple[float, float], ...]) -> None:
    """Bends lie between columns; where a line is level it passes a column clear of its boxes."""
    columns = {left: left + width for left, width in layout.columns}
    for one, two in zip(route[::2], route[1::2], strict=True):
        assert two[0] - one[0] == pytest.approx(GAP)
    for one, two in zip(route[1:-1:2], route[2:-1:2], strict=True):
        assert one[1] == two[1]
        assert columns[one[0]] == two[0]
        for box in layout.boxes:
            if box.x == one[0]:
                assert not box.y - 5 < one[1] < box.y + box.height + 5


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 8), st.integers(1, 9))
def test_ordering_never_adds_crossings(seed: int, depth: int, width: int) -> None:
    chance = random.Random(seed)
    layers = [[level * width + number for number in range(width)] for level in range(depth)]
    behind: list[list[int]] = [[] for _ in range(depth * width)]
    before: list[list[int]] = [[] for _ in range(depth * width)]
    for one, two in pairwise(layers):
        for source in one:
            for target in chance.sample(two, min(width, 2)):
                behind[source].append(target)
                before[target].append(source)
    found = ordered(layers, before, behind)
    assert [sorted(layer) for layer in found] == layers
    assert crossings(found, behind) <= crossings(layers, behind)


def test_crossings_are_counted() -> None:
    assert crossings([[0, 1], [2, 3]], [[3], [2], [], []]) == 1
    assert crossings([[0, 1], [2, 3]], [[2, 3], [2, 3], [], []]) == 1
    assert crossings([[0, 1, 2], [3, 4, 5]], [[5], [4], [3], [], [], []]) == 3


def test_crossed_pairs_are_untangled() -> None:
    behind = [[4, 5], [6, 7], [4, 5], [6, 7], [], [], [], []]
    before = [[], [], [], [], [0, 2], [0, 2], [1, 3], [1, 3]]
    layers = [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert crossings(layers, behind) > 2
    assert crossings(ordered(layers, before, behind), behind) == 2


def test_what_is_too_large_is_said_in_words() -> None:
    count = 1000
    edges = [(node, node + 1) for node in range(count - 1)] + [(node, count - 1) for node in range(count - 2)]
    with pytest.raises(UsageError, match=r"1,000 jobs, 1,997 edges .*use '--format dot'"):
        lay_out([[node] for node in range(count)], edges, sizes=[(100, 40)] * count, gaps=[GAP] * count)


@pytest.mark.parametrize("shape", ["fan", "chain"])
def test_a_thousand_jobs_are_laid_out(shape: str) -> None:
    count = 1000
    if shape == "fan":
        layers = [[0], [*range(1, count - 1)], [count - 1]]
        edges = [(0, node) for node in layers[1]] + [(node, count - 1) for node in layers[1]]
    else:
        layers = [[node] for node in range(count)]
        edges = [(node, node + 1) for node in range(count - 1)]
    layout = lay_out(layers, edges, sizes=[(100, 40)] * count, gaps=[GAP] * len(layers))
    middles = [layout.boxes[layers[0][0]].middle, layout.boxes[layers[-1][0]].middle]
    assert middles == pytest.approx([layout.height / 2] * 2, abs=1)
