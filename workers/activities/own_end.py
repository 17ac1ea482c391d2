"""What a run asks the server about itself. A local activity: it needs no place, and the worker that decides does it."""

from temporalio import activity
from temporalio.client import Client

from orchestrator.contract.names import OWN_CANCEL


class OwnEnd:
    """For the runs of one worker's namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name=OWN_CANCEL)
    async def cancel(self) -> None:
        """Ask the server to cancel the run that this is part of; asking twice is fine."""
        info = activity.info()
        handle = self._client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        await handle.cancel()
