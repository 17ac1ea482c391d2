"""The composition root: reads the settings, builds client, store, engine and activities, and serves until told to stop.

SIGTERM, Ctrl-C, or the end of stdin where `--stop-with-stdin` is given: the worker takes no new jobs, lets go of its
containers, which go on running, and ends. The next worker on this host adopts them.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import NoReturn

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from orchestrator import __version__
from orchestrator.client.connect import connect, ensure_search_attributes
from orchestrator.client.leave import leave
from orchestrator.contract.doctor import worker_identity
from orchestrator.contract.names import HEARTBEAT_INTERVAL, host_queue
from orchestrator.errors import DockerUnreachable, OrcaError
from orchestrator.interpreter.workflow import RunWorkflow
from orchestrator.plan.model import PLAN_VERSION
from orchestrator.store.store import Store, open_store
from workers.activities.calls import CallActivities
from workers.activities.container import ContainerActivities
from workers.activities.images import ImageActivities
from workers.activities.jobs import JobActivities
from workers.activities.own_end import OwnEnd
from workers.activities.services import ServiceActivities
from workers.activities.under_way import UnderWay
from workers.calling.caller import Caller
from workers.calling.voice import listening
from workers.cold_queries import ColdQueries
from workers.engine.docker_host import DockerHost
from workers.engine.host import HostEngine
from workers.placement.amounts import Amount
from workers.placement.callers import Callers, Me
from workers.placement.hosts import Hosts
from workers.placement.room import Room, Surroundings
from workers.placement.words import offer_text
from workers.reaping.act import Act
from workers.reaping.asking import Asking, namespace_of
from workers.reaping.look import Look
from workers.reaping.reaper import Reaper, mark_of
from workers.settings import Settings, Version
from workers.stopping import STOP_LIMIT, Stop
from workers.supervision.container_try import Supervisor
from workers.supervision.identity import Namespace
from workers.supervision.threads import Threads

log = logging.getLogger("orca.worker")

OWN_QUEUE_SLOTS = 1000
"""Activities at a time from a queue that only this worker serves; most of them wait for one of its places."""
REAPING_THREADS = 12
"""For the engine's blocking calls about leftovers, which must not hold up those about jobs."""
CALL_POLLS = 2
"""Polls at a time for calls that are sent here: there is seldom one."""
ATTRIBUTES_LOOK = 30.0
"""Seconds between looks whether the namespace still has orca's search attributes."""
STICKY_WAIT = timedelta(seconds=2)
"""How long a workflow waits for the worker that has it in memory. Short, so that a dead worker costs little."""


