"""Functions in runs on a real server: real modules in a folder, called by a real worker."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.store.store import open_store
from tests.support.calling import call_of, module
from tests.support.kinds import call
from tests.support.plans import job, plan
from tests.support.workshop import until
from tests.workflow.conftest import Serve
from workers.calling.record import prefix_of
from workers.settings import Calls


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    return Calls(modules=("*",), path=(tmp_path / "modules",))


def states(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


def made(tmp_path: Path, source: str) -> str:
    return module(tmp_path / "modules", source)


async def test_values_go_from_function_to_function(
    client: Client, serve: Serve, tmp_path: Path, calls: Calls
) -> None:
    name = made(
        tmp_path,
        """
        from orchestrator.handlers import Context, QualityMetrics, StepResult

        def search(query):
            return {"hotels": [{"name": query, "price": 1}, {"name": "b", "price": 9}]}

        async def check(ctx: Context, config):
            rows = len(ctx.output("search", "hotels", []))
            return StepResult.ok(
                {"rows": rows, "first": config["hotels"][0], "tier": ctx.vars["tier"]},
                updates={"tier": "two"},
                quality=QualityMetrics(record_count=rows, valid_count=1),
            )

        def later(ctx):
            return {"tier": ctx.vars["tier"]}
        """,
    )
    shape = plan(
        call("search", f"{name}:search", given={"query": "${{ params.query }}"}),
        call("check", f"{name}:check", "search", given={"hotels": "${{ jobs.search.outputs.hotels }}"}),
        call("later", f"{name}:later", "check"),
        vars={"tier": "one"},
        outputs={"tier": "${{ vars.tier }}"},
    )
    async with serve(client, calls=calls) as runner:
        record = await runner.run(shape, params={"query": "a"})
    assert record.error is None
    assert record.jobs["check"].outputs == {"rows": 2, "first": {"name": "a", "price": 1}, "tier": "one"}
    assert record.jobs["later"].outputs == {"tier": "two"}
    assert (record.vars, record.outputs) == ({"tier": "two"}, {"tier": "two"})
    assert record.jobs["check"].quality == {
        "record_count": 2,
        "valid_count": 1,
        "invalid_count": 1,
        "valid_rate": 0.5,
        "passed": True,
    }


async def test_of_functions_that_nothing_orders_the_plan_decides_whose_variable_stays(
    client: Client, serve: Serve, tmp_path: Path, calls: Calls
) -> None:
    name = made(
        tmp_path,
        """
        import pathlib, time
        from orchestrator.handlers import StepResult

        def slow(gate):
            while not pathlib.Path(gate).exists():
                time.sleep(0.02)
            return StepResult.ok(updates={"stage": "early", "own": "early"})

        def quick():
            return StepResult.ok(updates={"stage": "late"})

        def last():
            return StepResult.ok(updates={"own": "last"})
        """,
    )
    begin = tmp_path / "begin"
    shape = plan(
        call("early", f"{name}:slow", given={"gate": str(begin)}),
        call("late", f"{name}:quick"),
        call("last", f"{name}:last", "early"),
        vars={"stage": None, "own": None},
    )
    async with serve(client, calls=calls) as runner:
        run = await runner.start(shape)
        await until(client, run.id, lambda record: record.jobs["late"].status == "success")
        begin.touch()
        record = await runs.wait(client, run.id)
    assert (record.status, record.vars) == ("success", {"stage": "late", "own": "last"})


async def test_a_skip_satisfies_and_a_failure_says_its_category(
    client: Client, serve: Serve, tmp_path: Path, calls: Calls
) -> None:
    name = made(
        tmp_path,
        """
        from orchestrator.handlers import StepResult

        def skips():
            return StepResult.skip("already done today")

        def fails():
            return StepResult.fail("only 3 records", category="DATA_QUALITY", output={"rows": 3})

        def sets():
            return StepResult.ok(updates={"unknown": 1})
        """,
    )
    shape = plan(
        call("skips", f"{name}:skips"),
        job("after", "skips"),
        call("fails", f"{name}:fails", on_error="continue"),
        call("sets", f"{name}:sets", on_error="continue"),
    )
    async with serve(client, calls=calls) as runner:
        record = await runner.run(shape)
    assert record.status == "partial"
    assert states(record) == {"skips": "skipped", "after": "success", "fails": "failed", "sets": "failed"}
    assert record.jobs["skips"].reason == "skipped: already done today"
    assert record.jobs["fails"].reason == "call: DATA_QUALITY: only 3 records"
    assert record.jobs["fails"].outputs == {"rows": 3}
    assert record.jobs["sets"].reason == (
        "output: it set the variable 'unknown', which the spec does not declare in `vars`"
    )


async def test_retries_are_for_what_may_end_differently(
    client: Client, serve: Serve, tmp_path: Path, calls: Calls
) -> None:
    name = made(
        tmp_path,
        """
        from orchestrator.handlers import StepResult

        def third(ctx):
            if ctx.try_number < 3:
                raise ConnectionError("not yet")
            return {"tries": ctx.try_number}

        def never():
            return StepResult.fail("no", retry=False)
        """,
    )
    retry = {"max_attempts": 5, "delay": 0}
    shape = plan(
        call("third", f"{name}:third", retry=retry),
        call("never", f"{name}:never", retry=retry, on_error="continue"),
        call("none", f"{name}:none", retry=retry, on_error="continue"),
        call("timeout", f"{name}:third", retry={**retry, "on": ["timeout"]}, on_error="continue"),
    )
    async with serve(client, calls=calls) as runner:
        record = await runner.run(shape)
    tries = {name: (found.status, found.tries) for name, found in record.jobs.items()}
    assert tries == {
        "third": ("success", 3),
        "never": ("failed", 1),
        "none": ("failed", 1),
        "timeout": ("failed", 1),
    }
    assert record.jobs["third"].outputs == {"tries": 3}


async def test_each_item_is_a_call(client: Client, serve: Serve, tmp_path: Path, calls: Calls) -> None:
    name = made(tmp_path, "def f(region, ctx): return {'region': region, 'as': ctx.variant}")
    shape = plan(
        call("deploy", f"{name}:f", items=["north", "south"], given={"region": "${{ item }}"}),
        outputs={"all": "${{ join(jobs.deploy.matrix[*].outputs.region) }}"},
    )
    async with serve(client, calls=calls) as runner:
        record = await runner.run(shape)
    assert record.outputs == {"all": "north,south"}
    assert record.jobs["deploy"].variants["deploy (south)"].outputs == {"region": "south", "as": "south"}


async def test_a_function_that_heeds_nothing_does_not_hold_a_cancel_up(
    client: Client, serve: Serve, tmp_path: Path, calls: Calls
) -> None:
    name = made(tmp_path, "import time\ndef f(): time.sleep(6)")
    shape = plan(call("stuck", f"{name}:f", stop_grace=0.3), job("end", finalizer=True, on_complete="always"))
    async with serve(client, calls=calls) as runner:
        handle = await runner.start(shape)
        await until(client, handle.id, lambda record: record.jobs["stuck"].status == "running")
        await asyncio.sleep(0.5)
        await runs.cancel(client, handle.id)
        async with asyncio.timeout(5):
            record = await runs.wait(client, handle.id)
    assert (record.status, states(record)) == ("cancelled", {"stuck": "cancelled", "end": "success"})
    (warning,) = record.jobs["stuck"].warnings
    assert warning.startswith(
        "the function did not end within its grace of 0.3 s and still runs in the worker"
    )


async def test_a_timeout_ends_a_function(client: Client, serve: Serve, tmp_path: Path, calls: Calls) -> None:
    name = made(tmp_path, "def f(ctx): ctx.cancelled.wait(30)")
    async with serve(client, calls=calls) as runner:
        record = await runner.run(plan(call("nap", f"{name}:f", timeout=0.5)))
    assert record.jobs["nap"].reason == "timeout: the function took longer than its timeout of 0.5 s"


async def test_a_call_whose_worker_died_is_lost_and_made_again_where_retry_says_so(
    client: Client, serve: Serve, tmp_path: Path, calls: Calls
) -> None:
    name = made(
        tmp_path,
        """
        import pathlib

        def f(ctx, file):
            with pathlib.Path(file).open("a") as out:
                out.write(f"{ctx.run_id} {ctx.job} {ctx.try_number}\\n")
            return {"try": ctx.try_number}
        """,
    )
    file = tmp_path / "made"
    again = {"max_attempts": 2, "delay": 0, "on": ["lost"]}
    shape = plan(
        call("kept", f"{name}:f", given={"file": str(file)}, on_error="continue"),
        call("again", f"{name}:f", given={"file": str(file)}, retry=again),
    )
    store = open_store(str(tmp_path / "store"))
    async with serve(client, shared=False) as runner:
        handle = await runner.start(shape)
        # What a worker that was killed leaves: the claim of its first tries, and no end.
        for name in ("kept", "again"):
            request = call_of("f", run_id=handle.id, job=name)
            assert await store.put_new(f"{prefix_of(request)}host", b"host")
    async with serve(client, queue=runner.task_queue, calls=calls):
        record = await runs.wait(client, handle.id)
    assert record.jobs["kept"].reason == (
        "lost: the worker on host 'host' ended while it had the call, and a function cannot be taken over; it may have "
        "done its work. `retry` with `on: [lost]` calls it again"
    )
    assert (record.jobs["again"].outputs, record.jobs["again"].tries) == ({"try": 2}, 2)
    assert file.read_text() == f"{handle.id} again 2\n"


async def test_arguments_that_cannot_be_evaluated_or_are_too_much(
    client: Client, serve: Serve, tmp_path: Path, calls: Calls
) -> None:
    name = made(tmp_path, "def f(a): return {}")
    shape = plan(
        call("bad", f"{name}:f", given={"a": ["${{ fromJSON('{') }}"]}, on_error="continue"),
        call("large", f"{name}:f", given={"a": "${{ params.big }}"}, on_error="continue"),
        call("unknown", f"{name}:f", given={"b": 1}, on_error="continue"),
    )
    async with serve(client, calls=calls) as runner:
        record = await runner.run(shape, params={"big": "x" * 300_000})
    assert (record.jobs["bad"].reason or "").startswith("expression: `with.a` of job 'bad': ")
    assert (record.jobs["large"].reason or "").startswith(
        "expression: `with` of job 'large' takes 300,009 bytes as JSON, and 262,144 is the limit"
    )
    assert "f() needs 'a', which `with` does not have" in (record.jobs["unknown"].reason or "")
