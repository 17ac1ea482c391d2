"""Jobs that are marked as not idempotent: a try of which nobody knows how far it got is put before a person."""

import asyncio
from typing import Any

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.plan.model import ContainerNode
from tests.support.kinds import repair
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import for_each, job, plan
from tests.support.workshop import states, until
from tests.workflow.conftest import Serve

RETRY = {"max_attempts": 5, "delay": 0}
LOOK = (
    "; it may have done its work and is marked `idempotent: false`, so that it is not tried again by itself: see what "
    "it has done, and then say `orca retry`, `orca skip`, `orca set-output` or `orca fail`"
)


class Charge:
    """A container that must not run twice: the first one naps until it is taken away, later ones succeed or fail."""

    def __init__(self, later: int = 0) -> None:
        self.starts = 0
        self.later = later

    def __call__(self, box: Running) -> int:
        self.starts += 1
        if self.starts == 1:
            box.out("begun")
            box.sleep(60)
        box.write("/orca/output", b"n=1")
        return self.later


def charge(**fields: Any) -> ContainerNode:
    return job("charge", entrypoint=("charge",), idempotent=False, retry=RETRY, **fields)


async def taken_away(client: Client, run: str, engine: MemoryEngine) -> None:
    """Its container is removed by hand while it runs."""
    async with asyncio.timeout(30):
        while not (found := engine.list_labelled({"dev.orca.run": run})) or found[0].state != "running":
            await asyncio.sleep(0.02)
    await until(client, run, lambda record: record.jobs["charge"].status == "running")
    await asyncio.to_thread(engine.remove, found[0].id)


async def held(client: Client, run: str) -> RunRecord:
    await until(client, run, lambda record: record.jobs["charge"].status == "held")
    return await runs.record(client, run)


@pytest.mark.parametrize(
    ("action", "fields", "status", "starts"),
    [
        ("retry", {}, "success", 2),
        ("skip", {}, "skipped", 1),
        ("set_outputs", {"outputs": {"n": 7}}, "success", 1),
        ("fail", {}, "failed", 1),
    ],
)
async def test_a_lost_try_is_held_whatever_retry_says(
    client: Client, serve: Serve, action: str, fields: dict[str, Any], status: str, starts: int
) -> None:
    work = Charge()
    engine = MemoryEngine(programs={"charge": work})
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(charge(), job("after", "charge")))
        await taken_away(client, run.id, engine)
        between = await held(client, run.id)
        assert work.starts == 1
        await repair(client, run.id, "charge", action, **fields)
        record = await runs.wait(client, run.id)
    reason = between.jobs["charge"].reason or ""
    assert reason.startswith("lost: the container ")
    assert reason.endswith(LOOK)
    found = record.jobs["charge"]
    assert (found.status, work.starts) == (status, starts)
    if action == "fail":
        assert (found.reason or "").endswith(f"{LOOK} (given up by ann)")


async def test_a_try_whose_end_is_known_is_retried_as_ever(client: Client, serve: Serve) -> None:
    work = Charge(later=3)
    work.starts = 1
    async with serve(client, {"charge": work}) as runner:
        record = await runner.run(plan(charge()))
    assert (record.status, record.jobs["charge"].tries, work.starts) == ("failed", 5, 6)
    assert (record.jobs["charge"].reason or "").startswith("exit: ")


async def test_without_the_mark_a_lost_try_is_retried(client: Client, serve: Serve) -> None:
    work = Charge()
    engine = MemoryEngine(programs={"charge": work})
    shape = plan(job("charge", entrypoint=("charge",), retry=RETRY))
    async with serve(client, engine=engine) as runner:
        run = await runner.start(shape)
        await taken_away(client, run.id, engine)
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["charge"].tries, work.starts) == ("success", 2, 2)


async def test_of_variants_each_is_held_by_itself(client: Client, serve: Serve) -> None:
    work = Charge()
    engine = MemoryEngine(programs={"charge": work})
    node = for_each(
        "charge", ["x", "y"], entrypoint=("charge",), idempotent=False, retry=RETRY, max_parallel=1
    )
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(node))
        await taken_away(client, run.id, engine)
        await until(client, run.id, lambda record: states(record, "charge").get("charge (x)") == "held")
        await repair(client, run.id, "charge (x)", "skip")
        record = await runs.wait(client, run.id)
    assert states(record, "charge") == {"charge (x)": "skipped", "charge (y)": "success"}


async def test_a_cancel_ends_what_is_held_in_doubt(client: Client, serve: Serve) -> None:
    engine = MemoryEngine(programs={"charge": Charge()})
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(charge()))
        await taken_away(client, run.id, engine)
        await held(client, run.id)
        await runs.cancel(client, run.id)
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["charge"].status) == ("cancelled", "cancelled")
