"""Strongly connected components and the cycles in them. Plain graph code: it knows names, not jobs.

Iterative throughout, as a chain of 20 000 jobs would exhaust the stack; linear in nodes and links.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

MAX_CYCLES: Final = 10
"""Cycles after which each further component shows only one: thousands would make nothing clearer."""

Links = Mapping[str, Sequence[str]]


def components(links: Links) -> list[list[str]]:
    """The strongly connected components, each after those that it leads to (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: dict[str, None] = {}
    found: list[list[str]] = []
    for root in links:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        open_[root] = None
        work: list[tuple[str, Iterator[str]]] = [(root, iter(links[root]))]
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    open_[successor] = None
                    work.append((successor, iter(links[successor])))
                    break
                if successor in open_:
                    low[node] = min(low[node], index[successor])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    found.append(_take_until(open_, node))
    return found


def _take_until(open_: dict[str, None], node: str) -> list[str]:
    taken: list[str] = []
    while not taken or taken[-1] != node:
        taken.append(open_.popitem()[0])
    return taken


def cycles(links: Links, position: Mapping[str, int]) -> list[list[str]]:
    """Cycles that together show what is wrong: each as the nodes along its links, without the first one again.

    Args:
        links: Where each node leads.
        position: The order in which cycles, and the first nodes of cycles, are chosen.
    """
    found: list[list[str]] = []
    for component in components(links):
        inside = set(component)
        if len(component) == 1 and component[0] not in links[component[0]]:
            continue
        ranked = sorted(component, key=position.__getitem__)
        alone = [node for node in ranked if node in links[node]]
        found += [[node] for node in alone[:MAX_CYCLES]]
        shown: set[str] = set(alone) if len(component) == 1 else set()
        for number, node in enumerate(ranked):
            if number and len(found) >= MAX_CYCLES:
                break
            if node not in shown:
                cycle = _shortest_through(node, links, inside)
                shown.update(cycle)
                found.append(cycle)
    found.sort(key=lambda cycle: position[cycle[0]])
    return found


def _shortest_through(start: str, links: Links, inside: set[str]) -> list[str]:
    """The shortest cycle through `start`, whose component is `inside`."""
    came_from: dict[str, str] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for successor in links[node]:
            if successor == start:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if successor in inside and successor not in came_from:
                came_from[successor] = node
                queue.append(successor)
    raise ValueError(f"'{start}' is on no cycle")
