"""A try that a worker had before: what nobody can see is never taken for nothing, and what is known is not lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.contract.times import parse_rfc3339, rfc3339
from orchestrator.interpreter.retries import uncertain
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.places import small_disk
from tests.support.tries import QUICK, Bench, bench_around, request
from workers.engine.failures import EngineUnreachable
from workers.engine.interface import ByteStream, ContainerSpec
from workers.supervision.attempt import Elsewhere
from workers.supervision.identity import name_of, prefix_of

LIMITS = replace(QUICK, patience=3.0, store_patience=0.6)


def soon(box: Running) -> int:
    box.out("up")
    box.sleep(0.8)
    box.write("/orca/output", b"n=1\n")
    return 0


def until_stopped(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    return 0


def quick(box: Running) -> int:
    box.write("/orca/output", b"n=1\n")
    return 0


def fails(box: Running) -> int:
    box.out("up")
    box.sleep(0.8)
    return 3


class Engine(MemoryEngine):
    """Goes away when it is told to, has a clock of its own, and takes its time with files."""

    def __init__(self) -> None:
        super().__init__(
            programs={"soon": soon, "until-stopped": until_stopped, "quick": quick, "fails": fails}
        )
        self.away = False
        self.made = 0
        self.ahead = 0.0
        self.reads = 0.0

    def inspect(self, container: str) -> Any:
        if self.away:
            raise EngineUnreachable("no Docker engine answers")
        found = super().inspect(container)
        if found is None:
            return None
        return replace(
            found, started_at=self._told(found.started_at), finished_at=self._told(found.finished_at)
        )

    def _told(self, moment: str | None) -> str | None:
        return None if moment is None else rfc3339(parse_rfc3339(moment) + timedelta(seconds=self.ahead))

    def create(self, spec: ContainerSpec) -> str:
        self.made += 1
        return super().create(spec)

    def get_archive(self, container: str, path: str) -> ByteStream:
        time.sleep(self.reads)
        return super().get_archive(container, path)


@pytest.fixture(name="engine")
def engine_fixture() -> Engine:
    return Engine()


@pytest.fixture(name="bench")
async def bench_fixture(engine: Engine, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(engine, tmp_path / "store", LIMITS) as bench:
        yield bench


def own(program: str, **changes: Any) -> ContainerRequest:
    return request("run", entrypoint=(program,), **changes)


async def let_go(bench: Bench, going: "asyncio.Task[JobOutcome]") -> Heartbeat:
    """The worker stops; what it said last."""
    bench.cause = "detach"
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    bench.cause = "cancel"
    return bench.beats[-1]


async def up_and_left(bench: Bench, wanted: ContainerRequest) -> Heartbeat:
    going = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    return await let_go(bench, going)


def _fill(ballast: Path) -> None:
    """To the last byte of its disk."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


async def ended(bench: Bench, wanted: ContainerRequest) -> None:
    async with asyncio.timeout(10):
        while (box := await bench.container(wanted)) is None or box.state != "exited":
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("told", [True, False], ids=["by a heartbeat", "by the store"])
async def test_an_engine_that_comes_up_after_its_worker_is_waited_for(
    bench: Bench, engine: Engine, told: bool
) -> None:
    """Longer than one that was never there: it has the try's container."""
    wanted = own("until-stopped")
    beat = await up_and_left(bench, wanted)
    engine.away = True
    going = asyncio.create_task(bench.run(wanted, beat if told else None))
    await asyncio.sleep(4 * LIMITS.first_patience)
    assert not going.done()
    engine.away = False
    await asyncio.sleep(0.3)
    await asyncio.to_thread(engine.stop, name_of(wanted), grace=5)
    outcome = await going
    assert (outcome.status, outcome.container_id, engine.made) == ("success", beat.container_id, 1)


async def test_a_container_that_cannot_be_seen_may_have_done_its_work(bench: Bench, engine: Engine) -> None:
    wanted = own("until-stopped")
    beat = await up_and_left(bench, wanted)
    engine.away = True
    outcome = await bench.run(wanted, beat)
    assert (str(outcome.reason), outcome.container_id) == (
        "docker: no Docker engine answers",
        beat.container_id,
    )
    assert uncertain(outcome)


