"""A host that goes away with a job on it and never comes back: minutes of waiting, on the time-skipping server."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio import activity
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from orchestrator.client import runs
from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome, RunRecord
from orchestrator.contract.names import DETACHED_ERROR, HOST_WAIT, host_queue
from orchestrator.contract.services import HOST_STOP_WAIT, STOP_SERVICES, ServicesStopped
from orchestrator.plan.model import ContainerNode
from tests.support.house import House, activities, service, with_services
from tests.support.memory_engine import Running
from tests.support.plans import job, plan
from tests.support.serving import Runner, worker_of
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


@dataclass
class Leaving:
    """Workers that give a try back one after another: the first says what it has, the second has seen nothing yet."""

    known: list[Heartbeat | None] = field(default_factory=list[Heartbeat | None])
    said: Heartbeat = field(default_factory=lambda: Heartbeat(host="", container_id="c1", phase="running"))

    @activity.defn(dynamic=True)
    async def run(self, arguments: Sequence[RawValue]) -> JobOutcome:
        wanted = activity.payload_converter().from_payload(arguments[0].payload, ContainerRequest)
        self.known.append(wanted.previous)
        match len(self.known):
            case 1:
                raise ApplicationError("stopped", self.said, type=DETACHED_ERROR)
            case 2:
                raise ApplicationError("stopped", type=DETACHED_ERROR)
            case _:
                return JobOutcome(status="success")


async def test_what_the_first_worker_said_is_known_after_a_second_that_said_nothing(client: Client) -> None:
    queue, leaving = uuid4().hex, Leaving()
    async with worker_of(client, queue, leaving.run):
        record = await Runner(client, queue).run(plan(job("test")))
    assert (record.status, leaving.known) == ("success", [None, leaving.said, leaving.said])


class Starting:
    """A worker that is stopped as it starts services, and then stops them."""

    @activity.defn(dynamic=True)
    async def run(self, _: Sequence[RawValue]) -> ServicesStopped:
        if activity.info().activity_type == STOP_SERVICES:
            return ServicesStopped()
        raise ApplicationError(
            "stopped", Heartbeat(host="away", container_id="", phase="running"), type=DETACHED_ERROR
        )


async def test_a_start_of_services_whose_host_is_away_is_not_told_of_its_cancel(client: Client) -> None:
    """Their stop goes there, and would have to wait for that."""
    queue, starting = uuid4().hex, Starting()

    async def sent(times: int) -> list[str]:
        async with asyncio.timeout(30):
            while len(found := await activities(client, handle.id)) < times:
                await asyncio.sleep(0.05)
        return [key for _, key in found]

    async with worker_of(client, queue, starting.run):
        handle = await Runner(client, queue).start(plan(with_services("test", service())))
        await sent(2)
        await handle.cancel()
        assert (await sent(3))[2] == "stop services: test"
        async with worker_of(client, host_queue(queue, "away"), starting.run, decides=False):
            record = await runs.wait(client, handle.id)
    assert (record.status, record.jobs["test"].status) == ("cancelled", "cancelled")
    assert len(await sent(3)) == 3
