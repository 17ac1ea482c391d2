"""A graph in Graphviz' language: `orca graph SPEC --format dot | dot -Tsvg`. Pure."""

from collections.abc import Iterator
from typing import Final

from orchestrator.plan.graph.model import FINALLY, Graph, GraphEdge, GraphNode

_COLOURS: Final = {
    "success": ("#dafbe1", "#1a7f37"),
    "failed": ("#ffebe9", "#cf222e"),
    "running": ("#ddf4ff", "#0969da"),
    "waiting": ("#fff8c5", "#9a6700"),
    "held": ("#fff8c5", "#9a6700"),
    "cancelled": ("#fbefff", "#8250df"),
    "skipped": ("#f6f8fa", "#8c959f"),
    "omitted": ("#f6f8fa", "#8c959f"),
}


def dot(graph: Graph) -> str:
    """The text of a digraph whose nodes have the jobs' names; ends in a newline."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield f"digraph {_quoted(graph.title)} {{"
    yield f"  graph [rankdir=LR, fontname=Helvetica, fontsize=12, labelloc=t, label={_label(graph.title)}];"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname=Helvetica, fontsize=11];'
    yield "  edge [fontname=Helvetica, fontsize=9, color=gray40];"
    yield from (f"  {_node(node)}" for node in graph.nodes if not node.finalizer)
    if graph.finalizers:
        yield "  subgraph cluster_finally {"
        yield f"    graph [style=dashed, color=gray50, label={_label(FINALLY)}];"
        yield from (f"    {_node(node)}" for node in graph.finalizers)
        yield "  }"
    yield from (f"  {_edge(edge)}" for edge in graph.edges)
    yield from (f"  {line}" for line in _behind(graph))
    yield "}"


def _node(node: GraphNode) -> str:
    attributes = [f"label={_label(*node.lines)}", f"tooltip={_label(*node.facts)}"]
    if node.repeated:
        attributes.append("peripheries=2")
    if node.status in _COLOURS:
        fill, line = _COLOURS[node.status]
        attributes.append(f'fillcolor="{fill}", color="{line}"')
    return f"{_quoted(node.name)} [{', '.join(attributes)}];"


def _edge(edge: GraphEdge) -> str:
    attributes = [f"label={_label(edge.label)}"] if edge.label else []
    attributes += ["style=dashed"] if edge.dashed else []
    ends = f"{_quoted(edge.source)} -> {_quoted(edge.target)}"
    return f"{ends} [{', '.join(attributes)}];" if attributes else f"{ends};"


def _behind(graph: Graph) -> Iterator[str]:
    """Edges that nobody sees, which keep the finalizers behind the jobs of the last level before them."""
    apart = {node.name for node in graph.finalizers}
    main = [level for level in graph.levels if level and level[0] not in apart]
    waiting = {edge.target for edge in graph.edges}
    for node in graph.finalizers:
        if main and node.name not in waiting:
            yield f"{_quoted(main[-1][0])} -> {_quoted(node.name)} [style=invis];"


def _quoted(text: str) -> str:
    r"""`text` as a name. A backslash is doubled, as one before the closing quote would take it away."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(*lines: str) -> str:
    r"""Lines as a label, in which Graphviz replaces `\N`, `\G` and HTML's entities."""
    whole = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines)
    return f'"{whole}"'
