"""A cancel in each state that a job can be in, on a real server: it ends, cleans up, and finalizers run."""

import asyncio
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from orchestrator.client import cancelling, runs
from orchestrator.contract.names import HEARTBEAT_INTERVAL
from orchestrator.contract.people import Cancel, CancelMode
from orchestrator.plan.model import ContainerNode, Node
from tests.support.house import READY, service
from tests.support.kinds import wait
from tests.support.memory_engine import MemoryEngine, Program, Running
from tests.support.plans import job, plan
from tests.support.serving import Runner, worker_of
from tests.support.workshop import until
from tests.workflow.conftest import Serve
from workers.engine.interface import ByteStream

LAST: dict[str, Any] = {"finalizer": True, "on_complete": "always"}


class Slow(MemoryEngine):
    """An engine of which one call takes its time."""

    def __init__(self, call: str, programs: Mapping[str, Program]) -> None:
        super().__init__(programs=programs)
        self._call = call
        self.there, self.go = threading.Event(), threading.Event()

    def _take_time(self, call: str) -> None:
        if call == self._call:
            self.there.set()
            self.go.wait(30)

    def pull_image(self, image: str) -> None:
        self._take_time("pull_image")
        super().pull_image(image)

    def put_archive(self, container: str, path: str, chunks: Iterable[bytes]) -> None:
        self._take_time("put_archive")
        super().put_archive(container, path, chunks)

    def get_archive(self, container: str, path: str) -> ByteStream:
        self._take_time("get_archive")
        return super().get_archive(container, path)

    def remove_network(self, network: str) -> None:
        self._take_time("remove_network")
        super().remove_network(network)

    @property
    def left(self) -> int:
        return len(self.list_labelled({})) + len(self.list_networks({}))


def serves(box: Running) -> int:
    box.out("ready")
    box.sleep(60, until_stopped=True)
    return 143


def fails(box: Running) -> int:
    return 3


def mute(box: Running) -> int:
    return int(box.sleep(60, until_stopped=True))


def outputs(box: Running) -> int:
    box.write("/orca/output", b"n=1")
    return 0


PROGRAMS: dict[str, Program] = {"serve": serves, "outputs": outputs, "nap": serves, "fails": fails}
PHASES: dict[str, tuple[str, ContainerNode]] = {
    "pulling": ("pull_image", job("work", image="elsewhere:1")),
    "preparing": ("put_archive", job("work", entrypoint=("nap",))),
    "collecting": ("get_archive", job("work", entrypoint=("outputs",), artifacts=("/orca/output",))),
    "stopping services": ("remove_network", job("work", services=(service(health_check=READY),))),
}


@pytest.mark.parametrize("mode", ["graceful", "force"])
@pytest.mark.parametrize("phase", PHASES)
async def test_in_a_phase_of_a_container(client: Client, serve: Serve, phase: str, mode: CancelMode) -> None:
    call, node = PHASES[phase]
    engine = Slow(call, PROGRAMS)
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(node, job("after", "work"), job("end", **LAST)))
        assert await asyncio.to_thread(engine.there.wait, 30)
        await cancelling.cancel(client, run.id, Cancel(mode=mode))
        # A worker hears of it with its next heartbeat.
        await asyncio.sleep(HEARTBEAT_INTERVAL + 1)
        engine.go.set()
        record = await runs.wait(client, run.id)
    # What has run to its end keeps it, and what it left is taken unless there is no grace.
    ran = phase == "stopping services" or (phase == "collecting" and mode == "graceful")
    work = "success" if ran else "cancelled"
    end = "success" if mode == "graceful" else "cancelled"
    found = [one.status for one in record.jobs.values()]
    assert (record.status, found) == ("cancelled", [work, "cancelled", end])
    assert engine.left == 0


