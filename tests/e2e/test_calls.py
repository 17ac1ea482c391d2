"""Functions as a person meets them: allowed or not, in the log, and when worker or server go away in the middle."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.contract.names import HEARTBEAT_TIMEOUT
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server
from tests.support.cli import Orca, stop

MODULE = """
import time
from pathlib import Path

from orchestrator.handlers import Context, StepResult


def greet(ctx: Context, name: str):
    print("hello", name)
    ctx.log("from", ctx.job)
    return {"greeting": f"hello {name}"}


def slow(ctx: Context, config):
    with Path(config["file"]).open("a") as out:
        out.write(f"{ctx.job} {ctx.try_number}\\n")
    if ctx.try_number == 1:
        time.sleep(config["seconds"])
    return StepResult.ok({"try": ctx.try_number})
"""
GREET = """
name: greet
jobs:
  greet:
    call: mytools:greet
    with: {name: ann}
outputs:
  greeting: ${{ jobs.greet.outputs.greeting }}
"""


@dataclass
class Site:
    """A server alone, on a port that stays, and a folder with a module and specs."""

    orca: Orca
    folder: Path
    port: int
    processes: list["subprocess.Popen[str]"] = field(default_factory=list["subprocess.Popen[str]"])

    def up(self, *options: str) -> "subprocess.Popen[str]":
        process = self.orca.start("up", *options, "--port", str(self.port), "-o", "json")
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("{"), stop(process)
        return process

    def worker(self) -> "subprocess.Popen[str]":
        words = ("worker", "--address", f"127.0.0.1:{self.port}", "--allow-calls", "mytools")
        process = self.orca.start(*words, cwd=self.folder)
        self.processes.append(process)
        return process

    def until_told(self, module: str) -> None:
        """Return once a worker has told the others that it allows that module."""
        deadline = time.monotonic() + 60
        while not any(
            module in path.read_text() for path in (self.folder / "home").glob("store/callers/*/*")
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def slow(self, *, seconds: float, more: str = "") -> str:
        """Submit a run whose one job says in the file `made` that it begins, and return the run once it has."""
        spec = self.folder / "slow.yaml"
        spec.write_text(
            f"name: slow\njobs:\n  slow:\n    call: mytools:slow\n    stop_grace: 1\n    {more}\n"
            f'    with: {{file: "{self.made}", seconds: {seconds}}}\n'
        )
        run = self.orca.submit(spec)
        deadline = time.monotonic() + 60
        while not self.made.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return run

    @property
    def made(self) -> Path:
        return self.folder / "made"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "mytools.py").write_text(MODULE)
    found = Site(Orca(tmp_path / "home"), tmp_path, 22000 + os.getpid() % 1000)
    found.up("--no-worker")
    try:
        yield found
    finally:
        for process in reversed(found.processes):
            stop(process)


def test_run_calls_what_it_is_allowed_to_and_shows_what_it_says(tmp_path: Path) -> None:
    orca = Orca(tmp_path / "home")
    (tmp_path / "mytools.py").write_text(MODULE)
    spec = tmp_path / "greet.yaml"
    spec.write_text(GREET)
    refused = orca.json("run", spec, expect=1)
    assert refused["jobs"]["greet"]["reason"] == (
        "call: 'mytools:greet' is not called: module 'mytools' is not allowed on this worker (it allows none); add "
        "'mytools' to its ORCA_CALL_MODULES, or start it with --allow-calls mytools"
    )
    record = orca.json("run", spec, "--allow-calls", "mytools")
    assert record["outputs"] == {"greeting": "hello ann"}
    assert record["jobs"]["greet"]["kind"] == "call"


def test_a_call_goes_to_the_worker_beside_orca_up_that_allows_it(tmp_path: Path) -> None:
    (tmp_path / "mytools.py").write_text(MODULE)
    site = Site(Orca(tmp_path / "home"), tmp_path, 22000 + os.getpid() % 1000)
    spec = tmp_path / "greet.yaml"
    spec.write_text(
        GREET.replace("name: ann", "name: '${{ item }}'").replace(
            "    call", "    for_each: [1, 2, 3]\n    call"
        )
    )
    try:
        site.up()
        site.worker()
        site.until_told("mytools")
        for _ in range(3):
            record = site.orca.wait(site.orca.submit(spec))
            assert record["jobs"]["greet"]["summary"] == "3/3 passed", record
    finally:
        for process in reversed(site.processes):
            stop(process)


def test_logs_are_read_like_a_container_s(site: Site) -> None:
    site.worker()
    spec = site.folder / "greet.yaml"
    spec.write_text(GREET)
    run = site.orca.submit(spec)
    assert site.orca.wait(run)["status"] == "success"
    assert site.orca.ok("logs", run, "greet").splitlines() == ["hello ann", "from greet"]


def test_a_killed_worker_s_call_is_lost_and_made_again_where_retry_says_so(site: Site) -> None:
    worker = site.worker()
    run = site.slow(seconds=120, more="retry: {max_attempts: 2, delay: 0, on: [lost]}")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    site.worker()
    record = site.orca.wait(run)
    job = record["jobs"]["slow"]
    assert (record["status"], job["tries"], job["outputs"]) == ("success", 2, {"try": 2})
    assert job["history"][0]["reason"].startswith("lost: the worker on host '")
    assert site.made.read_text() == "slow 1\nslow 2\n"


@pytest.mark.parametrize("away", [1, HEARTBEAT_TIMEOUT + 5])
def test_a_call_outlives_the_server(site: Site, away: float) -> None:
    """Also where the server is away for so long that it takes the worker for dead when it comes back."""
    site.worker()
    run = site.slow(seconds=away + 11)
    server = running_server(Home(site.folder / "home"))
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    stop(site.processes.pop(0))
    time.sleep(away)
    site.processes.insert(0, site.up("--no-worker"))
    site.processes.pop()
    record = site.orca.wait(run)
    assert (record["status"], record["jobs"]["slow"]["tries"]) == ("success", 1)
    assert site.made.read_text() == "slow 1\n"


def test_a_worker_that_is_stopped_does_not_wait_for_a_function_that_never_ends(site: Site) -> None:
    worker = site.worker()
    run = site.slow(seconds=600)
    begun = time.monotonic()
    stop(worker)
    assert time.monotonic() - begun < 25
    site.worker()
    record = site.orca.wait(run)
    assert record["jobs"]["slow"]["reason"].startswith(
        "lost: the worker was stopped while the function ran, and a function cannot be taken over"
    )
    assert site.made.read_text() == "slow 1\n"
