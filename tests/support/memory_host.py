"""The engine in memory with volumes, as the reaper sees a host."""

from collections.abc import Mapping
from datetime import UTC, datetime

from orchestrator.contract.times import rfc3339
from tests.support.memory_engine import MemoryEngine, Program
from workers.engine.failures import VolumeBusy
from workers.engine.host import EngineFacts, ListedVolume
from workers.engine.interface import ImageFacts


class MemoryHost(MemoryEngine):
    """`HostEngine` in memory.

    Attributes:
        volumes: their labels, by name.
        holders: of a volume the container that has it.
    """

    def __init__(
        self,
        images: Mapping[str, ImageFacts] | None = None,
        programs: Mapping[str, Program] | None = None,
        execs: Mapping[str, Program] | None = None,
    ) -> None:
        super().__init__(images, programs, execs)
        self.address = "memory"
        self.volumes: dict[str, dict[str, str]] = {}
        self.holders: dict[str, str] = {}

    def list_volumes(self, labels: Mapping[str, str | None]) -> list[ListedVolume]:
        return [
            ListedVolume(name, dict(found))
            for name, found in self.volumes.items()
            if all(label in found and value in (None, found[label]) for label, value in labels.items())
        ]

    def remove_volume(self, volume: str) -> None:
        holder = self.holders.get(volume)
        if holder is not None and self.inspect(holder) is not None:
            raise VolumeBusy(f"container '{holder}' has volume '{volume}'")
        self.volumes.pop(volume, None)

    def facts(self) -> EngineFacts:
        return EngineFacts(version="memory", root="/", clock=rfc3339(datetime.now(UTC)))
