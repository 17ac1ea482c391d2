"""The activities around services on a real Temporal, called by a workflow that does nothing else."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from orchestrator.contract.messages import Heartbeat
from orchestrator.contract.names import DETACHED_ERROR
from orchestrator.contract.services import (
    START_SERVICES,
    STOP_SERVICES,
    ServicesStarted,
    ServicesStopped,
    StartServices,
    StopServices,
)
from orchestrator.plan.service_model import HealthCheck
from orchestrator.store.store import open_store
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.scopes import scope, service
from workers.activities.services import ServiceActivities
from workers.supervision.container_try import Supervisor
from workers.supervision.services.identity import container_of

CALL: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=60),
    "heartbeat_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(maximum_attempts=1),
    "cancellation_type": workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}


@workflow.defn(name="start-services-alone")
class Starting:
    @workflow.run
    async def run(self, request: StartServices) -> ServicesStarted:
        return await workflow.execute_activity(START_SERVICES, request, result_type=ServicesStarted, **CALL)


@workflow.defn(name="stop-services-alone")
class Stopping:
    @workflow.run
    async def run(self, request: StopServices) -> ServicesStopped:
        return await workflow.execute_activity(STOP_SERVICES, request, result_type=ServicesStopped, **CALL)


def _serves(box: Running) -> int:
    box.sleep(60, until_stopped=True)
    return 0


def _fails(box: Running) -> int:
    box.out("no luck")
    return 3


def _fine(box: Running) -> int:
    return 0


def _not_yet(box: Running) -> int:
    return 1


def wanted(program: str = "serve", check: str = "fine") -> StartServices:
    health = HealthCheck(test=("CMD", check))
    one = service(entrypoint=(program,), health_check=health, start_timeout=60.0)
    return StartServices(scope=scope(f"run-{uuid4().hex[:8]}"), services=(one,))


def ending(request: StartServices) -> StopServices:
    return StopServices(scope=request.scope, services=request.services, stop_grace=1.0)


class Room:
    """A worker for one task queue, and the engine behind it."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.queue = uuid4().hex
        self.engine = MemoryEngine(
            programs={"serve": _serves, "fail": _fails}, execs={"fine": _fine, "not-yet": _not_yet}
        )
        self._store = open_store(str(folder))

    @asynccontextmanager
    async def worker(self) -> AsyncGenerator[None]:
        with ThreadPoolExecutor(16) as threads:
            supervisor = Supervisor(engine=self.engine, store=self._store, host="host", threads=threads)
            activities = ServiceActivities(self.client, supervisor.services, supervisor.host)
            async with Worker(
                self.client,
                task_queue=self.queue,
                workflows=[Starting, Stopping],
                activities=[activities.start, activities.stop],
                workflow_runner=UnsandboxedWorkflowRunner(),
                graceful_shutdown_timeout=timedelta(seconds=10),
                max_heartbeat_throttle_interval=timedelta(milliseconds=200),
                default_heartbeat_throttle_interval=timedelta(milliseconds=200),
            ):
                yield
            await supervisor.drain()

    async def start(self, request: StartServices) -> WorkflowHandle[Starting, ServicesStarted]:
        return await self.client.start_workflow(Starting.run, request, id=uuid4().hex, task_queue=self.queue)

    async def stop(self, request: StartServices) -> ServicesStopped:
        return await self.client.execute_workflow(
            Stopping.run, ending(request), id=uuid4().hex, task_queue=self.queue
        )

    async def until_running(self, request: StartServices) -> str:
        name = container_of(request.scope, "db")
        async with asyncio.timeout(20):
            while (seen := self.engine.inspect(name)) is None or seen.state != "running":
                await asyncio.sleep(0.05)
        return seen.id


@pytest.fixture(name="room")
def room_fixture(client: Client, tmp_path: Path) -> Room:
    return Room(client, tmp_path / "store")


async def _error(handle: WorkflowHandle[Starting, ServicesStarted]) -> BaseException | None:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    cause = caught.value.cause
    return cause.cause if isinstance(cause, ActivityError) else cause


async def test_started_and_stopped(room: Room) -> None:
    request = wanted()
    async with room.worker():
        started = await (await room.start(request)).result()
        assert (started.status, started.host, started.services[0].state) == ("success", "host", "healthy")
        stopped = await room.stop(request)
        assert ([one.name for one in stopped.services], stopped.warnings) == (["db"], ())
    assert room.engine.list_networks({}) == []


async def test_a_failure_carries_the_outcome(room: Room) -> None:
    request = wanted("fail")
    async with room.worker():
        error = await _error(await room.start(request))
        assert isinstance(error, ApplicationError)
        text = "service: service 'db' ended at once with exit code 3; its last lines:\n  no luck"
        assert (error.type, error.message, error.non_retryable) == ("service", text, True)
        outcome = ServicesStarted.model_validate(error.details[0])
        assert (outcome.status, str(outcome.reason), outcome.host) == ("failed", text, "host")
        await room.stop(request)
    assert room.engine.list_networks({}) == []


async def test_a_cancel_ends_the_start_and_the_stop_clears_up(room: Room) -> None:
    request = wanted(check="not-yet")
    async with room.worker():
        handle = await room.start(request)
        await room.until_running(request)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        assert room.engine.list_networks({}) != []
        await room.stop(request)
    assert room.engine.list_networks({}) == []


async def test_a_worker_that_stops_leaves_the_services_to_the_next(room: Room) -> None:
    request = wanted(check="not-yet")
    async with room.worker():
        handle = await room.start(request)
        container = await room.until_running(request)
    async with room.worker():
        error = await _error(handle)
        assert isinstance(error, ApplicationError)
        assert (error.type, error.message) == (
            DETACHED_ERROR,
            "the worker was stopped, which left the services running",
        )
        assert Heartbeat.model_validate(error.details[0]).host == "host"
        health = HealthCheck(test=("CMD", "fine"))
        one = request.services[0].model_copy(update={"health_check": health})
        again = request.model_copy(update={"services": (one,)})
        started = await (await room.start(again)).result()
        assert (started.status, await room.until_running(request)) == ("success", container)
        await room.stop(request)


async def test_a_stop_takes_the_services_from_a_start_that_still_waits(room: Room) -> None:
    request = wanted(check="not-yet")
    async with room.worker():
        handle = await room.start(request)
        await room.until_running(request)
        await room.stop(request)
        error = await _error(handle)
        assert isinstance(error, ApplicationError)
        assert error.type == DETACHED_ERROR
    assert room.engine.list_networks({}) == []
