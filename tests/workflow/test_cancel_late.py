"""Cancels near the end of a run, and ends of runs that drain, on a real server."""

import asyncio
from typing import Any

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.plan.model import Plan
from tests.support.hall import LAST, Hall, asked, begun, does, ended, ends, refused
from tests.support.house import READY, service
from tests.support.kinds import gate, nested
from tests.support.plans import job, plan
from tests.support.workshop import until
from tests.workflow.conftest import Serve
from tests.workflow.test_cancel_everywhere import PROGRAMS, Slow


async def test_a_finalizer_that_is_a_nested_workflow_runs_after_a_drain(client: Client, serve: Serve) -> None:
    hall = Hall()
    inner = plan(job("clean"), job("after", "clean"), spec="inner")
    shape = plan(does("work", "until"), nested("end", "p", **LAST), workflows={"p": inner})
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(shape)
        await begun(client, run.id, hall, "work")
        await asked(client, run.id, "drain")
        hall.go.set()
        record = await ended(client, run.id)
        below = await runs.record(client, record.jobs["end"].child)
    assert ends(record) == {"work": "success", "end": "success"}
    assert (below.status, ends(below)) == ("success", {"clean": "success", "after": "success"})


async def test_the_timeout_counts_while_a_run_drains(client: Client, serve: Serve) -> None:
    hall = Hall()
    shape = plan(does("work", "until"), gate("ask", **LAST), timeout=3)
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(shape)
        await begun(client, run.id, hall, "work")
        await asked(client, run.id, "drain")
        async with asyncio.timeout(20):
            # Nobody lets the container go: only the stop at the timeout ends it.
            await until(client, run.id, lambda record: record.jobs["ask"].gate is not None)
            await asked(client, run.id)
            record = await ended(client, run.id)
    assert ends(record) == {"work": "cancelled", "ask": "cancelled"}
    assert record.error == "timeout: the run took longer than its timeout of 3 s"


def _sharing() -> Plan:
    return plan(job("work", shared_services=("db",)), services=(service("db", health_check=READY),))


@pytest.mark.parametrize("how", ["drain", "graceful", "signal", "server"])
async def test_when_all_jobs_have_ended_it_is_too_late(client: Client, serve: Serve, how: Any) -> None:
    engine = Slow("remove_network", PROGRAMS)
    late = (
        "all jobs of the run have ended, so that there is nothing left to cancel: only shared services are being "
        "stopped; '--mode force' waits for that no longer than 10 seconds"
    )
    async with serve(client, engine=engine) as runner:
        run = await runner.start(_sharing())
        assert await asyncio.to_thread(engine.there.wait, 30)
        match how:
            case "signal":
                await run.signal("cancel", {"mode": "drain"})
                await until(client, run.id, lambda record: bool(record.ignored))
            case "server":
                await runs.cancel(client, run.id)
            case _:
                assert await refused(client, run.id, how) == late
        engine.go.set()
        record = await runs.wait(client, run.id)
    assert (record.status, ends(record), record.cancel) == ("success", {"work": "success"}, None)
    assert [one.why for one in record.ignored] == ([late] if how == "signal" else [])


async def test_force_ends_the_wait_for_services_and_not_the_success(client: Client, serve: Serve) -> None:
    engine = Slow("remove_network", PROGRAMS)
    async with serve(client, engine=engine) as runner:
        run = await runner.start(_sharing())
        assert await asyncio.to_thread(engine.there.wait, 30)
        said = await asked(client, run.id, "force")
        again = await refused(client, run.id, "force")
        async with asyncio.timeout(30):
            record = await runs.wait(client, run.id)
        engine.go.set()
    assert said.message == (
        "all jobs of the run have ended, and how it ends stays as it is: its shared services have 10 seconds to stop"
    )
    assert again == "the run is being ended by force already"
    assert (record.status, ends(record), record.cancel) == ("success", {"work": "success"}, None)
