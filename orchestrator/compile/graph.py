"""The graph of a spec's jobs: order, levels, critical path, cycles. Pure; it finds, others complain.

Everything here is linear in jobs and edges (the order has a logarithm for its tie-break by source order).
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from orchestrator.compile.components import cycles as find_cycles
from orchestrator.compile.edges import Edge
from orchestrator.compile.ways import Way


@dataclass(frozen=True)
class Graph:
    """Jobs and their edges, in source order."""

    edges: Mapping[str, tuple[Edge, ...]]
    final: frozenset[str]
    """Jobs that run when everything else is done: finalizers, and all that waits for one."""
    ways: Mapping[str, tuple[Way, ...]] = field(default_factory=dict[str, tuple[Way, ...]])
    """The ways that lead to those jobs that others start, or choose."""

    @cached_property
    def waits_for(self) -> dict[str, tuple[str, ...]]:
        """For each job the jobs that it waits for, each once: those that it requires, and those that may start it."""
        return links(self.edges, self.ways)

    @cached_property
    def position(self) -> dict[str, int]:
        """For each job its place in the source."""
        return {name: number for number, name in enumerate(self.edges)}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Topological, in source order where the edges leave a choice, finalizers last (Kahn's algorithm).

        Jobs on a cycle, and those that wait for one, are missing.
        """
        dependents = _reversed(self.waits_for)
        open_ = {name: len(others) for name, others in self.waits_for.items()}
        names = tuple(self.edges)
        ready = [self._rank(name) for name, count in open_.items() if count == 0]
        heapq.heapify(ready)
        order: list[str] = []
        while ready:
            name = names[heapq.heappop(ready)[1]]
            order.append(name)
            for dependent in dependents[name]:
                open_[dependent] -= 1
                if open_[dependent] == 0:
                    heapq.heappush(ready, self._rank(dependent))
        return tuple(order)

    @cached_property
    def cycles(self) -> list[list[str]]:
        """Cycles, each as jobs of which every one waits for the next and the last for the first."""
        if len(self.order) == len(self.edges):
            return []
        left = set(self.edges) - set(self.order)
        links = {
            name: tuple(other for other in others if other in left)
            for name, others in self.waits_for.items()
            if name in left
        }
        return find_cycles(links, self.position)

    @cached_property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """Jobs by the length of the longest way to them, in source order. Finalizers stand after all others."""
        depth: dict[str, int] = {}
        floor = 0
        for name in self.order:
            ahead = [depth[other] + 1 for other in self.waits_for[name]]
            if name in self.final:
                ahead.append(floor)
            depth[name] = max(ahead, default=0)
            if name not in self.final:
                floor = max(floor, depth[name] + 1)
        levels: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for name in self.edges:
            if name in depth:
                levels[depth[name]].append(name)
        return tuple(tuple(level) for level in levels)

    @cached_property
    def critical_path(self) -> tuple[str, ...]:
        """The longest chain of edges by number of jobs; of several the one that comes first in the order."""
        length: dict[str, int] = {}
        before: dict[str, str | None] = {}
        for name in self.order:
            length[name], before[name] = 1, None
            for other in self.waits_for[name]:
                if length[other] + 1 > length[name]:
                    length[name], before[name] = length[other] + 1, other
        path: list[str] = []
        at: str | None = max(self.order, key=lambda name: length[name], default=None)
        while at is not None:
            path.append(at)
            at = before[at]
        return tuple(reversed(path))

    def _rank(self, name: str) -> tuple[bool, int]:
        return name in self.final, self.position[name]


def links(
    edges: Mapping[str, tuple[Edge, ...]], ways: Mapping[str, tuple[Way, ...]]
) -> dict[str, tuple[str, ...]]:
    """For each job those to which its edges and ways lead, each once."""
    return {
        name: tuple(dict.fromkeys((*(edge.job for edge in own), *(way.job for way in ways.get(name, ())))))
        for name, own in edges.items()
    }


def downstream(waits_for: Mapping[str, Sequence[str]], roots: Sequence[str]) -> frozenset[str]:
    """`roots` and all that waits for one of them, directly or through others."""
    dependents = _reversed(waits_for)
    found = dict.fromkeys(roots)
    queue = list(roots)
    while queue:
        for dependent in dependents[queue.pop()]:
            if dependent not in found:
                found[dependent] = None
                queue.append(dependent)
    return frozenset(found)


def _reversed(waits_for: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    dependents: dict[str, list[str]] = {name: [] for name in waits_for}
    for name, others in waits_for.items():
        for other in others:
            dependents[other].append(name)
    return dependents
