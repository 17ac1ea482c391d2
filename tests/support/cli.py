"""The `orca` command as a person uses it: a subprocess with a state folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.executable).with_name("orca"))
HOMES: set[Path] = set()
"""The state folders that this process has used."""


@dataclass(frozen=True)
class Orca:
    """Runs the command; `env` comes on top of this process's environment, without what would lead elsewhere."""

    home: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """What it makes on the engine counts as ours: see `tests.support.containers`."""
        HOMES.add(self.home)

    @property
    def environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("TEMPORAL_", "ORCA_"))}
        return {**kept, "ORCA_HOME": str(self.home), **self.env}

    def __call__(
        self, *arguments: str | Path, cwd: Path | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end, whatever the exit code."""
        words = [COMMAND, *map(str, arguments)]
        return subprocess.run(
            words, env=self.environ, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
        )

    def ok(self, *arguments: str | Path, cwd: Path | None = None) -> str:
        """Run, insist on exit code 0, and give what it printed on stdout."""
        done = self(*arguments, cwd=cwd)
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str | Path, expect: int = 0, cwd: Path | None = None) -> Any:
        """Run with `-o json`, insist on an exit code, and give the parsed stdout."""
        done = self(*arguments, "-o", "json", cwd=cwd)
        assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def start(self, *arguments: str | Path, cwd: Path | None = None) -> "subprocess.Popen[str]":
        """Start and leave running; the caller ends it."""
        words = [COMMAND, *map(str, arguments)]
        return subprocess.Popen(
            words, env=self.environ, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def submit(self, spec: Path, *arguments: str) -> str:
        """Submit a spec and give the run's id."""
        return str(self.json("submit", spec, *arguments)["run_id"])

    def wait(self, run: str) -> dict[str, Any]:
        """The record of a run once it has ended."""
        done = self("watch", run, "-o", "json")
        assert done.stdout, f"watch {run}: exit {done.returncode}\n{done.stderr}"
        return json.loads(done.stdout)

    def wait_for(
        self, run: str, condition: Callable[[dict[str, Any]], object], *, timeout: float = 60
    ) -> dict[str, Any]:
        """The record of a run once `condition(record)` holds."""
        deadline = time.monotonic() + timeout
        while True:
            record = self.json("status", run)
            if condition(record):
                return record
            assert time.monotonic() < deadline, f"run {run} did not get there in {timeout} s: {record}"
            time.sleep(0.2)


def stop(process: "subprocess.Popen[str]", *, limit: float = 60) -> str:
    """End a started command as Ctrl-C does and give its stderr."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=limit)
    return errors
