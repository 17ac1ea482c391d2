"""Real functions in real threads, with a real store: how they end, what they say, what becomes of those that stay."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from orchestrator.contract.failures import FailureKind
from tests.support.calling import CallBench, call_of, threads_named
from workers.calling.voice import BACKLOG, Voice, listening, speaking
from workers.supervision.attempt import Elsewhere


@pytest.fixture
def bench(tmp_path: Path) -> CallBench:
    return CallBench(tmp_path)


async def test_a_function_is_given_its_arguments_and_the_run(bench: CallBench) -> None:
    name = bench.module(
        """
        def f(ctx, hotels, max_price):
            return {
                "cheap": [h for h in hotels if h <= max_price],
                "who": [ctx.run_id, ctx.attempt, ctx.spec, ctx.job, ctx.variant, ctx.try_number],
                "seen": [ctx.param("query"), ctx.output("search", "rows"), ctx.vars["n"]],
            }
        """
    )
    request = call_of(
        f"{name}:f",
        arguments={"hotels": [1, 9], "max_price": 5},
        params={"query": "q"},
        outputs={"search": {"rows": 2}},
        vars={"n": 1},
        variant="eu",
        try_number=2,
    )
    outcome = await bench.run(request)
    assert outcome.outputs == {
        "cheap": [1],
        "who": [request.run_id, 1, "test", "call", "eu", 2],
        "seen": ["q", 2, 1],
    }
    assert (outcome.status, outcome.host, outcome.exit_code) == ("success", "host", None)
    assert outcome.started_at is not None
    assert outcome.finished_at is not None
    assert outcome.started_at <= outcome.finished_at


async def test_an_asynchronous_function_may_block_its_own_loop(bench: CallBench) -> None:
    source = """
        import asyncio, time

        async def f():
            await asyncio.sleep(0)
            time.sleep(0.5)
            return {"a": 1}
        """
    call = asyncio.create_task(bench.call(source))
    turns, end = 0, time.monotonic() + 0.4
    while time.monotonic() < end:
        await asyncio.sleep(0.01)
        turns += 1
    assert (await call).outputs == {"a": 1}
    assert turns > 10


async def test_an_error_is_told_with_its_type_text_and_place(bench: CallBench) -> None:
    name = bench.module(
        """
        import json

        def f():
            read("{")

        def read(text):
            json.loads(text)
        """
    )
    request = call_of(f"{name}:f")
    outcome = await bench.run(request)
    assert str(outcome.reason) == (
        "call: JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1) "
        f"({name}.py:8 in read)"
    )
    log = await bench.log(request)
    assert log[0] == "Traceback (most recent call last):"
    assert f'"{bench.folder}/{name}.py", line 5, in f' in log[1]
    assert log[-1] == f"orca: {outcome.reason}"
    assert not [line for line in log if "workers/calling" in line]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError", "ValueError ("),
        ("raise SystemExit(3)", "SystemExit: 3 ("),
        ("raise KeyboardInterrupt", "KeyboardInterrupt ("),
        ("raise StopIteration", "StopIteration ("),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError ("),
    ],
)
async def test_whatever_a_function_raises_is_its_failure(bench: CallBench, body: str, said: str) -> None:
    outcome = await bench.call(f"def f(): {body}")
    assert outcome.reason is not None
    assert outcome.reason.kind is FailureKind.CALL
    assert outcome.reason.message.startswith(said)
    assert not outcome.final


async def test_what_a_function_prints_and_logs_is_in_its_own_log(bench: CallBench) -> None:
    name = bench.module(
        """
        import logging, sys, time

        def f(ctx, n):
            print("begin", n, end="")
            time.sleep(0.05)
            print(" rest", n)
            logging.getLogger("mine").warning("careful %s", n)
            print("error", n, file=sys.stderr)
            ctx.log("row", n)
            print("no end", end="")
        """
    )
    requests = [call_of(f"{name}:f", arguments={"n": n}) for n in range(5)]
    with listening():
        await asyncio.gather(*(bench.run(request) for request in requests))
    for n, request in enumerate(requests):
        assert await bench.log(request) == [
            f"begin {n} rest {n}",
            f"WARNING mine: careful {n}",
            f"error {n}",
            f"row {n}",
            "no end",
        ]


async def test_a_function_that_says_much_waits_for_the_store(bench: CallBench) -> None:
    name = bench.module("def f(ctx):\n  for n in range(20_000):\n    ctx.log(n)")
    request = call_of(f"{name}:f")
    assert (await bench.run(request)).status == "success"
    assert await bench.log(request) == [str(n) for n in range(20_000)]


@pytest.mark.parametrize("end", ["raise ValueError('no rows')", "return StepResult.fail('no rows')"])
async def test_a_function_that_says_much_and_then_fails_comes_to_its_end(bench: CallBench, end: str) -> None:
    # As many lines as may wait: there is no room for what the worker itself says of the failure.
    name = bench.module(
        f"""
        from orchestrator.handlers import StepResult

        def f():
            print("\\n".join(str(n) for n in range({BACKLOG})))
            {end}
        """
    )
    request = call_of(f"{name}:f")
    with listening():
        outcome = await asyncio.wait_for(bench.run(request), 10)
    assert "no rows" in str(outcome.reason)
    log = await bench.log(request)
    assert log[:BACKLOG] == [str(n) for n in range(BACKLOG)]
    assert log[-1] == f"orca: {outcome.reason}"


async def test_what_the_loop_does_for_a_function_does_not_speak_for_it(bench: CallBench) -> None:
    """What is said on the loop would wait there for room that only the loop makes."""
    heard: list[Voice | None] = []
    request = call_of(f"{bench.module('def f(ctx): ctx.heartbeat()')}:f")
    await bench.caller.run(request, lambda _: heard.append(speaking.get()), lambda: "cancel")
    assert len(heard) > 1
    assert set(heard) == {None}


NAP = """
    import asyncio, time

    def heeds(ctx):
        ctx.log("begun")
        if ctx.cancelled.wait(30):
            ctx.log("heeded")

    async def sleeps(ctx):
        ctx.log("begun")
        try:
            await asyncio.sleep(30)
        finally:
            ctx.log("heeded")

    def ignores(ctx, seconds=3):
        ctx.log("begun")
        time.sleep(seconds)
    """


@pytest.mark.parametrize("function", ["heeds", "sleeps"])
async def test_a_timeout_ends_a_function_that_heeds_it(bench: CallBench, function: str) -> None:
    request = call_of(f"{bench.module(NAP)}:{function}", timeout=0.3)
    outcome = await bench.run(request)
    assert str(outcome.reason) == "timeout: the function took longer than its timeout of 0.3 s"
    assert outcome.warnings == ()
    assert await bench.log(request) == ["begun", "heeded", f"orca: {outcome.reason}"]


@pytest.mark.parametrize("function", ["heeds", "sleeps"])
async def test_a_cancelled_function_ends(bench: CallBench, function: str) -> None:
    request = call_of(f"{bench.module(NAP)}:{function}")
    call = asyncio.create_task(bench.run(request))
    await asyncio.sleep(0.4)
    call.cancel()
    outcome = await call
    assert (outcome.status, str(outcome.reason)) == ("cancelled", "cancelled: the run was cancelled")
    assert "heeded" in await bench.log(request)


async def test_a_function_that_heeds_nothing_is_left_behind_and_that_is_told(bench: CallBench) -> None:
    request = call_of(f"{bench.module(NAP)}:ignores", job="stuck", timeout=0.2, stop_grace=0.2)
    begun = time.monotonic()
    outcome = await bench.run(request)
    assert time.monotonic() - begun < 2
    assert str(outcome.reason) == "timeout: the function took longer than its timeout of 0.2 s"
    assert outcome.warnings == (
        "the function did not end within its grace of 0.2 s and still runs in the worker on host 'host', until it ends "
        "by itself or the worker does",
    )
    assert (await bench.log(request))[-1] == f"orca: warning: {outcome.warnings[0]}"
    (thread,) = threads_named("call stuck")
    assert thread.daemon
    await asyncio.to_thread(thread.join)


async def test_a_call_that_was_given_up_goes_on_and_is_joined(bench: CallBench) -> None:
    name = bench.module(
        """
        import pathlib, time

        def f(file):
            with pathlib.Path(file).open("a") as out:
                out.write("x")
            time.sleep(0.6)
            return {"a": 1}
        """
    )
    file = bench.folder / "runs"
    request = call_of(f"{name}:f", arguments={"file": str(file)})
    bench.cause = "detach"
    first = asyncio.create_task(bench.run(request))
    await asyncio.sleep(0.2)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await bench.run(request)).outputs == {"a": 1}
    # And once more, after its end: from the store.
    assert (await bench.run(request, bench.another())).outputs == {"a": 1}
    assert file.read_text() == "x"


async def test_a_call_whose_worker_died_is_lost_and_not_made_again(bench: CallBench) -> None:
    request = call_of(f"{bench.module(NAP)}:heeds", stop_grace=0.1)
    bench.cause = "detach"
    call = asyncio.create_task(bench.run(request))
    await asyncio.sleep(0.3)
    # Another process on the same host: it finds the claim, and no end.
    outcome = await bench.run(request, bench.another())
    assert str(outcome.reason) == (
        "lost: the worker on host 'host' ended while it had the call, and a function cannot be taken over; it may have "
        "done its work. `retry` with `on: [lost]` calls it again"
    )
    bench.cause = "cancel"
    call.cancel()
    await call


async def test_a_call_that_another_host_has_is_sent_there(bench: CallBench) -> None:
    request = call_of(f"{bench.module(NAP)}:heeds", stop_grace=0.1)
    call = asyncio.create_task(bench.run(request))
    await asyncio.sleep(0.3)
    for told in (request, request.model_copy(update={"cancelled": True})):
        with pytest.raises(Elsewhere) as caught:
            await bench.run(told, bench.another("other"))
        assert caught.value.host == "host"
    call.cancel()
    await call


async def test_a_call_that_was_cancelled_before_it_began_is_not_made(bench: CallBench) -> None:
    request = call_of(f"{bench.module('def f(): raise AssertionError')}:f", cancelled=True)
    assert (await bench.run(request)).status == "cancelled"


async def test_a_stopping_worker_lets_a_function_come_to_its_end(bench: CallBench) -> None:
    bench.cause, bench.leaving = "detach", True
    call = asyncio.create_task(bench.run(call_of(f"{bench.module(NAP)}:ignores", arguments={"seconds": 0.8})))
    await asyncio.sleep(0.3)
    call.cancel()
    assert (await call).status == "success"


async def test_a_stopping_worker_does_not_wait_for_ever(bench: CallBench) -> None:
    bench.cause, bench.leaving = "detach", True
    request = call_of(f"{bench.module(NAP)}:heeds", stop_grace=0.3)
    call = asyncio.create_task(bench.run(request))
    await asyncio.sleep(0.3)
    call.cancel()
    outcome = await call
    assert str(outcome.reason) == (
        "lost: the worker was stopped while the function ran, and a function cannot be taken over; `retry` with "
        "`on: [lost]` calls it again"
    )
    assert "heeded" in await bench.log(request)


async def test_a_stopping_worker_cuts_the_grace_of_a_cancel_short(bench: CallBench) -> None:
    request = call_of(f"{bench.module(NAP)}:ignores", arguments={"seconds": 12}, stop_grace=60.0)
    call = asyncio.create_task(bench.run(request))
    await asyncio.sleep(0.3)
    call.cancel()
    await asyncio.sleep(0.3)
    bench.cause, bench.leaving = "detach", True
    begun = time.monotonic()
    call.cancel()
    outcome = await call
    assert (outcome.status, str(outcome.reason)) == ("cancelled", "cancelled: the run was cancelled")
    assert time.monotonic() - begun < 11
    assert outcome.warnings[0].startswith("the function did not end within its grace of 7.5 s and still runs")


async def test_a_function_can_say_that_it_goes_on(bench: CallBench) -> None:
    outcome = await bench.call("def f(ctx):\n  ctx.heartbeat()\n  return {}")
    assert outcome.status == "success"
    assert {beat.host for beat in bench.beats} == {"host"}


async def test_many_calls_leave_no_threads(bench: CallBench) -> None:
    name = bench.module("def f(n): return {'n': n}")
    before = threading.active_count()
    outcomes = await asyncio.gather(*(bench.run(call_of(f"{name}:f", arguments={"n": n})) for n in range(50)))
    assert [outcome.outputs["n"] for outcome in outcomes] == list(range(50))
    await asyncio.sleep(0.2)
    # The store keeps a few threads of its own.
    assert threading.active_count() <= before + 12
