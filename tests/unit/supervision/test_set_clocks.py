"""Clocks that are set while a job runs, forward and back: nothing is measured by them, and no line of a log is lost."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.messages import ContainerRequest
from orchestrator.contract.times import parse_rfc3339, rfc3339
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.tries import bench_around, request
from workers.engine.interface import LogEntry


def own(program: str, **changes: Any) -> ContainerRequest:
    return request("run", entrypoint=(program,), **changes)


def until_stopped(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    return 7


class OtherClock(MemoryEngine):
    """Its host's clock was set by so many seconds after the container had started."""

    set_by = 0.0

    def inspect(self, container: str) -> Any:
        found = super().inspect(container)
        if found is None or found.started_at is None:
            return found
        moved = parse_rfc3339(found.started_at) - timedelta(seconds=self.set_by)
        return replace(found, started_at=rfc3339(moved))

    def age(self, container: str) -> float | None:
        found = super().inspect(container)
        assert found is not None
        assert found.started_at is not None
        return (datetime.now(UTC) - parse_rfc3339(found.started_at)).total_seconds()


@pytest.mark.parametrize("set_by", [36_000.0, -36_000.0], ids=["forward", "back"])
async def test_a_clock_that_was_set_neither_shortens_nor_stretches_a_time_limit(
    tmp_path: Path, set_by: float
) -> None:
    engine = OtherClock(programs={"until-stopped": until_stopped})
    async with bench_around(engine, tmp_path / "store") as bench:
        wanted = own("until-stopped", timeout=3.0)
        bench.cause = "detach"
        running = bench.begin(wanted)
        await bench.until_logged(wanted, "up")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        engine.set_by = set_by
        again = bench.begin(wanted)
        await asyncio.sleep(1.5)
        assert not again.done()
        outcome = await asyncio.wait_for(again, 10)
    assert str(outcome.reason).startswith("timeout: ")


@pytest.mark.parametrize("seconds", [0, -3600], ids=["steady", "set back"])
async def test_the_end_of_a_log_is_not_lost_where_the_clock_is_set_back(tmp_path: Path, seconds: int) -> None:
    """Engines end the following of a log now and then before its last lines."""
    ahead = datetime.now(UTC) + timedelta(seconds=30)

    class Stamped(MemoryEngine):
        def logs(self, container: str, *, follow: bool, since: str | None = None, **others: Any) -> Any:
            entries = [
                LogEntry(
                    f"{ahead + timedelta(milliseconds=number):%Y-%m-%dT%H:%M:%S.%f}000Z", f"line {number}"
                )
                for number in range(300)
            ]
            late = ahead + timedelta(seconds=1 + seconds)
            tail = [LogEntry(f"{late:%Y-%m-%dT%H:%M:%S.%f}000Z", "after")]
            whole = entries if follow else entries + tail
            yield [entry for entry in whole if since is None or entry.timestamp >= since]

    async with bench_around(Stamped(), tmp_path / "store") as bench:
        wanted = own("quick")
        await bench.run(wanted)
        assert await bench.texts(wanted) == [*(f"line {number}" for number in range(300)), "after"]


class Replaced(MemoryEngine):
    """Its containers are told to end as they start, and an engine that began after that answers for it."""

    def start(self, container: str) -> None:
        super().start(container)
        super().stop(container, grace=5.0)
        self.began = rfc3339(datetime.now(UTC) + timedelta(seconds=1))


async def test_an_engine_that_took_a_container_along_is_not_taken_for_the_one_after_it(
    tmp_path: Path,
) -> None:
    def told(box: Running) -> int:
        box.sleep(60, until_stopped=True)
        return 143

    async with bench_around(Replaced(programs={"told": told}), tmp_path / "store") as bench:
        outcome = await asyncio.wait_for(bench.begin(own("told")), 10)
    assert str(outcome.reason).startswith("lost: the Docker engine of host ")
