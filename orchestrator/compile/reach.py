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
from orchestrator.compile.ways import Way
from orchestrator.spec.model import JobShape
from orchestrator.spec.places import Path

End = Literal["succeeded", "failed", "tolerated", "skipped", "omitted", "passed by"]
"""`tolerated` is a failure with `on_error: continue`: it counts as met and as failed. `passed by`: the job lies on a
path that was not taken, as if it were not there."""

ACCEPTED: Final[Mapping[str, frozenset[End]]] = {
    "success": frozenset({"succeeded", "tolerated", "skipped", "passed by"}),
    "failure": frozenset({"failed", "tolerated", "passed by"}),
    "skipped": frozenset({"skipped", "passed by"}),
    "always": frozenset({"succeeded", "failed", "tolerated", "skipped", "omitted", "passed by"}),
}
"""The ends that meet a requirement, by its condition (see `plan.base.Requirement`), or leave it without meaning."""
_PASSED_BY: Final[frozenset[End]] = frozenset({"passed by"})
_NEVER_STARTED: Final[frozenset[End]] = frozenset({"omitted", "passed by"})
FIRING: Final[Mapping[str, frozenset[End]]] = {
    "success": frozenset({"succeeded"}),
    "failure": frozenset({"failed", "tolerated"}),
    "complete": frozenset({"succeeded", "failed", "tolerated"}),
    "chosen": frozenset({"succeeded"}),
}
"""The ends of a job with which it starts those that a transition names (see `plan.model.Trigger`)."""


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
        ways = graph.ways.get(name, ())
        found = next(_hindrances(name, job, edges, ends), None) or _closed(name, edges, ways, ends)
        if found is not None:
            stuck.append(found)
            ends[name] = frozenset({"omitted"})
        else:
            ends[name] = frozenset(_ends_of(job, edges, ends))
        # Also one that can never start: where nothing leads to it, others go on as if it were not there.
        if ways or _goes_with_others(edges, ends):
            ends[name] |= _PASSED_BY
    return ends, tuple(stuck)


def may_be_passed_by(jobs: Mapping[str, JobShape], graph: Graph) -> frozenset[str]:
    """The jobs that may lie on a path that is not taken."""
    if not graph.ways:
        return frozenset()
    ends, _ = possible_ends(jobs, graph)
    return frozenset(name for name, found in ends.items() if "passed by" in found)


def _goes_with_others(edges: tuple[Edge, ...], ends: Mapping[str, frozenset[End]]) -> bool:
    """Whether all that a job requires to end in some way may lie on paths that are not taken: then so may the job."""
    asked = [edge for edge in edges if edge.condition in ("success", "failure")]
    return bool(asked) and all("passed by" in ends[edge.job] for edge in asked)


def _closed(
    name: str, edges: tuple[Edge, ...], ways: tuple[Way, ...], ends: Mapping[str, frozenset[End]]
) -> Unreachable | None:
    """That no way to a job can ever be gone, if there are ways and it is so."""
    why = ""
    for way in ways:
        left = ends[way.job] & FIRING[way.on]
        needed = [edge for edge in edges if edge.job == way.job]
        for edge in needed:
            left &= ACCEPTED[edge.condition]
        if left:
            return None
        if not why and needed and ends[way.job] & FIRING[way.on]:
            why = f"'{way.key}' of job '{way.job}' starts it, but it requires that to end as '{needed[0].condition}'"
        elif not why:
            why = f"'{way.job}', which is to start it, never ends so"
    return Unreachable(name, ways[0].path, f"job '{name}' can never start: {why}") if ways else None


def _ends_of(job: JobShape, edges: tuple[Edge, ...], ends: Mapping[str, frozenset[End]]) -> Iterator[End]:
    """How a job that can start can end."""
    if any(ends[edge.job] - ACCEPTED[edge.condition] for edge in edges) or job.completion not in (
        None,
        "always",
    ):
        yield "omitted"
    if _can_be_skipped(job) or job.call is not None or may_be_held(job):
        yield "skipped"  # by its own condition, by the function, or by whoever repairs it
    if not never_runs(job.if_, job.unless):
        yield "succeeded"
        yield "tolerated" if job.on_error == "continue" else "failed"


def may_be_held(job: JobShape) -> bool:
    """Whether a person may have to say how the job ends."""
    return job.on_error == "hold" or job.idempotent is False


def _can_be_skipped(job: JobShape) -> bool:
    """By its own conditions, or because its `on_complete` does not fit how others ended."""
    if job.completion in ("success", "failure"):
        return True
    if job.if_ is not None and constant_value(job.if_) is not True:
        return True
    return job.unless is not None and constant_value(job.unless) is not False


def _hindrances(
    name: str, job: JobShape, edges: tuple[Edge, ...], ends: Mapping[str, frozenset[End]]
) -> Iterator[Unreachable]:
    """Why a job cannot start, if it cannot."""
    asked = [edge for edge in edges if edge.condition in ("success", "failure")]
    if asked and all(ends[edge.job] <= _NEVER_STARTED for edge in asked):
        yield Unreachable(
            name, asked[0].path, f"job '{name}' can never start: {_why_not(asked[0], ends[asked[0].job])}"
        )
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
        job.completion == "failure"
        and edges
        and not any(ends[edge.job] & ACCEPTED["failure"] for edge in edges)
    ):
        message = f"job '{name}' can never start: 'on_complete' asks for a failure, but nothing it requires can fail"
        yield Unreachable(name, ("jobs", name, "on_complete"), message)


def _why_not(edge: Edge, ends: frozenset[End]) -> str:
    if ends <= _NEVER_STARTED:
        return f"it requires '{edge.job}', which can never start itself"
    if edge.condition == "skipped":
        what = "no 'if', 'unless' or 'on_complete' that could say no"
        return f"it requires '{edge.job}' to be skipped, but that has {what}"
    if edge.condition == "failure":
        return f"it requires '{edge.job}' to fail, but that is always skipped"
    return f"it requires '{edge.job}' to end as '{edge.condition}', which it cannot"
