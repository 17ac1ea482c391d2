"""What the engine in memory knows of time."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime

from orchestrator.contract.times import parse_rfc3339, rfc3339
from workers.engine.interface import ObservedContainer


class MemoryTimes(ABC):
    """`Times` in memory, on this process's clock."""

    began: str | None = rfc3339(datetime.fromtimestamp(0, UTC))
    """What `engine_started` says."""

    @abstractmethod
    def inspect(self, container: str) -> ObservedContainer | None:
        """See `ContainerEngine`."""

    def age(self, container: str) -> float | None:
        """See `Times`."""
        box = self.inspect(container)
        if box is None or box.started_at is None or box.state not in ("running", "paused"):
            return None
        return (datetime.now(UTC) - parse_rfc3339(box.started_at)).total_seconds()

    def engine_started(self) -> str | None:
        """See `Times`."""
        return self.began
