"""Docker Engine's own times. One method, one API call."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from orchestrator.contract.times import rfc3339
from workers.engine.docker_errors import Kinds, translated
from workers.engine.failures import ContainerGone

_NOT_TOLD = Kinds(ContainerGone, ContainerGone, ContainerGone, ContainerGone)
_FIRST_NETWORK = "bridge"
"""The engine makes it anew whenever it begins, unless containers that it let run on are in it."""


class DockerTimes(ABC):
    """`Times` on Docker."""

    address: str

    @property
    @abstractmethod
    def _quick(self) -> Any:
        """The client that gives up on a silent engine."""

    @abstractmethod
    def _anew(self) -> AbstractContextManager[Any]:
        """Such a client with a connection of its own."""

    def age(self, container: str) -> float | None:
        """See `Times`. The kernel counts it, and `ps` on the engine's host says it, where there is one."""
        try:
            with translated(
                self.address, f"cannot see the processes of container '{container[:12]}'", _NOT_TOLD
            ):
                found: dict[str, Any] = self._quick.top(container, ps_args="-eo pid,etimes")
        except ContainerGone:
            return None
        rows: list[list[str]] = found.get("Processes") or []
        return max((float(row[-1]) for row in rows if row[-1].isdecimal()), default=None)

    def engine_started(self) -> str | None:
        """See `Times`."""
        try:
            # An engine that is being stopped takes no new connections, but answers on those that it has.
            with (
                translated(self.address, "cannot see when the engine began", _NOT_TOLD),
                self._anew() as client,
            ):
                found: dict[str, Any] = client.inspect_network(_FIRST_NETWORK)
        except ContainerGone:
            return None
        made = str(found.get("Created") or "")
        # In the time zone of its host.
        return rfc3339(datetime.fromisoformat(made)) if made else None