async def test_a_try_that_was_begun_and_cannot_be_seen_is_lost(bench: Bench, engine: Engine) -> None:
    await up_and_left(bench, own("until-stopped"))
    engine.away = True
    outcome = await bench.run(own("until-stopped"))
    assert str(outcome.reason) == (
        "lost: an earlier worker on host 'host' had begun the try, and the Docker engine there does not say what became"
        " of it: no Docker engine answers"
    )
    assert uncertain(outcome)
    # Nobody has begun this one.
    new = await bench.run(own("until-stopped", job="new"))
    assert str(new.reason) == "docker: no Docker engine answers"
    assert not uncertain(new)
    engine.away = False
    await asyncio.to_thread(engine.remove, name_of(own("until-stopped")))


async def test_what_an_earlier_worker_saw_is_passed_on(bench: Bench, engine: Engine) -> None:
    """The second one sees nothing and has to go too: the third still knows that it ran."""
    wanted = own("until-stopped")
    beat = await up_and_left(bench, wanted)
    engine.away = True
    going = asyncio.create_task(bench.run(wanted, beat))
    await asyncio.sleep(0.3)
    passed = await let_go(bench, going)
    assert (passed.phase, passed.container_id) == ("looking", beat.container_id)
    engine.away = False
    await asyncio.to_thread(engine.remove, name_of(wanted))
    outcome = await bench.run(wanted, passed)
    assert str(outcome.reason).startswith("lost: the container ")
    assert engine.made == 1


async def test_an_outcome_that_the_store_did_not_take_is_found_again(engine: Engine, tmp_path: Path) -> None:
    """The worker dies before Temporal has it, too soon for a heartbeat. Its container still tells."""
    with small_disk(tmp_path / "store", "1m") as folder:
        async with bench_around(engine, folder, LIMITS) as bench:
            wanted = own("quick")
            await bench.store.put_bytes(f"{prefix_of(wanted)}host", b"host")
            ballast = folder / "ballast"
            _fill(ballast)
            first = await bench.run(wanted)
            assert first.warnings[-1].startswith("the outcome is not in the store: ")
            ballast.unlink()
            second = await bench.run(wanted)
            assert (second.status, second.outputs, second.container_id, engine.made) == (
                "success",
                {"n": "1"},
                first.container_id,
                1,
            )
            # Now it is known.
            assert await bench.container(wanted) is None


@pytest.mark.parametrize("heals", [False, True])
async def test_a_try_whose_holder_cannot_be_read_is_not_begun(
    bench: Bench, engine: Engine, tmp_path: Path, heals: bool
) -> None:
    wanted = own("quick")
    held = tmp_path / "store" / prefix_of(wanted) / "host"
    # Something is there, and it cannot be read.
    held.mkdir(parents=True)
    going = bench.begin(wanted)
    await asyncio.sleep(0.3)
    if heals:
        held.rmdir()
        held.write_bytes(b"other-host")
        with pytest.raises(Elsewhere, match="'other-host' has the try"):
            await going
    else:
        outcome = await going
        assert str(outcome.reason) == (
            "lost: a worker has begun the try before, and the store does not say on which host, so that nobody here"
            " knows how it came out; the log of the worker on host 'host' says why it cannot be read"
        )
        assert uncertain(outcome)
    assert engine.made == 0


@pytest.mark.parametrize("ahead", [40.0, -40.0])
@pytest.mark.parametrize(("program", "status"), [("fails", "failed"), ("quick", "success")])
async def test_the_engines_clock_may_be_another(
    bench: Bench, engine: Engine, ahead: float, program: str, status: str
) -> None:
    engine.ahead = ahead
    outcome = await bench.run(own(program))
    assert outcome.status == status
    assert outcome.reason is None or str(outcome.reason).startswith(
        "exit: the container ended with exit code 3"
    )


