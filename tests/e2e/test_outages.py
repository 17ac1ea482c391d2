"""A run outlives the Temporal server and the worker."""

import os
import signal
import time
from pathlib import Path

import pytest

from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server
from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of

COUNTING = """
name: counting
jobs:
  count:
    image: alpine:latest
    commands: ["for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; sleep 1; done"]
  after: {image: "alpine:latest", requires: [count], commands: ["echo after"]}
"""


def _lines(log: str) -> list[str]:
    return [line for line in log.splitlines() if line.startswith("line ")]


@pytest.mark.parametrize("hard", [False, True], ids=["stopped", "killed"])
def test_the_server_goes_away_in_the_middle_and_comes_back_on_the_same_file(
    tmp_path: Path, write_spec: WriteSpec, hard: bool
) -> None:
    alone = Orca(tmp_path / "home")
    port = str(21000 + os.getpid() % 1000)
    up = alone.start("up", "--no-worker", "--port", port, "-o", "json")
    assert up.stdout is not None
    assert up.stdout.readline().startswith("{")
    worker = alone.start("worker", "--address", f"127.0.0.1:{port}")
    try:
        run = alone.submit(write_spec(COUNTING))
        alone.wait_for(
            run, lambda record: record["jobs"]["count"]["status"] == "running" and containers_of(run)
        )
        (name,) = containers_of(run)
        if hard:
            server = running_server(Home(tmp_path / "home"))
            assert server is not None
            os.kill(server.pid, signal.SIGKILL)
        stop(up)
        time.sleep(3)
        up = alone.start("up", "--no-worker", "--port", port)
        record = alone.wait(run)
        assert (record["status"], record["jobs"]["count"]["tries"]) == ("success", 1)
        assert _lines(alone.ok("logs", run, "count")) == [f"line {number}" for number in range(1, 13)]
        assert name not in containers_of(run)
    finally:
        stop(worker)
        stop(up)


def test_a_worker_that_is_stopped_leaves_its_container_to_the_next_one(
    tmp_path: Path, write_spec: WriteSpec
) -> None:
    alone = Orca(tmp_path / "home")
    up = alone.start("up", "--no-worker", "-o", "json")
    assert up.stdout is not None
    assert up.stdout.readline().startswith("{")
    worker = alone.start("worker")
    try:
        run = alone.submit(write_spec(COUNTING))
        alone.wait_for(
            run, lambda record: record["jobs"]["count"]["status"] == "running" and containers_of(run)
        )
        before = containers_of(run)
        begin = time.monotonic()
        stop(worker)
        assert time.monotonic() - begin < 10
        assert containers_of(run) == before
        worker = alone.start("worker")
        record = alone.wait(run)
        assert (record["status"], record["jobs"]["count"]["tries"]) == ("success", 1)
        assert _lines(alone.ok("logs", run, "count")) == [f"line {number}" for number in range(1, 13)]
    finally:
        stop(worker)
        stop(up)
