"""What people do to a job's activity at the server: pause, unpause, reset. The container goes on in peace."""

import asyncio
import sysconfig
import threading
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.interpreter.workflow import RunWorkflow
from tests.support.house import activities, service, with_services
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import job, plan
from tests.support.serving import Runner
from tests.support.workshop import until
from tests.workflow.conftest import Serve

TEMPORAL = Path(sysconfig.get_path("scripts")) / "temporal"


class Hall:
    """A container that goes on until it is let go, and counts its starts."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.starts = 0
        self.engine = MemoryEngine(programs={"work": self.work, "serve": self.serve})

    def work(self, box: Running) -> int:
        self.starts += 1
        box.out("begun")
        while not self.go.is_set():
            if box.sleep(0.02):
                return 143
        return 0

    def serve(self, box: Running) -> int:
        self.starts += 1
        self.go.wait(30)
        box.out("ready")
        box.sleep(60, until_stopped=True)
        return 143


async def temporal(client: Client, action: str, run: str, activity: str) -> tuple[int, str]:
    """The exit code and the errors of Temporal's own command."""
    process = await asyncio.create_subprocess_exec(
        str(TEMPORAL),
        *("activity", action, "--workflow-id", run, "--activity-id", activity),
        *("--address", client.service_client.config.target_host),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def begun(client: Client, runner: Runner, hall: Hall) -> WorkflowHandle[RunWorkflow, RunRecord]:
    run = await runner.start(plan(job("work", entrypoint=("work",))))
    await until(client, run.id, lambda _: hall.starts)
    return run


async def sent(client: Client, run: str, times: int) -> None:
    """Return once the job has been sent out so often."""
    async with asyncio.timeout(30):
        while len([name for name, _ in await activities(client, run) if name == "work"]) < times:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("action", ["pause", "reset"])
async def test_the_container_goes_on_and_the_next_dispatch_adopts_it(
    client: Client, serve: Serve, action: str
) -> None:
    hall = Hall()
    async with serve(client, engine=hall.engine) as runner:
        run = await begun(client, runner, hall)
        assert await temporal(client, action, run.id, "work") == (0, "")
        await sent(client, run.id, 2)
        hall.go.set()
        record = await runs.wait(client, run.id)
    assert (record.status, hall.starts, record.jobs["work"].tries) == ("success", 1, 1)
    assert [key for _, key in await activities(client, run.id)] == ["work", "work (dispatch 2)"]


async def test_there_is_nothing_to_unpause_and_the_run_can_still_be_cancelled(
    client: Client, serve: Serve
) -> None:
    hall = Hall()
    async with serve(client, engine=hall.engine) as runner:
        run = await begun(client, runner, hall)
        await temporal(client, "pause", run.id, "work")
        await sent(client, run.id, 2)
        code, errors = await temporal(client, "unpause", run.id, "work")
        await runs.cancel(client, run.id)
        record = await runs.wait(client, run.id)
    assert (code, "already completed" in errors) == (1, True)
    assert (record.status, record.jobs["work"].status, hall.starts) == ("cancelled", "cancelled", 1)
    assert hall.engine.list_labelled({}) == []


async def test_services_that_start_are_not_started_twice(client: Client, serve: Serve) -> None:
    hall = Hall()
    async with serve(client, engine=hall.engine) as runner:
        run = await runner.start(
            plan(with_services("test", service(does="serve", start_timeout=60), does="work"))
        )
        await until(client, run.id, lambda _: hall.starts)
        assert await temporal(client, "pause", run.id, "start services: test") == (0, "")
        async with asyncio.timeout(30):
            while len(await activities(client, run.id)) < 2:
                await asyncio.sleep(0.1)
        hall.go.set()
        record = await runs.wait(client, run.id)
    # The service, and the job after it.
    assert (record.status, hall.starts) == ("success", 2)
