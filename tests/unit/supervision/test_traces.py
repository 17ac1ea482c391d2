"""A container that ran although its engine says that it never did is not started again."""

import threading
from pathlib import Path

import pytest

from tests.support.memory_engine import MemoryEngine, Running
from tests.support.tries import bench_around, request
from workers.engine.failures import EngineUnreachable, StartFailed
from workers.engine.interface import ImageFacts
from workers.supervision.script import OUTPUT_FILE, launch

WANTED = request("run", "do it")


class Forgetful(MemoryEngine):
    """Is ended as it starts its first container, and does not know later that it did."""

    def __init__(self, *, leaves: str) -> None:
        words = launch(WANTED, as_root=True).entrypoint or ("",)
        super().__init__({"alpine:latest": ImageFacts("sha256:a")}, {words[-1]: self._work})
        self._leaves = leaves
        self._done = threading.Event()
        self.starts = 0

    def _work(self, box: Running) -> int:
        self.starts += 1
        if self._leaves == "a word":
            box.out("done")
        if self._leaves == "a file":
            box.write(OUTPUT_FILE, b"")
        self._done.set()
        return 0

    def start(self, container: str) -> None:
        if self._done.is_set():
            return super().start(container)
        if self._leaves != "nothing":
            super().start(container)
            assert self._done.wait(10)
            self.wait_ended(container)
        self._done.set()
        raise EngineUnreachable("the engine went away")

    def wait_ended(self, container: str) -> None:
        """Then forget it."""
        box = self._get(container)
        while box.state != "exited":
            threading.Event().wait(0.01)
        box.state, box.started_at, box.exit_code = "created", None, None


@pytest.mark.parametrize("leaves", ["a word", "a file"])
async def test_a_container_that_left_a_trace_has_run(tmp_path: Path, leaves: str) -> None:
    engine = Forgetful(leaves=leaves)
    async with bench_around(engine, tmp_path / "store") as bench:
        outcome = await bench.run(WANTED)
        assert outcome.status == "failed"
        assert str(outcome.reason).startswith("lost: the container ")
        assert "nobody knows how the job came out" in str(outcome.reason)
        assert engine.starts == 1
        assert await bench.container(WANTED) is None


async def test_a_container_that_left_none_is_started(tmp_path: Path) -> None:
    engine = Forgetful(leaves="nothing")
    async with bench_around(engine, tmp_path / "store") as bench:
        outcome = await bench.run(WANTED)
        assert (outcome.status, engine.starts) == ("success", 1)


class Holding(MemoryEngine):
    """Is ended as it starts its first container, and is told later that its id is in use."""

    def __init__(self) -> None:
        super().__init__({"alpine:latest": ImageFacts("sha256:a")})
        self.calls = 0

    def start(self, container: str) -> None:
        self.calls += 1
        if self.calls == 1:
            raise EngineUnreachable("the engine went away")
        raise StartFailed(f"cannot start container '{container}': id already in use")


async def test_a_container_that_was_there_and_cannot_be_started_is_lost(tmp_path: Path) -> None:
    engine = Holding()
    async with bench_around(engine, tmp_path / "store") as bench:
        outcome = await bench.run(WANTED)
        assert outcome.status == "failed"
        assert str(outcome.reason).startswith("lost: cannot start container")
        assert str(outcome.reason).endswith("it was there before, so that nobody knows whether it has run")
        assert (engine.calls, await bench.container(WANTED)) == (2, None)
