"""The stop of a worker, which is bounded: what does not end in time is named in the log and left, and the process ends.

What hangs may be the SDK, an engine or a store that does not answer, or the event loop itself: so a thread keeps the
time. Nothing is lost by it: containers go on, and the server gives what was under way to the next worker.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from orchestrator.client.leave import leave

log = logging.getLogger("orca.worker")

STOP_LIMIT: Final = 30.0
"""Seconds that a stopping worker has in all: functions may come to their ends, log lines that wait are written."""
IDLE_LIMIT: Final = 8.0
"""Seconds that it has once no work is under way any more. Less than the 10 that `docker stop` leaves it."""
_LOOK: Final = 0.1
_NAMED: Final = 5
"""Pieces of work that the log names; there may be hundreds."""


class Stop:
    """Tells a worker to stop, and sees to it that its process ends; who only sets `asked` has it stop without a bound.

    Args:
        limit: seconds that it may take in all.
        idle_limit: seconds that it may take once no work is under way.

    Attributes:
        asked: is set once it is to stop.
        under_way: gives the work that is not done yet, for people; asked in another thread.
        waits_for: what the worker itself waits for at this moment, for people.
    """

    def __init__(self, *, limit: float = STOP_LIMIT, idle_limit: float = IDLE_LIMIT) -> None:
        self.asked = asyncio.Event()
        self.under_way: Callable[[], Sequence[str]] = tuple
        self.waits_for = "its start"
        self._limit = limit
        self._idle_limit = idle_limit

    def ask(self) -> None:
        """Have the worker stop. Asking again changes nothing. In the event loop's thread."""
        if not self.asked.is_set():
            self.asked.set()
            threading.Thread(target=self._bound, name="stop", daemon=True).start()

    def _bound(self) -> None:
        """End the process when its time is up. It does so by itself where all goes well."""
        begun = working = time.monotonic()
        while (now := time.monotonic()) - begun < self._limit and now - working < self._idle_limit:
            time.sleep(_LOOK)
            if self.under_way():
                working = time.monotonic()
        left = list(self.under_way())
        names = ", ".join(left[:_NAMED]) + (f" and {len(left) - _NAMED} more" if len(left) > _NAMED else "")
        log.warning(
            "the worker ends %.0f s after it was told to stop, without waiting any longer for %s%s",
            time.monotonic() - begun,
            self.waits_for,
            f"; still under way: {names}" if left else "",
        )
        leave(0)
