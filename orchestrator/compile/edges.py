"""Who waits for whom, and under which condition: `requires`, `after` and `parallel_with` made into edges.

An edge is written down once, here; everything later (order, reach, nodes) reads edges and not the spec's keys.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.compile.conditions import asks_for_status
from orchestrator.spec.diagnostics import Suggester
from orchestrator.spec.model import JobShape, Spec
from orchestrator.spec.places import Path

Origin = Literal["requires", "after"]
EdgeCondition = Literal["success", "failure", "skipped", "always"]

_VERBS: Final = {
    "requires": "requires",
    "after": "is to run after",
    "parallel_with": "is to run in parallel with",
    "artifacts_from": "takes artifacts from",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """One job waits for `job` and starts only if that ended as `condition` says."""

    job: str
    condition: EdgeCondition
    origin: Origin
    """`requires` edges also bring the artifacts of the job that they name."""
    path: Path
    """Where the spec says so."""


@dataclass(frozen=True, slots=True)
class UnknownJob:
    """A name in `requires`, `after`, `parallel_with` or `artifacts_from` that no job has."""

    path: Path
    message: str
    suggestion: str | None


def is_finalizer(job: JobShape) -> bool:
    """Whether the job itself says that it runs when everything else is done."""
    return job.on_complete is not None and not job.requires


def implied_condition(job: JobShape) -> EdgeCondition:
    """What the short form of `requires` means for this job.

    It is success, unless the job's own condition asks for the state of things, as people know it from GitHub
    Actions, or `on_complete` says otherwise.
    """
    if job.on_complete in ("always", "failure"):
        return "always"
    return "always" if asks_for_status(job.if_) or asks_for_status(job.unless) else "success"


def own_edges(spec: Spec) -> dict[str, tuple[Edge, ...]]:
    """The edges that each job names itself, to jobs that exist; each only once."""
    return {name: tuple(_edges_of(spec, name, job)) for name, job in spec.jobs.items()}


def _edges_of(spec: Spec, name: str, job: JobShape) -> Iterator[Edge]:
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(job.requires):
        condition = entry.condition or implied_condition(job)
        if entry.job in spec.jobs and (entry.job, condition) not in seen:
            seen.add((entry.job, condition))
            yield Edge(entry.job, condition, "requires", ("jobs", name, "requires", index))
    required = {job_name for job_name, _ in seen}
    for index, other in enumerate(job.after):
        if other in spec.jobs and other not in required:
            required.add(other)
            yield Edge(other, "always", "after", ("jobs", name, "after", index))


def unknown_jobs(spec: Spec, suggester: Suggester) -> Iterator[UnknownJob]:
    """Every name of a job that does not exist, in the four keys that name jobs."""
    known = tuple(spec.jobs)
    for name, job in spec.jobs.items():
        named: Mapping[str, tuple[str, ...]] = {
            "requires": tuple(entry.job for entry in job.requires),
            "after": job.after,
            "parallel_with": job.parallel_with,
            "artifacts_from": job.artifacts_from,
        }
        for key, others in named.items():
            for index, other in enumerate(others):
                if other not in spec.jobs:
                    path: Path = ("jobs", name, key, index)
                    if key == "requires":
                        path = (*path, "job")
                    message = f"job '{name}' {_VERBS[key]} '{_short(other)}', which does not exist"
                    yield UnknownJob(path, message, suggester.closest(other, known))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
