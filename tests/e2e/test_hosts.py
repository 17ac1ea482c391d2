"""Services on two hosts, each with an engine and a worker of its own: where they go, and what a lost host means."""

import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from orchestrator.client.connect import connect
from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca
from tests.support.histories import until_ended
from tests.support.machines import Machine, server_alone
from tests.support.specs import services_first

IMAGE = "alpine:latest"


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[Machine, Machine]]:
    """Two machines that have the image; each test finds them on and empty."""
    both = Machine("first"), Machine("second")
    try:
        for machine in both:
            machine.switch_on()
            machine.load(IMAGE)
        yield both
    finally:
        for machine in both:
            machine.remove()


@dataclass(frozen=True)
class Hosts:
    """A server without a worker, and two hosts that share a store."""

    orca: Orca
    client: Client
    port: int
    first: Machine
    second: Machine

    def worker(self, machine: Machine, **env: str) -> int:
        """Start the worker of a machine, which has a state folder of its own, and give its process id."""
        return machine.worker(self.orca, port=self.port, **env).pid


@pytest.fixture
async def hosts(tmp_path: Path, machines: tuple[Machine, Machine]) -> AsyncIterator[Hosts]:
    """Without workers. What a test leaves on either machine fails it."""
    with server_alone(tmp_path) as (orca, address):
        for machine in machines:
            if not machine.is_on:
                machine.switch_on()
        try:
            yield Hosts(orca, await connect(address), int(address.rpartition(":")[2]), *machines)
            for machine in machines:
                assert machine.is_on
                assert machine.nothing_left(), machine.left()
        finally:
            for machine in machines:
                machine.cut_off()


def wait_until(condition: Callable[[], object], *, limit: float = 60) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s"
        time.sleep(0.05)


def tries(record: dict[str, Any], job: str) -> list[dict[str, Any]]:
    """Of a job or all its variants."""
    found = record["jobs"][job]
    return [each for one in (found["variants"].values() or [found]) for each in one["history"]]


def where(record: dict[str, Any], job: str) -> list[str]:
    """The host of each try of a job."""
    return [each["host"] for each in record["jobs"][job]["history"]]


MOVED = services_first("moved", "echo it ran")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("late", [False, True], ids=["back in time", "back too late"])
async def test_a_host_that_is_lost_between_the_services_and_their_job(
    hosts: Hosts, write_spec: WriteSpec, late: bool
) -> None:
    first, second = hosts.first, hosts.second
    other = hosts.worker(second, ORCA_MAX_JOBS="1")
    run = hosts.orca.submit(write_spec(MOVED))
    hosts.orca.wait_for(run, lambda record: record["jobs"]["hold"]["status"] == "running" and second.left())
    hosts.worker(first)
    wait_until(lambda: len(first.left()) == 2)
    # The second worker has the workflow in memory. While it is frozen nobody sends the job after the services.
    os.kill(other, signal.SIGSTOP)
    await until_ended(hosts.client, run, "start services: test")
    first.cut_off()
    os.kill(other, signal.SIGCONT)
    hosts.orca.wait_for(run, lambda record: record["jobs"]["test"]["status"] == "success")
    if not late:
        first.switch_on()
        hosts.worker(first)
    record = hosts.orca.wait(run)
    test = record["jobs"]["test"]
    assert (record["status"], test["status"], test["tries"]) == ("success", "success", 2), record
    assert where(record, "test") == ["first", "second"]
    assert test["history"][0]["reason"] == (
        "lost: host 'first', which has db, did not take the job within 30 s; nothing of the job had begun there"
    )
    assert (test["services"]["db"]["state"], test["services"]["db"]["start"]) == ("healthy", 2)
    assert "it ran" in hosts.orca.ok("logs", run, "test").splitlines()
    if late:
        assert_left_to_a_person(first, test["warnings"])
    else:
        # Also of the first try's service, although its host had no network for it any more.
        assert test["warnings"] == []


