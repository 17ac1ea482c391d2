"""Edges that others imply: whenever those are met, so are these. Plain graph code; what else an edge does is not seen.

A job that was not omitted had all its own requirements met, and so, through those that are not `always`, had the jobs
before it. An edge is implied when one of the other edges leads to the same job in that way with a condition that is at
least as strict. It may then be left out: what runs, and when, stays the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from orchestrator.compile.edges import Edge, EdgeCondition
from orchestrator.compile.reach import ACCEPTED

_MAX_WITNESSES: Final = 50
"""Other edges of one job that are asked whether it is they that imply an edge."""
_CHUNK: Final = 4096
"""Ends of jobs that are followed at once, one bit each, as in `ancestry`."""

_Met = tuple[str, EdgeCondition]
"""A job has ended as a condition says."""

_CONDITIONS: Final[tuple[EdgeCondition, ...]] = ("success", "failure", "skipped", "always")
_WEAKER: Final[Mapping[EdgeCondition, tuple[EdgeCondition, ...]]] = {
    condition: tuple(other for other in _CONDITIONS if ACCEPTED[condition] <= ACCEPTED[other])
    for condition in _CONDITIONS
}
"""The conditions that are met wherever this one is: itself, and those that accept more ends."""


def implied_edges(
    order: Sequence[str],
    edges: Mapping[str, tuple[Edge, ...]],
    asked: Iterable[tuple[str, Edge]],
    *,
    passed_by: frozenset[str] = frozenset(),
) -> Iterator[tuple[str, Edge, str | None]]:
    """Those of `asked` (a job and one of its edges) that the job's other edges imply, found one by one.

    Args:
        order: All jobs in topological order.
        edges: For each job its edges.
        asked: What to look at.
        passed_by: Jobs that may lie on a path that is not taken: who requires them can run without them.

    Yields:
        Job and edge, and the job that implies it, or None where that is one of very many. Whoever has seen enough
        stops, and nothing more is looked at.
    """
    named = Counter(edge.job for own in edges.values() for edge in own)
    position = {name: number for number, name in enumerate(order)}
    # An edge to a job that nobody else names can be implied by nothing: that is most of them.
    by_target: dict[str, list[tuple[str, Edge]]] = {}
    for job, edge in asked:
        if named[edge.job] > 1:
            by_target.setdefault(edge.job, []).append((job, edge))
    targets = sorted(by_target, key=position.__getitem__)
    for start in range(0, len(targets), _CHUNK):
        chunk = targets[start : start + _CHUNK]
        questions: dict[str, list[Edge]] = {}
        for target in chunk:
            for job, edge in by_target[target]:
                questions.setdefault(job, []).append(edge)
        last = max(position[job] for job in questions)
        yield from _implied(order[position[chunk[0]] : last + 1], edges, questions, passed_by)


def _implied(
    order: Sequence[str],
    edges: Mapping[str, tuple[Edge, ...]],
    questions: Mapping[str, Sequence[Edge]],
    passed_by: frozenset[str],
) -> Iterator[tuple[str, Edge, str | None]]:
    """The same for jobs of which all that is asked about lies in `order`."""
    bits: dict[_Met, int] = {}
    for own in questions.values():
        for edge in own:
            bits.setdefault((edge.job, edge.condition), 1 << len(bits))
    # For each job what was met if it was not omitted.
    known: dict[str, int] = {}
    granted = {
        (job, condition): sum({bits.get((job, weaker), 0) for weaker in weak})
        for job in dict.fromkeys(job for job, _ in bits)
        for condition, weak in _WEAKER.items()
    }
    for job in order:
        behind = own = 0
        for edge in edges[job]:
            own |= granted.get((edge.job, edge.condition), 0)
            if edge.condition != "always":
                behind |= known.get(edge.job, 0)
        if (own or behind) and job not in passed_by:
            known[job] = own | behind
        if job not in questions:
            continue
        named: dict[str, list[EdgeCondition]] = {}
        for edge in edges[job]:
            named.setdefault(edge.job, []).append(edge.condition)
        for edge in questions[job]:
            bit = bits[edge.job, edge.condition]
            if _is_stricter(named[edge.job], edge.condition):
                yield job, edge, edge.job
            elif behind & bit:
                strict = [other.job for other in edges[job] if other.condition != "always"][:_MAX_WITNESSES]
                yield job, edge, next((name for name in strict if known.get(name, 0) & bit), None)


def _is_stricter(conditions: Iterable[EdgeCondition], condition: EdgeCondition) -> bool:
    """Whether one of `conditions` accepts only ends that `condition` accepts, and fewer."""
    return any(ACCEPTED[other] < ACCEPTED[condition] for other in conditions)
