"""Ctrl-C on `orca run`: once asks the run to cancel and waits for its clean-up, twice detaches."""

import json
import signal
import subprocess
import time
from pathlib import Path

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of

SPEC = """
name: interrupted
jobs:
  nap: {image: "alpine:latest", commands: ["trap 'exit 0' TERM; for i in $(seq 60); do sleep 1; done"], stop_grace: 5}
  tidy: {image: "alpine:latest", on_complete: always, commands: ["echo tidy"]}
"""


def _wait_for_container(run: str) -> None:
    deadline = time.monotonic() + 30
    while not containers_of(run):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_ctrl_c_cancels_and_waits(tmp_path: Path, write_spec: WriteSpec) -> None:
    process = Orca(tmp_path / "home").start("run", write_spec(SPEC), "-o", "json")
    run = _run_of(process)
    _wait_for_container(run)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 4, errors
    assert json.loads(out)["status"] == "cancelled"
    assert "asking the run to cancel" in errors
    assert "tidy: success" in errors
    assert containers_of(run) == []


def test_twice_detaches_and_orca_up_brings_the_run_to_its_end(tmp_path: Path, write_spec: WriteSpec) -> None:
    alone = Orca(tmp_path / "home")
    process = alone.start("run", write_spec(SPEC.replace("exit 0", "")))
    run = _run_of(process)
    _wait_for_container(run)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert f"detached from run '{run}'" in errors
    up = alone.start("up", "-o", "json")
    try:
        assert up.stdout is not None
        assert up.stdout.readline().startswith("{")
        record = alone.wait(run)
        assert (record["status"], record["jobs"]["tidy"]["status"]) == ("cancelled", "success")
    finally:
        stop(up)
    assert containers_of(run) == []


def _run_of(process: "subprocess.Popen[str]") -> str:
    """The run's id, from the first line on stderr: `run ID: address of its page`."""
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("run "), line + process.stderr.read()
    return line.split()[1].rstrip(":")
