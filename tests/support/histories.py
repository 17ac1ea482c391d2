"""What Temporal's own history of a run says, whether or not any worker is there to answer."""

import asyncio

from temporalio.client import Client


async def until_ended(client: Client, run: str, activity: str) -> None:
    """Return once the activity of that id has ended well."""
    async with asyncio.timeout(60):
        while activity not in await turns(client, run):
            await asyncio.sleep(0.05)


async def turns(client: Client, run: str) -> dict[str, tuple[int, int]]:
    """When each activity was scheduled and ended well, by its id, as numbers of events of the run's history."""
    history = await client.get_workflow_handle(run).fetch_history()
    ids = {
        event.event_id: event.activity_task_scheduled_event_attributes.activity_id for event in history.events
    }
    found: dict[str, tuple[int, int]] = {}
    for event in history.events:
        if event.HasField("activity_task_completed_event_attributes"):
            scheduled = event.activity_task_completed_event_attributes.scheduled_event_id
            found[ids[scheduled]] = (scheduled, event.event_id)
    return found
