"""Which jobs can never start, found from how each job can end. Pure.

The analysis looks at one job and what it names, with the ends that those can have. It never calls a job
unreachable that could start; it may miss one whose conditions exclude each other only through several others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.compile.conditions import constant_value, never_runs
from orchestrator.compile.edges import Edge
from orchestrator.compile.graph import Graph
from orchestrator.spec.model import JobShape
from orchestrator.spec.places import Path

End = Literal["succeeded", "failed", "tolerated", "skipped", "omitted"]
"""`tolerated` is a failure with `on_error: continue`: it counts as met and as failed."""

ACCEPTED: Final[Mapping[str, frozenset[End]]] = {
    "success": frozenset({"succeeded", "tolerated", "skipped"}),
    "failure": frozenset({"failed", "tolerated"}),
    "skipped": frozenset({"skipped"}),
    "always": frozenset({"succeeded", "failed", "tolerated", "skipped", "omitted"}),
}
"""The ends that meet a requirement, by its condition (see `plan.model.Requirement`)."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A job that cannot start, with the reason and the place that says so."""

    job: str
    path: Path
    message: str


def possible_ends(
    jobs: Mapping[str, JobShape], graph: Graph
) -> tuple[dict[str, frozenset[End]], tuple[Unreachable, ...]]:
    """How each job can end, and the jobs that cannot start. Jobs on or behind a cycle are left out."""
    ends: dict[str, frozenset[End]] = {}
    stuck: list[Unreachable] = []
    for name in graph.order:
        job, edges = jobs[name], graph.edges[name]
        found = next(_hindrances(name, job, edges, ends), None)
        if found is not None:
            stuck.append(found)
            ends[name] = frozenset({"omitted"})
        else:
            ends[name] = frozenset(_ends_of(job, edges, ends))
    return ends, tuple(stuck)


def _ends_of(job: JobShape, edges: tuple[Edge, ...], ends: Mapping[str, frozenset[End]]) -> Iterator[End]:
    """How a job that can start can end."""
    if any(ends[edge.job] - ACCEPTED[edge.condition] for edge in edges) or job.on_complete not in (
        None,
        "always",
    ):
        yield "omitted"
    if _can_be_skipped(job):
        yield "skipped"
    if not never_runs(job.if_, job.unless):
        yield "succeeded"
        yield "tolerated" if job.on_error == "continue" else "failed"


def _can_be_skipped(job: JobShape) -> bool:
    if job.if_ is not None and constant_value(job.if_) is not True:
        return True
    return job.unless is not None and constant_value(job.unless) is not False


def _hindrances(
    name: str, job: JobShape, edges: tuple[Edge, ...], ends: Mapping[str, frozenset[End]]
) -> Iterator[Unreachable]:
    """Why a job cannot start, if it cannot."""
    left: dict[str, frozenset[End]] = {}
    first: dict[str, Edge] = {}
    for edge in edges:
        before = left.get(edge.job, ends[edge.job])
        left[edge.job] = before & ACCEPTED[edge.condition]
        if left[edge.job]:
            first.setdefault(edge.job, edge)
            continue
        earlier = first.get(edge.job)
        if earlier is not None:
            reason = f"it requires '{edge.job}' to end as '{earlier.condition}' and as '{edge.condition}'"
        else:
            reason = _why_not(edge, ends[edge.job])
        yield Unreachable(name, edge.path, f"job '{name}' can never start: {reason}")
    if (
        job.on_complete == "failure"
        and edges
        and not any(ends[edge.job] & ACCEPTED["failure"] for edge in edges)
    ):
        message = f"job '{name}' can never start: 'on_complete' asks for a failure, but nothing it requires can fail"
        yield Unreachable(name, ("jobs", name, "on_complete"), message)


def _why_not(edge: Edge, ends: frozenset[End]) -> str:
    if not ends - {"omitted"}:
        return f"it requires '{edge.job}', which can never start itself"
    if edge.condition == "skipped":
        return f"it requires '{edge.job}' to be skipped, but that has no 'if' or 'unless' that could say no"
    if edge.condition == "failure":
        return f"it requires '{edge.job}' to fail, but that is always skipped"
    return f"it requires '{edge.job}' to end as '{edge.condition}', which it cannot"
