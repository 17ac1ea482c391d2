"""What an engine knows of time beyond clocks that people may set. Part of `ContainerEngine`."""

from typing import Protocol


class Times(Protocol):
    """Either answer may be None: not every engine tells. Every method may also raise `EngineUnreachable`."""

    def age(self, container: str) -> float | None:
        """Seconds since the first process of a running container began, however its host's clock was set meanwhile."""
        ...

    def engine_started(self) -> str | None:
        """When the engine began, RFC 3339 in UTC. One that let containers run on while it was away began before.

        One that is being stopped counts as unreachable, though it may go on to answer other questions.
        """
        ...
