"""A worker that the server hears nothing of any more, while its containers go on: its host is asked first."""

import asyncio
import threading

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.connect import connect
from orchestrator.interpreter import dispatch
from tests.support.house import activities, service, with_services
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import job, plan
from tests.support.relay import relaying
from tests.support.serving import worker_of
from tests.workflow.conftest import Serve


async def test_the_next_worker_on_the_host_adopts_what_runs(
    server: str, client: Client, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "HEARTBEAT_TIMEOUT", 2.0)
    release = threading.Event()
    starts: list[str] = []

    def nap(box: Running) -> int:
        starts.append(box.env["ORCA_JOB"])
        box.out("begun")
        while not release.is_set():
            box.sleep(0.05)
        return 0

    def serves(box: Running) -> int:
        box.out("ready")
        box.sleep(600, until_stopped=True)
        return 143

    engine = MemoryEngine(programs={"nap": nap, "serve": serves})
    shape = plan(job("alone", entrypoint=("nap",)), with_services("beside", service(), does="nap"))
    async with relaying(server) as relay:
        far = await connect(relay.address)
        async with serve(far, engine=engine, decides=False) as runner, worker_of(client, runner.task_queue):
            handle = await runner.start(shape)
            async with asyncio.timeout(60):
                while len(starts) < 2:
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.5)  # The heartbeats that name the host are under way.
                relay.cut()
                while "beside (dispatch 2)" not in [
                    item.activity_id
                    for item in (
                        await client.get_workflow_handle(handle.id).describe()
                    ).raw_description.pending_activities
                ]:
                    await asyncio.sleep(0.1)
            again = await connect(server)  # A client takes no second worker for one queue.
            async with serve(again, engine=engine, queue=runner.task_queue, decides=False):
                release.set()
                record = await runs.wait(client, handle.id)
            relay.mend()
    assert {name: (found.status, found.tries) for name, found in record.jobs.items()} == {
        "alone": ("success", 1),
        "beside": ("success", 1),
    }
    assert sorted(starts) == ["alone", "beside"], "no container was started twice"
    assert [key for _, key in await activities(client, handle.id) if "dispatch" in key] == [
        "alone (dispatch 2)",
        "beside (dispatch 2)",
    ]
