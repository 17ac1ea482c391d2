"""A worker that keeps no run in memory, so that each of its tasks repeats the run from its first event on."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from orchestrator.client.connect import connect
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from tests.replay.plans import PLANS
from tests.replay.record import end_of, perform
from tests.replay.replayed import HISTORIES, read_history

AT_A_TIME = 8
"""Runs: what people do to them while they go has to come in time."""


@pytest.mark.timeout(300)
async def test_runs_end_the_same_on_a_worker_that_forgets_them_after_each_task(tmp_path: Path) -> None:
    with use_server(Home(tmp_path)) as server:
        client = await connect(server.address)
        places = asyncio.Semaphore(AT_A_TIME)

        async def performed(name: str) -> WorkflowHistory:
            async with places:
                return await perform(client, tmp_path / "store", name, cached=0)

        histories = await asyncio.gather(*(performed(name) for name in PLANS))
    ends = {name: end_of(history) for name, history in zip(PLANS, histories, strict=True)}
    assert ends == {name: end_of(read_history(HISTORIES / f"{name}.json")) for name in PLANS}
    assert not [
        name
        for name, history in zip(PLANS, histories, strict=True)
        if any(event.HasField("workflow_task_failed_event_attributes") for event in history.events)
    ]