def main() -> NoReturn:
    """Run a worker; ends the process with an exit code of `orchestrator.errors`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # What is imported stays: going through all of it takes the collector 60 ms, in which no run goes on.
    gc.freeze()
    try:
        asyncio.run(_main(Settings.from_env(os.environ), with_stdin="--stop-with-stdin" in sys.argv[1:]))
    except OrcaError as error:
        log.error("%s", error)
        leave(error.exit_code)
    leave(0)


async def _main(settings: Settings, *, with_stdin: bool) -> None:
    loop, stop = asyncio.get_running_loop(), Stop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.ask)
    if with_stdin:
        threading.Thread(target=_wait_for_stdin, args=(loop, stop), daemon=True).start()
    client = await connect()
    await ensure_search_attributes(client)
    engine = DockerHost()
    try:
        engine.ping()
    except DockerUnreachable as error:
        # Not the worker's end: the engine may come, and until then each job fails with this reason.
        log.warning("%s", error)
    try:
        # Beside a command it ends with that.
        await serve(client, settings, engine, stop=stop, comes_back=not with_stdin)
    finally:
        engine.close()


async def serve(
    client: Client,
    settings: Settings,
    engine: HostEngine,
    *,
    stop: Stop,
    comes_back: bool = True,
) -> None:
    """Take work for `client`'s namespace and run it on `engine` until it is asked to `stop`.

    Where it `comes_back`, calls that it alone may make wait for it a while when it has ended.
    """
    store = open_store(settings.store)
    home = await namespace_of(client)
    # From all queues together; threads are made as they are needed.
    threads = ThreadPoolExecutor(settings.max_jobs * 8 + 8, thread_name_prefix="engine")
    supervisor = Supervisor(
        engine=engine,
        store=store,
        host=settings.host_id,
        threads=threads,
        namespace=home,
        service_key=settings.service_key,
    )
    around = _surroundings(settings, supervisor)
    room = Room(settings.host_id, settings.max_jobs, around)
    hosts = Hosts(
        store, settings.host_id, own=room, namespace=client.namespace, task_queue=settings.task_queue
    )
    room.join(hosts)
    # Not the room of containers: a call may take hours and needs next to nothing.
    turns = Room(settings.host_id, settings.max_jobs, around)
    me = Me(settings.caller, settings.calls, turns, settings.max_jobs, comes_back=comes_back)
    callers = Callers(store, me, namespace=client.namespace, task_queue=settings.task_queue)
    calls = CallActivities(client, Caller(store=store, name=me.name, calls=settings.calls), callers)
    jobs = JobActivities(ContainerActivities(client, supervisor, room), calls)
    services = ServiceActivities(client, supervisor.services, supervisor.host, room)
    images = ImageActivities(supervisor.images, supervisor.host)
    under_way = UnderWay()
    stop.under_way = partial(_left, under_way, supervisor)
    # Before any work comes: a host that nobody knows yet could be the only one that is large enough.
    await asyncio.gather(hosts.write(), callers.write())
    with listening():
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(_reaping(client, settings, engine, store, home=home))
            workers = list(_workers(client, settings, jobs, services, images, under_way))
            for worker in workers:
                await stack.enter_async_context(worker)
            known = (
                f"offers {offer_text(room.offer)}" if room.offer else "offers what its engine will say it has"
            )
            log.info(
                "worker ready on task queue '%s' as host '%s'; it %s",
                settings.task_queue,
                settings.host_id,
                known,
            )
            if settings.version is not None:
                log.info("%s", _told_version(settings.version))
            telling = asyncio.gather(hosts.run(), callers.run(), _keep_search_attributes(client, stop.asked))
            await stop.asked.wait()
            log.info("stopping")
            hosts.end()
            callers.end()
            stop.waits_for = "Temporal's SDK"
            # All at once: what one lets go of, the next one is not to take up.
            await asyncio.gather(*(worker.shutdown() for worker in workers))
        stop.waits_for = "its entry in the store"
        await telling
    stop.waits_for = "its Docker engine"
    await supervisor.drain()
    threads.shutdown(wait=False, cancel_futures=True)


@asynccontextmanager
async def _reaping(
    client: Client, settings: Settings, engine: HostEngine, store: Store, *, home: Namespace
) -> AsyncGenerator[None]:
    """Keep the host tidy during the block."""
    if settings.reap_grace is None:
        yield
        return
    pool = ThreadPoolExecutor(REAPING_THREADS, thread_name_prefix="reaping")
    threads = Threads(pool)
    look = Look(engine, threads, store, home=home, answers=Asking(client, home))
    mark = mark_of(engine.address, home)
    reaper = Reaper(look, Act(engine, threads), home=settings.home, mark=mark, grace=settings.reap_grace)
    reaping = asyncio.create_task(reaper.run())
    try:
        yield
    finally:
        reaping.cancel()
        with suppress(asyncio.CancelledError):
            await reaping
        pool.shutdown(wait=False, cancel_futures=True)


def _workers(
    client: Client,
    settings: Settings,
    jobs: JobActivities,
    services: ServiceActivities,
    images: ImageActivities,
    under_way: UnderWay,
) -> Iterator[Worker]:
    """One for the queue of all hosts, one for what only this host can do, one for calls that are sent to this worker.

    Calls have a queue of their own, so that the containers and services that only this host can look after are looked
    after however many calls wait. Only the first is versioned: whoever serves a host looks after what it has, and a
    version that had to serve the queues of all hosts could not become the current one before each had it.
    """
    beat = timedelta(seconds=HEARTBEAT_INTERVAL)
    serving = partial(
        Worker,
        client,
        graceful_shutdown_timeout=timedelta(seconds=STOP_LIMIT),
        interceptors=[under_way],
        max_heartbeat_throttle_interval=beat,
        default_heartbeat_throttle_interval=beat,
        identity=worker_identity(settings.host_id, __version__, PLAN_VERSION),
        # The SDK takes a second to make one up of the code of all modules. It means nothing without versioning.
        build_id=__version__,
    )
    activities: list[Callable[..., object]] = [jobs.run, services.start, services.stop, images.look]
    # The interpreter's rooms are held to determinism by import rules, lint and recorded histories; the sandbox would
    # load them anew for every run.
    runner = ColdQueries()
    runner.worker = serving(
        task_queue=settings.task_queue,
        workflows=[RunWorkflow],
        activities=[*activities, OwnEnd(client).cancel],
        workflow_runner=runner,
        max_concurrent_activities=settings.max_jobs,
        sticky_queue_schedule_to_start_timeout=STICKY_WAIT,
        build_id=None if settings.version else __version__,
        deployment_config=_deployment(settings.version),
    )
    yield runner.worker
    yield serving(
        task_queue=host_queue(settings.task_queue, settings.host_id),
        activities=activities,
        # Jobs with services wait in their activity: in this queue nothing may wait while the host is there.
        max_concurrent_activities=OWN_QUEUE_SLOTS,
    )
    if settings.calls.some:
        yield serving(
            task_queue=host_queue(settings.task_queue, settings.caller),
            activities=[jobs.run],
            max_concurrent_activities=OWN_QUEUE_SLOTS,
            max_concurrent_activity_task_polls=CALL_POLLS,
        )


async def _keep_search_attributes(client: Client, stop: asyncio.Event) -> None:
    """Register them again where the namespace has lost them: without them no run can tell its state, and it waits."""
    told = ""
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), ATTRIBUTES_LOOK)
            return
        try:
            lost = await ensure_search_attributes(client)
        except OrcaError as error:
            # Once for as long as it lasts. A server that is away is the SDK's to say, and not the worker's end.
            if str(error) != told:
                log.error("%s", error)
            told = str(error)
            continue
        told = ""
        if lost:
            log.warning(
                "namespace '%s' had lost orca's search attributes %s; they are registered again, and runs that waited "
                "for them go on. Of runs from before, 'orca list --spec' and '--status' may no longer know",
                client.namespace,
                ", ".join(lost),
            )


def _deployment(version: Version | None) -> WorkerDeploymentConfig | None:
    if version is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=version.deployment, build_id=version.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=(
            VersioningBehavior.AUTO_UPGRADE if version.follows else VersioningBehavior.PINNED
        ),
    )


def _told_version(version: Version) -> str:
    stays = "go over to the current version as they go on" if version.follows else "end on this version"
    return (
        f"worker is version '{version.build_id}' of deployment '{version.deployment}': runs that begin on it {stays}; "
        "new ones come to it once it is the current version: 'temporal worker deployment set-current-version "
        f"--deployment-name {version.deployment} --build-id {version.build_id}'"
    )


def _left(under_way: UnderWay, supervisor: Supervisor) -> list[str]:
    """What a worker that stops waits for, for people."""
    count = supervisor.removing
    return under_way.names + ([f"the removal of {count} containers"] if count else [])


def _surroundings(settings: Settings, supervisor: Supervisor) -> Surroundings:
    async def offer() -> Amount:
        cpus, memory = settings.cpus, settings.memory
        if cpus is None or memory is None:
            found = await supervisor.capacity()
            cpus, memory = cpus or found.cpus, memory or found.memory
        return Amount(settings.max_jobs, cpus, memory)

    return Surroundings(offer, supervisor.services.there)


def _wait_for_stdin(loop: asyncio.AbstractEventLoop, stop: Stop) -> None:
    """Ends when whoever started this worker has closed the pipe, also by dying."""
    while sys.stdin.buffer.read(1):
        pass
    loop.call_soon_threadsafe(stop.ask)
