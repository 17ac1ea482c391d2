"""What keeping a host tidy needs of its engine beyond what jobs do. The contract stands in the docstrings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from workers.engine.interface import ContainerEngine


@dataclass(frozen=True)
class ListedVolume:
    """A named volume."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class EngineFacts:
    """What an engine says of itself."""

    version: str
    root: str
    """The folder on its own host in which it keeps images and containers."""
    clock: str
    """Its host's time, RFC 3339 in UTC."""


class HostEngine(ContainerEngine, Protocol):
    """An engine whose host is looked after. Every method may also raise `EngineUnreachable` and `EngineFault`."""

    @property
    def address(self) -> str:
        """Where it is, or its name."""
        ...

    def list_volumes(self, labels: Mapping[str, str | None]) -> list[ListedVolume]:
        """All volumes that have these labels; a value of None asks for any."""
        ...

    def remove_volume(self, volume: str) -> None:
        """Remove the volume of that name. None there is fine.

        Raises:
            VolumeBusy: a container, running or not, still has it.
        """
        ...

    def facts(self) -> EngineFacts:
        """What the engine says of itself now."""
        ...
