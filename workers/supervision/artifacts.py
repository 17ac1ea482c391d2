"""Takes files out of an ended container into the store, and puts them into the next one, in flat memory."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import ArtifactRef
from orchestrator.errors import EngineError, StoreError
from orchestrator.ids import slug
from orchestrator.store.store import Store
from workers.engine.failures import EngineUnreachable, PathNotFound
from workers.engine.interface import ContainerEngine
from workers.supervision.artifact_paths import Selection, select
from workers.supervision.reasons import TryFailed
from workers.supervision.tar_stream import BadArchive, Rewriter, archive_end
from workers.supervision.threads import Threads, fed


class Artifacts:
    """Collecting and restoring for one worker."""

    def __init__(self, engine: ContainerEngine, store: Store, threads: Threads) -> None:
        self._engine = engine
        self._store = store
        self._threads = threads

    async def collect(
        self, container: str, path: str, *, working_dir: str, key_prefix: str
    ) -> tuple[ArtifactRef, tuple[str, ...]]:
        """Store what `path` names in the ended container.

        Returns:
            The artifact, and warnings about entries that were left out.

        Raises:
            TryFailed: nothing is there, or it cannot be read or stored.
            EngineUnreachable: the engine went away.
        """
        selection = select(path, working_dir=working_dir)
        key = f"{key_prefix}-{slug(path)}.tar"
        try:
            chunks = await self._threads.call(self._engine.get_archive, container, selection.base)
            with closing(chunks):
                rewriter = Rewriter(chunks, selection.rename)
                sealed = self._threads.drawn(_sealed(rewriter, path, selection))
                size, digest = await self._store.put_stream(key, sealed)
        except PathNotFound as error:
            raise TryFailed(FailureKind.ARTIFACT, _missing(path, selection)) from error
        except EngineUnreachable:
            raise
        except (EngineError, StoreError, BadArchive) as error:
            raise TryFailed(FailureKind.ARTIFACT, f"'{path}' could not be collected: {error}") from error
        warnings = tuple(
            f"artifact '{path}': '/{name}' is not a file, folder or link and was left out"
            for name in rewriter.dropped
        )
        return ArtifactRef(path=path, key=key, size=size, sha256=digest), warnings

    async def restore(self, container: str, artifact: ArtifactRef) -> None:
        """Put a stored artifact back at its paths, in a container that does not run yet.

        Raises:
            TryFailed: it cannot be read, is not what was stored, or the container does not take it.
            EngineUnreachable: the engine went away.
        """
        stream = _Checked(self._store.get_stream(artifact.key))
        await self._put(container, stream.chunks(), FailureKind.ARTIFACT, f"artifact '{artifact.path}'")
        if stream.digest.hexdigest() != artifact.sha256:
            raise TryFailed(
                FailureKind.ARTIFACT,
                f"artifact '{artifact.path}' is damaged in the store (its SHA-256 is not that of what was stored);"
                " run the job that made it again",
            )

    async def put_workspace(self, container: str, key: str) -> None:
        """Put a shipped workspace (a gzipped tar with entries below `workspace/`) into the container.

        Raises:
            TryFailed: it cannot be read or the container does not take it.
            EngineUnreachable: the engine went away.
        """
        await self._put(container, self._store.get_stream(key), FailureKind.WORKSPACE, "the workspace")

    async def _put(self, container: str, chunks: AsyncIterator[bytes], kind: FailureKind, what: str) -> None:
        failures: list[StoreError] = []
        source = fed(_watched(chunks, failures), asyncio.get_running_loop())
        try:
            await self._threads.call(self._engine.put_archive, container, "/", source)
        except StoreError as error:
            raise TryFailed(kind, f"{what} could not be read from the store: {error}") from error
        except EngineError as error:
            # The engine only sees a body that broke off; the store's error is the cause.
            if failures:
                raise TryFailed(kind, f"{what} could not be read from the store: {failures[0]}") from error
            if isinstance(error, EngineUnreachable):
                raise
            raise TryFailed(kind, f"{what} could not be put into the container: {error}") from error


class _Checked:
    """Hashes chunks on their way."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.digest = hashlib.sha256()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            self.digest.update(chunk)
            yield chunk


async def _watched(chunks: AsyncIterator[bytes], failures: list[StoreError]) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield chunk
    except StoreError as error:
        failures.append(error)
        raise


def _sealed(rewriter: Rewriter, path: str, selection: Selection) -> Iterator[bytes]:
    """The new archive with its end; an empty one is an error, so that nothing is stored for it."""
    yield from rewriter.entries()
    if not rewriter.taken:
        raise TryFailed(FailureKind.ARTIFACT, _missing(path, selection))
    yield archive_end()


def _missing(path: str, selection: Selection) -> str:
    if selection.pattern is None:
        return (
            f"'{path}' is not in the container (looked for '{selection.base}'); check what the commands write"
        )
    return f"nothing matches '{path}' below '{selection.base}'; check what the commands write"
