"""A host as a process of its own, for a test that kills it in the middle of a job: what it does is taken from `House`.

Arguments: the server's address, the task queue, and the folder of the store.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client, WorkflowHandle

from orchestrator.client.connect import connect
from orchestrator.contract.messages import Heartbeat, RunRecord
from orchestrator.interpreter.workflow import RunWorkflow
from orchestrator.plan.model import Plan
from tests.support.house import House
from tests.support.serving import Runner, serving, worker_of

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def killed_under(
    client: Client, queue: str, store_folder: str, shape: Plan
) -> AsyncGenerator[WorkflowHandle[RunWorkflow, RunRecord]]:
    """A run whose job `test` ran on the host `first` when that was killed; nobody has missed it yet.

    Another worker decides for the run in the block, and has no host.
    """
    # The time-skipping server hands workflow tasks to workers that have gone, so that this one is there from the start.
    async with worker_of(client, queue):
        address = client.service_client.config.target_host
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.workflow.first_host", address, queue, store_folder, cwd=ROOT
        )
        try:
            handle = await Runner(client, queue).start(shape)
            await _until_running(client, handle.id)
        finally:
            process.kill()
            await process.wait()
        yield handle


async def _until_running(client: Client, run: str) -> None:
    """Return once the server knows from a heartbeat that the container of the run's job runs."""
    async with asyncio.timeout(60):
        while True:
            description = await client.get_workflow_handle(run).describe()
            for pending in description.raw_description.pending_activities:
                payloads = pending.heartbeat_details.payloads
                if pending.activity_type.name == "test" and payloads:
                    (beat,) = await client.data_converter.decode(payloads[:1], [Heartbeat])
                    if beat.phase == "running":
                        return
            await asyncio.sleep(0.1)


async def main(address: str, queue: str, store_folder: str, *, decides: bool = False) -> None:
    client = await connect(address)
    async with serving(
        store_folder, client, engine=House().engine, queue=queue, host="first", decides=decides
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
