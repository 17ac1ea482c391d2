"""A graph as an SVG that needs nothing else: no scripts, no fonts, no references. Light or dark, as the reader is."""

import unicodedata
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from orchestrator.plan.graph.layout import Box, Layout, lay_out
from orchestrator.plan.graph.model import FINALLY, Graph, GraphEdge, GraphNode

_MARGIN, _HEAD = 24.0, 64.0
_PAD, _NAME_HEIGHT, _LINE_HEIGHT = 14.0, 20.0, 16.0
_NAME_SIZE, _LINE_SIZE, _LABEL_SIZE = 13.5, 11.5, 10.5
_GAP: Final = 64.0
_MIN_WIDTH: Final = 120.0
_FRAME: Final = 18.0
"""From the finalizers to the frame around them."""
_SPOTS: Final = (0.5, 0.4, 0.6, 0.3, 0.7, 0.24, 0.76)
"""Where on a bend a label may stand, as shares of it, the best first."""
_BOLD: Final = 1.12
_NARROW, _WIDE = "iljftrI.,:;'|!()[] /-", "mwMW@%…—=+<>~^#&"

_COLOURS: Final = {
    # state: (light: fill, line), (dark: fill, line)
    "success": (("#dafbe1", "#1a7f37"), ("#12261e", "#3fb950")),
    "failed": (("#ffebe9", "#cf222e"), ("#2d1517", "#f85149")),
    "running": (("#ddf4ff", "#0969da"), ("#0f2440", "#58a6ff")),
    "waiting": (("#fff8c5", "#9a6700"), ("#272115", "#d29922")),
    "held": (("#fff8c5", "#9a6700"), ("#272115", "#d29922")),
    "cancelled": (("#fbefff", "#8250df"), ("#231b36", "#bc8cff")),
    "skipped": (("#f6f8fa", "#8c959f"), ("#161b22", "#6e7681")),
    "omitted": (("#f6f8fa", "#8c959f"), ("#161b22", "#6e7681")),
    "pending": (("#ffffff", "#8c959f"), ("#0d1117", "#6e7681")),
}
_LIGHT: Final = {
    "back": "fill:#ffffff",
    "box": "fill:#ffffff;stroke:#57606a",
    "name": "fill:#1f2328",
    "line": "fill:#59636e",
    "edge": "stroke:#8c959f",
    "long": "stroke:#424a53",
    "head": "fill:#8c959f",
    "head-long": "fill:#424a53",
    "pill": "fill:#ffffff;stroke:#d1d9e0",
    "frame": "fill:#f6f8fa;stroke:#8c959f",
}
_DARK: Final = {
    "back": "fill:#0d1117",
    "box": "fill:#161b22;stroke:#8b949e",
    "name": "fill:#f0f6fc",
    "line": "fill:#9198a1",
    "edge": "stroke:#6e7681",
    "long": "stroke:#c9d1d9",
    "head": "fill:#6e7681",
    "head-long": "fill:#c9d1d9",
    "pill": "fill:#0d1117;stroke:#3d444d",
    "frame": "fill:#10151c;stroke:#6e7681",
}


def svg(graph: Graph) -> str:
    """The file's text; ends in a newline. Raises UsageError where the graph is too large to be laid out."""
    number = {node.name: index for index, node in enumerate(graph.nodes)}
    level = {name: index for index, names in enumerate(graph.levels) for name in names}
    layout = lay_out(
        [[number[name] for name in names] for names in graph.levels],
        [(number[edge.source], number[edge.target]) for edge in graph.edges],
        sizes=[_size(node) for node in graph.nodes],
        gaps=_gaps(graph, level),
    )
    return "\n".join(_lines(graph, layout)) + "\n"


def _size(node: GraphNode) -> tuple[float, float]:
    widths = [
        text_width(node.lines[0], _NAME_SIZE) * _BOLD,
        *(text_width(x, _LINE_SIZE) for x in node.lines[1:]),
    ]
    height = 2 * _PAD - 8 + _NAME_HEIGHT + _LINE_HEIGHT * (len(node.lines) - 1)
    return max(_MIN_WIDTH, round(max(widths) + 2 * _PAD)), height


def _gaps(graph: Graph, level: dict[str, int]) -> list[float]:
    """The room behind each level: for the lines to bend, for the widest label, for the frame's side."""
    gaps = [_GAP] * len(graph.levels)
    for edge in graph.edges:
        if edge.label:
            before = level[edge.target] - 1
            gaps[before] = max(gaps[before], round(text_width(edge.label, _LABEL_SIZE)) + 60.0)
    apart = _first_apart(graph)
    if apart:
        gaps[apart - 1] += 2 * _FRAME
    return gaps


