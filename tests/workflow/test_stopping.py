"""A worker that is told to stop is gone within seconds, whatever does not end: real processes."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from orchestrator import __version__
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from tests.support.plans import job, plan
from tests.support.serving import Runner
from tests.workflow import hanging_host
from workers.stopping import IDLE_LIMIT

ROOT = Path(__file__).parents[2]
SLACK = 7.0
"""Seconds for a machine that has much else to do."""


async def run_until_ready(server: str, folder: Path, *words: str) -> tuple[asyncio.subprocess.Process, str]:
    """A started worker without a Docker engine, and its task queue."""
    queue = uuid4().hex
    environ = {
        **os.environ,
        "TEMPORAL_ADDRESS": server,
        "ORCA_HOME": str(folder / "home"),
        "ORCA_TASK_QUEUE": queue,
        "DOCKER_HOST": f"unix://{folder}/none.sock",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, cwd=ROOT, env=environ, stderr=PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while b"worker ready" not in (line := await process.stderr.readline()):
            assert line, "the worker ended"
    return process, queue


async def stopped(process: asyncio.subprocess.Process) -> tuple[int, float, str]:
    """The exit code of a worker that is told to stop, the seconds that it took, and what it said."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, time.monotonic() - begun, said.decode()


@pytest.mark.parametrize("how", ["await", "block"])
async def test_an_sdk_that_never_ends(server: str, tmp_path: Path, how: str) -> None:
    process, _ = await run_until_ready(server, tmp_path, hanging_host.__name__, how)
    code, took, said = await stopped(process)
    assert (code, took < IDLE_LIMIT + SLACK) == (0, True), said
    told = "the worker ends 8 s after it was told to stop, without waiting any longer for Temporal's SDK\n"
    assert said.endswith(f"WARNING orca.worker: {told}"), said


async def test_a_server_that_no_longer_answers(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with use_server(Home(tmp_path / "server")) as server:
        process, _ = await run_until_ready(server.address, tmp_path, "workers")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            code, took, said = await stopped(process)
        finally:
            os.kill(server.pid, signal.SIGCONT)
    assert (code, took < IDLE_LIMIT + SLACK) == (0, True), said


async def test_one_that_ends_says_nothing_and_takes_no_time(server: str, tmp_path: Path) -> None:
    process, _ = await run_until_ready(server, tmp_path, "workers")
    code, took, said = await stopped(process)
    assert (code, took < IDLE_LIMIT, "without waiting" in said) == (0, True, False), said


async def test_one_whose_engine_is_away_lets_go_of_its_job(
    client: Client, server: str, tmp_path: Path
) -> None:
    process, queue = await run_until_ready(server, tmp_path, "workers")
    run = await Runner(client, queue).start(plan(job("work")))
    async with asyncio.timeout(30):
        while not (await run.describe()).raw_description.pending_activities:
            await asyncio.sleep(0.1)
    code, took, said = await stopped(process)
    assert (code, took < IDLE_LIMIT, "without waiting" in said) == (0, True, False), said
    # Worked out of all modules it would have cost the worker's start a second.
    decided = [
        event.workflow_task_completed_event_attributes.worker_version
        for event in (await run.fetch_history()).events
        if event.HasField("workflow_task_completed_event_attributes")
    ]
    assert {(version.build_id, version.use_versioning) for version in decided} == {(__version__, False)}


LEFT = """
import asyncio, logging, time
from workers.stopping import Stop

async def main() -> None:
    stop = Stop(limit=1.0, idle_limit=0.3)
    stop.under_way = lambda: [f"'job-{number}' of run 'r'" for number in range(7)]
    stop.waits_for = "its Docker engine"
    stop.ask()
    stop.ask()
    assert stop.asked.is_set()
    time.sleep(60)

logging.basicConfig(format="%(message)s")
asyncio.run(main())
"""


async def test_work_that_never_ends_is_named() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LEFT, cwd=ROOT, stderr=PIPE)
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    assert (process.returncode, said.decode()) == (
        0,
        "the worker ends 1 s after it was told to stop, without waiting any longer for its Docker engine; still under "
        "way: 'job-0' of run 'r', 'job-1' of run 'r', 'job-2' of run 'r', 'job-3' of run 'r', 'job-4' of run 'r' and 2 "
        "more\n",
    )
