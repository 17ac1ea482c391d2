"""Who waits for whom, and under which condition: `requires`, `after` and `parallel_with` made into edges.

An edge is written down once, here; everything later (order, reach, nodes) reads edges and not the spec's keys.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.compile.conditions import asks_for_status
from orchestrator.compile.ways import Way, all_ways
from orchestrator.spec.diagnostics import Suggester
from orchestrator.spec.model import JobShape, Spec
from orchestrator.spec.places import Path
from orchestrator.spec.shapes import COMPLETIONS, one_of_words

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
    """A name in a key that names jobs that no job has."""

    path: Path
    message: str
    suggestion: str | None
    at_key: bool = False
    """The key at `path` is meant, not its value."""


def is_finalizer(job: JobShape) -> bool:
    """Whether the job itself says that it runs when everything else is done."""
    return job.completion is not None and not job.requires


def implied_condition(job: JobShape) -> EdgeCondition:
    """What the short form of `requires` means for this job.

    It is success, unless the job's own condition asks for the state of things, as people know it from GitHub
    Actions, or `on_complete` says otherwise.
    """
    if job.completion in ("always", "failure"):
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
    """Every name of a job that does not exist, in the keys that name jobs."""
    known = tuple(spec.jobs)
    yield from _unknown_targets(spec, suggester)
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


def _unknown_targets(spec: Spec, suggester: Suggester) -> Iterator[UnknownJob]:
    """The same in transitions, branches and reminders."""
    known = tuple(spec.jobs)
    for target, way in all_ways(spec):
        if way.job not in spec.jobs:
            message = f"'error_handlers' names job '{_short(way.job)}', which does not exist"
            yield UnknownJob(way.path[:2], message, suggester.closest(way.job, known), at_key=True)
        if target in spec.jobs:
            continue
        message = f"{_named_by(way)} names '{_short(target)}', which is no job"
        words = known
        if way.key == "on_complete":
            message += f", nor one of {one_of_words(COMPLETIONS).replace(' or ', ' and ')}"
            words = (*COMPLETIONS, *known)
        yield UnknownJob(way.path, message, suggester.closest(target, words))
    for name, job in spec.jobs.items():
        reminder = None if job.gate is None else job.gate.reminder
        if reminder is not None and reminder.job not in spec.jobs:
            message = f"the reminder of job '{name}' is '{_short(reminder.job)}', which does not exist"
            path: Path = ("jobs", name, "gate", "reminder", "job")
            yield UnknownJob(path, message, suggester.closest(reminder.job, known))


def _named_by(way: Way) -> str:
    if way.key == "error_handlers":
        return f"'error_handlers' of job '{_short(way.job)}'"
    if way.on == "chosen":
        return f"'{way.key}' of branch {way.branch + 1} of job '{way.job}'"
    return f"'{way.key}' of job '{way.job}'"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
