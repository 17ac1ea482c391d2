"""A host that goes away with a job on it and never comes back: minutes of waiting, on the time-skipping server."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueRequest
from temporalio.client import Client

from orchestrator.contract.messages import ContainerRequest, RunRecord
from orchestrator.contract.names import HOST_WAIT, host_queue
from orchestrator.contract.services import HOST_STOP_WAIT
from orchestrator.plan.model import ContainerNode
from tests.support.house import House, service, with_services
from tests.support.memory_engine import Running
from tests.support.plans import job, plan
from tests.workflow import first_host
from tests.workflow.conftest import Serve

RETRY = {"max_attempts": 2, "on": ("lost",)}
T = TypeVar("T")


class Quick(House):
    """Where the same job has less to do."""

    def nap(self, box: Running) -> int:
        return self.work(box)


async def passing(client: Client, result: Awaitable[T]) -> T:
    """The result, while minutes pass at the server: it passes no time by itself while an activity is pending."""
    minute = SleepRequest(duration=Duration(seconds=60))
    task = asyncio.ensure_future(result)
    while not task.done():
        await client.test_service.unlock_time_skipping_with_sleep(minute)
        await asyncio.wait({task}, timeout=0.5)
    return task.result()


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(job("test", entrypoint=("nap",), retry=RETRY), id="alone"),
        pytest.param(with_services("test", service(), does="nap", retry=RETRY), id="with services"),
    ],
)
async def test_a_job_whose_host_does_not_come_back_is_lost_and_may_go_on_elsewhere(
    skipping: Client, serve: Serve, store_folder: str, node: ContainerNode
) -> None:
    other, queue = Quick(), uuid4().hex
    async with (
        first_host.killed_under(skipping, queue, store_folder, plan(node)) as handle,
        serve(skipping, engine=other.engine, queue=queue, host="second", decides=False),
    ):
        record = RunRecord.model_validate(await passing(skipping, handle.result()))
    found = record.jobs["test"]
    assert (record.status, found.status, found.tries) == ("success", "success", 2)
    assert [each.host for each in found.history] == ["first", "second"]
    assert found.history[0].reason == (
        "lost: the job's outcome is not known: host 'first', which had the container, did not come "
        f"back within {HOST_WAIT:.0f} s"
    )
    assert other.left == ([], [])
    if node.services:
        (warning,) = found.warnings
        assert (
            f"did not come back within {HOST_STOP_WAIT:.0f} s; what is left over on host 'first'" in warning
        )


async def test_what_the_first_worker_said_is_known_after_a_second_that_said_nothing(
    skipping: Client, store_folder: str
) -> None:
    queue = uuid4().hex
    asked = PollActivityTaskQueueRequest(
        namespace="default", task_queue=TaskQueue(name=host_queue(queue, "first")), identity="dies"
    )
    node = job("test", entrypoint=("nap",))
    async with first_host.killed_under(skipping, queue, store_folder, plan(node)) as handle:
        sent = [
            await passing(skipping, skipping.workflow_service.poll_activity_task_queue(asked))
            for _ in range(2)
        ]
        await handle.cancel()
    said = [
        (await skipping.data_converter.decode(list(one.input.payloads), [ContainerRequest]))[0].previous
        for one in sent
    ]
    assert said[0] is not None
    assert said[0].container_id
    assert said[1] == said[0]
