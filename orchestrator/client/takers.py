"""Whether anybody takes the runs that are submitted to a task queue, and what to do where nobody does."""

from temporalio.api.enums.v1 import TaskQueueType, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client

from orchestrator.client.connect import temporal_errors


async def has_worker(client: Client, task_queue: str) -> bool:
    """Whether any worker polls `task_queue`. Raises TemporalUnreachable."""
    return len((await _described(client, task_queue)).pollers) > 0


async def why_nobody_takes(client: Client, task_queue: str) -> str | None:
    """Why a new run would wait, and for what; None where a worker takes it. Raises TemporalUnreachable."""
    answer = await _described(client, task_queue)
    if not answer.pollers:
        return f"no worker is on task queue '{task_queue}' yet; the run waits for one: 'orca worker'"
    versions = [poller.deployment_options for poller in answer.pollers]
    versioned = WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
    chosen = answer.versioning_info
    if (
        any(version.worker_versioning_mode != versioned for version in versions)
        or chosen.HasField("current_deployment_version")
        or chosen.HasField("ramping_deployment_version")
    ):
        return None
    newest = versions[0]
    return (
        f"all workers on task queue '{task_queue}' are versions of deployment '{newest.deployment_name}', and none of "
        "these is the current one; the run waits until one is: 'temporal worker deployment set-current-version "
        f"--deployment-name {newest.deployment_name} --build-id {newest.build_id}'"
    )


async def _described(client: Client, task_queue: str) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    async with temporal_errors(client):
        return await client.workflow_service.describe_task_queue(request)
