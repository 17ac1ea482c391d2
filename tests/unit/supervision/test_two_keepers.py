"""A try that two workers have had, one after the other or at once: one log, one outcome, and the first to say it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.store.store import Store
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.tries import Bench, bench_around, request
from workers.engine.interface import Interrupt
from workers.supervision.identity import name_of, prefix_of


def leaves(box: Running) -> int:
    box.write("/data/x", b"1")
    box.out("up")
    box.sleep(1.0)
    box.write("/orca/output", b"n=1\n")
    box.out("end")
    return 0


def until_stopped(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    return 0


def like_us(box: Running) -> int:
    box.out("orca: service 'db' says hello")
    box.out("a")
    box.out("orca: service 'db' says hello")
    box.out("up")
    box.sleep(1.5)
    box.out("b")
    return 0


class Engine(MemoryEngine):
    """Whose answer that a container has ended can be held back from one of those who wait."""

    def __init__(self) -> None:
        super().__init__(programs={"leaves": leaves, "until-stopped": until_stopped, "like-us": like_us})
        self.awake = threading.Event()
        self.asleep = threading.Event()

    def wait(self, container: str, *, interrupt: Interrupt) -> int:
        first = not self.asleep.is_set()
        self.asleep.set()
        code = super().wait(container, interrupt=interrupt)
        if first:
            self.awake.wait(20)
        return code


@pytest.fixture(name="engine")
def engine_fixture() -> Engine:
    return Engine()


@pytest.fixture(name="bench")
async def bench_fixture(engine: Engine, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(engine, tmp_path / "store") as bench:
        yield bench


def own(program: str, **changes: Any) -> ContainerRequest:
    return request("run", entrypoint=(program,), **changes)


async def begun(bench: Bench, wanted: ContainerRequest) -> tuple["asyncio.Task[JobOutcome]", Heartbeat]:
    going = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    return going, next(beat for beat in reversed(bench.beats) if beat.container_id)


async def let_go(bench: Bench, wanted: ContainerRequest) -> Heartbeat:
    going, beat = await begun(bench, wanted)
    bench.cause = "detach"
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    bench.cause = "cancel"
    return beat


async def outcome_in(store: Store, wanted: ContainerRequest) -> JobOutcome:
    return JobOutcome.model_validate_json(await store.get_bytes(f"{prefix_of(wanted)}outcome.json"))


async def test_one_that_wakes_up_after_the_end_changes_no_outcome(
    engine: Engine, bench: Bench, tmp_path: Path
) -> None:
    wanted = own("leaves", artifacts=("/data/x",))
    frozen, beat = await begun(bench, wanted)
    async with bench_around(engine, tmp_path / "store") as second:
        outcome = await second.run(wanted, beat)
    assert (outcome.status, outcome.outputs) == ("success", {"n": "1"})
    assert await bench.container(wanted) is None
    engine.awake.set()
    assert await frozen == outcome
    assert await outcome_in(bench.store, wanted) == outcome
    assert await bench.texts(wanted) == ["up", "end"]


async def test_an_outcome_that_makes_no_sense_is_replaced(engine: Engine, bench: Bench) -> None:
    wanted = own("leaves")
    engine.awake.set()
    await bench.store.put_bytes(f"{prefix_of(wanted)}outcome.json", b"{")
    outcome = await bench.run(wanted)
    assert outcome.status == "success"
    assert await outcome_in(bench.store, wanted) == outcome


async def test_why_a_try_is_lost_stands_behind_what_it_said(engine: Engine, bench: Bench) -> None:
    wanted = own("until-stopped")
    engine.awake.set()
    beat = await let_go(bench, wanted)
    await asyncio.to_thread(engine.remove, name_of(wanted))
    outcome = await bench.run(wanted, beat)
    assert outcome.reason is not None
    texts = await bench.texts(wanted)
    assert texts[0] == "up"
    assert "\n".join(texts[1:]) == "\n".join(f"orca: {line}" for line in str(outcome.reason).splitlines())


async def test_why_a_try_is_lost_is_told_where_its_log_cannot_be_read(
    engine: Engine, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = own("until-stopped")
    engine.awake.set()
    beat = await let_go(bench, wanted)
    await asyncio.to_thread(engine.remove, name_of(wanted))
    # The listing fails, as it may where rights are given for each thing that is done.
    folder = Path(bench.store.url) / f"{prefix_of(wanted)}log"
    bad = folder / "\udcff"
    bad.touch()
    outcome = await bench.run(wanted, beat)
    bad.unlink()
    texts = await bench.texts(wanted)
    assert texts[0] == "up"
    assert texts[1:] == [f"orca: {line}" for line in str(outcome.reason).splitlines()]


async def test_a_container_that_says_what_a_worker_says_is_heard_once(engine: Engine, bench: Bench) -> None:
    wanted = own("like-us")
    engine.awake.set()
    beat = await let_go(bench, wanted)
    assert (await bench.run(wanted, beat)).status == "success"
    hello = "orca: service 'db' says hello"
    assert await bench.texts(wanted) == [hello, "a", hello, "up", "b"]
