"""Docker Engine as a host's own: volumes, and what it says of itself. One method, one API call."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.contract.times import rfc3339
from workers.engine.docker_convert import label_filter
from workers.engine.docker_engine import DockerEngine
from workers.engine.docker_errors import Kinds, translated
from workers.engine.failures import ContainerGone, VolumeBusy
from workers.engine.host import EngineFacts, ListedVolume


class DockerHost(DockerEngine):
    """`HostEngine` on Docker."""

    def list_volumes(self, labels: Mapping[str, str | None]) -> list[ListedVolume]:
        """See `HostEngine`."""
        with translated(self.address, "cannot list volumes"):
            answer: dict[str, Any] = self._quick.volumes(filters={"label": label_filter(labels)})
            rows: list[dict[str, Any]] = answer.get("Volumes") or []
            return [ListedVolume(row["Name"], dict(row.get("Labels") or {})) for row in rows]

    def remove_volume(self, volume: str) -> None:
        """See `HostEngine`."""
        kinds = Kinds(not_found=ContainerGone, conflict=VolumeBusy)
        try:
            with translated(self.address, f"cannot remove volume '{volume}'", kinds):
                self._quick.remove_volume(volume)
        except ContainerGone:
            return

    def facts(self) -> EngineFacts:
        """See `HostEngine`."""
        with translated(self.address, "cannot ask the engine how it is"):
            found: dict[str, Any] = self._quick.info()
        return EngineFacts(
            version=str(found["ServerVersion"]),
            root=str(found["DockerRootDir"]),
            # It speaks of its own time zone.
            clock=rfc3339(datetime.fromisoformat(found["SystemTime"])),
        )
