"""Which lines of the interpreter recorded histories reach, and at which it gives Temporal a command or waits for it.

    ORCA_KEEP_HISTORIES=FOLDER pytest tests/workflow     keeps the history of each run of these tests
    python -m tests.replay.reach FOLDER                  takes over those that reach what no recorded one does
    python -m tests.replay.reach                         prints where commands are given that no recorded one reaches

Do this when the interpreter gains a kind of event. A history that is there is never replaced: it stands for the runs
that are under way somewhere.
"""

import ast
import asyncio
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

from orchestrator import interpreter
from tests.replay.replayed import HISTORIES, all_histories, name_of, replayed

ROOM: Final = Path(interpreter.__file__).parent
OF_TESTS: Final = HISTORIES / "of_tests"
MAX_BYTES: Final = 250_000
"""Of a history that is taken over."""
READS: Final = frozenset({"now", "time", "info", "all_handlers_finished", "cancellation_reason"})
"""What of the SDK's module `workflow` only looks."""


class Line(NamedTuple):
    """A line of the interpreter."""

    file: str
    """Below `ROOM`."""
    number: int


def commands() -> set[Line]:
    """Where the interpreter calls the SDK's module `workflow` for more than a look: commands, timers, waits."""
    return {
        Line(path.relative_to(ROOM).as_posix(), call.lineno)
        for path in ROOM.rglob("*.py")
        for call in _calls(ast.parse(path.read_text()))
    }


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="workflow"), attr=name)) if name not in READS:
                if not any(node in decorated.decorator_list for decorated in _functions(tree)):
                    yield node
            case _:
                pass


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    return (
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    )


async def reached(paths: Iterable[Path]) -> dict[Path, set[Line]]:
    """What each history reaches; one that is not repeated is left out, with a word on stderr."""
    lines: set[Line] = set()
    begin = f"{ROOM}/"

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(begin):
            return None
        lines.add(Line(frame.f_code.co_filename.removeprefix(begin), frame.f_lineno))
        return trace

    # Workflows run in threads of the SDK's.
    threading.settrace(trace)
    found: dict[Path, set[Line]] = {}
    async for path, failure in replayed(paths):
        if failure is None:
            found[path] = set(lines)
        else:
            sys.stderr.write(f"{name_of(path)} is not repeated: {str(failure)[:300]}\n")
        lines.clear()
    threading.settrace(None)  # pyright: ignore[reportArgumentType]
    return found


def chosen(have: set[Line], offered: dict[Path, set[Line]]) -> Iterator[Path]:
    """Of those on offer the ones that reach more; of two that reach the same the smaller. Pure but for their sizes."""
    left = {path: lines for path, lines in offered.items() if path.stat().st_size <= MAX_BYTES}
    while left:
        best = max(left, key=lambda path: len(left[path] - have) / (30_000 + path.stat().st_size))
        if not left[best] - have:
            return
        have = have | left.pop(best)
        yield best


async def missing() -> list[Line]:
    """Places that give commands, or wait, and that no recorded history reaches."""
    lines = set[Line]().union(*(await reached(all_histories())).values())
    return sorted(commands() - lines)


async def main(offered: list[Path]) -> None:
    """Take over what is worth it; where nothing is on offer say what is missing."""
    if not offered:
        for line in await missing():
            print(f"{line.file}:{line.number}")
        return
    have: set[Line] = set[Line]().union(*(await reached(all_histories())).values())
    for path in chosen(have, await reached(offered)):
        if (OF_TESTS / path.name).exists():
            sys.stderr.write(f"{path.name} is there and stays as it is; rename the new one to take it over\n")
            continue
        shutil.copy(path, OF_TESTS)
        sys.stderr.write(f"took over {path.name}\n")


if __name__ == "__main__":
    asyncio.run(main(sorted(Path(sys.argv[1]).glob("*.json")) if len(sys.argv) > 1 else []))
