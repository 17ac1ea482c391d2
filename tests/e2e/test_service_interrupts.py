"""Services that are interrupted: their worker dies at the worst moment, the run is cancelled, the job's time is up.

Whatever happens, nothing is left: see `nothing_is_left`, which looks at anonymous volumes too.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.connect import connect
from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of
from tests.support.histories import until_ended
from tests.support.machines import server_alone
from tests.support.specs import services_first

JOB = """
name: interrupted
{shared}
jobs:
  test:
    image: alpine:latest
    stop_grace: 1s
    timeout: {timeout}
    services: {services}
    commands: [echo it runs, sleep {seconds}]
"""
OWN = '{db: "redis:7"}'


@dataclass(frozen=True)
class Beside:
    """A server without a worker."""

    orca: Orca
    client: Client


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[Beside]:
    with server_alone(tmp_path) as (orca, address):
        yield Beside(orca, await connect(address))


def spec_of(*, seconds: int = 100, timeout: str = "10m", shared: bool = False) -> str:
    return JOB.format(
        shared=f"services: {OWN}" if shared else "",
        timeout=timeout,
        services="[db]" if shared else OWN,
        seconds=seconds,
    )


HELD = services_first("held", "ping -c 1 -W 2 db")


async def test_a_worker_that_is_killed_between_the_services_and_their_job(
    beside: Beside, write_spec: WriteSpec
) -> None:
    """The next worker of that host starts the job beside the services that are there."""
    orca = beside.orca
    other = Orca(orca.home, {**orca.env, "ORCA_HOST_ID": "other", "ORCA_MAX_JOBS": "1"}).start("worker")
    mine = Orca(orca.home, {**orca.env, "ORCA_HOST_ID": "mine"})
    worker = None
    try:
        run = orca.submit(write_spec(HELD))
        orca.wait_for(
            run, lambda record: record["jobs"]["hold"]["status"] == "running" and containers_of(run)
        )
        worker = mine.start("worker")
        orca.wait_for(run, lambda _: any("-db-" in name for name in containers_of(run)))
        # The other worker has the workflow in memory. While it is frozen nobody sends the job after the services.
        os.kill(other.pid, signal.SIGSTOP)
        await until_ended(beside.client, run, "start services: test")
        worker.kill()
        worker.communicate()
        (database,) = [name for name in containers_of(run) if "-db-" in name]
        os.kill(other.pid, signal.SIGCONT)
        worker = mine.start("worker")
        orca.wait_for(run, lambda record: record["jobs"]["test"]["status"] == "success")
        record = orca.wait(run)
        test = record["jobs"]["test"]
        assert (record["status"], test["tries"], test["warnings"]) == ("success", 1, []), record
        assert [each["host"] for each in test["history"]] == ["mine"]
        assert database not in containers_of(run)
    finally:
        stop(other)
        if worker is not None:
            stop(worker)


@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
async def test_a_cancel_while_services_are_stopped(
    beside: Beside, write_spec: WriteSpec, shared: bool
) -> None:
    worker = beside.orca.start("worker")
    try:
        run = beside.orca.submit(write_spec(spec_of(seconds=2, shared=shared)))
        beside.orca.wait_for(run, lambda _: len(containers_of(run)) == 2)
        await until_ended(beside.client, run, "test")
        await runs.cancel(beside.client, run)
        record = beside.orca.wait(run)
        assert record["jobs"]["test"]["status"] in ("success", "cancelled")
        services = record["services"] if shared else record["jobs"]["test"]["services"]
        assert services["db"]["stopped"]
        assert containers_of(run) == []
    finally:
        stop(worker)


def test_a_cancel_while_a_job_uses_shared_services(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(spec_of(shared=True)))
    orca.wait_for(run, lambda _: len(containers_of(run)) == 2)
    orca.ok("cancel", run)
    record = orca.wait(run)
    assert (record["status"], record["services"]["db"]["stopped"]) == ("cancelled", True)
    assert containers_of(run) == []


@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_a_job_whose_time_is_up_takes_its_services_along(
    orca: Orca, write_spec: WriteSpec, shared: bool
) -> None:
    run = orca.submit(write_spec(spec_of(timeout="2s", shared=shared)))
    record = orca.wait(run)
    test = record["jobs"]["test"]
    assert (record["status"], test["status"]) == ("failed", "failed")
    assert test["reason"].startswith("timeout: ")
    services = record["services"] if shared else test["services"]
    assert (services["db"]["state"], services["db"]["stopped"]) == ("healthy", True)
    assert containers_of(run) == []


async def test_a_worker_that_is_killed_while_services_are_stopped(
    beside: Beside, write_spec: WriteSpec
) -> None:
    worker = beside.orca.start("worker")
    try:
        run = beside.orca.submit(write_spec(spec_of(seconds=2)))
        await until_ended(beside.client, run, "test")
        worker.kill()
        worker.communicate()
        worker = beside.orca.start("worker")
        record = beside.orca.wait(run)
        assert (record["status"], record["jobs"]["test"]["tries"]) == ("success", 1)
        assert record["jobs"]["test"]["services"]["db"]["stopped"]
        log = beside.orca.ok("logs", run, "test/db")
        assert "Ready to accept connections" in log
        async with asyncio.timeout(10):
            while containers_of(run):
                await asyncio.sleep(0.1)
    finally:
        stop(worker)
