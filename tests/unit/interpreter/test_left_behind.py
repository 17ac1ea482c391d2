"""What people read of a job that nobody brought to its end."""

import pytest

from orchestrator import ids
from orchestrator.contract.messages import ServiceRecord
from orchestrator.interpreter.left_behind import container_left, left_behind
from orchestrator.plan.model import Node
from tests.support.kinds import call, gate, nested
from tests.support.plans import job, plan, state

WHY = "cancelled: the run was cancelled by force"


@pytest.mark.parametrize(
    ("node", "working", "left"),
    [
        (job("work"), False, ""),
        (gate("work"), True, ", and no worker said within 10 s that the job has ended"),
        (call("work", "a:b"), True, "its function may still run until it ends by itself or its worker does"),
        (
            nested("work", "c"),
            True,
            "run 'test-child' may still be open; 'orca cancel test-child --mode force' ends it",
        ),
        (
            job("work"),
            True,
            " may still run on the host that had it, whose worker removes it once it is back",
        ),
    ],
)
def test_what_may_be_left_of_each_kind(node: Node, working: bool, left: str) -> None:
    run = state(plan(node))
    found = run.jobs["work"]
    found.working, found.child = working, "test-child"
    found.begin_try("2026-01-31T12:00:00.000Z")
    told = left_behind(found, run, 10.0)
    assert told.startswith(WHY)
    assert left in told
    assert bool(left) == (told != WHY)


def test_a_container_is_named_with_its_host_and_its_services() -> None:
    run = state(plan(job("work")))
    found = run.jobs["work"]
    found.begin_try("2026-01-31T12:00:00.000Z")
    found.begin_try("2026-01-31T12:00:01.000Z")
    found.services = {"db": ServiceRecord(state="healthy")}
    name = ids.container_name(run.run_id, 1, "work", None, 2)
    network = ids.network_name(run.run_id, 1, "work", None, 2)
    assert container_left(found, run, host="first") == (
        f"container '{name}' may still run on host 'first', whose worker removes it once it is back; 'docker rm -f "
        f"{name}' does so there and now, and so for its services, whose names begin with '{network}'"
    )
