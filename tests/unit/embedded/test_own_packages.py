"""A user's own package `workers` in the folder that they are in is none of orca's business."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.embedded.home import Home
from orchestrator.embedded.host_report import host_report
from orchestrator.embedded.worker import WorkerProcess

NOWHERE = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "DOCKER_HOST": "unix:///nonexistent"}


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user is."""
    package = tmp_path / "here" / "workers"
    package.mkdir(parents=True)
    for name in ("__init__", "__main__", "doctor"):
        (package / f"{name}.py").write_text("open('taken', 'w').close()\n")
    monkeypatch.chdir(package.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.setenv("ORCA_HOME", str(tmp_path / "home"))
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    return package.parent


async def test_the_doctors_eyes(folder: Path) -> None:
    report = await host_report(NOWHERE, reap=False)
    assert report.engine.error
    assert not (folder / "taken").exists()


def test_the_worker_of_an_embedded_server(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    worker = WorkerProcess(Home(tmp_path / "home"), address="127.0.0.1:1")
    until = time.monotonic() + 20
    while worker.failed is None and not worker.log.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    told = worker.log.read_text()
    worker.stop()
    assert told
    assert not (folder / "taken").exists()


def test_a_worker_by_itself(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-c", "from orchestrator.cli.app import app; app()", "worker"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not (folder / "taken").exists(), ended.stderr
    assert "127.0.0.1:1" in ended.stderr
