"""A plan as a picture: the jobs and what waits for what, as Mermaid, DOT or SVG, for a spec or for a run of it.

    model                what is drawn: nodes and edges with their words
    mermaid, dot         the same as text for other tools to draw
    order, place, layout, svg    layers -> order in each -> coordinates -> routes -> a file that needs no tool

Pure: the same plan gives the same bytes.
"""

from orchestrator.plan.graph.dot import dot
from orchestrator.plan.graph.mermaid import mermaid
from orchestrator.plan.graph.model import Graph, Standing, graph_of
from orchestrator.plan.graph.svg import svg

__all__ = ["Graph", "Standing", "dot", "graph_of", "mermaid", "svg"]
