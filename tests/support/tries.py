"""Requests for tries, and a supervisor around an engine and a folder."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.store.logs import LogLine, LogReader
from orchestrator.store.store import ANSWER_SECONDS, Store, open_store
from tests.support.engines import IMAGE
from workers.engine.interface import ContainerEngine, ObservedContainer
from workers.supervision.container_try import Supervisor
from workers.supervision.control import Cause
from workers.supervision.identity import name_of, prefix_of
from workers.supervision.limits import Limits

QUICK = Limits(heartbeat=0.1, first_patience=0.2, patience=1.0, pause=0.05, stop_margin=2.0, beside=0.2)
ATTENTIVE = replace(QUICK, attention=0.2)


def request(run: str = "run", *commands: str, **changes: Any) -> ContainerRequest:
    fields: dict[str, Any] = {
        "run_id": run,
        "attempt": 1,
        "job": "job",
        "plan_digest": "digest",
        "image": IMAGE,
        "commands": commands,
        "timeout": 60.0,
        "stop_grace": 10.0,
    }
    return ContainerRequest(**(fields | changes))


@dataclass
class Bench:
    """Runs tries as a worker would."""

    engine: ContainerEngine
    store: Store
    supervisor: Supervisor
    beats: list[Heartbeat] = field(default_factory=list[Heartbeat])
    cause: Cause = "cancel"

    async def run(self, wanted: ContainerRequest, previous: Heartbeat | None = None) -> JobOutcome:
        outcome = await self.supervisor.run_try(
            wanted, self.beats.append, lambda: self.cause, previous=previous
        )
        await self.supervisor.drain()
        return outcome

    def begin(self, wanted: ContainerRequest) -> "asyncio.Task[JobOutcome]":
        return asyncio.create_task(self.run(wanted))

    async def lines(self, wanted: ContainerRequest) -> list[LogLine]:
        return [line async for line in LogReader(self.store, prefix_of(wanted)).lines()]

    async def texts(self, wanted: ContainerRequest) -> list[str]:
        return [line.text for line in await self.lines(wanted)]

    async def until_logged(self, wanted: ContainerRequest, text: str) -> None:
        async with asyncio.timeout(30):
            while text not in await self.texts(wanted):
                await asyncio.sleep(0.05)

    async def container(self, wanted: ContainerRequest) -> ObservedContainer | None:
        return await asyncio.to_thread(self.engine.inspect, name_of(wanted))


@asynccontextmanager
async def bench_around(
    engine: ContainerEngine, place: Path | str, limits: Limits = QUICK, *, patience: float = ANSWER_SECONDS
) -> AsyncGenerator[Bench]:
    """At a folder or a store's URL, whose answers are waited for with so much patience."""
    store = open_store(str(place), patience=patience)
    with ThreadPoolExecutor(24) as threads:
        supervisor = Supervisor(engine=engine, store=store, host="host", threads=threads, limits=limits)
        yield Bench(engine, store, supervisor)
        await supervisor.drain()
