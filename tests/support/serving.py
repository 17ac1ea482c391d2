"""Workers whose engine is in memory, as the tests of the workflow run them."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord, RunRequest
from orchestrator.contract.names import WORKFLOW_TYPE, caller_name, host_queue
from orchestrator.interpreter.workflow import RunWorkflow
from orchestrator.plan.model import Plan
from orchestrator.store.store import Store, open_store
from tests.support import harvest
from tests.support.memory_engine import MemoryEngine, Program
from workers.activities.calls import CallActivities
from workers.activities.container import ContainerActivities
from workers.activities.images import ImageActivities
from workers.activities.jobs import JobActivities
from workers.activities.own_end import OwnEnd
from workers.activities.services import ServiceActivities
from workers.calling.caller import Caller
from workers.cold_queries import ColdQueries
from workers.placement.amounts import Amount
from workers.placement.callers import Callers, Me
from workers.placement.hosts import Hosts
from workers.placement.room import Room, Surroundings
from workers.settings import Calls
from workers.supervision.container_try import Supervisor

HOST = "host"
"""The one host of most tests."""


@dataclass(frozen=True)
class Runner:
    """Starts runs on a task queue that one worker of the test serves."""

    client: Client
    task_queue: str

    async def start(self, plan: Plan, **fields: object) -> WorkflowHandle[RunWorkflow, RunRecord]:
        run = f"test-{uuid4().hex[:12]}"
        request = RunRequest.model_validate(
            {
                "run_id": run,
                "plan": plan,
                "plan_digest": "d" * 64,
                "created_at": "2026-01-31T12:00:00.000Z",
                "task_queue": self.task_queue,
                **fields,
            }
        )
        harvest.started(self.task_queue, run)
        return await self.client.start_workflow(WORKFLOW_TYPE, request, id=run, task_queue=self.task_queue)

    async def run(self, plan: Plan, **fields: object) -> RunRecord:
        """To the end; the record, however the run ended."""
        handle = await self.start(plan, **fields)
        return await runs.wait(self.client, handle.id)


def worker_of(
    client: Client, queue: str, *run: Callable[..., object], decides: bool = True, slots: int | None = None
) -> Worker:
    """A worker for a task queue that all share: these activities, and the workflow where it `decides`."""
    runner = ColdQueries()
    runner.worker = Worker(
        client,
        task_queue=queue,
        workflows=[RunWorkflow] if decides else [],
        activities=[*run, OwnEnd(client).cancel] if decides else run,
        workflow_runner=runner,
        max_concurrent_activities=slots,
        no_remote_activities=not run,
        # Counts seconds on the clock, which other tests' processes have their share of; the server gives a task ten.
        debug_mode="PYTEST_XDIST_WORKER" in os.environ,
        max_heartbeat_throttle_interval=timedelta(milliseconds=200),
        default_heartbeat_throttle_interval=timedelta(milliseconds=200),
    )
    return runner.worker


@asynccontextmanager
async def room_of(supervisor: Supervisor, store: Store, queue: str, offer: Amount) -> AsyncGenerator[Room]:
    """What a host offers, told to the others for the block."""

    async def offered() -> Amount:
        return offer

    room = Room(supervisor.host, offer.jobs, Surroundings(offered, supervisor.services.there))
    hosts = Hosts(store, supervisor.host, own=room, namespace="default", task_queue=queue)
    room.join(hosts)
    await hosts.write()
    telling = asyncio.create_task(hosts.run())
    try:
        yield room
    finally:
        hosts.end()
        await telling


@asynccontextmanager
async def callers_of(
    supervisor: Supervisor, store: Store, queue: str, calls: Calls, *, places: int
) -> AsyncGenerator[Callers]:
    """What a worker may call, told to the others for the block."""

    async def offered() -> Amount:
        return Amount()

    turns = Room(supervisor.host, places, Surroundings(offered, supervisor.services.there))
    me = Me(caller_name(supervisor.host, calls.mark), calls, turns, places, comes_back=True)
    callers = Callers(store, me, namespace="default", task_queue=queue)
    await callers.write()
    telling = asyncio.create_task(callers.run())
    try:
        yield callers
    finally:
        callers.end()
        await telling


@asynccontextmanager
async def serving(
    store_folder: str,
    client: Client,
    programs: Mapping[str, Program] | None = None,
    *,
    engine: MemoryEngine | None = None,
    queue: str | None = None,
    shared: bool = True,
    own: bool = True,
    decides: bool = True,
    host: str = HOST,
    calls: Calls | None = None,
    offer: Amount | None = None,
    places: int = 8,
    slots: int | None = None,
) -> AsyncGenerator[Runner]:
    """A worker for the block. `programs` say what a container does whose entrypoint has that name.

    With `engine` and `queue` of an earlier block it is the next worker on that host. Like a real one it serves the
    queue of its host too; without `shared` that alone, without `own` the shared one alone. Without `decides` it runs
    activities alone. Another `host` shares the store with the first. With an `offer` it counts what jobs ask for, and
    tells other hosts of it. `calls` say which functions it calls, and others are told; it makes as many as `places` of
    those that are sent to it. It does as many things as `slots` of what all can do.
    """
    queue = queue or uuid4().hex
    engine = engine or MemoryEngine(programs=programs)
    with ThreadPoolExecutor(64) as threads:
        store = open_store(store_folder)
        supervisor = Supervisor(engine=engine, store=store, host=host, threads=threads)
        async with AsyncExitStack() as stack:
            room = None
            if offer is not None:
                room = await stack.enter_async_context(room_of(supervisor, store, queue, offer))
            services = ServiceActivities(client, supervisor.services, host, room)
            callers = None
            if calls is not None:
                telling = callers_of(supervisor, store, queue, calls, places=places)
                callers = await stack.enter_async_context(telling)
            caller = Caller(store=store, name=callers.me.name if callers else host, calls=calls or Calls())
            jobs = JobActivities(
                ContainerActivities(client, supervisor, room), CallActivities(client, caller, callers)
            )
            images = ImageActivities(supervisor.images, host)
            activities = (jobs.run, services.start, services.stop, images.look)
            for name in (host, *([caller.name] if calls and calls.some else [])) if own else ():
                await stack.enter_async_context(
                    Worker(
                        client,
                        task_queue=host_queue(queue, name),
                        activities=activities,
                        max_heartbeat_throttle_interval=timedelta(milliseconds=200),
                        default_heartbeat_throttle_interval=timedelta(milliseconds=200),
                    )
                )
            if shared:
                await stack.enter_async_context(
                    worker_of(client, queue, *activities, decides=decides, slots=slots)
                )
            yield Runner(client, queue)
            await harvest.keep(client, queue)
        await asyncio.wait_for(supervisor.drain(), 30)
