"""How much the interpreter hands to Temporal at once.

Temporal hangs a workflow with more than 2 000 pending activities and ends a run whose one workflow task exceeds 4 MB,
so both are bounded here, whatever the plan asks for.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from temporalio import workflow

from orchestrator.plan.parts import Frozen

MAX_IN_FLIGHT = 200
"""Activities of one run at a time. The dev server is at its fastest with about 100."""
MAX_TASK_BYTES = 1024 * 1024
"""Requests that one workflow task may carry together."""


class Pacing:
    """First come, first served: asyncio's semaphore queues in order, so replays take the same turns."""

    def __init__(self, max_parallel: int | None) -> None:
        self._slots = asyncio.Semaphore(min(max_parallel or MAX_IN_FLIGHT, MAX_IN_FLIGHT))
        self._task_started = 0.0
        self._task_bytes = 0

    @property
    def full(self) -> bool:
        """Whether the next job has to wait for a slot."""
        return self._slots.locked()

    def slot(self) -> AbstractAsyncContextManager[None]:
        """One of the run's `max_parallel` places, held for the block."""
        return self._slots

    async def room_for(self, request: Frozen) -> None:
        """Wait for the next workflow task where this one would grow too large."""
        size = len(request.model_dump_json())
        now = workflow.time()
        if now != self._task_started:
            self._task_started, self._task_bytes = now, 0
        if self._task_bytes and self._task_bytes + size > MAX_TASK_BYTES:
            await workflow.sleep(timedelta(milliseconds=1), summary="next batch of requests")
            await self.room_for(request)
            return
        self._task_bytes += size
