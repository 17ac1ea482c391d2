"""Runs that are under way go on after an upgrade: every recorded history is repeated, under any hash seed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from temporalio.api.enums.v1 import EventType

from orchestrator.client.converter import data_converter
from orchestrator.contract.messages import RunRequest
from orchestrator.plan.model import CallNode, ContainerNode, GateNode, Node, Plan
from tests.replay.plans import PLANS
from tests.replay.reach import OF_TESTS, Line, chosen, commands
from tests.replay.replayed import HISTORIES, all_histories, name_of, read_history

ROOT = Path(__file__).parents[2]
SEEN = (
    "ACTIVITY_TASK_CANCELED",
    "ACTIVITY_TASK_COMPLETED",
    "ACTIVITY_TASK_FAILED",
    "ACTIVITY_TASK_TIMED_OUT",
    "CHILD_WORKFLOW_EXECUTION_CANCELED",
    "CHILD_WORKFLOW_EXECUTION_COMPLETED",
    "CHILD_WORKFLOW_EXECUTION_FAILED",
    "CHILD_WORKFLOW_EXECUTION_TERMINATED",
    "TIMER_CANCELED",
    "TIMER_FIRED",
    "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    "WORKFLOW_EXECUTION_SIGNALED",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
)
"""What the interpreter has to hear of."""


SHAPES = {
    "batches", "dry run", "dynamic matrix", "finalizer", "hold", "http", "limit of the run", "matrix", "network",
    "reminder", "retry", "services", "shared services", "transition", "variables",
}  # fmt: skip
"""What else there is to a plan that the interpreter treats in a way of its own."""


def run(module: str, seed: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", f"tests.replay.{module}"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_every_plan_has_its_history() -> None:
    assert sorted(path.stem for path in HISTORIES.glob("*.json")) == sorted(PLANS)


@pytest.mark.parametrize("seed", ["0", "1", "424242"])
def test_the_interpreter_repeats_every_history(seed: str) -> None:
    done = run("replayed", seed)
    assert done.stdout.splitlines() == [name_of(path) for path in all_histories()], done.stderr


def test_every_command_of_the_interpreter_is_in_some_history() -> None:
    """A new place that gives Temporal a command, or waits for it, needs a history that comes by there."""
    assert {"dispatch.py", "nodes/nested.py", "nodes/tries.py", "workflow.py"} < {
        line.file for line in commands()
    }
    done = run("reach", "0")
    assert (done.stdout, done.returncode) == ("", 0), f"{done.stdout}\n{done.stderr}"


async def test_every_kind_of_job_is_in_some_history() -> None:
    kinds = {member.model_fields["kind"].default for member in get_args(get_args(Node)[0])}
    found: set[str] = set()
    for path in all_histories():
        payloads = read_history(path).events[0].workflow_execution_started_event_attributes.input.payloads
        (request,) = await data_converter.decode(payloads, [RunRequest])
        found |= {*_kinds(request.plan), *(["dry run"] if request.mocks else [])}
    assert found == kinds | SHAPES


def _kinds(plan: Plan) -> Iterator[str]:
    """Of its jobs, and what else there is to it: `SHAPES`."""
    shared = {
        "shared services": bool(plan.services),
        "variables": bool(plan.vars),
        "limit of the run": plan.timeout is not None,
    }
    yield from (name for name, there in shared.items() if there)
    for node in plan.jobs.values():
        yield node.kind
        yield from (name for name, there in _shapes(node).items() if there)
    for below in plan.workflows.values():
        yield from _kinds(below)


def _shapes(node: Node) -> dict[str, bool]:
    strategy = node.strategy
    return {
        "batches": strategy is not None and strategy.batch_size is not None,
        "dynamic matrix": strategy is not None and not node.variants,
        "finalizer": node.finalizer,
        "hold": node.on_error == "hold",
        "http": isinstance(node, CallNode) and node.function == "http",
        "matrix": bool(node.variants),
        "network": isinstance(node, ContainerNode) and node.network != "default",
        "reminder": isinstance(node, GateNode) and bool(node.reminder),
        "retry": node.retry.max_attempts > 1,
        "services": isinstance(node, ContainerNode) and bool(node.services),
        "transition": bool(node.triggers),
    }


def test_every_kind_of_news_is_in_some_history() -> None:
    found = {
        EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        for path in all_histories()
        for event in read_history(path).events
    }
    assert set(SEEN) <= found


def test_a_worker_that_went_silent_and_work_that_moved_are_in_some_history() -> None:
    """Sent out again after a heartbeat timeout, to the host that had it; and sent on to one that has room."""
    again, moved = [
        _summaries(name)
        for name in (
            "the-next-worker-on-the-host-adopts-what-runs.0",
            "a-larger-host-gets-what-the-first-is-too-small-for.0",
        )
    ]
    assert any("worker lost, dispatch 2" in each for each in again)
    assert any("which has room" in each for each in moved)


def _summaries(name: str) -> list[str]:
    return [
        event.user_metadata.summary.data.decode() for event in read_history(OF_TESTS / f"{name}.json").events
    ]


def test_of_two_histories_that_reach_the_same_the_smaller_is_taken_and_none_that_reaches_no_more(
    tmp_path: Path,
) -> None:
    small, large, known = (tmp_path / name for name in ("small", "large", "known"))
    small.write_text("x")
    large.write_text("x" * 1000)
    known.write_text("x")
    one, two = Line("a.py", 1), Line("a.py", 2)
    offered = {large: {one, two}, small: {one, two}, known: {one}}
    assert list(chosen({one}, offered)) == [small]


def test_a_change_that_a_running_workflow_would_see_is_caught() -> None:
    """The replay itself can fail: a history in which another job was started first is refused."""
    path = HISTORIES / "diamond.json"
    original = path.read_text()
    events: list[Mapping[str, Any]] = json.loads(original)["events"]
    first = next(event for event in events if "activityTaskScheduledEventAttributes" in event)
    name = first["activityTaskScheduledEventAttributes"]["activityType"]["name"]
    changed = HISTORIES / "changed.json"
    changed.write_text(original.replace(f'"name": "{name}"', '"name": "other"'))
    try:
        done = run("replayed", "0")
    finally:
        changed.unlink()
    assert done.returncode != 0
    assert "Nondeterminism" in done.stderr or "nondeterminism" in done.stderr.lower()
