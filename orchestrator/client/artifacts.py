"""A run's artifacts out of the store: which there are, and copies of them as the archives that they are.

Archives are not unpacked here: what is in them comes from containers.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from orchestrator import ids
from orchestrator.client.leaves import Leaf, leaves_of
from orchestrator.contract.messages import ArtifactRef, RunRecord
from orchestrator.contract.services import SHARED
from orchestrator.errors import UsageError
from orchestrator.store.store import Store


@dataclass(frozen=True)
class Artifact:
    """One collected path of one job or variant, or the log of a service."""

    job: str
    """`services` for the logs of those that jobs share."""
    variant: str | None
    """Its full name; None where the job has no variants."""
    number: int
    """Among the job's or variant's, from 1."""
    ref: ArtifactRef
    folder: str
    """Where a copy of it goes, relative: the job's own folder, and in it one for each variant."""


def artifacts_of(record: RunRecord, *, job: str | None = None) -> list[Artifact]:
    """The artifacts of all jobs, or of one job or variant, in the order of the jobs; then shared services' logs.

    Raises UsageError where there is no such job or variant.
    """
    # Over all variants, so that a folder has the same name whatever is asked for.
    folders = _folders(leaves_of(record))
    shared = [one.artifact for one in record.services.values() if one.artifact is not None]
    only_shared = job == SHARED and shared and SHARED not in record.jobs
    found = [
        Artifact(leaf.job, leaf.name if leaf.variant is not None else None, number, ref, folders[leaf.name])
        for leaf in ([] if only_shared else leaves_of(record, job))
        for number, ref in enumerate(leaf.record.artifacts, start=1)
    ]
    if job is None or only_shared:
        # A job may have the same name: it has its own folder.
        folder = SHARED if SHARED not in folders.values() else f"{SHARED}-shared"
        found += [Artifact(SHARED, None, number, ref, folder) for number, ref in enumerate(shared, start=1)]
    return found


def _folders(leaves: list[Leaf]) -> dict[str, str]:
    """A folder for each leaf; names that would meet on some file system are told apart by a hash."""
    plain = {
        leaf.name: leaf.job if leaf.variant is None else f"{leaf.job}/{ids.slug(leaf.variant, 100)}"
        for leaf in leaves
    }
    uses = Counter(folder.lower() for folder in plain.values())
    return {
        name: folder if uses[folder.lower()] == 1 else f"{folder}-{ids.short_hash(name)}"
        for name, folder in plain.items()
    }


async def download(store: Store, artifact: Artifact, folder: Path) -> Path:
    """Copy one artifact to `folder/<job>[/<variant>]/<number>-<path>.tar` and return that file.

    Raises:
        UsageError: the folder cannot be written.
        StoreError: the artifact cannot be read.
    """
    target = folder / artifact.folder / f"{artifact.number}-{ids.slug(artifact.ref.path.strip('/'), 100)}.tar"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            async for chunk in store.get_stream(artifact.ref.key):
                file.write(chunk)
    except OSError as error:
        raise UsageError(f"cannot write '{target}': {error.strerror or error}") from error
    return target
