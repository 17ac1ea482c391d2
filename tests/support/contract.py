"""What the contract suite runs on every engine: scripts, and the same as programs for the engine in memory."""

import secrets
from dataclasses import dataclass, replace
from typing import Any

from tests.support.engines import IMAGE, TEST_LABEL
from tests.support.memory_engine import Program, Running
from workers.engine.interface import ContainerEngine, ContainerSpec, Interrupt, LogEntry

LONG = 100_000


def _says(*lines: str, code: int = 0) -> Program:
    def program(box: Running) -> int:
        for line in lines:
            box.out(line)
        return code

    return program


def _sleeps(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    return 143


def _traps(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    box.out("bye")
    return 7


def _stubborn(box: Running) -> int:
    box.out("up")
    box.sleep(60)
    return 0


def _copies(box: Running) -> int:
    box.write("/data/out", box.read("/data/in") + b"!")
    return 0


SAY = "echo one; echo two; printf three"
FAIL = "echo no; exit 3"
WIDE = f"head -c {LONG} /dev/zero | tr '\\0' x; echo; echo end"
SLEEP = "echo up; sleep 60"
TRAP = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.1; done"
STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.1; done"
COPY = "cat /data/in > /data/out; printf '!' >> /data/out"
NOTHING = "true"
PROGRAMS: dict[str, Program] = {
    SAY: _says("one", "two", "three"),
    FAIL: _says("no", code=3),
    WIDE: _says("x" * LONG, "end"),
    SLEEP: _sleeps,
    TRAP: _traps,
    STUBBORN: _stubborn,
    COPY: _copies,
}

EXEC_SAY = "echo up; echo no >&2; exit 3"
EXEC_SLEEP = "sleep 3"
EXEC_WIDE = "head -c 100000 /dev/zero | tr '\\0' x"


def _exec_says(box: Running) -> int:
    box.out("up")
    box.out("no")
    return 3


def _exec_sleeps(box: Running) -> int:
    box.sleep(3)
    return 0


def _exec_wide(box: Running) -> int:
    box.out("x" * LONG)
    return 0


EXECS: dict[str, Program] = {EXEC_SAY: _exec_says, EXEC_SLEEP: _exec_sleeps, EXEC_WIDE: _exec_wide}


@dataclass
class Bench:
    """An engine, and specs for it that are cleaned up."""

    engine: ContainerEngine
    mark: str

    def spec(self, script: str, **changes: Any) -> ContainerSpec:
        name = f"orca-test-{secrets.token_hex(6)}"
        spec = ContainerSpec(
            name=name, image=IMAGE, entrypoint=("sh", "-c", script), labels={TEST_LABEL: self.mark}
        )
        return replace(spec, **changes)

    def started(self, script: str) -> str:
        container = self.engine.create(self.spec(script))
        self.engine.start(container)
        return container

    def ended(self, script: str) -> tuple[str, int]:
        container = self.started(script)
        return container, self.engine.wait(container, interrupt=Interrupt())

    def lines(
        self, container: str, *, follow: bool = False, since: str | None = None, tail: int | None = None
    ) -> list[LogEntry]:
        batches = self.engine.logs(container, follow=follow, since=since, tail=tail, interrupt=Interrupt())
        return [entry for batch in batches for entry in batch]
