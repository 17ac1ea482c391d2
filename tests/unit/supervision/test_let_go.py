"""A worker that has to go while a container is on its way to its end: it lets go, and the next one goes on."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path

import pytest

from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.tries import Bench, bench_around, request
from workers.engine.interface import ContainerSpec, ImageFacts
from workers.supervision.control import Cause, Control
from workers.supervision.identity import name_of

GRACE = 40.0
"""Seconds of a grace that no worker has when it is stopped."""
AT_ONCE = 8.0


class Counting(MemoryEngine):
    """Counts what is made, and what is told to stop."""

    def __init__(self) -> None:
        super().__init__({"alpine:latest": ImageFacts("sha256:a")}, {"deaf": self._deaf})
        self.made = 0
        self.stops: list[float] = []

    def _deaf(self, box: Running) -> int:
        box.out("up")
        box.sleep(60)
        return 0

    def create(self, spec: ContainerSpec) -> str:
        self.made += 1
        return super().create(spec)

    def stop(self, container: str, *, grace: float) -> None:
        self.stops.append(grace)
        super().stop(container, grace=grace)


@pytest.fixture(name="engine")
def engine_fixture() -> Counting:
    return Counting()


@pytest.fixture(name="bench")
async def bench_fixture(engine: Counting, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(engine, tmp_path / "store") as bench:
        yield bench


async def told_to_stop(engine: Counting, times: int) -> None:
    async with asyncio.timeout(30):
        while len(engine.stops) < times:
            await asyncio.sleep(0.02)


async def let_go(bench: Bench, going: "asyncio.Task[JobOutcome]", wanted: ContainerRequest) -> None:
    """The worker stops: it lets go of the container at once, which runs on."""
    bench.cause = "detach"
    begun = time.monotonic()
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert time.monotonic() - begun < AT_ONCE
    left = await bench.container(wanted)
    assert left is not None
    assert left.state == "running"


async def test_a_cancel_goes_on_with_the_next_worker(bench: Bench, engine: Counting) -> None:
    wanted = request("run", entrypoint=("own", "deaf"), stop_grace=GRACE)
    going = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    going.cancel()
    await told_to_stop(engine, 1)
    await let_go(bench, going, wanted)
    again = wanted.model_copy(update={"cancelled": True})
    # This one has to go as well. It was told by the request, and not by a cancellation.
    going = bench.begin(again)
    await told_to_stop(engine, 2)
    await let_go(bench, going, wanted)
    # The run is ended by force meanwhile.
    bench.cause = "kill"
    going = bench.begin(again)
    await told_to_stop(engine, 3)
    going.cancel()
    outcome = await going
    assert (outcome.status, outcome.exit_code) == ("cancelled", 137)
    assert (engine.made, engine.stops) == (1, [GRACE] * 3)
    assert await bench.texts(wanted) == ["up", "orca: cancelled: the job was cancelled"]
    assert await bench.container(wanted) is None


async def test_a_cancel_comes_to_its_end_with_a_grace_anew(bench: Bench, engine: Counting) -> None:
    wanted = request("run", entrypoint=("own", "deaf"), stop_grace=1.5)
    going = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    going.cancel()
    await told_to_stop(engine, 1)
    await let_go(bench, going, wanted)
    outcome = await bench.run(wanted.model_copy(update={"cancelled": True}))
    assert (outcome.status, outcome.exit_code, engine.made) == ("cancelled", 137, 1)


async def test_a_job_whose_time_is_up(bench: Bench, engine: Counting) -> None:
    wanted = request("run", entrypoint=("own", "deaf"), timeout=0.3, stop_grace=GRACE)
    going = bench.begin(wanted)
    await told_to_stop(engine, 1)
    await let_go(bench, going, wanted)
    previous = Heartbeat(host="host", container_id="x", phase="running")
    going = asyncio.create_task(bench.run(wanted, previous))
    await told_to_stop(engine, 2)
    await asyncio.to_thread(engine.kill, name_of(wanted))
    outcome = await going
    assert (str(outcome.reason), engine.made) == (
        "timeout: the job took longer than its limit of 0.3 s and was stopped",
        1,
    )


@pytest.mark.parametrize("causes", list(permutations(("cancel", "kill", "detach"))))
async def test_the_strongest_cause_counts(causes: tuple[Cause, ...]) -> None:
    control, said = Control(), list[Cause | None]()
    for cause in causes:
        control.stop(cause)
        said.append(control.cause)
    rank: list[Cause | None] = ["cancel", "kill", "detach"]
    assert said == [max(causes[: number + 1], key=rank.index) for number in range(3)]
    assert control.hurried


@pytest.mark.parametrize(
    ("cause", "unwanted"), [(None, False), ("cancel", True), ("kill", True), ("detach", False)]
)
async def test_a_try_that_is_let_go_of_is_wanted(cause: Cause | None, unwanted: bool) -> None:
    """What an engine ended while its worker was stopping is lost, and was not cancelled."""
    control = Control()
    if cause is not None:
        control.stop(cause)
    assert control.unwanted == unwanted
