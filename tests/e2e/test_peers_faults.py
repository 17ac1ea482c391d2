"""What other systems get wrong when a worker goes away under a running container, each tried with a real one.

Airflow's Docker operator never takes a container up again, zigflow starts a second one, Nomad takes up one that runs
and throws away the exit code of one that has ended, and Kestra names containers by Temporal's attempt, so that a second
attempt makes a second one. The container's starts are counted by the engine's own events.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from orchestrator.contract.names import HEARTBEAT_TIMEOUT, LABEL_RUN
from tests.e2e.conftest import WriteSpec
from tests.support.cli import COMMAND, Orca
from tests.support.containers import containers_of
from tests.support.machines import server_alone

COUNTS = """
name: counts
jobs:
  count:
    image: alpine:latest
    commands:
      - for i in $(seq {seconds}); do echo line $i; sleep 1; done
      - echo "n={seconds}" >> $ORCA_OUTPUT; exit {code}
"""


@dataclass
class Site:
    """A server without a worker, and workers of one host that are started and killed one by one."""

    orca: Orca
    workers: "list[subprocess.Popen[bytes]]"

    def worker(self) -> "subprocess.Popen[bytes]":
        """Start one. Its log is not read."""
        words = [COMMAND, "worker"]
        worker = subprocess.Popen(
            words, env=self.orca.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.workers.append(worker)
        return worker

    def lines(self, run: str) -> list[str]:
        """What the job printed."""
        return [
            line for line in self.orca("logs", run, "count").stdout.splitlines() if line.startswith("line ")
        ]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with server_alone(tmp_path) as (orca, _):
        found = Site(orca, [])
        try:
            yield found
        finally:
            for worker in found.workers:
                if worker.poll() is None:
                    worker.send_signal(signal.SIGCONT)
                    worker.terminate()
                worker.wait(30)


def until(condition: Callable[[], object], *, limit: float = 60) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s"
        time.sleep(0.1)


@dataclass
class Seen:
    """A container as it was when the worker went away."""

    id: str
    started: str
    since: int
    """When its run was submitted, by this host's clock."""


def seen(run: str, since: int) -> Seen:
    client = docker.from_env()
    try:
        (box,) = client.containers.list(all=True, filters={"label": f"{LABEL_RUN}={run}"})
        return Seen(str(box.id), box.attrs["State"]["StartedAt"], since)
    finally:
        client.close()


def state(box: Seen) -> str:
    client = docker.from_env()
    try:
        return str(client.containers.get(box.id).status)
    finally:
        client.close()


def starts(run: str, since: int) -> list[str]:
    """The ids of the run's containers, one for each start that the engine knows of."""
    client = docker.from_env()
    try:
        api: Any = client.api
        told = api.events(
            since=since,
            until=int(time.time()) + 1,
            filters={"event": "start", "label": f"{LABEL_RUN}={run}"},
        )
        return [json.loads(line)["id"] for chunk in told for line in chunk.splitlines()]
    finally:
        client.close()


def begin(site: Site, write_spec: WriteSpec, *, seconds: int, code: int = 0) -> tuple[str, Seen]:
    """Submit, and wait until some lines are in the store."""
    since = int(time.time())
    run = site.orca.submit(write_spec(COUNTS.format(seconds=seconds, code=code)))
    until(lambda: len(site.lines(run)) >= 3)
    return run, seen(run, since)


def assert_one_start(site: Site, run: str, box: Seen, *, seconds: int, code: int = 0) -> None:
    record = site.orca.wait(run)
    job = record["jobs"]["count"]
    assert (job["tries"], job["exit_code"]) == (1, code), record
    assert starts(run, box.since) == [box.id]
    assert site.lines(run) == [f"line {number}" for number in range(1, seconds + 1)]
    # The script has written it, and those of a try that failed are taken too.
    assert job["outputs"] == {"n": str(seconds)}
    assert containers_of(run) == []


@pytest.mark.timeout(300)
def test_airflow_a_running_container_is_taken_up_again(site: Site, write_spec: WriteSpec) -> None:
    """kill -9 in the middle of a job of a minute: the same container, one start, one log without a gap."""
    first = site.worker()
    run, box = begin(site, write_spec, seconds=60)
    time.sleep(5)
    first.kill()
    time.sleep(5)
    assert state(box) == "running"
    site.worker()
    assert_one_start(site, run, box, seconds=60)


@pytest.mark.timeout(300)
def test_zigflow_another_worker_of_the_host_starts_no_second_container(
    site: Site, write_spec: WriteSpec
) -> None:
    """It is there already when the one that has the container dies."""
    first = site.worker()
    run, box = begin(site, write_spec, seconds=25)
    site.worker()
    time.sleep(3)
    first.kill()
    assert_one_start(site, run, box, seconds=25)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("code", [0, 7])
def test_nomad_the_end_of_a_container_that_nobody_saw_is_kept(
    site: Site, write_spec: WriteSpec, code: int
) -> None:
    first = site.worker()
    run, box = begin(site, write_spec, seconds=8, code=code)
    first.kill()
    until(lambda: state(box) == "exited")
    site.worker()
    assert_one_start(site, run, box, seconds=8, code=code)


@pytest.mark.timeout(360)
def test_kestra_several_dispatches_have_one_container(site: Site, write_spec: WriteSpec) -> None:
    """A worker that is frozen for longer than a heartbeat may take wakes up beside the one that took its place."""
    first = site.worker()
    run, box = begin(site, write_spec, seconds=45)
    first.send_signal(signal.SIGSTOP)
    site.worker()
    time.sleep(HEARTBEAT_TIMEOUT + 8)
    first.send_signal(signal.SIGCONT)
    assert_one_start(site, run, box, seconds=45)


ENDLESS = """
name: endless
jobs:
  count:
    image: alpine:latest
    commands: ["until [ -e /enough ]; do i=$((i + 1)); echo line $i; sleep 1; done"]
"""


@pytest.mark.timeout(300)
def test_a_worker_that_is_stopped_again_and_again_costs_nothing(site: Site, write_spec: WriteSpec) -> None:
    """Each lets go within seconds, and each next one goes on where it stopped."""
    worker = site.worker()
    since = int(time.time())
    run = site.orca.submit(write_spec(ENDLESS))
    until(lambda: len(site.lines(run)) >= 3)
    box = seen(run, since)
    took: list[float] = []
    for _ in range(3):
        begun = time.monotonic()
        worker.terminate()
        worker.wait(30)
        took.append(time.monotonic() - begun)
        assert state(box) == "running"
        told = len(site.lines(run))
        worker = site.worker()
        until(lambda before=told: len(site.lines(run)) > before + 1)
    assert max(took) < 8, took
    client = docker.from_env()
    try:
        client.containers.get(box.id).exec_run(["touch", "/enough"])
    finally:
        client.close()
    record = site.orca.wait(run)
    assert (record["status"], record["jobs"]["count"]["tries"]) == ("success", 1), record
    assert starts(run, since) == [box.id]
    lines = site.lines(run)
    assert lines == [f"line {number}" for number in range(1, len(lines) + 1)]
    assert containers_of(run) == []
