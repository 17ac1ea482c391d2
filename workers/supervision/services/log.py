"""Keeps a service's whole log: in the store, where `orca logs` reads it, and as an artifact where that is asked for."""

import tarfile
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Final

from orchestrator.contract.messages import ArtifactRef
from orchestrator.contract.services import ServiceScope
from orchestrator.errors import StoreError
from orchestrator.ids import slug
from orchestrator.store.logs import LogLine, LogReader, LogWriter
from orchestrator.store.store import Store
from workers.engine.failures import EngineUnreachable
from workers.engine.interface import LogEntry
from workers.supervision.logs import LogPump
from workers.supervision.services.identity import prefix_of
from workers.supervision.services.words import LAST_LINES
from workers.supervision.site import Site
from workers.supervision.tar_stream import archive_end

_BLOCK: Final = 512
_GATHERED: Final = 256 * 1024
"""Bytes of an artifact that travel together."""


class PlainTranscript:
    """A log as it was printed."""

    def __init__(self) -> None:
        self.ended_at = ""
        self.last: deque[str] = deque(maxlen=LAST_LINES)

    def feed(self, entries: Iterable[LogEntry]) -> list[LogLine]:
        """The lines that `entries` are."""
        lines = [LogLine(entry.timestamp, entry.text) for entry in entries]
        self.last.extend(line.text for line in lines)
        return lines


async def keep_log(
    site: Site, scope: ServiceScope, service: str, container: str
) -> tuple[tuple[str, ...], list[str]]:
    """Have the log of an ended container in the store, whole and once, also where a part of it is there.

    Returns:
        Its last lines, and warnings.

    Raises:
        EngineUnreachable: the engine went away; what was read is stored.
    """
    prefix = prefix_of(scope, service)
    try:
        writer = await LogWriter.attach(site.store, prefix, replay=True)
    except StoreError:
        writer = LogWriter(site.store, prefix)
    transcript = PlainTranscript()
    pump = LogPump(site.engine, site.threads, container, transcript=transcript, writer=writer, follow=False)
    await pump.ended()
    if isinstance(pump.failure, EngineUnreachable):
        await writer.detach()
        raise pump.failure
    await writer.finish()
    found = (pump.warning, writer.loss)
    return tuple(transcript.last), [f"service '{service}': {warning}" for warning in found if warning]


async def log_artifact(store: Store, scope: ServiceScope, service: str) -> ArtifactRef:
    """A tar of one file, `services/<service>.log`, made from the log in the store, in flat memory.

    Raises:
        StoreError: it cannot be read or written.
    """
    prefix = prefix_of(scope, service)
    path = f"services/{slug(service, 100)}.log"
    size = 0
    async for line in LogReader(store, prefix).lines():
        size += len(_encoded(line))
    key = f"{prefix}log.tar"
    stored, digest = await store.put_stream(key, _archive(LogReader(store, prefix), path, size))
    return ArtifactRef(path=path, key=key, size=stored, sha256=digest)


async def _archive(reader: LogReader, path: str, size: int) -> AsyncIterator[bytes]:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = size, 0o644
    yield entry.tobuf(format=tarfile.PAX_FORMAT)
    gathered = bytearray()
    async for line in reader.lines():
        gathered += _encoded(line)
        if len(gathered) >= _GATHERED:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered) + bytes(-size % _BLOCK) + archive_end()


def _encoded(line: LogLine) -> bytes:
    return f"{line.timestamp} {line.text}\n".encode(errors="replace")
