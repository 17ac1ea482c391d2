"""Worker Deployment Versioning on a real server: two versions of workers, as processes of their own."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle

from orchestrator.client import runs
from orchestrator.client.takers import why_nobody_takes
from orchestrator.contract.messages import RunRecord
from orchestrator.errors import WorkerUnreachable
from orchestrator.interpreter.workflow import RunWorkflow
from tests.support.cli import Orca
from tests.support.house import service, until, with_services
from tests.support.kinds import answer, gate, nested
from tests.support.plans import job, plan
from tests.support.serving import Runner
from tests.workflow import version_host

ROOT = Path(__file__).parents[2]
TEMPORAL = str(Path(sys.executable).with_name("temporal"))
SHAPE = plan(
    gate("go"),
    job("alone", "go", entrypoint=("work",)),
    with_services("beside", "alone", service()),
    nested("below", "p", "beside"),
    workflows={"p": plan(job("inner", entrypoint=("work",)))},
)
Handle = WorkflowHandle[RunWorkflow, RunRecord]


@dataclass(frozen=True)
class Deployment:
    """Versions of workers on a task queue of their own."""

    client: Client
    server: str
    folder: Path
    name: str

    @asynccontextmanager
    async def version(self, build: str, host: str, behaviour: str = "") -> AsyncGenerator[None]:
        """A worker of that version for the block; it has none where `build` is empty."""
        told = {"ORCA_DEPLOYMENT": self.name, "ORCA_BUILD_ID": build, "ORCA_VERSIONING": behaviour}
        environ = {
            **os.environ,
            "TEMPORAL_ADDRESS": self.server,
            "ORCA_HOME": str(self.folder / host),
            "ORCA_STORE": str(self.folder / "store"),
            "ORCA_HOST_ID": host,
            "ORCA_TASK_QUEUE": self.name,
            **(told if build else {}),
        }
        log = (self.folder / f"{host}.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", version_host.__name__, cwd=ROOT, env=environ, stdout=log, stderr=log
        )
        log.close()
        try:
            await self._ready(process, host)
            yield
        finally:
            process.terminate()
            await process.wait()

    async def _ready(self, process: Process, host: str) -> None:
        async with asyncio.timeout(90):
            while "worker ready" not in self.log(host):
                assert process.returncode is None, self.log(host)
                await asyncio.sleep(0.05)

    def log(self, host: str) -> str:
        return (self.folder / f"{host}.log").read_text()

    async def set_current(self, build: str) -> None:
        """As the page on upgrades says it."""
        words = ["worker", "deployment", "set-current-version", "--deployment-name", self.name]
        async with asyncio.timeout(60):
            while True:
                process = await asyncio.create_subprocess_exec(
                    TEMPORAL, *words, "--build-id", build, "--yes", "--address", self.server,
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                )  # fmt: skip
                said, _ = await process.communicate()
                if process.returncode == 0:
                    return
                assert b"found" in said or b"missing active task queues" in said, said
                await asyncio.sleep(0.5)  # The server has not heard of the new version yet.

    async def begin(self) -> Handle:
        """A run that has come to its gate."""
        handle = await Runner(self.client, self.name).start(SHAPE)
        await until(self.client, handle.id, lambda found: found.jobs["go"].gate)
        return handle

    async def end(self, handle: Handle) -> tuple[str, dict[str, str], str]:
        """Open its gate: how it ends, on which hosts its jobs ran, and its version."""
        await answer(self.client, handle.id, "go")
        async with asyncio.timeout(60):
            record = await runs.wait(self.client, handle.id)
        below = await runs.record(self.client, record.jobs["below"].child)
        hosts = {
            name: found.history[0].host
            for name, found in (record.jobs | below.jobs).items()
            if found.kind == "container"
        }
        versioning = (await handle.describe()).raw_description.workflow_execution_info.versioning_info
        return record.status, hosts, versioning.deployment_version.build_id


@pytest.fixture
def deployment(client: Client, server: str, tmp_path: Path) -> Deployment:
    return Deployment(client, server, tmp_path, f"orca-{uuid4().hex[:12]}")


def on(host: str) -> dict[str, str]:
    return dict.fromkeys(("alone", "beside", "inner"), host)


@pytest.mark.parametrize(
    ("behaviour", "first_ends_on"), [("", ("one", "1.0")), ("auto-upgrade", ("two", "1.1+b"))]
)
async def test_runs_end_on_the_version_that_they_began_with_or_follow_the_current_one(
    deployment: Deployment, behaviour: str, first_ends_on: tuple[str, str]
) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(deployment.version("1.0", "one", behaviour))
        await deployment.set_current("1.0")
        first = await deployment.begin()
        await stack.enter_async_context(deployment.version("1.1+b", "two", behaviour))
        between = await deployment.begin()
        await deployment.set_current("1.1+b")
        second = await deployment.begin()
        ends = [await deployment.end(handle) for handle in (first, between, second)]
    host, build = first_ends_on
    assert ends == [
        ("success", on(host), build),
        ("success", on(host), build),
        ("success", on("two"), "1.1+b"),
    ]
    assert "set-current-version --deployment-name" in deployment.log("two")


async def test_a_run_whose_version_has_gone_waits_for_it_and_says_so(deployment: Deployment) -> None:
    async with deployment.version("1.0", "one"):
        await deployment.set_current("1.0")
        first = await deployment.begin()
    async with deployment.version("1.1", "two"):
        await deployment.set_current("1.1")
        with pytest.raises(WorkerUnreachable) as caught:
            await runs.record(deployment.client, first.id)
        assert str(caught.value).endswith(
            f"; the run is pinned to version '1.0' of deployment '{deployment.name}': start a worker with "
            f"ORCA_DEPLOYMENT={deployment.name} ORCA_BUILD_ID=1.0"
        )
    async with deployment.version("1.0", "one"):
        assert await deployment.end(first) == ("success", on("one"), "1.0")


async def test_a_version_that_is_not_current_gets_no_runs_and_submitting_says_so(
    deployment: Deployment,
) -> None:
    name, client = deployment.name, deployment.client
    assert await why_nobody_takes(client, name) == (
        f"no worker is on task queue '{name}' yet; the run waits for one: 'orca worker'"
    )
    async with deployment.version("1.0", "one"):
        async with asyncio.timeout(30):
            while "none of these is the current one" not in (
                found := await why_nobody_takes(client, name) or ""
            ):
                await asyncio.sleep(0.1)
        assert found.endswith(
            f"'temporal worker deployment set-current-version --deployment-name {name} --build-id 1.0'"
        )
        await deployment.set_current("1.0")
        async with asyncio.timeout(30):
            while await why_nobody_takes(client, name) is not None:
                await asyncio.sleep(0.1)


async def test_resuming_says_so_too(deployment: Deployment) -> None:
    name, client = deployment.name, deployment.client
    environ = {"TEMPORAL_ADDRESS": deployment.server, "PYTHONPATH": str(ROOT)}
    orca = Orca(deployment.folder, {**environ, "ORCA_STORE": str(deployment.folder / "store")})
    run = await Runner(client, name).start(plan(gate("go")))
    await run.terminate("by hand")
    async with deployment.version("1.0", "one"):
        async with asyncio.timeout(30):
            while "none of these is the current one" not in (await why_nobody_takes(client, name) or ""):
                await asyncio.sleep(0.1)
        done = await asyncio.to_thread(orca, "resume", run.id)
        assert (done.returncode, "and none of these is the current one; the run" in done.stderr) == (0, True)


async def test_a_run_that_began_before_versioning_was_switched_on_goes_over(deployment: Deployment) -> None:
    async with deployment.version("", "old"):
        first = await deployment.begin()
    async with deployment.version("1.0", "one"):
        await deployment.set_current("1.0")
        assert await deployment.end(first) == ("success", on("one"), "1.0")
