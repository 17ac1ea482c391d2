"""Asking services on the engine in memory: what they are asked, how often, and what is made of slow answers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.memory_engine import MemoryEngine, Running
from tests.support.scopes import logged, made, service
from tests.support.tries import Bench, bench_around
from workers.engine.interface import ImageFacts

SLOW_LINE = "a" * 4000 + "!"
"""A pattern such as `^(a+)+$` takes a backtracking matcher for ever with it."""


def _talks(box: Running) -> int:
    for _ in range(50):
        box.out(SLOW_LINE)
    box.out("aaa")
    box.sleep(60, until_stopped=True)
    return 0


class Engine(MemoryEngine):
    """Its containers talk, and what runs inside them is told by the tests."""

    def __init__(self) -> None:
        super().__init__({"alpine:latest": ImageFacts("sha256:a")}, {"talk": _talks})


@pytest.fixture(name="bench")
async def bench_fixture(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(Engine(), tmp_path / "store") as bench:
        yield bench


async def test_no_pattern_holds_the_worker_up(bench: Bench) -> None:
    case = made(bench, "run", service(entrypoint=("talk",), health_check=logged("^(a+)+$")))
    async with asyncio.timeout(10):
        started = await case.start()
    assert [(one.state, one.check) for one in started.services] == [
        ("healthy", "a line of its log like '^(a+)+$'")
    ]
    await case.stopped_without_trace()
