"""An engine that goes away between a container's end and the end of its try: the log stays whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.memory_engine import MemoryEngine, Running
from tests.support.tries import bench_around, request
from workers.engine.failures import EngineUnreachable
from workers.engine.interface import ImageFacts, Interrupt, LogEntry
from workers.supervision.script import launch, mark_prefix

LINES = [f"line {number}" for number in range(1, 6)]
WANTED = request("run", "say it")
_READ = 3
"""Lines of the log that come through before the engine goes away."""


def _speaks(box: Running) -> int:
    mark = mark_prefix(WANTED)
    for line in (f"{mark}begin:0", *LINES, f"{mark}end:0"):
        box.out(line)
    return 3


class Leaving(MemoryEngine):
    """Goes away once a container has ended: the beginning of its log can be read, and then nothing more of it.

    Args:
        loud: reading the log fails; else it only ends early, and it is the next look at the container that fails.
    """

    def __init__(self, *, loud: bool) -> None:
        words = launch(WANTED, as_root=True).entrypoint or ("",)
        super().__init__({"alpine:latest": ImageFacts("sha256:a")}, {words[-1]: _speaks})
        self._loud = loud
        self._reads = 0
        self._looks = 0

    def inspect(self, container: str) -> Any:
        self._looks += 1
        # The first look finds nothing, the second asks when it began, the third how the container came out.
        if not self._loud and self._looks == 3:
            raise EngineUnreachable("the engine went away")
        return super().inspect(container)

    def logs(self, container: str, **how: Any) -> Iterator[list[LogEntry]]:
        self._reads += 1
        # Read twice: while it is written, and once more where its end was not seen.
        if self._reads > 2:
            yield from super().logs(container, **how)
            return
        yield super()._get(container).entries[: _READ + 1]
        if self._loud:
            raise EngineUnreachable("the engine went away")


@pytest.mark.parametrize("loud", [False, True])
async def test_an_engine_that_goes_away(tmp_path: Path, loud: bool) -> None:
    """What closes a command in the log is no line of the container's, and stands after all of these."""
    async with bench_around(Leaving(loud=loud), tmp_path / "store") as bench:
        outcome = await bench.run(WANTED)
        assert (outcome.status, outcome.exit_code, outcome.warnings) == ("failed", 3, ())
        title, *lines, closing = await bench.texts(WANTED)
        assert (title, lines) == ("$ say it", LINES)
        assert closing.endswith("exit 3]")
        assert await bench.container(WANTED) is None


class Deaf(MemoryEngine):
    """Is away while a container ends, and has nothing of what that said meanwhile."""

    def __init__(self) -> None:
        words = launch(WANTED, as_root=True).entrypoint or ("",)
        super().__init__({"alpine:latest": ImageFacts("sha256:a")}, {words[-1]: self._speaks})
        self._away = True

    def _speaks(self, box: Running) -> int:
        box.out(f"{mark_prefix(WANTED)}begin:0")
        box.out(LINES[0])
        return 0

    def wait(self, container: str, *, interrupt: Interrupt) -> int:
        code = super().wait(container, interrupt=interrupt)
        if self._away:
            self._away = False
            raise EngineUnreachable("the engine went away")
        return code


async def test_a_log_whose_end_is_missing_is_said_not_to_be_whole(tmp_path: Path) -> None:
    async with bench_around(Deaf(), tmp_path / "store") as bench:
        outcome = await bench.run(WANTED)
        assert (outcome.status, outcome.exit_code) == ("success", 0)
        (warning,) = outcome.warnings
        assert warning.startswith("the log may not be whole: its end is missing")
