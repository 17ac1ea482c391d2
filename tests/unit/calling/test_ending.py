"""Functions that end oddly, in real threads: their errors and results are the author's code, which may do anything."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.calling import CallBench, call_of
from workers.calling.voice import listening


@pytest.fixture
def bench(tmp_path: Path) -> CallBench:
    return CallBench(tmp_path)


ODD = """
    import threading
    from orchestrator.handlers import QualityMetrics, StepResult

    class Silent(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    def silent():
        raise Silent

    def half():
        print("\\ud800 printed")
        raise ValueError("half \\ud800 of it")

    def syntax():
        raise SyntaxError("odd", (3, "a", [], {}))

    def chained():
        error = ValueError("outer")
        error.__notes__ = 3
        raise error from Silent()

    class Leaves(dict):
        def items(self):
            raise SystemExit(3)

    def leaves():
        return Leaves(a=1)

    class Odd:
        @property
        def __class__(self):
            raise RuntimeError("no class")

    def odd():
        return Odd()

    class Told(dict):
        def items(self):
            print("in " + threading.current_thread().name)
            return super().items()

    def told():
        return Told(a=1)
    """


@pytest.mark.parametrize(
    ("function", "reason", "final"),
    [
        ("silent", "call: Silent: its text cannot be had, since making it raises RuntimeError (", False),
        ("half", "call: ValueError: half ? of it (", False),
        ("syntax", "call: SyntaxError: odd", False),
        ("chained", "call: ValueError: outer (", False),
        ("leaves", "output: what the function returned cannot be read, since code of its own fails", True),
        ("odd", "call: RuntimeError: no class (", False),
    ],
)
async def test_what_cannot_be_read_is_a_failure_of_the_function(
    bench: CallBench, function: str, reason: str, final: bool
) -> None:
    request = call_of(f"{bench.module(ODD)}:{function}")
    with listening():
        outcome = await bench.run(request)
    assert str(outcome.reason).startswith(reason)
    assert outcome.final is final
    # It is in the store, too.
    assert await bench.run(request, bench.another()) == outcome
    assert (await bench.log(request))[-1] == f"orca: {outcome.reason}"


async def test_what_is_returned_is_read_in_the_function_s_own_thread(bench: CallBench) -> None:
    request = call_of(f"{bench.module(ODD)}:told", job="mine")
    with listening():
        assert (await bench.run(request)).outputs == {"a": 1}
    assert await bench.log(request) == ["in call mine"]


async def test_a_large_result_does_not_hold_up_the_loop(bench: CallBench) -> None:
    source = """
        class Slow(dict):
            def items(self):
                import time
                time.sleep(0.6)
                return super().items()

        def f():
            return Slow(a="x" * 50_000_000)
        """
    call = asyncio.create_task(bench.call(source))
    longest, last = 0.0, time.monotonic()
    while not call.done():
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert str((await call).reason).startswith("output: the outputs take more than 65,536 bytes")
    assert longest < 0.5


async def test_a_long_traceback_is_cut(bench: CallBench) -> None:
    request = call_of(f"{bench.module('def f(): raise ValueError(chr(120) * 1_000_000)')}:f")
    outcome = await bench.run(request)
    assert len(str(outcome.reason)) < 1200
    log = await bench.log(request)
    assert any(line.endswith(" characters left out]") for line in log)
    assert sum(len(line) for line in log) < 300_000
