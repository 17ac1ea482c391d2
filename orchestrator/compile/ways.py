"""Transitions: which job starts which by how it ends, or by choosing it. Written down once, as `edges` does it for
requirements.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.spec.model import JobShape, Spec
from orchestrator.spec.places import Path

On = Literal["success", "failure", "complete", "chosen"]


@dataclass(frozen=True, slots=True)
class Way:
    """Job `job` starts another by how it ended, or by choosing it."""

    job: str
    on: On
    path: Path
    """Where the spec names the other."""
    branch: int = 0
    """Of a choice the branch that names the other, from 0."""

    @property
    def key(self) -> str:
        """The key that says so."""
        return str(next(step for step in reversed(self.path) if isinstance(step, str) and step in _KEYS))


_KEYS: Final = ("on_success", "on_failure", "on_complete", "error_handlers", "then", "default")


def own_ways(spec: Spec) -> dict[str, tuple[Way, ...]]:
    """The ways that lead to each job, in the order of the spec. Only between jobs that exist; each only once."""
    found: dict[str, dict[tuple[str, On, int], Way]] = {}
    for target, way in all_ways(spec):
        if target in spec.jobs and way.job in spec.jobs:
            found.setdefault(target, {}).setdefault((way.job, way.on, way.branch), way)
    return {target: tuple(ways.values()) for target, ways in found.items()}


def all_ways(spec: Spec) -> Iterator[tuple[str, Way]]:
    """Every transition as it is written: the job that it names, and the way."""
    for name, job in spec.jobs.items():
        yield from _of_job(name, job)
    for source, targets in spec.error_handlers.items():
        for index, target in enumerate(targets):
            yield target, Way(source, "failure", ("error_handlers", source, index))


def _of_job(name: str, job: JobShape) -> Iterator[tuple[str, Way]]:
    named: tuple[tuple[str, On, tuple[str, ...]], ...] = (
        ("on_success", "success", job.on_success),
        ("on_failure", "failure", job.on_failure),
        ("on_complete", "complete", job.on_completion),
    )
    for key, on, targets in named:
        for index, target in enumerate(targets):
            yield target, Way(name, on, ("jobs", name, key, index))
    for number, branch in enumerate(job.choice or ()):
        for index, target in enumerate(branch.targets):
            yield target, Way(name, "chosen", ("jobs", name, "choice", number, branch.key, index), number)


def reminders(spec: Spec) -> dict[str, str]:
    """The jobs that are reminders of a gate, with the first gate that says so."""
    found: dict[str, str] = {}
    for name, job in spec.jobs.items():
        if job.gate is not None and job.gate.reminder is not None and job.gate.reminder.job in spec.jobs:
            found.setdefault(job.gate.reminder.job, name)
    return found
