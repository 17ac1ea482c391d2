"""From a request to a container that can be created, and the small archive that goes into it. Pure."""

import io
import posixpath
import tarfile
from collections.abc import Mapping
from typing import Final

from orchestrator.contract.messages import ContainerRequest
from orchestrator.ids import host_name, network_name
from orchestrator.store.workspace import WORKSPACE_DIR
from workers.engine.interface import ContainerSpec, ImageFacts
from workers.supervision.identity import Namespace, all_labels, name_of
from workers.supervision.script import ORCA_DIR, OUTPUT_FILE, SCRIPT_FILE, Launch, is_root, launch

WORKSPACE_PATH: Final = f"/{WORKSPACE_DIR}"


def launch_of(request: ContainerRequest, image: ImageFacts) -> Launch:
    """How the container starts, given its image's user."""
    return launch(request, as_root=is_root(request.user or image.user))


def working_dir_of(request: ContainerRequest, image: ImageFacts) -> str:
    """The absolute folder in which commands start and relative artifacts are looked for."""
    start = WORKSPACE_PATH if request.workspace else image.working_dir or "/"
    return posixpath.normpath(posixpath.join("/", start, request.working_dir or ""))


def container_spec(
    request: ContainerRequest,
    image: ImageFacts,
    how: Launch,
    *,
    namespace: Namespace,
    made_up: Mapping[str, str] | None = None,
) -> ContainerSpec:
    """The container of a try, in the first of its networks; its services find it there under the job's name.

    Args:
        request: the try.
        image: its image's facts.
        how: how it starts.
        namespace: Temporal's, for the labels.
        made_up: values for its environment that the host made up.
    """
    own = network_name(request.run_id, request.attempt, request.job, request.variant, request.try_number)
    has_own_folder = request.workspace is not None or request.working_dir is not None
    return ContainerSpec(
        name=name_of(request),
        image=request.image,
        entrypoint=how.entrypoint,
        command=how.command,
        env=_environment(request, made_up or {}),
        working_dir=working_dir_of(request, image) if has_own_folder else None,
        user=request.user,
        labels=all_labels(request, namespace=namespace),
        cpus=request.resources.cpus,
        memory=request.resources.memory,
        pids=request.resources.pids,
        network=request.networks[0] if request.networks else None,
        aliases=(host_name(request.job),) if own in request.networks[:1] else (),
    )


def orca_folder(how: Launch) -> bytes:
    """A tar for `/` with the folder for script and outputs, open to every user of the container."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        folder = tarfile.TarInfo(ORCA_DIR.lstrip("/"))
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
        files = [(OUTPUT_FILE, b"", 0o666)]
        if how.script is not None:
            files.append((SCRIPT_FILE, how.script.encode(), 0o755))
        for path, content, mode in files:
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.mode, entry.size = mode, len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _environment(request: ContainerRequest, made_up: Mapping[str, str]) -> dict[str, str]:
    fixed = {
        "ORCA_RUN_ID": request.run_id,
        "ORCA_ATTEMPT": str(request.attempt),
        "ORCA_JOB": request.job,
        "ORCA_TRY": str(request.try_number),
        "ORCA_OUTPUT": OUTPUT_FILE,
        "GITHUB_OUTPUT": OUTPUT_FILE,
    }
    if request.variant is not None:
        fixed["ORCA_VARIANT"] = request.variant
    free = {
        "CI": "true",
        # Lines reach `orca logs -f` when they are printed, and not when a buffer of a pipe is full.
        "PYTHONUNBUFFERED": "1",
        # The engine's init passes signals on to the commands and not only to the shell.
        "TINI_KILL_PROCESS_GROUP": "1",
    }
    return {**free, **request.env, **made_up, **fixed}
