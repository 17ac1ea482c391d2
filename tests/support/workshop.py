"""Containers in memory that do what their environment's `NAME` is told to: work, fail, nap; and when each ran."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from tests.support.memory_engine import Running


class Workshop:
    """What containers do, by the environment that their variant gave them; and when each ran."""

    def __init__(
        self, *, fails: tuple[str, ...] = (), naps: tuple[str, ...] = (), lasts: float = 0.2
    ) -> None:
        self.fails, self.naps, self.lasts = fails, naps, lasts
        self.spans: dict[str, tuple[float, float]] = {}
        self.tries: Counter[str] = Counter()
        self.begun: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def work(self, box: Running) -> int:
        name = box.env["NAME"]
        with self._lock:
            self.tries[name] += 1
            self.begun.setdefault(name, threading.Event()).set()
        begin = time.monotonic()
        stopped = box.sleep(60 if name in self.naps else self.lasts, until_stopped=True)
        self.spans[name] = begin, time.monotonic()
        if stopped:
            return 143
        return 3 if name in self.fails else 0

    @property
    def programs(self) -> dict[str, Any]:
        return {"work": self.work, "out": write_outputs}

    @property
    def most_at_once(self) -> int:
        spans = list(self.spans.values())
        return max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)


def write_outputs(box: Running) -> int:
    """Writes what `TEXT` says as its outputs."""
    box.write("/orca/output", box.env["TEXT"].encode())
    return 0


WORK: dict[str, Any] = {"entrypoint": ("work",), "env": {"NAME": "${{ matrix.n }}"}}
ITEM: dict[str, Any] = {"entrypoint": ("work",), "env": {"NAME": "${{ item }}"}}
OUT: dict[str, Any] = {"entrypoint": ("out",)}
LETTERS = ["a", "b", "c", "d", "e", "f"]


def states(record: RunRecord, name: str) -> dict[str, str]:
    """The states of a job's variants."""
    return {key: found.status for key, found in record.jobs[name].variants.items()}


async def until(client: Client, run: str, condition: Callable[[RunRecord], object]) -> None:
    """Wait until `condition(record)` holds."""
    async with asyncio.timeout(30):
        while not condition(await runs.record(client, run)):
            await asyncio.sleep(0.05)