@pytest.mark.parametrize("mode", ["drain", "graceful", "force"])
@pytest.mark.parametrize(
    "node",
    [
        pytest.param(wait("work", duration=3600), id="in a wait"),
        pytest.param(
            job("work", entrypoint=("fails",), retry={"max_attempts": 2, "delay": 600}), id="between tries"
        ),
    ],
)
async def test_what_waits_ends_at_once_in_each_mode(
    client: Client, serve: Serve, node: Node, mode: CancelMode
) -> None:
    async with serve(client, PROGRAMS) as runner:
        run = await runner.start(plan(node, job("end", **LAST)))
        await until(client, run.id, lambda record: record.jobs["work"].status == "waiting")
        await cancelling.cancel(client, run.id, Cancel(mode=mode))
        record = await asyncio.wait_for(runs.wait(client, run.id), 8)
    end = "cancelled" if mode == "force" else "success"
    assert (record.status, [one.status for one in record.jobs.values()]) == ("cancelled", ["cancelled", end])


@pytest.mark.parametrize("mode", ["graceful", "force"])
async def test_while_no_host_has_taken_it(client: Client, mode: CancelMode) -> None:
    queue = uuid4().hex
    async with worker_of(client, queue):
        run = await Runner(client, queue).start(plan(job("work")))
        await until(client, run.id, lambda record: record.jobs["work"].reason == "waiting for a free worker")
        await cancelling.cancel(client, run.id, Cancel(mode=mode))
        record = await asyncio.wait_for(runs.wait(client, run.id), 8)
    assert (record.status, record.jobs["work"].status) == ("cancelled", "cancelled")


@pytest.mark.parametrize("mode", ["drain", "graceful", "force"])
async def test_while_it_waits_for_a_place(client: Client, serve: Serve, mode: CancelMode) -> None:
    async with serve(client, PROGRAMS) as runner:
        shape = plan(job("first", entrypoint=("nap",)), job("second"), max_parallel=1)
        run = await runner.start(shape)
        await until(client, run.id, lambda record: record.jobs["first"].status == "running")
        await cancelling.cancel(client, run.id, Cancel(mode=mode))
        if mode == "drain":
            await until(client, run.id, lambda record: record.jobs["second"].status == "cancelled")
            await cancelling.cancel(client, run.id, Cancel())
        record = await runs.wait(client, run.id)
    found = [(one.status, one.tries) for one in record.jobs.values()]
    assert (record.status, found) == ("cancelled", [("cancelled", 1), ("cancelled", 0)])


@pytest.mark.parametrize("mode", ["graceful", "force"])
async def test_while_services_start(client: Client, serve: Serve, mode: CancelMode) -> None:
    engine = Slow("", {"mute": mute})
    node = job("work", services=(service(does="mute", start_timeout=60),))
    async with serve(client, engine=engine) as runner:
        run = await runner.start(plan(node, job("end", **LAST)))
        await until(client, run.id, lambda _: engine.list_labelled({}))
        await cancelling.cancel(client, run.id, Cancel(mode=mode))
        record = await runs.wait(client, run.id)
    end = "cancelled" if mode == "force" else "success"
    assert (record.status, [one.status for one in record.jobs.values()]) == ("cancelled", ["cancelled", end])
    assert engine.left == 0


@pytest.mark.parametrize("mode", ["again", "force"])
async def test_in_finalizers(client: Client, serve: Serve, mode: str) -> None:
    stopped: list[str] = []

    def nap(box: Running) -> int:
        if box.sleep(60, until_stopped=True):
            stopped.append(box.env["ORCA_JOB"])
        return 143

    async with serve(client, {"nap": nap}) as runner:
        shape = plan(
            job("work"), job("end", entrypoint=("nap",), stop_grace=5, **LAST), job("last", "end", **LAST)
        )
        run = await runner.start(shape)
        await until(client, run.id, lambda record: record.jobs["end"].status == "running")
        await cancelling.cancel(client, run.id, Cancel())
        await asyncio.sleep(1)
        assert stopped == []
        await cancelling.cancel(client, run.id, Cancel(mode="graceful" if mode == "again" else "force"))
        record = await runs.wait(client, run.id)
    found = [one.status for one in record.jobs.values()]
    assert (record.status, found) == ("cancelled", ["success", "cancelled", "cancelled"])
    assert stopped == (["end"] if mode == "again" else [])