def assert_left_to_a_person(machine: Machine, warnings: list[str]) -> None:
    """Nobody asks for what the host has any more; the warning says what to remove, and that is all there is."""
    (warning,) = warnings
    assert warning.startswith(
        "the services could not be stopped: host 'first', which had the services, did not come back"
    )
    machine.switch_on()
    network, container = machine.left()
    assert container.startswith(network)
    assert f"what is left over on host '{machine.name}' has names that begin with '{network}'" in warning
    with machine.engine() as engine:
        assert engine.containers.get(container).status == "exited"
        engine.containers.get(container).remove(v=True)
        engine.networks.get(network).remove()


SHARED = """
name: shared
services:
  db:
    image: alpine:latest
    command: sh -c 'mkdir /www; echo from-db >/www/index.html; exec httpd -f -p 80 -h /www'
    ports: [80]
jobs:
  with:
    image: alpine:latest
    for_each: [1, 2, 3, 4]
    services: [db]
    commands: ["wget -q -O - http://db/", sleep 1]
  without:
    image: alpine:latest
    for_each: [1, 2, 3, 4]
    commands: [sleep 2]
  last:
    image: alpine:latest
    requires: [with, without]
    services: [db]
    commands: ["wget -q -O - http://db/"]
"""


async def test_shared_services_and_all_jobs_that_name_them_are_on_one_host(
    hosts: Hosts, write_spec: WriteSpec
) -> None:
    for machine in (hosts.first, hosts.second):
        hosts.worker(machine, ORCA_MAX_JOBS="2")
    run = hosts.orca.submit(write_spec(SHARED))
    record = hosts.orca.wait(run)
    assert record["status"] == "success", record
    sharing = {each["host"] for job in ("with", "last") for each in tries(record, job)}
    others = {each["host"] for each in tries(record, "without")}
    assert len(sharing) == 1
    assert sharing | others == {"first", "second"}
    assert hosts.orca.ok("logs", run).count("from-db") == 5
    assert record["services"]["db"]["stopped"]


RUNNING = """
name: running
jobs:
  test:
    image: alpine:latest
    retry: 2
    services:
      db:
        image: alpine:latest
        command: sh -c 'echo ready; exec sleep 600'
        health_check: {ready: {log: ready}}
    commands: ['echo "begun on $(cat /etc/hostname)"', 'test "$ORCA_TRY" = 2 || sleep 60']
"""


async def test_an_engine_that_is_restarted_beside_the_job(hosts: Hosts, write_spec: WriteSpec) -> None:
    """It stops its containers, which takes it 10 s: the service does not care for the signal."""
    hosts.worker(hosts.first)
    run = hosts.orca.submit(write_spec(RUNNING))
    hosts.orca.wait_for(run, lambda record: len(hosts.first.left()) == 3)
    wait_until(lambda: "begun" in hosts.orca("logs", run, "test").stdout)
    hosts.first.stop_engine()
    hosts.first.start_engine()
    record = hosts.orca.wait(run)
    test = record["jobs"]["test"]
    assert (record["status"], test["tries"]) == ("success", 2), record
    assert test["history"][0]["reason"].startswith(
        "lost: the Docker engine of host 'first' was stopped, or its host went off, while the job ran, and took the"
    )
    assert where(record, "test") == ["first", "first"]


async def test_a_host_that_goes_off_beside_the_job_and_comes_back(
    hosts: Hosts, write_spec: WriteSpec
) -> None:
    """Its container is found as the power failure left it: it is the same try, and it is not run again."""
    hosts.worker(hosts.first)
    run = hosts.orca.submit(write_spec(RUNNING.replace("retry: 2", "retry: 1")))
    hosts.orca.wait_for(run, lambda record: len(hosts.first.left()) == 3)
    wait_until(lambda: "begun" in hosts.orca("logs", run, "test").stdout)
    hosts.first.cut_off()
    hosts.first.switch_on()
    hosts.worker(hosts.first)
    hosts.worker(hosts.second)
    record = hosts.orca.wait(run)
    test = record["jobs"]["test"]
    assert (record["status"], test["tries"], test["exit_code"]) == ("failed", 1, 255), record
    assert where(record, "test") == ["first"]
    assert test["reason"].startswith(
        "lost: the Docker engine of host 'first' was stopped, or its host went off"
    )
    begun = [line for line in hosts.orca.ok("logs", run, "test").splitlines() if line.startswith("begun")]
    assert len(begun) == 1
