"""Lists of runs on a real server."""

import asyncio
from uuid import uuid4

from temporalio.client import Client

from orchestrator.client import listing, runs
from orchestrator.contract.names import SEARCH_SPEC
from tests.support.plans import job, plan, request


async def test_a_list_counts_runs_and_not_their_attempts(client: Client) -> None:
    spec, queue = f"many-{uuid4().hex[:8]}", uuid4().hex
    shape = plan(job("a"), spec=spec)
    # More than one page holds.
    attempts = listing.AT_ONCE + 5
    for run, times in (("first", 1), ("second", 1), ("third", attempts), ("fourth", 2)):
        for attempt in range(1, times + 1):
            wanted = request(shape, run_id=f"{spec}-{run}", task_queue=queue, attempt=attempt)
            await runs.begin(client, wanted, details="")
            await client.get_workflow_handle(wanted.run_id).terminate("by hand")
    async with asyncio.timeout(30):
        while (await client.count_workflows(f"{SEARCH_SPEC} = '{spec}'")).count < attempts + 4:
            await asyncio.sleep(0.1)

    async def listed(limit: int) -> list[tuple[str, int]]:
        found = await listing.list_runs(client, spec=spec, limit=limit)
        return [(one.run_id.rpartition("-")[2], one.attempt) for one in found]

    everything = [("fourth", 2), ("third", attempts), ("second", 1), ("first", 1)]
    assert [await listed(limit) for limit in (1, 3, 4, 50)] == [
        everything[:1],
        everything[:3],
        everything,
        everything,
    ]
