"""Keeps the histories of the runs of the workflow tests, where somebody asks for them: see `tests/replay/choose.py`."""

import os
import re
from pathlib import Path

from temporalio.client import Client

KEPT_IN = os.environ.get("ORCA_KEEP_HISTORIES")
"""The folder; None keeps nothing."""

_started: dict[str, list[str]] = {}
"""Ids of the runs that tests have started, by task queue."""


def started(task_queue: str, run: str) -> None:
    """Take down that a test has started a run."""
    if KEPT_IN:
        _started.setdefault(task_queue, []).append(run)


async def keep(client: Client, task_queue: str) -> None:
    """Write the histories of the runs of a task queue and of the runs in them, as far as they have come."""
    if not KEPT_IN:
        return
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2].partition(" ")[0]
    name = re.sub(r"[^a-z0-9]+", "-", test.removeprefix("test_").lower()).strip("-")
    left = [(f"{name}.{number}", run) for number, run in enumerate(_started.get(task_queue, []))]
    while left:
        name, run = left.pop()
        history = await client.get_workflow_handle(run).fetch_history()
        (Path(KEPT_IN) / f"{name}.json").write_text(history.to_json() + "\n")
        children = [
            event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
            for event in history.events
            if event.HasField("child_workflow_execution_started_event_attributes")
        ]
        left += [(f"{name}.{number}", child) for number, child in enumerate(children)]
