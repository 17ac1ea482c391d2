"""Several workers that allow different things: a call goes to one that may make it, whoever takes it first."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.connect import connect
from orchestrator.contract.messages import RunRecord
from orchestrator.interpreter import dispatch, try_errands
from orchestrator.store.store import open_store
from tests.support.calling import call_of, module
from tests.support.house import House, activities, service, until, with_services
from tests.support.http_server import said_json, serving
from tests.support.kinds import call
from tests.support.plans import plan
from tests.workflow.conftest import Serve
from tests.workflow.test_capacity import LARGE, SMALL, asks, summaries
from workers.calling.record import prefix_of
from workers.placement import board, callers
from workers.settings import Calls

NONE = Calls()
TOOLS = """
    import pathlib, time

    def add(a, b):
        return {"sum": a + b}

    def hold(ctx, file):
        with pathlib.Path(file + ".begun").open("a") as out:
            out.write(ctx.job)
        while not pathlib.Path(file).exists() and not ctx.cancelled.wait(0.02):
            pass
    """


@pytest.fixture
def tools(tmp_path: Path) -> str:
    """The name of a module."""
    return module(tmp_path / "modules", TOOLS)


def allowing(tmp_path: Path, *modules: str, hosts: tuple[str, ...] = ()) -> Calls:
    return Calls(modules=modules, path=(tmp_path / "modules",), hosts=hosts)


def all_done(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


@pytest.mark.parametrize("host", ["b", "host"])
async def test_a_call_goes_to_the_worker_that_allows_it(
    server: str, client: Client, serve: Serve, tmp_path: Path, tools: str, host: str
) -> None:
    # A client takes no second worker for one queue: here that of the host.
    other = await connect(server)
    async with (
        serve(client, calls=NONE) as runner,
        serve(other, queue=runner.task_queue, shared=False, host=host, calls=allowing(tmp_path, tools)),
    ):
        handle = await runner.start(plan(call("sum", f"{tools}:add", given={"a": 1, "b": 2})))
        record = await runs.wait(client, handle.id)
    found = record.jobs["sum"]
    assert (found.status, found.outputs, found.tries) == ("success", {"sum": 3}, 1)
    assert found.history[0].host == host
    assert await activities(client, handle.id) == [("sum", "sum"), ("sum", "sum (dispatch 2)")]
    assert f"(sent to host '{host}', which allows it)" in (await summaries(client, handle.id))[1]


async def test_two_workers_of_one_queue_share_what_both_may_do(
    server: str, client: Client, serve: Serve, tmp_path: Path, tools: str
) -> None:
    both = allowing(tmp_path, tools)
    second, third = [await connect(server) for _ in range(2)]
    async with (
        serve(client, calls=NONE, slots=4) as runner,
        serve(second, queue=runner.task_queue, host="b", calls=both, places=2, slots=2, decides=False),
        serve(third, queue=runner.task_queue, host="c", calls=both, places=2, slots=2, decides=False),
    ):
        record = await runner.run(
            plan(
                call(
                    "sum",
                    f"{tools}:add",
                    items=list(range(40)),
                    given={"a": "${{ item }}", "b": "${{ item }}"},
                )
            )
        )
    variants = record.jobs["sum"].variants.values()
    assert record.jobs["sum"].summary == "40/40 passed", record
    assert [each.outputs["sum"] for each in variants] == [2 * n for n in range(40)]
    assert {each.history[0].host for each in variants} == {"b", "c"}


async def test_a_request_goes_to_the_worker_that_may_ask_there(
    client: Client, serve: Serve, tmp_path: Path
) -> None:
    with serving(lambda _: said_json({"n": 1})) as server:
        async with (
            serve(client, calls=Calls(hosts=("other.example",))) as runner,
            serve(client, queue=runner.task_queue, shared=False, host="b", calls=Calls(hosts=("127.0.0.1",))),
        ):
            record = await runner.run(plan(call("ask", "http", given={"url": server.url})))
    assert (record.jobs["ask"].outputs["body"], record.jobs["ask"].history[0].host) == ({"n": 1}, "b")


async def test_what_no_worker_allows_fails_and_says_what_each_does(
    client: Client, serve: Serve, tmp_path: Path, tools: str
) -> None:
    shape = plan(
        call("sum", f"{tools}:add", retry={"max_attempts": 3}, on_error="continue"),
        call("ask", "http", given={"url": "https://ann:pw@a.example/x?key=1"}, on_error="continue"),
        call("wrong", "http", given={"url": "ftp://a.example"}, on_error="continue"),
    )
    async with (
        serve(client, calls=NONE) as runner,
        serve(client, queue=runner.task_queue, shared=False, host="b", calls=Calls(modules=("json", "x.*"))),
    ):
        record = await runner.run(shape)
    reasons = {name: found.reason for name, found in record.jobs.items()}
    assert reasons["sum"] == (
        f"call: '{tools}:add' is not called: no worker allows module '{tools}' (host 'host' allows none; host 'b' "
        f"allows json, x.*); add '{tools}' to the ORCA_CALL_MODULES of one of them, or start one with --allow-calls "
        f"{tools}"
    )
    assert reasons["ask"] == (
        "call: 'https://a.example/x' is not asked: no worker allows host 'a.example' (host 'host' allows none; host "
        "'b' allows none); add 'a.example' to the ORCA_HTTP_HOSTS of one of them, or start one with --allow-hosts "
        "a.example"
    )
    assert (reasons["wrong"] or "").startswith("call: `url` must begin with http:// or https://")
    assert [found.tries for found in record.jobs.values()] == [1, 1, 1]


async def test_however_many_calls_wait_for_a_worker_its_containers_go_on(
    client: Client, serve: Serve, tmp_path: Path, tools: str
) -> None:
    house, file = House(), tmp_path / "go"
    calls = plan(call("hold", f"{tools}:hold", items=list(range(30)), given={"file": str(file)}))
    containers = plan(with_services("unit", service(), resources=asks(2)))
    async with (
        serve(client, calls=NONE, offer=SMALL, slots=2) as runner,
        serve(
            client,
            engine=house.engine,
            queue=runner.task_queue,
            shared=False,
            host="b",
            offer=LARGE,
            calls=allowing(tmp_path, tools),
            places=1,
        ),
    ):
        handle = await runner.start(calls)
        record = await until(client, handle.id, lambda found: waiting(found, least=29))
        assert "waiting for room on host 'b': it runs at most 1 jobs at a time" in reasons_of(record)
        # None of them holds up what others can do, nor what only that host can.
        async with asyncio.timeout(20):
            assert all_done(await runner.run(containers)) == {"unit": "success"}
        assert (tmp_path / "go.begun").read_text() == "hold"
        file.touch()
        record = await runs.wait(client, handle.id)
    assert record.jobs["hold"].summary == "30/30 passed"
    assert (tmp_path / "go.begun").read_text() == "hold" * 30
    assert house.left == ([], [])


def reasons_of(record: RunRecord) -> list[str]:
    return [each.reason or "" for found in record.jobs.values() for each in found.variants.values()]


def waiting(record: RunRecord, *, least: int) -> bool:
    return sum("room on host" in reason for reason in reasons_of(record)) >= least


async def test_a_cancel_ends_calls_that_wait_for_their_turn(
    client: Client, serve: Serve, tmp_path: Path, tools: str
) -> None:
    file = tmp_path / "go"
    first = plan(call("hold", f"{tools}:hold", given={"file": str(file)}))
    second = plan(call("hold", f"{tools}:hold", items=[1, 2, 3], given={"file": str(file)}))
    async with (
        serve(client, calls=NONE) as runner,
        serve(
            client,
            queue=runner.task_queue,
            shared=False,
            host="b",
            calls=allowing(tmp_path, tools),
            places=1,
        ),
    ):
        holding = await runner.start(first)
        await until(client, holding.id, lambda _: (tmp_path / "go.begun").exists())
        handle = await runner.start(second)
        await until(client, handle.id, lambda record: waiting(record, least=3))
        await runs.cancel(client, handle.id)
        async with asyncio.timeout(10):
            record = await runs.wait(client, handle.id)
        file.touch()
        assert (await runs.wait(client, holding.id)).status == "success"
    assert {each.status for each in record.jobs["hold"].variants.values()} == {"cancelled"}
    assert (tmp_path / "go.begun").read_text() == "hold"


async def test_calls_wait_for_a_worker_that_is_started_anew(
    client: Client, serve: Serve, tmp_path: Path, tools: str
) -> None:
    calls = allowing(tmp_path, tools)
    async with serve(client, calls=NONE) as runner:
        async with serve(client, queue=runner.task_queue, shared=False, host="b", calls=calls):
            pass
        handle = await runner.start(plan(call("sum", f"{tools}:add", given={"a": 1, "b": 2})))
        await sent(client, handle.id)
        async with serve(client, queue=runner.task_queue, shared=False, host="b", calls=calls):
            record = await runs.wait(client, handle.id)
    assert (record.jobs["sum"].outputs, record.jobs["sum"].tries) == ({"sum": 3}, 1)


async def sent(client: Client, run: str) -> None:
    async with asyncio.timeout(20):
        while len(await activities(client, run)) < 2:
            await asyncio.sleep(0.05)


async def test_calls_do_not_wait_for_ever_for_one_that_has_gone(
    client: Client, serve: Serve, tmp_path: Path, tools: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "HOST_START_WAIT", 1.0)
    monkeypatch.setattr(board, "WRITE_EVERY", 0.5)
    monkeypatch.setattr(board, "WRITE_PAUSE", 0.1)
    # Until two seconds after its end.
    monkeypatch.setattr(callers, "RETURNS_WITHIN", timedelta(seconds=2) - callers.ALIVE)
    async with serve(client, calls=NONE) as runner:
        async with serve(
            client, queue=runner.task_queue, shared=False, host="b", calls=allowing(tmp_path, tools)
        ):
            pass
        handle = await runner.start(plan(call("sum", f"{tools}:add", given={"a": 1, "b": 2})))
        record = await runs.wait(client, handle.id)
    assert (record.jobs["sum"].reason or "").startswith(
        f"call: '{tools}:add' is not called: module '{tools}' is not allowed on this worker (it allows none)"
    )
    assert len(await activities(client, handle.id)) > 2, "it was sent to the one that had gone"


async def haunt(store: str, run: str, job: str) -> None:
    """Leave what a worker does that has begun a call and died."""
    request = call_of("f", run_id=run, job=job)
    assert await open_store(store).put_new(f"{prefix_of(request)}host", b"ghost#1234")


async def test_a_call_whose_worker_does_not_come_back_is_lost_before_long(
    client: Client,
    serve: Serve,
    tmp_path: Path,
    tools: str,
    store_folder: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(try_errands, "REJOIN_WAIT", 1.0)
    again = {"max_attempts": 2, "delay": 0, "on": ["lost"]}
    shape = plan(
        call("kept", f"{tools}:add", given={"a": 1, "b": 2}, on_error="continue"),
        call("again", f"{tools}:add", given={"a": 1, "b": 2}, retry=again),
    )
    async with serve(client, shared=False) as runner:
        handle = await runner.start(shape)
        for name in ("kept", "again"):
            await haunt(store_folder, handle.id, name)
        async with serve(client, queue=runner.task_queue, host="b", calls=allowing(tmp_path, tools)):
            record = await runs.wait(client, handle.id)
    kept, other = record.jobs["kept"], record.jobs["again"]
    assert kept.reason == (
        "lost: the worker on host 'ghost' ended while it had the call, and a function cannot be taken over; it may "
        "have done its work. `retry` with `on: [lost]` calls it again"
    )
    assert (other.outputs, other.tries, [each.host for each in other.history]) == (
        {"sum": 3},
        2,
        ["ghost", "b"],
    )
    keys = [key for _, key in await activities(client, handle.id)]
    assert sorted(key for key in keys if key.startswith("kept")) == [
        "kept",
        "kept (dispatch 2)",
        "kept (dispatch 3)",
    ]


async def test_a_call_is_lost_also_where_all_that_could_say_so_are_busy(
    client: Client,
    serve: Serve,
    tmp_path: Path,
    tools: str,
    store_folder: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(try_errands, "REJOIN_WAIT", 2.0)
    file = tmp_path / "go"
    async with serve(client, shared=False) as runner:
        first = await runner.start(plan(call("sum", f"{tools}:add")))
        await haunt(store_folder, first.id, "sum")
        calls = allowing(tmp_path, tools)
        async with serve(client, queue=runner.task_queue, host="b", calls=calls, slots=1):
            await sent(client, first.id)
            second = await runner.start(plan(call("hold", f"{tools}:hold", given={"file": str(file)})))
            record = await runs.wait(client, first.id)
            file.touch()
            assert (await runs.wait(client, second.id)).status == "success"
    assert record.jobs["sum"].reason == (
        "lost: the job's outcome is not known: host 'ghost', which had the function, did not come back within 2 s"
    )


async def test_a_cancel_reaches_a_call_whose_worker_has_died(
    client: Client, serve: Serve, tmp_path: Path, tools: str, store_folder: str
) -> None:
    async with serve(client, shared=False) as runner:
        handle = await runner.start(plan(call("sum", f"{tools}:add")))
        await haunt(store_folder, handle.id, "sum")
        async with serve(client, queue=runner.task_queue, host="b", calls=allowing(tmp_path, tools)):
            await sent(client, handle.id)
            await runs.cancel(client, handle.id)
            async with asyncio.timeout(10):
                record = await runs.wait(client, handle.id)
    assert record.jobs["sum"].status == "cancelled"
