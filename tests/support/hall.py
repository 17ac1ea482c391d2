"""Containers to cancel in a memory engine, and short ways to cancel the runs that they are of."""

import threading
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from orchestrator.client import cancelling, runs
from orchestrator.client.cancelling import Cancelled
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.people import Cancel, CancelMode
from orchestrator.errors import UsageError
from orchestrator.plan.model import ContainerNode
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import job
from tests.support.workshop import until

LAST: dict[str, Any] = {"finalizer": True, "on_complete": "always"}
"""Fields of a finalizer that always runs."""


class Hall:
    """Containers that heed no stop, and that go on until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[str] = []
        self.engine = MemoryEngine(programs={"deaf": self.deaf, "until": self.until})

    def deaf(self, box: Running) -> int:
        self.begun.append(box.env["ORCA_JOB"])
        box.sleep(60)
        return 0

    def until(self, box: Running) -> int:
        self.begun.append(box.env["ORCA_JOB"])
        while not self.go.is_set():
            if box.sleep(0.02):
                return 143
        return 0


def does(name: str, what: str, *requires: str, **fields: Any) -> ContainerNode:
    return job(name, *requires, entrypoint=(what,), **fields)


def ends(record: RunRecord) -> dict[str, str]:
    return {name: found.status for name, found in record.jobs.items()}


async def asked(client: Client, run: str, mode: CancelMode = "graceful", **fields: Any) -> Cancelled:
    wanted = Cancel.model_validate({"mode": mode, "by": "ann", **fields})
    return await cancelling.cancel(client, run, wanted)


async def refused(client: Client, run: str, mode: CancelMode) -> str:
    with pytest.raises(UsageError) as caught:
        await asked(client, run, mode)
    return str(caught.value)


async def begun(client: Client, run: str, hall: Hall, *names: str) -> None:
    await until(client, run, lambda _: set(names) <= set(hall.begun))


async def ended(client: Client, run: str) -> RunRecord:
    """The record, once the server says that the run was cancelled."""
    record = await runs.wait(client, run)
    assert (await client.get_workflow_handle(run).describe()).status is WorkflowExecutionStatus.CANCELED
    return record
