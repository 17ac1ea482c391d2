"""A store that fails while jobs run: the outcome is kept, lost lines are told, and nothing waits for ever."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.messages import ContainerRequest
from orchestrator.store.logs import BACKLOG_BYTES
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.places import FreezingDisk, freezing_disk, silent_server, small_disk
from tests.support.tries import QUICK, Bench, bench_around, request

LIMITS = replace(QUICK, store_patience=2.0)
LINES = 3000
LINE = 1000


def own(program: str, **changes: Any) -> ContainerRequest:
    return request("run", entrypoint=(program,), **changes)


def talks(box: Running) -> int:
    """More than a small disk holds, in a second or two."""
    for number in range(LINES):
        box.out(f"{number:06d} {'x' * LINE}")
        if number % 300 == 0:
            box.sleep(0.1)
    return 5


def talks_much(box: Running) -> int:
    """More than waits in memory."""
    for number in range(3 * BACKLOG_BYTES // LINE):
        box.out(f"{number:06d} {'x' * LINE}")
    return 0


def until_stopped(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    return 0


def leaves_much(box: Running) -> int:
    box.write("/data/big", b"x" * 2 * 1024 * 1024)
    return 0


PROGRAMS = {
    "talks": talks,
    "talks-much": talks_much,
    "until-stopped": until_stopped,
    "leaves-much": leaves_much,
}


@pytest.fixture(name="full")
async def full_fixture(tmp_path: Path) -> AsyncIterator[Bench]:
    """A store on a disk of 1 MiB."""
    with small_disk(tmp_path / "store", "1m") as folder:
        async with bench_around(MemoryEngine(programs=PROGRAMS), folder, LIMITS) as bench:
            yield bench


@pytest.fixture(name="disk")
def disk_fixture(tmp_path: Path) -> Iterator[FreezingDisk]:
    with freezing_disk(tmp_path / "store") as disk:
        yield disk


@pytest.fixture(name="hanging")
async def hanging_fixture(disk: FreezingDisk) -> AsyncIterator[Bench]:
    """A store on a disk that can be frozen."""
    async with bench_around(MemoryEngine(programs=PROGRAMS), disk.folder, LIMITS, patience=0.5) as bench:
        yield bench
        disk.thaw()


@pytest.fixture(name="silent")
async def silent_fixture(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A store in S3, behind an address that takes connections and says nothing."""
    with silent_server() as port:
        for name, value in {
            "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }.items():
            monkeypatch.setenv(name, value)
        async with bench_around(
            MemoryEngine(programs=PROGRAMS), "s3://bucket/orca", LIMITS, patience=0.5
        ) as bench:
            yield bench


async def test_a_disk_that_gets_full_costs_log_lines_and_no_outcome(full: Bench) -> None:
    outcome = await full.run(own("talks"))
    assert (outcome.status, outcome.exit_code) == ("failed", 5)
    assert str(outcome.reason).startswith("exit: the container ended with exit code 5")
    lost, *others = outcome.warnings
    kept = await full.texts(own("talks"))
    assert lost.startswith(f"{LINES - len(kept)} log lines were lost: cannot write 'runs/run/1/job-")
    assert "No space left on device" in lost
    # What is there is the beginning, without a gap.
    assert len(kept) > 100
    assert [int(text.split()[0]) for text in kept] == list(range(len(kept)))
    unstored = [other for other in others if other.startswith("the outcome is not in the store: ")]
    assert unstored == others
    # Without that its container is all that tells of it.
    assert (await full.container(own("talks")) is None) == (not unstored)


async def test_room_that_is_made_in_time_costs_nothing(full: Bench, tmp_path: Path) -> None:
    ballast = tmp_path / "store" / "ballast"
    ballast.write_bytes(b"x" * 1024 * 1020)
    wanted = own("until-stopped")
    running = full.begin(wanted)
    await asyncio.sleep(1.5)
    assert await full.texts(wanted) == []
    ballast.unlink()
    await full.until_logged(wanted, "up")
    await asyncio.to_thread(full.engine.stop, full.beats[-1].container_id, grace=5)
    outcome = await running
    assert (outcome.status, outcome.warnings) == ("success", ())


async def test_an_artifact_for_which_there_is_no_room_fails_its_job(full: Bench) -> None:
    outcome = await full.run(own("leaves-much", artifacts=("/data/big",)))
    assert outcome.status == "failed"
    assert str(outcome.reason).startswith("artifact: '/data/big' could not be collected: cannot write ")
    assert "No space left on device" in str(outcome.reason)


async def test_a_store_that_says_nothing_keeps_no_job_from_its_end(silent: Bench) -> None:
    begin = time.monotonic()
    outcome = await silent.run(own("talks"))
    assert (outcome.status, outcome.exit_code) == ("failed", 5)
    assert [warning.split(":")[0] for warning in outcome.warnings] == [
        f"{LINES} log lines were lost",
        "the outcome is not in the store",
    ]
    assert "it did not answer within 0.5 s" in outcome.warnings[0]
    assert time.monotonic() - begin < 20


async def test_a_log_that_is_larger_than_memory_may_get_does_not_wait_for_ever(silent: Bench) -> None:
    begin = time.monotonic()
    outcome = await silent.run(own("talks-much"))
    assert outcome.status == "success"
    assert outcome.warnings[0].startswith(f"{3 * BACKLOG_BYTES // LINE} log lines were lost: ")
    assert time.monotonic() - begin < 20


async def test_a_worker_lets_go_within_seconds_though_its_store_says_nothing(silent: Bench) -> None:
    wanted = own("until-stopped")
    silent.cause = "detach"
    running = silent.begin(wanted)
    async with asyncio.timeout(20):
        while not silent.beats or silent.beats[-1].phase != "running":
            await asyncio.sleep(0.05)
    begin = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - begin < 8
    await asyncio.to_thread(silent.engine.remove, silent.beats[-1].container_id)


async def test_an_artifact_that_the_store_does_not_take_fails_its_job(silent: Bench) -> None:
    outcome = await silent.run(own("leaves-much", artifacts=("/data/big",)))
    assert str(outcome.reason).startswith("artifact: '/data/big' could not be collected: cannot write ")


async def test_an_upload_that_hangs_and_goes_on_leaves_no_gap_and_no_line_twice(
    hanging: Bench, disk: FreezingDisk
) -> None:
    wanted = own("until-stopped")
    running = hanging.begin(wanted)
    await hanging.until_logged(wanted, "up")
    container = hanging.beats[-1].container_id
    talking = hanging.begin(own("talks", job="other"))
    await asyncio.sleep(0.4)
    disk.freeze()
    # The event loop goes on: both say how they stand.
    beats = len(hanging.beats)
    await asyncio.sleep(1.5)
    assert len(hanging.beats) > beats + 5
    disk.thaw()
    outcome = await talking
    assert (outcome.status, outcome.exit_code, outcome.warnings) == ("failed", 5, ())
    texts = await hanging.texts(own("talks", job="other"))
    assert [int(text.split()[0]) for text in texts] == list(range(LINES))
    await asyncio.to_thread(hanging.engine.stop, container, grace=5)
    assert (await running).status == "success"


async def test_an_upload_that_hangs_to_the_end(hanging: Bench, disk: FreezingDisk) -> None:
    begin = time.monotonic()
    running = hanging.begin(own("talks"))
    await asyncio.sleep(0.4)
    disk.freeze()
    outcome = await running
    took = time.monotonic() - begin
    disk.thaw()
    assert (outcome.status, outcome.exit_code) == ("failed", 5)
    assert "log lines were lost" in outcome.warnings[0]
    assert took < 20
