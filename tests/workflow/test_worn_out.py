"""Runs that live so long that a limit of the server comes near: its updates, and the events of its history."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from orchestrator.client import people, runs
from orchestrator.client.connect import ensure_search_attributes
from orchestrator.client.converter import data_converter
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.people import Answer, Pause, Repair
from orchestrator.errors import UsageError
from orchestrator.interpreter.nodes import gate as gates
from tests.support.kinds import gate
from tests.support.memory_engine import Running
from tests.support.plans import job, plan
from tests.support.serving import Runner
from tests.support.workshop import until
from tests.workflow.conftest import Serve

UPDATES = 2
EVENTS = 500
"""What counts as a long history here: one of the true length takes longer than all other tests of gates."""


@pytest.fixture
async def strict() -> AsyncIterator[Client]:
    """A client of a server that takes few updates of each run."""
    environment = await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType]
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        dev_server_extra_args=["--dynamic-config-value", f"history.maxTotalUpdates={UPDATES}"],
        data_converter=data_converter,
    )
    async with environment:
        await ensure_search_attributes(environment.client)
        yield environment.client


async def test_a_run_that_had_all_its_updates_still_takes_answers(strict: Client, serve: Serve) -> None:
    async with serve(strict) as runner:
        run = await runner.start(plan(gate("go", min_approvals=2), gate("no"), job("after", "go")))
        await until(strict, run.id, lambda record: record.jobs["no"].gate is not None)
        for paused in (True, False):
            await people.pause(strict, run.id, Pause(paused=paused, by="ann"))
        for refused in (
            people.pause(strict, run.id, Pause(paused=True, by="ann")),
            people.repair(strict, run.id, Repair(job="after", action="retry", by="ann")),
        ):
            with pytest.raises(UsageError) as caught:
                await refused
            assert str(caught.value) == (
                f"the server takes no more updates of run '{run.id}': it keeps so many of one run, 2,000 as a rule. "
                "Its gates can still be answered with 'orca approve' and 'orca reject', and "
                f"'orca cancel {run.id}' ends it; what is left to do is for a new run"
            )
        one = await people.answer(strict, run.id, Answer(gate="go", by="ann"))
        again = await people.answer(strict, run.id, Answer(gate="go", by="ann"))
        two = await people.answer(strict, run.id, Answer(gate="go", by="bob"))
        with pytest.raises(
            UsageError, match="has no open gate 'gone', so that the answer, sent as the signal 'approve'"
        ):
            await people.answer(strict, run.id, Answer(gate="gone", by="ann"))
        no = await people.answer(
            strict, run.id, Answer(gate="no", by="bob", decision="reject", comment="late")
        )
        record = await runs.wait(strict, run.id)
    assert one.message == (
        f"the server takes no more updates of run '{run.id}', so the answer was sent as the signal 'approve'; "
        f"'orca status {run.id}' shows whether it counts"
    )
    assert [(each.approvals, each.needed, each.closed) for each in (one, again, two, no)] == [
        (1, 2, False),
        (1, 2, False),
        (2, 2, True),
        (0, 1, True),
    ]
    assert record.jobs["go"].outputs["approved_by"] == ["ann", "bob"]
    assert record.jobs["no"].reason == "rejected: by bob: late"
    assert [each.why for each in record.ignored] == [
        "ann has already answered gate 'go'; 1 approval of others still needed",
        "the run has no gate 'gone'; did you mean 'go'?",
    ]


async def test_nobody_is_reminded_any_more_once_the_history_is_long(
    skipping: Client, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "MAX_HISTORY", EVENTS)
    told: list[str] = []

    def tell(box: Running) -> int:
        told.append(box.env["ORCA_JOB"])
        return 0

    shape = plan(
        gate("go", limit=10, remind_every=1, reminder="tell", on_timeout="approve"),
        job("tell", reminds="go", entrypoint=("tell",)),
    )
    queue = uuid4().hex
    run = await Runner(skipping, queue).start(shape)
    await asyncio.gather(*(run.signal("anything") for _ in range(EVENTS)))
    async with serve(skipping, {"tell": tell}, queue=queue):
        record = RunRecord.model_validate(await run.result())
    assert (record.status, told, record.jobs["tell"].status) == ("success", [], "skipped")
    assert record.jobs["go"].summary == "approved by its timeout"
    assert record.jobs["go"].warnings == (f"no more reminders: the run's history has {EVENTS} events",)
