"""`parallel_with`: a job gets the starting point of the jobs that it names, so it gets their edges.

Also says which such wishes cannot be had: a way between the two, or a job of the normal flow beside one that
runs after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.compile.ancestry import ancestor_pairs
from orchestrator.compile.components import components
from orchestrator.compile.edges import Edge, is_finalizer, own_edges
from orchestrator.compile.graph import Graph, downstream, links
from orchestrator.compile.ways import Way, own_ways, reminders
from orchestrator.spec.model import Spec
from orchestrator.spec.places import Path

MAX_ADDED: Final = 1_000_000
"""Edges that `parallel_with` may add in one spec."""


@dataclass(frozen=True, slots=True)
class BadPair:
    """A `parallel_with` that cannot be had."""

    code: str
    path: Path
    message: str


def build_graph(spec: Spec) -> tuple[Graph, tuple[BadPair, ...]]:
    """The graph of all edges, and every `parallel_with` that cannot be had (and adds none)."""
    own = own_edges(spec)
    ways = _ways(spec)
    waits_for = links(own, ways)
    final = downstream(waits_for, [name for name, job in spec.jobs.items() if is_finalizer(job)])
    own = _without_needless(spec, own, final)
    if not any(job.parallel_with for job in spec.jobs.values()):
        return Graph(own, final, ways), ()
    graph = Graph(own, final, ways)
    bad = _bad_pairs(spec, graph)
    excluded = {pair.path for pair in bad}
    wishes = {
        name: tuple(
            other
            for index, other in enumerate(job.parallel_with)
            if other in spec.jobs and ("jobs", name, "parallel_with", index) not in excluded
        )
        for name, job in spec.jobs.items()
    }
    merged = _inherit(own, wishes)
    if merged is None:
        at: Path = ("jobs",)
        many = BadPair(
            "E113", at, f"'parallel_with' adds more than {MAX_ADDED:,} dependencies between the jobs"
        )
        return graph, (*bad, many)
    whole = Graph(merged, final, ways)
    return whole, (*bad, *_brought_apart(spec, whole, wishes))


def _ways(spec: Spec) -> dict[str, tuple[Way, ...]]:
    """The ways to jobs that can be gone to: not to one that runs after everything else, nor to a reminder."""
    set_apart = reminders(spec)
    return {
        name: ways
        for name, ways in own_ways(spec).items()
        if not is_finalizer(spec.jobs[name]) and name not in set_apart
    }


def _without_needless(
    spec: Spec, own: Mapping[str, tuple[Edge, ...]], final: frozenset[str]
) -> dict[str, tuple[Edge, ...]]:
    """A finalizer runs after all normal jobs anyway; an edge to one would only change what `on_complete` means."""
    return {
        name: tuple(edge for edge in edges if edge.job in final) if is_finalizer(spec.jobs[name]) else edges
        for name, edges in own.items()
    }


def _bad_pairs(spec: Spec, graph: Graph) -> tuple[BadPair, ...]:
    wishes = [
        (name, other, ("jobs", name, "parallel_with", index))
        for name, job in spec.jobs.items()
        for index, other in enumerate(job.parallel_with)
        if other in spec.jobs
    ]
    asked = [pair for name, other, _ in wishes for pair in ((name, other), (other, name))]
    ways = ancestor_pairs(graph.order, graph.waits_for, asked)
    bad: list[BadPair] = []
    for name, other, path in wishes:
        wish = f"job '{name}' is to run in parallel with '{other}'"
        if name == other:
            bad.append(BadPair("E107", path, f"job '{name}' is to run in parallel with itself"))
        elif (name, other) in ways:
            bad.append(BadPair("E107", path, f"{wish} but waits for it"))
        elif (other, name) in ways:
            bad.append(BadPair("E107", path, f"{wish}, which waits for '{name}'"))
        elif (name in graph.final) != (other in graph.final):
            late = name if name in graph.final else other
            bad.append(BadPair("E112", path, f"{wish}, but '{late}' runs after everything else"))
        elif missing := _missing_way(graph, name, other):
            how = f"'{missing.job}' starts that in its '{missing.key}'"
            bad.append(BadPair("E107", path, f"{wish}, but {how}; name '{name}' there too"))
    return tuple(bad)


def _missing_way(graph: Graph, name: str, other: str) -> Way | None:
    """A way that leads to `other` and not to `name`, if there is one."""
    own = {(way.job, way.on, way.branch) for way in graph.ways.get(name, ())}
    ways = graph.ways.get(other, ())
    return next((way for way in ways if (way.job, way.on, way.branch) not in own), None)


def _brought_apart(spec: Spec, graph: Graph, links: Mapping[str, tuple[str, ...]]) -> tuple[BadPair, ...]:
    """Pairs of which one waits for the other only because of what a third, parallel with both, waits for."""
    pairs = [(name, other) for name, others in links.items() for other in others]
    ways = ancestor_pairs(graph.order, graph.waits_for, [*pairs, *((other, name) for name, other in pairs)])
    bad: list[BadPair] = []
    for name, other in pairs:
        late, early = (name, other) if (name, other) in ways else (other, name)
        if (late, early) in ways:
            path: Path = ("jobs", name, "parallel_with", spec.jobs[name].parallel_with.index(other))
            why = f"but '{late}' has to wait for '{early}', as another job does that it is to run in parallel with"
            bad.append(BadPair("E107", path, f"job '{name}' is to run in parallel with '{other}', {why}"))
    return tuple(bad)


def _inherit(
    own: Mapping[str, tuple[Edge, ...]], links: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[Edge, ...]] | None:
    """Each job's own edges and those of all that it is parallel with; None where that is too many.

    Jobs that name each other form one group; `components` gives groups after those that they lead to.
    """
    result = dict(own)
    added = 0
    for group in components(links):
        members = set(group)
        shared: dict[tuple[str, str], Edge] = {}
        for name in group:
            for edge in own[name]:
                shared.setdefault((edge.job, edge.condition), edge)
            for other in links[name]:
                if other not in members:
                    for edge in result[other]:
                        shared.setdefault((edge.job, edge.condition), edge)
                        added += 1
        for name in group:
            if not links[name]:
                continue
            named = {edge.job for edge in own[name]}
            path: Path = ("jobs", name, "parallel_with")
            new = [
                Edge(edge.job, edge.condition, edge.origin, path)
                for edge in shared.values()
                if edge.job not in named and edge.job != name
            ]
            added += len(new)
            if added > MAX_ADDED:
                return None
            result[name] = (*own[name], *new)
    return result
