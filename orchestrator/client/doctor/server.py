"""What Temporal says of itself, of its namespace and of the workers on a task queue."""

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
    PollWorkflowTaskQueueRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from orchestrator.client.doctor.facts import ServerFacts
from orchestrator.contract.doctor import WorkerReport, read_identity
from orchestrator.contract.names import SEARCH_LABELS, SEARCH_SPEC, SEARCH_STATE

ANSWER: Final = timedelta(seconds=10)
CLOCK: Final = 3.0
"""Seconds that finding out the server's time may take."""
_LOOK: Final = 0.1


async def server_facts(client: Client, task_queue: str) -> ServerFacts:
    """What the server says. One that does not answer is a fact too."""
    address, namespace = client.service_client.config.target_host, client.namespace
    facts = ServerFacts(address, namespace)
    service = client.workflow_service
    try:
        system = await service.get_system_info(GetSystemInfoRequest(), timeout=ANSWER)
        facts = replace(facts, version=system.server_version)
        await service.describe_namespace(DescribeNamespaceRequest(namespace=namespace), timeout=ANSWER)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return replace(facts, missing_namespace=True)
        if error.status is not RPCStatusCode.PERMISSION_DENIED:
            return replace(facts, error=error.message or error.status.name)
    facts = await _with_attributes(client, facts)
    try:
        ahead = await _ahead(client)
        workers = await _workers(client, task_queue, ahead or 0.0)
    except RPCError as error:
        return replace(facts, error=error.message or error.status.name)
    return replace(facts, ahead=ahead, workers=workers)


async def _with_attributes(client: Client, facts: ServerFacts) -> ServerFacts:
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=ANSWER
        )
    except RPCError as error:
        return replace(facts, unknown=error.message or error.status.name)
    wanted = (SEARCH_SPEC, SEARCH_STATE, SEARCH_LABELS)
    return replace(
        facts, missing_attributes=tuple(name for name in wanted if name not in known.custom_attributes)
    )


async def _workers(client: Client, task_queue: str, ahead: float) -> tuple[WorkerReport, ...]:
    """Those that asked for work of either kind within the last minutes, the latest first."""
    latest: dict[str, float] = {}
    for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
        for poller in await _pollers(client, task_queue, kind):
            seen = max(0.0, time.time() + ahead - _seconds(poller.last_access_time))
            latest[poller.identity] = min(seen, latest.get(poller.identity, seen))
    found: list[WorkerReport] = []
    for identity, seen in sorted(latest.items(), key=lambda item: item[1]):
        host, version, plan_version = read_identity(identity)
        found.append(WorkerReport(host=host, version=version, plan_version=plan_version, seen=seen))
    return tuple(found)


async def _pollers(client: Client, task_queue: str, kind: TaskQueueType.ValueType) -> list[PollerInfo]:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=ANSWER)
    return list(answer.pollers)


async def _ahead(client: Client) -> float | None:
    """By how many seconds the server's clock is ahead of this machine's; None where it does not say.

    No call asks for the time. But the server takes down when somebody asked for work: so somebody does, on a queue
    that nobody else knows, and leaves.
    """
    queue = f"orca-doctor-{secrets.token_hex(8)}"
    request = PollWorkflowTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), identity="orca doctor"
    )
    asked = time.time()
    polling = asyncio.ensure_future(
        client.workflow_service.poll_workflow_task_queue(request, timeout=timedelta(seconds=CLOCK))
    )
    try:
        while not polling.done():
            pollers = await _pollers(client, queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
            if pollers:
                # It came to the server between the two.
                return _seconds(pollers[0].last_access_time) - (asked + time.time()) / 2
            await asyncio.sleep(_LOOK)
    finally:
        polling.cancel()
        with suppress(asyncio.CancelledError, RPCError):
            await polling
    return None


def _seconds(moment: Timestamp) -> float:
    return moment.seconds + moment.nanos / 1e9
