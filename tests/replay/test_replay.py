"""Runs that are under way go on after an upgrade: every recorded history is repeated, under any hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.replay.plans import PLANS

ROOT = Path(__file__).parents[2]
HISTORIES = Path(__file__).with_name("histories")


def replay(seed: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.replay.replayed"]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_every_plan_has_its_history() -> None:
    assert sorted(path.stem for path in HISTORIES.glob("*.json")) == sorted(PLANS)


@pytest.mark.parametrize("seed", ["0", "1", "424242"])
def test_the_interpreter_repeats_every_history(seed: str) -> None:
    done = replay(seed)
    assert done.stdout.split() == sorted(PLANS), done.stderr


def test_a_change_that_a_running_workflow_would_see_is_caught() -> None:
    """The replay itself can fail: a history in which another job was started first is refused."""
    path = HISTORIES / "diamond.json"
    original = path.read_text()
    events = json.loads(original)["events"]
    first = next(event for event in events if "activityTaskScheduledEventAttributes" in event)
    name = first["activityTaskScheduledEventAttributes"]["activityType"]["name"]
    changed = HISTORIES / "changed.json"
    changed.write_text(original.replace(f'"name": "{name}"', '"name": "other"'))
    try:
        done = replay("0")
    finally:
        changed.unlink()
    assert done.returncode != 0
    assert "Nondeterminism" in done.stderr or "nondeterminism" in done.stderr.lower()
