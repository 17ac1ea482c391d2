"""The floor for engine steps: a workflow that runs bare activities, as many at a time as orca does.

Run as a module it is the worker: `python -m benchmarks.bare_temporal QUEUE`.
"""

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

WORKFLOW = "bare-steps"


@activity.defn(name="bare-step")
async def step(number: int) -> int:
    """Nothing at all."""
    return number


@workflow.defn(name=WORKFLOW)
class Steps:
    """`count` activities, at most `parallel` at a time."""

    @workflow.run
    async def run(self, count: int, parallel: int) -> int:
        """The number of steps that ran."""
        slots = asyncio.Semaphore(parallel)

        async def one(number: int) -> int:
            async with slots:
                return await workflow.execute_activity(
                    step,
                    number,
                    start_to_close_timeout=timedelta(seconds=60),
                    heartbeat_timeout=timedelta(seconds=15),
                )

        return len(await asyncio.gather(*(one(number) for number in range(count))))


async def main(queue: str) -> None:
    """Serve until killed."""
    # Here and not at the top: the workflow's own module must load without the rest of the client.
    from orchestrator.client.connect import connect  # noqa: PLC0415

    client = await connect()
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Steps],
        activities=[step],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=100,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
