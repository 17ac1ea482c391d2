"""Says how a try stands: at once when its phase changes, else every few seconds."""

import asyncio
from collections.abc import Callable
from typing import Final, Literal

from orchestrator.contract.messages import Heartbeat
from workers.supervision.decide import ran

MAX_NOTE: Final = 300
"""Characters of what a heartbeat says to people."""
Phase = Literal["looking", "pulling", "preparing", "running", "collecting"]


class Pulse:
    """One try's heartbeat.

    Args:
        beat: gets every heartbeat; may not block.
        host: this worker's.
        interval: seconds between two.
        previous: the last one of the worker that had the try before: what it knew stays known.
    """

    def __init__(
        self,
        beat: Callable[[Heartbeat], None],
        host: str,
        *,
        interval: float,
        previous: Heartbeat | None = None,
    ) -> None:
        self._beat = beat
        self._interval = interval
        self._state = Heartbeat(host=host)
        if previous is not None and ran(previous):
            known = {name: getattr(previous, name) for name in ("container_id", "ending", "engine")}
            self._state = self._state.model_copy(update=known)
        self.log_position: Callable[[], str] = lambda: ""

    def enter(self, phase: Phase, container: str = "") -> None:
        """The try is in `phase` from now on. Without `container`, the one known stays."""
        self._state = self._state.model_copy(
            update={"phase": phase, "container_id": container or self._state.container_id}
        )
        self._say()

    @property
    def ending(self) -> Literal["", "cancel", "timeout"]:
        """Why the container was told to end, in this go or an earlier one; empty where it was not."""
        return self._state.ending

    def end(self, why: Literal["cancel", "timeout"]) -> None:
        """The container is told to end."""
        self._state = self._state.model_copy(update={"ending": why})
        self._say()

    @property
    def engine(self) -> str:
        """When the engine began under which the container was seen to run; empty where nobody knows."""
        return self._state.engine

    def runs_under(self, engine: str) -> None:
        """The container runs under the engine that began then."""
        self._state = self._state.model_copy(update={"engine": engine})

    @property
    def note(self) -> str:
        """What is said of the try to people now."""
        return self._state.note

    def tell(self, note: str) -> None:
        """Say something of the try to people, from now on."""
        self._state = self._state.model_copy(update={"note": note[:MAX_NOTE]})
        self._say()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            self._say()

    def _say(self) -> None:
        position = self.log_position() or self._state.log_position
        self._state = self._state.model_copy(update={"log_position": position})
        self._beat(self._state)
