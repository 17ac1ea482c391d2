"""`orca cancel` in its modes on real containers, also while the worker is dead: what runs ends, and nothing is left."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest

from orchestrator.contract.names import HEARTBEAT_TIMEOUT
from orchestrator.interpreter.cancelling import FORCE_WAIT
from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of
from tests.support.machines import server_alone

DEAF = """
name: deaf
defaults: {image: "alpine:latest"}
jobs:
  nap:
    commands: ["trap '' TERM; echo up; for i in $(seq 600); do sleep 0.1; done"]
    stop_grace: 5m
  after: {requires: [nap], commands: ["true"]}
  tidy: {on_complete: always, commands: [echo tidy]}
"""
BRIEF = """
name: brief
defaults: {image: "alpine:latest"}
jobs:
  work:
    services: {cache: {image: "redis:7", artifact: true}}
    commands: ["echo up; sleep 15; echo done"]
  after: {requires: [work], commands: ["true"]}
  ask: {gate: "Go on?"}
  tidy: {on_complete: always, commands: ["echo tidy; sleep 600"], stop_grace: 0}
"""


def ends(record: dict[str, Any]) -> dict[str, str]:
    return {name: job["status"] for name, job in record["jobs"].items()}


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def until_up(orca: Orca, run: str, job: str) -> None:
    until(lambda: "up" in orca("logs", run, job).stdout)


def test_force_kills_in_the_middle_of_the_grace(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(DEAF))
    until_up(orca, run, "nap")
    first = orca.json("cancel", run, "--by", "ann")
    time.sleep(4)
    between = orca.json("status", run)
    lower = orca("cancel", run, "--mode", "drain")
    at = time.monotonic()
    done = orca.json("cancel", run, "--mode", "force", "--by", "bob", "-m", "no time")
    record = orca.wait(run)
    took = time.monotonic() - at
    assert (first["mode"], first["cancel"]) == ("graceful", "requested")
    assert (between["status"], between["jobs"]["nap"]["status"]) == ("running", "running")
    assert (lower.returncode, lower.stdout) == (2, "")
    assert "a cancel can be raised and not lowered" in lower.stderr
    assert done == {
        "run_id": run,
        "cancel": "requested",
        "mode": "force",
        "message": "the run is being ended by force: what runs is killed, and no finalizer runs",
    }
    assert took < 15
    assert ends(record) == {"nap": "cancelled", "after": "cancelled", "tidy": "cancelled"}
    assert containers_of(run) == []
    ended = orca("cancel", run)
    assert (ended.returncode, "has already ended" in ended.stderr) == (2, True)
    assert f"cancelled: force by bob at {record['cancel']['at'][:4]}" in orca("status", run).stdout


def test_a_drain_and_then_a_second_graceful_cancel(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(BRIEF))
    until_up(orca, run, "work")
    said = orca.ok("cancel", run, "--mode", "drain")
    assert said.startswith("the run drains: ")
    record = orca.wait_for(run, lambda found: found["jobs"]["tidy"]["status"] == "running")
    assert ends(record) == {"work": "success", "after": "cancelled", "ask": "cancelled", "tidy": "running"}
    assert "done" in orca.ok("logs", run, "work")
    orca.ok("cancel", run)
    assert ends(orca.json("status", run))["tidy"] == "running"
    orca.ok("cancel", run)
    record = orca.wait(run)
    assert (record["status"], ends(record)["tidy"]) == ("cancelled", "cancelled")
    assert (record["cancel"]["mode"], record["cancel"]["finalizers"]) == ("graceful", False)
    assert containers_of(run) == []


@pytest.fixture
def server(tmp_path: Path) -> Any:
    """A server without a worker."""
    with server_alone(tmp_path) as (orca, _):
        yield orca


def worker(orca: Orca) -> "subprocess.Popen[str]":
    return orca.start("worker")


def kill(process: "subprocess.Popen[str]") -> None:
    """As the kernel does when memory is short: the command and all that it started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (process.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=30)


def test_a_cancel_while_the_worker_is_dead_reaches_the_container(server: Orca, write_spec: WriteSpec) -> None:
    first = worker(server)
    run = server.submit(write_spec(DEAF.replace("5m", "1s")))
    until_up(server, run, "nap")
    (container,) = containers_of(run)
    kill(first)
    missed = time.monotonic() + HEARTBEAT_TIMEOUT + 2
    said = server.json("cancel", run)
    assert said["cancel"] == "requested"
    assert "as soon as a worker is there" in said["message"]
    assert containers_of(run) == [container]
    # The run hears of the cancel and of the loss in one workflow task.
    time.sleep(max(0.0, missed - time.monotonic()))
    second = worker(server)
    try:
        record = server.wait(run)
    finally:
        stop(second)
    assert ends(record) == {"nap": "cancelled", "after": "cancelled", "tidy": "success"}
    assert containers_of(run) == []


def stop_signals(container: str, since: int) -> int:
    """How often a container was told to stop, by its engine's own events."""
    client = docker.from_env()
    try:
        api: Any = client.api
        told = api.events(
            since=since,
            until=int(time.time()) + 1,
            filters={"event": "kill", "container": container},
            decode=True,
        )
        return sum(event["Actor"]["Attributes"]["signal"] == "15" for event in told)
    finally:
        client.close()


def test_a_worker_that_stops_in_the_middle_of_a_grace(server: Orca, write_spec: WriteSpec) -> None:
    """It is gone within seconds, the container goes on being stopped, and the next worker has the cancel."""
    first = worker(server)
    run = server.submit(write_spec(DEAF.replace("5m", "2m")))
    until_up(server, run, "nap")
    (container,) = containers_of(run)
    since = int(time.time())
    server.json("cancel", run)
    until(lambda: stop_signals(container, since) == 1)
    at = time.monotonic()
    first.terminate()
    _, said = first.communicate(timeout=60)
    took = time.monotonic() - at
    second = worker(server)
    try:
        until(lambda: stop_signals(container, since) == 2)
        between = server.json("status", run)
        assert containers_of(run) == [container]
        at = time.monotonic()
        server.json("cancel", run, "--mode", "force")
        record = server.wait(run)
        forced = time.monotonic() - at
    finally:
        stop(second)
    assert (first.returncode, took < 8, "without waiting" in said) == (0, True, False), (took, said)
    assert (between["status"], between["jobs"]["nap"]["status"]) == ("running", "running")
    assert ends(record) == {"nap": "cancelled", "after": "cancelled", "tidy": "cancelled"}
    assert (record["jobs"]["nap"]["tries"], forced < FORCE_WAIT) == (1, True), (record, forced)
    assert server("logs", run, "nap").stdout.splitlines().count("up") == 1
    assert containers_of(run) == []


def test_force_ends_a_run_whose_worker_is_dead(server: Orca, write_spec: WriteSpec) -> None:
    first = worker(server)
    run = server.submit(write_spec(DEAF))
    until_up(server, run, "nap")
    kill(first)
    done = server("cancel", run, "--mode", "force", "-o", "json")
    record = server.json("status", run)
    assert '"cancel": "terminated"' in done.stdout
    assert re.search(r"no worker on task queue 'orca' answers: ending run '.*' at the server", done.stderr)
    assert (record["status"], set(ends(record).values())) == ("cancelled", {"cancelled"})
    assert record["error"].startswith("terminated: cancelled by force by ")
    # Its container goes with the reaper of the next worker, or now.
    second = worker(server)
    try:
        assert len(containers_of(run)) == 1
        server.ok("doctor", "--reap")
        assert containers_of(run) == []
    finally:
        stop(second)
