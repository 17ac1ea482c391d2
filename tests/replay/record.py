"""Records the histories that `test_replay.py` replays: `python -m tests.replay.record [NAME …]`.

Record a new one when the interpreter gains a kind of event. Never record an old one anew to make a red test green: a
history stands for the runs that are under way somewhere.
"""

import asyncio
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from orchestrator.client.connect import connect
from orchestrator.client.converter import data_converter
from orchestrator.client.resume import plan_attempt, start_attempt
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import MEMO_RECORD, WORKFLOW_TYPE, host_queue
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from orchestrator.interpreter.workflow import RunWorkflow
from orchestrator.store.store import open_store
from tests.replay.drives import DRIVES, RESUMED_DRIVES
from tests.replay.plans import MOCKS, PLANS, PROGRAMS, REPLACED, WISHES, images_of
from tests.support.memory_engine import MemoryEngine
from tests.support.plans import request
from workers.activities.calls import CallActivities
from workers.activities.container import ContainerActivities
from workers.activities.images import ImageActivities
from workers.activities.jobs import JobActivities
from workers.activities.own_end import OwnEnd
from workers.activities.services import ServiceActivities
from workers.calling.caller import Caller
from workers.settings import Calls
from workers.supervision.container_try import Supervisor

HISTORIES = Path(__file__).with_name("histories")


async def perform(client: Client, folder: Path, name: str, *, cached: int = 1000) -> WorkflowHistory:
    """Run one plan to its end, with a worker that keeps `cached` runs in memory between their tasks; its history."""
    queue = uuid4().hex
    images = images_of()
    engine = MemoryEngine(images, PROGRAMS)
    with ThreadPoolExecutor(32) as threads:
        store = open_store(str(folder))
        supervisor = Supervisor(engine=engine, store=store, host="host", threads=threads)
        caller = Caller(store=store, name="host", calls=Calls(modules=("json",)))
        jobs = JobActivities(ContainerActivities(client, supervisor), CallActivities(client, caller))
        services = ServiceActivities(client, supervisor.services, "host")
        look = ImageActivities(supervisor.images, "host").look
        activities = (jobs.run, services.start, services.stop, look)
        async with (
            Worker(
                client,
                task_queue=queue,
                workflows=[RunWorkflow],
                activities=[*activities, OwnEnd(client).cancel],
                workflow_runner=UnsandboxedWorkflowRunner(),
                max_cached_workflows=cached,
                max_heartbeat_throttle_interval=timedelta(milliseconds=100),
                default_heartbeat_throttle_interval=timedelta(milliseconds=100),
            ),
            Worker(client, task_queue=host_queue(queue, "host"), activities=activities),
        ):
            run = f"replay-{name}-{uuid4().hex[:8]}"
            wanted = request(
                PLANS[name](),
                run_id=run,
                task_queue=queue,
                git={"ref": "refs/heads/dev"},
                file_hashes={"a\n!b": "12", "c": "34", "nothing": ""},
                mocks=MOCKS.get(name),
                **({"params": {"n": "1"}} if name in WISHES else {}),
            )
            await client.start_workflow(WORKFLOW_TYPE, wanted, id=run, task_queue=queue)
            if name in DRIVES:
                await DRIVES[name](client, run)
            history = await _history(client, run)
            if name in WISHES:
                images |= REPLACED.get(name, {})
                found = await plan_attempt(client, run, WISHES[name], store=store, submitted_by="ann")
                await start_attempt(client, found)
                if name in RESUMED_DRIVES:
                    await RESUMED_DRIVES[name](client, run)
                history = await _history(client, run)
        await supervisor.drain()
    return history


def end_of(history: WorkflowHistory) -> dict[str, str]:
    """How the jobs of a run ended, as its history has it: in its result, in the details of its failure, in its memo."""
    last = history.events[-1]
    payloads = [
        *last.workflow_execution_completed_event_attributes.result.payloads,
        *last.workflow_execution_failed_event_attributes.failure.application_failure_info.details.payloads,
        *(
            event.workflow_properties_modified_event_attributes.upserted_memo.fields[MEMO_RECORD]
            for event in history.events
            # Other memos are written too: a cancel by force has one. To ask for a missing one would make it.
            if MEMO_RECORD in event.workflow_properties_modified_event_attributes.upserted_memo.fields
        ),
    ]
    found: list[RunRecord] = data_converter.payload_converter.from_payloads(payloads[:1], [RunRecord])
    return {name: job.status for name, job in found[0].jobs.items()}


async def _history(client: Client, run: str) -> WorkflowHistory:
    """Of the latest attempt, once it has ended."""
    try:
        await client.get_workflow_handle(run).result()
    except WorkflowFailureError as error:
        print(f"{run}: {error.cause}")
    return await client.get_workflow_handle(run).fetch_history()


async def main(names: list[str]) -> None:
    """Record the named histories, or those that are not there yet."""
    missing = [name for name in PLANS if not (HISTORIES / f"{name}.json").exists()]
    with tempfile.TemporaryDirectory() as folder, use_server(Home(Path(folder))) as server:
        client = await connect(server.address)
        for name in names or missing:
            history = await perform(client, Path(folder) / "store", name)
            print(f"{name}: {end_of(history)}")
            (HISTORIES / f"{name}.json").write_text(history.to_json() + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
