"""Whether something new may start: a person can pause a run, and what runs goes on."""

import asyncio
from collections.abc import Callable

from orchestrator.contract.people import PauseRecord
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.state import RunState

REASON = "waiting: the run is paused"


class Pausing:
    """The pause of one run. Waiting for its end costs nothing, however many wait."""

    def __init__(self, state: RunState, changed: Callable[[], None]) -> None:
        self._state, self._changed = state, changed
        self._free = asyncio.Event()
        self._free.set()

    @property
    def on(self) -> bool:
        """Whether nothing new may start."""
        return self._state.paused is not None

    def begin(self, pause: PauseRecord) -> None:
        """Let nothing new start."""
        self._state.paused = pause
        self._free.clear()
        self._changed()

    def end(self) -> None:
        """Let what waits start."""
        self._state.paused = None
        self._free.set()
        self._changed()

    async def lifted(self, job: JobState) -> None:
        """Return when `job` may start something. Raises asyncio.CancelledError where it was cancelled meanwhile."""
        while self.on:
            job.enter("waiting", REASON)
            self._changed()
            await self._free.wait()
