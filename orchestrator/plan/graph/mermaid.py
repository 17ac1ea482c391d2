"""A graph as Mermaid's flowchart, which GitHub, GitLab and many editors draw where it stands in Markdown. Pure.

Nodes are `j1`, `j2` and so on, so that no name can be a word of the language, such as `end`.
"""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.plan.graph.model import FINALLY, Graph, GraphEdge, GraphNode

MAX_EDGES: Final = 500
MAX_CHARACTERS: Final = 50_000
"""What Mermaid draws where its own configuration does not say otherwise."""

_STYLES: Final = {
    "success": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "failed": "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
    "running": "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
    "waiting": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "held": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "cancelled": "fill:#fbefff,stroke:#8250df,color:#1f2328",
    "pending": "fill:#ffffff,stroke:#8c959f,color:#59636e",
    "skipped": "fill:#f6f8fa,stroke:#8c959f,color:#59636e,stroke-dasharray:4",
    "omitted": "fill:#f6f8fa,stroke:#8c959f,color:#59636e,stroke-dasharray:4",
}
_PLAIN: Final = re.compile(r"[^\w \-./:,=()'\[\]{}+*?!$^~|…]|\$(?=\$)")
"""Characters that are written as entities: Mermaid's and HTML's own, and whatever else is no part of a name."""
_LIST: Final = re.compile(r"^(\s*(?:\d+(?=\.)|(?=[-+*]\s)))(.)")
"""A label that begins like a Markdown list, which Mermaid refuses to draw."""


def mermaid(graph: Graph) -> str:
    """The text of a flowchart; ends in a newline."""
    return "\n".join(_lines(graph)) + "\n"


def too_large(graph: Graph, text: str) -> bool:
    """Whether Mermaid refuses to draw `text`, the graph's, unless its configuration allows more."""
    return len(text) > MAX_CHARACTERS or len(graph.edges) >= MAX_EDGES


def _lines(graph: Graph) -> Iterator[str]:
    ids = {node.name: f"j{number}" for number, node in enumerate(graph.nodes, start=1)}
    last = graph.finalizers
    yield "flowchart LR"
    yield f"  accTitle: {_comment(graph.title)}"
    yield f"  accDescr: {_comment(graph.subtitle)}"
    main = [node for node in graph.nodes if not node.finalizer]
    if last and main:
        yield '  subgraph jobs [" "]'
        yield "    direction LR"
        yield from (f"    {_node(node, ids)}" for node in main)
        yield "  end"
    else:
        yield from (f"  {_node(node, ids)}" for node in main)
    if last:
        yield f'  subgraph finally ["{FINALLY}"]'
        yield "    direction LR"
        yield from (f"    {_node(node, ids)}" for node in last)
        yield "  end"
    if last and main:
        yield "  jobs -.-> finally"
    yield from (f"  {_edge(edge, ids)}" for edge in graph.edges)
    seen = dict.fromkeys(node.status for node in graph.nodes if node.status in _STYLES)
    for status, style in _STYLES.items():
        if status in seen:
            members = ",".join(ids[node.name] for node in graph.nodes if node.status == status)
            yield f"  classDef {status} {style}"
            yield f"  class {members} {status}"


def _node(node: GraphNode, ids: dict[str, str]) -> str:
    label = escaped(*node.lines)
    opening, closing = ("[[", "]]") if node.repeated else ("[", "]")
    return f'{ids[node.name]}{opening}"{label}"{closing}'


def _edge(edge: GraphEdge, ids: dict[str, str]) -> str:
    arrow = "-.->" if edge.dashed else "-->"
    label = f'|"{escaped(edge.label)}"|' if edge.label else ""
    return f"{ids[edge.source]} {arrow}{label} {ids[edge.target]}"


def escaped(*lines: str) -> str:
    """Lines for a quoted label, in which Mermaid, its Markdown and HTML must find nothing of their own."""
    label = "<br/>".join(_LIST.sub(_second_as_entity, _PLAIN.sub(_as_entity, line)) for line in lines)
    # Mermaid takes an entity behind 'style…:' and 'classDef…:' for the colour of a style.
    return label.replace(":", "#58;") if re.search("style|classdef", label, re.IGNORECASE) else label


def _as_entity(found: re.Match[str]) -> str:
    return f"#{ord(found[0])};"


def _second_as_entity(found: re.Match[str]) -> str:
    return f"{found[1]}#{ord(found[2])};"


def _comment(text: str) -> str:
    """`text` for the rest of a line that is no label."""
    return re.sub(r"[;#%]|\s+", " ", text).strip() or "plan"
