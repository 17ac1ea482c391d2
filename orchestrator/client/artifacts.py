"""A run's artifacts out of the store: which there are, and copies of them as the archives that they are.

Archives are not unpacked here: what is in them comes from containers.
"""

from dataclasses import dataclass
from pathlib import Path

from orchestrator import ids
from orchestrator.contract.messages import ArtifactRef, RunRecord
from orchestrator.errors import UsageError
from orchestrator.store.store import Store


@dataclass(frozen=True)
class Artifact:
    """One collected path of one job."""

    job: str
    number: int
    """Among the job's, from 1."""
    ref: ArtifactRef


def artifacts_of(record: RunRecord, *, job: str | None = None) -> list[Artifact]:
    """The artifacts of all jobs or of one, in the order of the jobs. Raises UsageError where there is no such job."""
    if job is not None and job not in record.jobs:
        raise UsageError(f"run '{record.run_id}' has no job '{job}'")
    return [
        Artifact(name, number, ref)
        for name, state in record.jobs.items()
        if job in (None, name)
        for number, ref in enumerate(state.artifacts, start=1)
    ]


async def download(store: Store, artifact: Artifact, folder: Path) -> Path:
    """Copy one artifact to `folder/<job>/<number>-<path>.tar` and return that file.

    Raises:
        UsageError: the folder cannot be written.
        StoreError: the artifact cannot be read.
    """
    target = folder / artifact.job / f"{artifact.number}-{ids.slug(artifact.ref.path.strip('/'), 100)}.tar"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            async for chunk in store.get_stream(artifact.ref.key):
                file.write(chunk)
    except OSError as error:
        raise UsageError(f"cannot write '{target}': {error.strerror or error}") from error
    return target
