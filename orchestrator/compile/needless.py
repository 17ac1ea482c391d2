"""Edges that others imply: whenever those are met, so are these. Plain graph code; what else an edge does is not seen.

A job that was not omitted had all its own requirements met, and so, through those that are not `always`, had the jobs
before it. An edge is implied when one of the other edges leads to the same job in that way with a condition that is at
least as strict. It may then be left out: what runs, and when, stays the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from orchestrator.compile.ancestry import ancestor_pairs
from orchestrator.compile.edges import Edge, EdgeCondition
from orchestrator.compile.reach import ACCEPTED
from orchestrator.spec.diagnostics import MAX_DIAGNOSTICS

_MAX_WITNESSES: Final = 50
"""Other edges of one job that are asked whether it is they that imply an edge; each is a question to the graph."""


def implied_edges(
    order: Sequence[str], edges: Mapping[str, tuple[Edge, ...]], asked: Iterable[tuple[str, Edge]]
) -> dict[tuple[str, Edge], str | None]:
    """Those of `asked` (a job and one of its edges) that the job's other edges imply.

    Args:
        order: All jobs in topological order.
        edges: For each job its edges.
        asked: What to look at.

    Returns:
        For each that is implied the job that implies it, or None where that is one of very many. Of a spec with more
        than a person is shown only so many.
    """
    named = Counter(edge.job for own in edges.values() for edge in own)
    # An edge to a job that nobody else names can be implied by nothing: that is most of them.
    questions = [(job, edge) for job, edge in asked if named[edge.job] > 1]
    conditions: dict[tuple[str, str], list[EdgeCondition]] = {}
    for job, own in edges.items():
        for edge in own:
            conditions.setdefault((job, edge.job), []).append(edge.condition)
    found: dict[tuple[str, Edge], str | None] = {
        (job, edge): edge.job
        for job, edge in questions
        if any(ACCEPTED[other] < ACCEPTED[edge.condition] for other in conditions[job, edge.job])
    }
    graph = _Implications(order, edges, questions)
    implied = graph.ways((_others(job), _met(edge)) for job, edge in questions)
    open_ = [
        question
        for question in questions
        if question not in found and (_others(question[0]), _met(question[1])) in implied
    ][:MAX_DIAGNOSTICS]  # nobody is shown more
    witnesses = {
        (job, edge): [other.job for other in edges[job] if other.condition != "always"][:_MAX_WITNESSES]
        for job, edge in open_
    }
    ways = graph.ways((witness, _met(edge)) for (_, edge), names in witnesses.items() for witness in names)
    for (job, edge), names in witnesses.items():
        found[job, edge] = next((name for name in names if (name, _met(edge)) in ways), None)
    return found


class _Implications:
    """The graph in which a way means "was not omitted, so this was met"."""

    def __init__(
        self, order: Sequence[str], edges: Mapping[str, tuple[Edge, ...]], asked: Sequence[tuple[str, Edge]]
    ) -> None:
        wanted: dict[str, dict[EdgeCondition, str]] = {}
        for _, edge in asked:
            wanted.setdefault(edge.job, {})[edge.condition] = _met(edge)
        askers = {job for job, _ in asked}
        self._order: list[str] = []
        self._links: dict[str, list[str]] = {}
        for name in order:
            self._add(wanted.get(name, {}).values(), ())
            strict = [edge.job for edge in edges[name] if edge.condition != "always"]
            marks = [
                mark
                for edge in edges[name]
                for condition, mark in wanted.get(edge.job, {}).items()
                if ACCEPTED[edge.condition] <= ACCEPTED[condition]
            ]
            self._add((name,), (*strict, *marks))
            if name in askers:
                self._add((_others(name),), strict)

    def ways(self, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of `pairs` of which the first leads to the second."""
        return ancestor_pairs(self._order, self._links, pairs)

    def _add(self, names: Iterable[str], links: Iterable[str]) -> None:
        for name in names:
            self._order.append(name)
            self._links[name] = list(links)


# Nodes that are no jobs: no job's name has a NUL in it.


def _met(edge: Edge) -> str:
    """The node "this job ended as this condition says"."""
    return f"{edge.job}\0{edge.condition}"


def _others(job: str) -> str:
    """The node "the edges of this job are met", which leads only to what is behind the jobs that they name."""
    return f"{job}\0"
