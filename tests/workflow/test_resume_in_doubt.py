"""Jobs that must not run twice, of which nobody knows how far they got, in runs that are resumed."""

from collections.abc import Awaitable, Callable

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.resume import start_attempt
from tests.support.hall import asked
from tests.support.kinds import repair
from tests.support.memory_engine import MemoryEngine
from tests.support.plans import for_each, job, plan
from tests.support.resuming import planned, resumed
from tests.support.workshop import states, until
from tests.workflow.conftest import Serve
from tests.workflow.test_in_doubt import LOOK, Charge, charge, held, taken_away

End = Callable[[Client, str, MemoryEngine], Awaitable[None]]


async def _while_held(client: Client, run: str, engine: MemoryEngine) -> None:
    await taken_away(client, run, engine)
    await held(client, run)
    await asked(client, run)
    await runs.wait(client, run)


async def _while_running(client: Client, run: str, engine: MemoryEngine) -> None:
    await until(client, run, lambda _: bool(engine.list_labelled({"dev.orca.run": run})))
    await client.get_workflow_handle(run).terminate("by hand")


@pytest.mark.parametrize("end", [_while_held, _while_running])
async def test_it_is_held_again_before_it_runs(
    client: Client, serve: Serve, store_folder: str, end: End
) -> None:
    work = Charge()
    engine = MemoryEngine(programs={"charge": work})
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(charge(), job("after", "charge")))
        await end(client, run.id, engine)
        found = await planned(client, run.id, store_folder)
        assert [(one.name, one.action, one.why) for one in found.expected] == [
            ("charge", "hold", "it may have done its work (`idempotent: false`)"),
            ("after", "run", "after 'charge'"),
        ]
        await start_attempt(client, found)
        between = await held(client, run.id)
        assert (work.starts, between.attempt, between.jobs["charge"].tries) == (1, 2, 0)
        # An attempt in which nobody decided changes nothing.
        await asked(client, run.id)
        assert (await runs.wait(client, run.id)).jobs["charge"].in_doubt
        await start_attempt(client, await planned(client, run.id, store_folder))
        await held(client, run.id)
        await repair(client, run.id, "charge", "retry")
        record = await runs.wait(client, run.id)
    assert between.jobs["charge"].reason == f"lost: nobody knows how far it came in attempt 1{LOOK}"
    assert (record.status, record.attempt, work.starts) == ("success", 3, 2)
    assert not record.jobs["charge"].in_doubt


async def test_who_names_it_runs_it(client: Client, serve: Serve, store_folder: str) -> None:
    work = Charge()
    engine = MemoryEngine(programs={"charge": work})
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(charge()))
        await _while_held(client, run.id, engine)
        told, record = await resumed(client, run.id, store_folder, again=("charge",))
    assert (told, record.status, work.starts) == ({"charge": "run"}, "success", 2)


@pytest.mark.parametrize(("action", "status"), [("skip", "success"), ("fail", "failed")])
async def test_what_a_person_said_of_it_settles_the_doubt(
    client: Client, serve: Serve, store_folder: str, action: str, status: str
) -> None:
    work = Charge()
    engine = MemoryEngine(programs={"charge": work})
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(charge()))
        await taken_away(client, run.id, engine)
        await held(client, run.id)
        await repair(client, run.id, "charge", action)
        first = await runs.wait(client, run.id)
        told, record = await resumed(
            client, run.id, store_folder, again=("charge",) if action == "skip" else ()
        )
    assert (first.status, first.jobs["charge"].in_doubt) == (status, False)
    assert (told, record.status, work.starts) == ({"charge": "run"}, "success", 2)


async def test_of_variants_only_those_in_doubt(client: Client, serve: Serve, store_folder: str) -> None:
    work = Charge()
    engine = MemoryEngine(programs={"charge": work})
    node = for_each("charge", ["x", "y"], entrypoint=("charge",), idempotent=False, max_parallel=1)
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(node))
        await taken_away(client, run.id, engine)
        await until(client, run.id, lambda record: states(record, "charge").get("charge (x)") == "held")
        await asked(client, run.id)
        await runs.wait(client, run.id)
        found = await planned(client, run.id, store_folder)
        await start_attempt(client, found)
        await until(client, run.id, lambda record: states(record, "charge").get("charge (x)") == "held")
        await repair(client, run.id, "charge (x)", "set_outputs", outputs={"n": 1})
        record = await runs.wait(client, run.id)
    assert record.status == "success", record
    assert {one.name: one.action for one in found.expected}["charge (x)"] == "hold"
