"""What the record says of services."""

import pytest

from orchestrator.contract.messages import ServiceRecord
from orchestrator.contract.services import ServiceEnd, ServicesStopped
from orchestrator.interpreter import service_state

DB = ServiceRecord(state="healthy", after=0.52, check="port 5432")


def test_stopped_is_what_a_worker_has_stopped() -> None:
    before = {"db": DB, "cache": DB}
    after = service_state.stopped(
        before, ServicesStopped(services=(ServiceEnd(name="db"), ServiceEnd(name="cache")))
    )
    assert [record.stopped for record in after.values()] == [True, True]
    left = service_state.stopped(before, ServicesStopped(warnings=("the services could not be stopped",)))
    assert [record.stopped for record in left.values()] == [False, False]
    starting = {"db": ServiceRecord(state="starting")}
    assert service_state.stopped(starting, ServicesStopped())["db"].state == "absent"


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (DB, "after 0.5 s (port 5432)"),
        (ServiceRecord(state="starting", check="port 5432"), ""),
        (
            DB.model_copy(update={"state": "exited", "note": "ended by itself"}),
            "after 0.5 s (port 5432); ended by itself",
        ),
        # Why it did not get healthy names the check itself.
        (
            ServiceRecord(state="unhealthy", check="port 1", note="service 'db' is not healthy: …"),
            "service 'db' is not healthy: …",
        ),
        (ServiceRecord(state="started"), ""),
    ],
)
def test_how_a_service_stands(record: ServiceRecord, text: str) -> None:
    assert record.standing == text
