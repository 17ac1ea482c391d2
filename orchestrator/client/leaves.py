"""Which parts of a run have logs and artifacts of their own: jobs without variants, and variants. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.contract.messages import JobRecord, RunRecord
from orchestrator.errors import UsageError

MAX_NAMED = 20
"""Names in an error message."""


@dataclass(frozen=True)
class Leaf:
    """A job without variants, or one variant of a job."""

    job: str
    variant: str | None
    """Without the job: `3.11, alpine`."""
    name: str
    """As people read it: `build`, or `test (3.11, alpine)`."""
    record: JobRecord


def leaves_of(record: RunRecord, name: str | None = None) -> list[Leaf]:
    """All leaves of a run in the order of its jobs; with `name` those of that job, or that one variant.

    None where `name` could be a variant of a job that has not started: its variants are not known yet.

    Raises UsageError where the run has nothing of that name.
    """
    if name is None:
        return [leaf for job, state in record.jobs.items() for leaf in _of_job(job, state)]
    if name in record.jobs:
        return list(_of_job(name, record.jobs[name]))
    job = name.partition(" (")[0]
    if job == name or job not in record.jobs:
        raise UsageError(f"run '{record.run_id}' has no job '{name}'; it has {_listed(list(record.jobs))}")
    state = record.jobs[job]
    if name in state.variants:
        return [leaf for leaf in _of_job(job, state) if leaf.name == name]
    if state.status == "pending":
        return []
    if not state.variants:
        raise UsageError(f"job '{job}' of run '{record.run_id}' has no variants")
    raise UsageError(f"job '{job}' has no variant '{name}'; it has {_listed(list(state.variants))}")


def _of_job(job: str, state: JobRecord) -> Iterator[Leaf]:
    if not state.variants:
        yield Leaf(job, None, job, state)
    for name, variant in state.variants.items():
        yield Leaf(job, name.removeprefix(f"{job} (").removesuffix(")"), name, variant)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:MAX_NAMED])
    return shown if len(names) <= MAX_NAMED else f"{shown} and {len(names) - MAX_NAMED} more"
