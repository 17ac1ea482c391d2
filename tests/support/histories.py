"""What Temporal's own history of a run says, whether or not any worker is there to answer."""

import asyncio

from temporalio.client import Client


async def until_ended(client: Client, run: str, activity: str) -> None:
    """Return once the activity of that id has ended well."""
    async with asyncio.timeout(60):
        while activity not in await _completed(client, run):
            await asyncio.sleep(0.05)


async def _completed(client: Client, run: str) -> list[str]:
    """Ids of the activities that have."""
    history = await client.get_workflow_handle(run).fetch_history()
    keys = {
        event.event_id: event.activity_task_scheduled_event_attributes.activity_id for event in history.events
    }
    return [
        keys[event.activity_task_completed_event_attributes.scheduled_event_id]
        for event in history.events
        if event.HasField("activity_task_completed_event_attributes")
    ]
