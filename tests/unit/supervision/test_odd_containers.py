"""What people do to containers by hand while jobs run in them, on a real engine: each has its own message."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker import DockerClient

from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from tests.support.tries import ATTENTIVE, Bench, bench_around, request
from workers.engine.docker_engine import DockerEngine
from workers.supervision.identity import name_of

COUNT = "echo begun; for i in $(seq 30); do echo $i; sleep 0.1; done"


@pytest.fixture(name="bench")
async def bench_fixture(docker_engine: DockerEngine, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(docker_engine, tmp_path / "store", ATTENTIVE) as bench:
        yield bench


@pytest.fixture(name="by_hand")
def by_hand_fixture() -> Iterator[DockerClient]:
    """A person with the docker command."""
    client = docker.from_env()
    yield client
    client.close()


async def begun(bench: Bench, wanted: ContainerRequest) -> "asyncio.Task[JobOutcome]":
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "begun")
    return running


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.05)


async def test_removed_while_it_runs(bench: Bench, mark: str, by_hand: DockerClient) -> None:
    wanted = request(mark, COUNT)
    running = await begun(bench, wanted)
    await asyncio.to_thread(by_hand.containers.get(name_of(wanted)).remove, force=True)
    outcome = await running
    assert outcome.status == "failed"
    assert str(outcome.reason).startswith(
        f"lost: the container {outcome.container_id[:12]} was removed from host 'host' while it ran, by hand"
    )


async def test_restarted_while_it_runs(bench: Bench, mark: str, by_hand: DockerClient) -> None:
    wanted = request(mark, "trap 'exit 0' TERM", COUNT)
    running = await begun(bench, wanted)
    await asyncio.to_thread(by_hand.containers.get(name_of(wanted)).restart, timeout=1)
    outcome = await running
    assert outcome.status == "failed"
    assert str(outcome.reason).startswith(
        f"lost: the container {outcome.container_id[:12]} was stopped and started again on host 'host', by hand"
    )
    assert await bench.container(wanted) is None


async def test_stopped_while_it_runs(bench: Bench, mark: str, by_hand: DockerClient) -> None:
    """Whoever stops it by hand ends the job, as its own commands could."""
    wanted = request(mark, COUNT)
    running = await begun(bench, wanted)
    await asyncio.to_thread(by_hand.containers.get(name_of(wanted)).kill)
    outcome = await running
    assert "was ended by SIGKILL (exit code 137)" in str(outcome.reason)


async def test_paused_while_it_runs(bench: Bench, mark: str, by_hand: DockerClient) -> None:
    wanted = request(mark, COUNT)
    running = await begun(bench, wanted)
    container = by_hand.containers.get(name_of(wanted))
    await asyncio.to_thread(container.pause)
    told = (
        f"its container is paused; it goes on after 'docker unpause {name_of(wanted)}', and its timeout runs"
    )
    await until(lambda: bench.beats[-1].note == told)
    assert not running.done()
    await asyncio.to_thread(container.unpause)
    await until(lambda: bench.beats[-1].note == "")
    outcome = await running
    assert (outcome.status, outcome.exit_code) == ("success", 0)
    texts = [line for line in await bench.texts(wanted) if line.isdecimal()]
    assert texts == [str(number) for number in range(1, 31)]


async def test_a_paused_one_is_cancelled(bench: Bench, mark: str, by_hand: DockerClient) -> None:
    wanted = request(mark, "sleep 600 & echo begun; wait", stop_grace=1.0)
    running = await begun(bench, wanted)
    await asyncio.to_thread(by_hand.containers.get(name_of(wanted)).pause)
    begin = time.monotonic()
    running.cancel()
    outcome = await running
    assert outcome.status == "cancelled"
    assert time.monotonic() - begin < 10
    assert await bench.container(wanted) is None


async def test_a_paused_one_runs_into_its_time_limit(bench: Bench, mark: str, by_hand: DockerClient) -> None:
    wanted = request(mark, "echo begun; sleep 600", timeout=2.0, stop_grace=0.0)
    running = await begun(bench, wanted)
    await asyncio.to_thread(by_hand.containers.get(name_of(wanted)).pause)
    assert str((await running).reason).startswith("timeout: the job took longer than its limit of 2 s")


async def left_alone(bench: Bench, wanted: ContainerRequest) -> Heartbeat:
    """Its worker is stopped in the middle; what it said last."""
    bench.cause = "detach"
    running = await begun(bench, wanted)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return next(beat for beat in reversed(bench.beats) if beat.container_id)


@pytest.mark.parametrize("heard", [True, False], ids=["after a heartbeat", "before any heartbeat"])
async def test_renamed_while_no_worker_was_there(
    bench: Bench, mark: str, by_hand: DockerClient, heard: bool
) -> None:
    wanted = request(mark, COUNT)
    beat = await left_alone(bench, wanted)
    other = f"{mark}-mine"
    await asyncio.to_thread(by_hand.containers.get(name_of(wanted)).rename, other)
    again = asyncio.create_task(bench.run(wanted, beat if heard else None))
    told = f"its container was renamed from '{name_of(wanted)}' to '{other}'; the job goes on"
    await until(lambda: bench.beats[-1].note == told)
    outcome = await again
    assert (outcome.status, outcome.container_id) == ("success", beat.container_id)
    assert (await bench.texts(wanted)).count("begun") == 1


async def test_renamed_and_another_one_has_its_name(bench: Bench, mark: str, by_hand: DockerClient) -> None:
    wanted = request(mark, COUNT)
    beat = await left_alone(bench, wanted)
    await asyncio.to_thread(by_hand.containers.get(name_of(wanted)).rename, f"{mark}-mine")
    other = await asyncio.to_thread(by_hand.containers.create, "alpine:latest", "true", name=name_of(wanted))
    try:
        outcome = await bench.run(wanted, beat)
        assert (outcome.status, outcome.container_id) == ("success", beat.container_id)
    finally:
        other.remove()


async def test_removed_while_no_worker_was_there(bench: Bench, mark: str, by_hand: DockerClient) -> None:
    wanted = request(mark, COUNT)
    beat = await left_alone(bench, wanted)
    await asyncio.to_thread(by_hand.containers.get(name_of(wanted)).remove, force=True)
    outcome = await bench.run(wanted, beat.model_copy(update={"phase": "running"}))
    assert str(outcome.reason).startswith(
        f"lost: the container {beat.container_id[:12]} ran on host 'host' and cannot be found any more"
    )


async def test_ended_while_no_worker_was_there(bench: Bench, mark: str) -> None:
    """Its exit code and its log are kept, and it is not run again."""
    wanted = request(mark, "echo begun; sleep 1; echo done; exit 7")
    beat = await left_alone(bench, wanted)
    async with asyncio.timeout(10):
        while (box := await bench.container(wanted)) is None or box.state != "exited":
            await asyncio.sleep(0.05)
    outcome = await bench.run(wanted, beat)
    assert (outcome.status, outcome.exit_code, outcome.container_id) == ("failed", 7, beat.container_id)
    assert (await bench.texts(wanted))[1:3] == ["begun", "done"]
    assert (await bench.texts(wanted)).count("begun") == 1


async def test_the_time_limit_of_one_that_is_taken_up_counts_from_its_start(bench: Bench, mark: str) -> None:
    wanted = request(mark, "echo begun; sleep 600", timeout=3.0, stop_grace=0.0)
    began = time.monotonic()
    beat = await left_alone(bench, wanted)
    await asyncio.sleep(1.0)
    outcome = await bench.run(wanted, beat)
    assert str(outcome.reason).startswith("timeout: ")
    assert 2.5 < time.monotonic() - began < 6
