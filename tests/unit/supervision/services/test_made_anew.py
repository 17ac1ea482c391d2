"""A service whose engine ends while it starts comes up all the same: all of its scope is made anew."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.contract.times import rfc3339
from orchestrator.plan.service_model import HealthCheck, Ready
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.scopes import made, service
from tests.support.tries import bench_around
from workers.engine.failures import EngineUnreachable, StartFailed
from workers.engine.interface import NetworkSpec, ObservedContainer


def _serves(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    return 0


class Networked(MemoryEngine):
    """Keeps the names of the networks that were made."""

    def __init__(self) -> None:
        super().__init__(programs={"serve": _serves})
        self.networks: list[str] = []

    def create_network(self, spec: NetworkSpec) -> str:
        made = super().create_network(spec)
        self.networks.append(spec.name)
        return made


class Forgetful(Networked):
    """Is ended as it starts its first container, and does not know later that it did: so that cannot start again."""

    def __init__(self) -> None:
        super().__init__()
        self.forgotten = ""

    def start(self, container: str) -> None:
        if container == self.forgotten:
            raise StartFailed(f"task {container} already exists")
        if self.forgotten:
            return super().start(container)
        self.forgotten = container
        raise EngineUnreachable("the engine went away")


async def made_twice(engine: Networked, folder: Path, first: Callable[[], str]) -> None:
    """Its service comes up, in another container than the `first`."""
    wanted = service(entrypoint=("serve",), health_check=HealthCheck(ready=Ready(log="up")))
    async with bench_around(engine, folder) as bench:
        case = made(bench, "run", wanted)
        assert (await case.start()).status == "success"
        found = await case.observed("db")
        assert found is not None
        assert found.id != first()
        # What the engine runs of it all the same has the old network, and an address there.
        assert engine.networks == [case.network, case.network]
        await case.stopped_without_trace()


async def test_a_service_whose_start_its_engine_forgot(tmp_path: Path) -> None:
    engine = Forgetful()
    await made_twice(engine, tmp_path / "store", lambda: engine.forgotten)


class CutOff(Networked):
    """Is ended as it starts its first container, which it keeps without its network."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def start(self, container: str) -> None:
        super().start(container)
        self.kept.append(container)
        if len(self.kept) == 1:
            raise EngineUnreachable("the engine went away")

    def inspect(self, container: str) -> ObservedContainer | None:
        found = super().inspect(container)
        return replace(found, address=None) if found and found.id in self.kept[:1] else found


async def test_a_service_that_its_engine_kept_without_its_network(tmp_path: Path) -> None:
    engine = CutOff()
    await made_twice(engine, tmp_path / "store", lambda: engine.kept[0])


async def test_a_service_that_its_engine_took_along(tmp_path: Path) -> None:
    engine = MemoryEngine(programs={"serve": _serves})
    wanted = service(entrypoint=("serve",), health_check=HealthCheck(ready=Ready(log="never")))
    async with bench_around(engine, tmp_path / "store") as bench:
        case = made(bench, "run", wanted)
        bench.cause = "detach"
        starting = asyncio.create_task(case.start())
        async with asyncio.timeout(10):
            while (first := await case.observed("db")) is None or first.state != "running":
                await asyncio.sleep(0.02)
        # The worker goes, then the engine.
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await asyncio.to_thread(engine.kill, first.id)
        engine.began = rfc3339(datetime.now(UTC))
        ready = wanted.model_copy(update={"health_check": HealthCheck(ready=Ready(log="up"))})
        later = made(bench, "run", ready)
        assert (await later.start()).status == "success"
        second = await later.observed("db")
        assert second is not None
        assert (second.state, second.id != first.id) == ("running", True)
        await later.stopped_without_trace()
