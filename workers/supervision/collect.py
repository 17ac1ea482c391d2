"""After a container's end: outputs, artifacts, and what all that makes of the outcome."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ArtifactRef, ContainerRequest
from orchestrator.errors import EngineError
from workers.engine.failures import EngineUnreachable, PathNotFound
from workers.supervision.identity import prefix_of
from workers.supervision.outputs import BadOutputs, read_output_file
from workers.supervision.reasons import TryFailed, reason
from workers.supervision.script import OUTPUT_FILE
from workers.supervision.site import Site
from workers.supervision.tar_stream import BadArchive


@dataclass
class Harvest:
    """What a container left. `reason` says why a try failed, by its exit or by its harvest."""

    reason: FailureReason | None
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    artifacts: list[ArtifactRef] = field(default_factory=list[ArtifactRef])
    warnings: list[str] = field(default_factory=list[str])

    def blame(self, found: FailureReason) -> None:
        """Something is wrong with the harvest: it fails a try that was fine, and is a warning for another."""
        if self.reason is None:
            self.reason = found
        else:
            self.warnings.append(str(found))


async def harvest(
    site: Site,
    request: ContainerRequest,
    container: str,
    *,
    failure: FailureReason | None,
    outputs_written: bool | None,
    working_dir: str,
) -> Harvest:
    """Take outputs and artifacts out of an ended container.

    Args:
        site: engine and store.
        request: the try.
        container: its id.
        failure: why the try has failed already, if it has.
        outputs_written: what the script said about the output file; None when it said nothing.
        working_dir: where relative artifacts are looked for.

    Raises:
        EngineUnreachable: the engine went away.
    """
    result = Harvest(failure)
    if outputs_written or (outputs_written is None and failure is None):
        await _outputs(site, container, result, outputs_written=bool(outputs_written))
    await _artifacts(site, request, container, request.artifacts, result, working_dir=working_dir)
    if failure is None and result.reason is not None and result.reason.kind is FailureKind.ARTIFACT:
        await _look_for(site, container, result)
    return result


async def _look_for(site: Site, container: str, result: Harvest) -> None:
    """An artifact that cannot be found is no fault of the job where its container was removed meanwhile."""
    if await site.threads.call(site.engine.inspect, container) is None:
        result.reason = reason(
            FailureKind.LOST,
            f"the container {container[:12]} was removed from host '{site.host}', by hand or by another program,"
            " before what the job left could be taken out of it",
        )


async def _outputs(site: Site, container: str, result: Harvest, *, outputs_written: bool) -> None:
    try:
        result.outputs = await site.threads.call(_read_outputs, site, container)
    except PathNotFound as error:
        # Nothing wrote any, unless the script saw them.
        if outputs_written:
            result.blame(
                reason(
                    FailureKind.LOST,
                    f"the job has ended, but its outputs are gone with its container: {error}",
                )
            )
    except EngineUnreachable:
        raise
    except (BadOutputs, BadArchive, EngineError) as error:
        result.blame(reason(FailureKind.OUTPUT, str(error)))


def _read_outputs(site: Site, container: str) -> dict[str, str]:
    with closing(site.engine.get_archive(container, OUTPUT_FILE)) as chunks:
        return read_output_file(chunks)


async def _artifacts(
    site: Site,
    request: ContainerRequest,
    container: str,
    paths: Sequence[str],
    result: Harvest,
    *,
    working_dir: str,
) -> None:
    for number, path in enumerate(paths, 1):
        try:
            artifact, warnings = await site.artifacts.collect(
                container,
                path,
                working_dir=working_dir,
                key_prefix=f"{prefix_of(request)}artifacts/{number}",
            )
        except TryFailed as error:
            result.blame(error.reason)
        else:
            result.artifacts.append(artifact)
            result.warnings += warnings