def _first_apart(graph: Graph) -> int | None:
    """The first level of the finalizers."""
    names = {node.name for node in graph.finalizers}
    return next((index for index, level in enumerate(graph.levels) if level and level[0] in names), None)


def text_width(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif font; on the safe side."""
    width = 0.0
    for char in text:
        if unicodedata.east_asian_width(char) in "WF":
            width += 1.05
        elif char in _NARROW:
            width += 0.38
        elif char in _WIDE:
            width += 0.98
        else:
            width += 0.72 if char.isupper() else 0.6
    return width * size


def _lines(graph: Graph, layout: Layout) -> Iterator[str]:
    apart = _first_apart(graph)
    right = max((left + width for left, width in layout.columns), default=0.0)
    heading = max(text_width(graph.title, 17) * _BOLD, text_width(graph.subtitle, 12))
    framed = _FRAME if apart is not None else 0.0
    if apart is not None:
        right = _frame_right(layout, apart) + (_FRAME if apart == 0 else 0)
    width = round(max(right, heading) + 2 * _MARGIN)
    height = round(layout.height + _HEAD + _MARGIN + 2 * framed)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc">'
    )
    yield f'<title id="title">{_text(graph.title)}</title>'
    yield f'<desc id="desc">{_text(_description(graph))}</desc>'
    yield f"<style>{_style(graph)}</style>"
    yield "<defs>"
    for name in ("head", "head-long"):
        yield (
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="10" markerHeight="10" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path class="{name}" d="M0 0.5 8 4 0 7.5z"/></marker>'
        )
    yield "</defs>"
    yield f'<rect class="back" width="{width}" height="{height}"/>'
    yield f'<text class="name" x="{_n(_MARGIN)}" y="30" font-size="17">{_text(graph.title)}</text>'
    yield f'<text class="line" x="{_n(_MARGIN)}" y="48" font-size="12">{_text(graph.subtitle)}</text>'
    yield f'<g transform="translate({_n(_MARGIN + (framed if apart == 0 else 0))} {_n(_HEAD + framed)})">'
    if apart is not None:
        yield from _frame(graph, layout, apart)
    drawn = sorted(zip(graph.edges, layout.routes, strict=True), key=lambda pair: pair[0].critical)
    for edge, route in drawn:
        yield _edge(edge, route)
    yield from _labels(drawn)
    for node, box in zip(graph.nodes, layout.boxes, strict=True):
        yield from _node(node, box)
    yield "</g>"
    yield "</svg>"


def _description(graph: Graph) -> str:
    states: dict[str, int] = {}
    for node in graph.nodes:
        if node.status:
            states[node.status] = states.get(node.status, 0) + 1
    counts = ", ".join(f"{number} {status}" for status, number in states.items())
    jobs = f"{len(graph.nodes)} jobs, {len(graph.edges)} edges"
    size = f"{jobs}: {counts}" if counts else jobs
    return f"{graph.subtitle}. {size}. Each box is a job; a line leads to what waits for it."


def _style(graph: Graph) -> str:
    used = dict.fromkeys(node.status for node in graph.nodes)
    states = {name: colours for name, colours in _COLOURS.items() if name in used}
    rules = [
        "text{font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',Arial,sans-serif}",
        ".name{font-weight:600}",
        ".box{stroke-width:1.2}",
        ".edge{fill:none;stroke-width:1.4}",
        ".long{stroke-width:2}",
        ".always{stroke-dasharray:5 4}",
        ".frame{stroke-dasharray:6 5}",
        ".skipped,.omitted{stroke-dasharray:4 3}",
        *(f".{name}{{{rule}}}" for name, rule in _LIGHT.items()),
        *(_state(name, *light) for name, (light, _) in states.items()),
    ]
    dark = [
        *(f".{name}{{{rule}}}" for name, rule in _DARK.items()),
        *(_state(name, *colours) for name, (_, colours) in states.items()),
    ]
    return f"{''.join(rules)}@media(prefers-color-scheme:dark){{{''.join(dark)}}}"


def _state(name: str, fill: str, line: str) -> str:
    return f".box.{name}{{fill:{fill};stroke:{line}}}.line.{name}{{fill:{line}}}"


def _frame(graph: Graph, layout: Layout, apart: int) -> Iterator[str]:
    """What sets the finalizers apart: as high as they and what passes among them."""
    inside = [box for node, box in zip(graph.nodes, layout.boxes, strict=True) if node.finalizer]
    top = min(box.y for box in inside) - _FRAME
    bottom = max(box.y + box.height for box in inside) + _FRAME
    left = layout.columns[apart][0] - _FRAME
    right = _frame_right(layout, apart)
    yield (
        f'<rect class="frame" x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" height="{_n(bottom - top)}" '
        'rx="12"/>'
    )
    yield f'<text class="line" x="{_n(left + 4)}" y="{_n(top - 6)}" font-size="11">{FINALLY}</text>'


def _frame_right(layout: Layout, apart: int) -> float:
    last, width = layout.columns[-1]
    return max(last + width + _FRAME, layout.columns[apart][0] - _FRAME + text_width(FINALLY, 11))


def _edge(edge: GraphEdge, route: Sequence[tuple[float, float]]) -> str:
    path = [f"M{_n(route[0][0])} {_n(route[0][1])}"]
    for number in range(0, len(route), 2):
        (x, y), (to_x, to_y) = route[number], route[number + 1]
        if number:
            path.append(f"L{_n(x)} {_n(y)}")
        if abs(y - to_y) < 0.5:
            path.append(f"L{_n(to_x)} {_n(to_y)}")
        else:
            half = (x + to_x) / 2
            path.append(f"C{_n(half)} {_n(y)} {_n(half)} {_n(to_y)} {_n(to_x)} {_n(to_y)}")
    classes = "edge" + (" long" if edge.critical else "") + (" always" if edge.dashed else "")
    head = "head-long" if edge.critical else "head"
    how = f" ({edge.label})" if edge.label else ""
    longest = ", on the longest chain" if edge.critical else ""
    told = _text(f"{edge.target} waits for {edge.source}{how}{longest}")
    return (
        f'<path class="{classes}" d="{"".join(path)}" marker-end="url(#{head})"><title>{told}</title></path>'
    )


def _labels(edges: Sequence[tuple[GraphEdge, Sequence[tuple[float, float]]]]) -> Iterator[str]:
    """Each condition on the last bend of its edge: in the middle, or where no other label stands."""
    taken: dict[float, list[tuple[float, float, float]]] = {}
    for edge, route in edges:
        if not edge.label:
            continue
        width = round(text_width(edge.label, _LABEL_SIZE)) + 10.0
        others = taken.setdefault(route[-1][0], [])
        spots = [_along(route[-2], route[-1], share) for share in _SPOTS]
        free = (spot for spot in spots if not any(_meet(spot, width, other) for other in others))
        x, y = next(free, spots[0])
        others.append((x, y, width))
        yield (
            f'<rect class="pill" x="{_n(x - width / 2)}" y="{_n(y - 8)}" width="{_n(width)}" height="16" rx="8"/>'
            f'<text class="line" x="{_n(x)}" y="{_n(y + 3.7)}" font-size="{_LABEL_SIZE}" '
            f'text-anchor="middle">{_text(edge.label)}</text>'
        )


def _along(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    """A point of the bend from `start` to `end`; both its handles are half way between them."""
    rest = 1 - share
    half = (start[0] + end[0]) / 2
    x = rest**3 * start[0] + 3 * rest * share * half + share**3 * end[0]
    level = rest**3 + 3 * rest**2 * share
    return x, level * start[1] + (1 - level) * end[1]


def _meet(spot: tuple[float, float], width: float, other: tuple[float, float, float]) -> bool:
    return abs(spot[0] - other[0]) < (width + other[2]) / 2 and abs(spot[1] - other[1]) < 17


def _node(node: GraphNode, box: Box) -> Iterator[str]:
    state = f" {node.status}" if node.status in _COLOURS else ""
    size = f'width="{_n(box.width)}" height="{_n(box.height)}" rx="8"'
    yield f"<g><title>{_text(chr(10).join(node.facts))}</title>"
    if node.repeated:
        yield f'<rect class="box{state}" x="{_n(box.x + 4)}" y="{_n(box.y + 4)}" {size}/>'
    yield f'<rect class="box{state}" x="{_n(box.x)}" y="{_n(box.y)}" {size}/>'
    x, y = box.x + _PAD, box.y + _PAD + 9
    yield f'<text class="name" x="{_n(x)}" y="{_n(y)}" font-size="{_NAME_SIZE}">{_text(node.lines[0])}</text>'
    for number, line in enumerate(node.lines[1:], start=1):
        last = node.status is not None and number == len(node.lines) - 1
        row = y + 2 + _LINE_HEIGHT * number
        yield (
            f'<text class="line{state if last else ""}" x="{_n(x)}" y="{_n(row)}" '
            f'font-size="{_LINE_SIZE}">{_text(line)}</text>'
        )
    yield "</g>"


def _text(text: str) -> str:
    """`text` between tags: escaped, without what XML cannot hold."""
    return escape("".join(char for char in text if char in "\t\n" or _in_xml(char)))


def _in_xml(char: str) -> bool:
    code = ord(char)
    return code >= 0x20 and not (0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF))


def _n(value: float) -> str:
    """A number as short as it goes."""
    return f"{value:.1f}".removesuffix(".0")