@pytest.mark.parametrize(("to", "lost"), [(None, False), ("2000-01-01T00:00:00.000Z", True)])
async def test_an_engine_whose_clock_was_set_back(
    bench: Bench, engine: Engine, to: str | None, lost: bool
) -> None:
    """It began, by its own clock, after all its containers. Whether it is still the same is what matters."""
    engine.began = "2100-01-01T00:00:00.000Z"
    wanted = own("until-stopped")
    beat = await up_and_left(bench, wanted)
    assert beat.engine == engine.began
    await asyncio.to_thread(engine.kill, name_of(wanted))
    engine.began = to or engine.began
    outcome = await bench.run(wanted, beat)
    assert outcome.exit_code == 137
    assert str(outcome.reason).startswith("lost: the Docker engine" if lost else "exit: ")


async def test_the_name_of_a_container_that_ran_is_taken(bench: Bench, engine: Engine) -> None:
    wanted = own("until-stopped")
    beat = await up_and_left(bench, wanted)
    await asyncio.to_thread(engine.remove, name_of(wanted))
    foreign = await asyncio.to_thread(engine.create, ContainerSpec(name=name_of(wanted), image=wanted.image))
    outcome = await bench.run(wanted, beat)
    assert str(outcome.reason).startswith(
        f"lost: the container {beat.container_id[:12]} ran on host 'host' and"
    )
    found = await bench.container(wanted)
    assert found is not None
    assert found.id == foreign


@pytest.mark.parametrize(
    ("program", "status", "outputs", "exit_code"),
    [("soon", "success", {"n": "1"}, 0), ("fails", "failed", {}, 3)],
)
async def test_what_ended_before_it_was_cancelled_keeps_its_end(
    bench: Bench, program: str, status: str, outputs: dict[str, str], exit_code: int
) -> None:
    """Its worker was away when it ended, and when it was cancelled."""
    wanted = own(program, stop_grace=5)
    beat = await up_and_left(bench, wanted)
    await ended(bench, wanted)
    outcome = await bench.run(wanted.model_copy(update={"cancelled": True}), beat)
    assert (outcome.status, outcome.outputs, outcome.exit_code) == (status, outputs, exit_code)


@pytest.mark.parametrize("why", ["cancel", "timeout"])
async def test_what_was_told_to_end_did_not_end_by_itself(bench: Bench, engine: Engine, why: Any) -> None:
    """A worker told it so and was gone before it ended. It ends with 0, as servers do."""
    wanted = own("until-stopped")
    beat = await up_and_left(bench, wanted)
    await asyncio.to_thread(engine.stop, name_of(wanted), grace=5)
    told = beat.model_copy(update={"ending": why})
    outcome = await bench.run(wanted.model_copy(update={"cancelled": why == "cancel"}), told)
    assert str(outcome.reason).startswith("cancelled: " if why == "cancel" else "timeout: ")
    assert outcome.exit_code == 0


async def test_what_was_killed_for_a_cancel_is_cancelled(bench: Bench, engine: Engine) -> None:
    """Also where the worker that did it died before it could say so."""
    wanted = own("until-stopped")
    beat = await up_and_left(bench, wanted)
    await asyncio.to_thread(engine.kill, name_of(wanted))
    outcome = await bench.run(wanted.model_copy(update={"cancelled": True}), beat)
    assert (outcome.status, outcome.exit_code) == ("cancelled", 137)


async def test_a_worker_says_that_it_has_told_a_container_to_end(bench: Bench) -> None:
    wanted = own("until-stopped", timeout=0.3)
    assert str((await bench.run(wanted)).reason).startswith("timeout: ")
    assert bench.beats[-1].ending == "timeout"


@pytest.mark.parametrize(("cause", "status"), [("cancel", "success"), ("kill", "cancelled")])
async def test_a_cancel_while_what_a_job_left_is_taken(
    bench: Bench, engine: Engine, cause: Any, status: str
) -> None:
    engine.reads = 0.6
    wanted = own("soon")
    going = bench.begin(wanted)
    async with asyncio.timeout(10):
        while not bench.beats or bench.beats[-1].phase != "collecting":
            await asyncio.sleep(0.02)
    bench.cause = cause
    going.cancel()
    outcome = await going
    assert (outcome.status, outcome.exit_code) == (status, 0)
    assert outcome.outputs == ({"n": "1"} if cause == "cancel" else {})
