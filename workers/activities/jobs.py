"""One logical try of a job, whatever its kind: the activity whose type is the job's name."""

from collections.abc import Sequence

from temporalio import activity
from temporalio.common import RawValue

from orchestrator.contract.calls import CallRequest
from orchestrator.contract.messages import JobOutcome
from orchestrator.plan.parts import Json
from workers.activities.calls import CallActivities
from workers.activities.container import ContainerActivities


class JobActivities:
    """The activities of one worker that do what jobs say."""

    def __init__(self, containers: ContainerActivities, calls: CallActivities) -> None:
        self._containers = containers
        self._calls = calls

    @activity.defn(dynamic=True)
    async def run(self, arguments: Sequence[RawValue]) -> JobOutcome:
        """Run one try. The one argument is a `CallRequest`, which says so, or else a `ContainerRequest`.

        What it raises is what the room for its kind raises.
        """
        payload, converter = arguments[0].payload, activity.payload_converter()
        found: dict[str, Json] = converter.from_payload(payload, dict[str, Json])
        if found.get("kind") == "call":
            return await self._calls.run(CallRequest.model_validate(found))
        return await self._containers.run(arguments)
