"""What a job learns of the services beside it: of those that came up, and of no other."""

from typing import Any

from orchestrator.contract.messages import ContainerRequest
from orchestrator.contract.services import (
    ServiceReport,
    ServiceRequest,
    ServiceScope,
    ServicesStarted,
    StartServices,
)
from orchestrator.ids import service_container_name
from orchestrator.interpreter import service_state
from orchestrator.interpreter.service_requests import Group, addresses, beside
from orchestrator.plan.service_model import Service

REQUEST = ContainerRequest(
    run_id="r", attempt=1, job="test", image="alpine:latest", timeout=60.0, stop_grace=1.0
)


def group(**states: Any) -> Group:
    """A service for each name, as it came out."""
    env = {"DB_USER": "me"}
    plan = [
        Service(name=name, image="x:1", env=env, shared_env=("DB_USER",), generated=("DB_KEY",))
        for name in states
    ]
    start = StartServices(
        scope=ServiceScope(run_id="r", attempt=1, job="test"),
        services=tuple(
            ServiceRequest(name=one.name, image="x:1", env=env, generated=one.generated, start_timeout=60.0)
            for one in plan
        ),
    )
    reports = [ServiceReport(name=name, state=state, port=1, ports=(1, 2)) for name, state in states.items()]
    return Group(
        plan, start, ServicesStarted(status="success", host="h", network="net", services=tuple(reports))
    )


def test_what_a_job_is_told_of_services_that_came_up() -> None:
    found = group(db="healthy")
    assert addresses([found]) == {"db": {"host": "db", "port": 1, "ports": [1, 2]}}
    told = beside(REQUEST, [found])
    assert told.env == {"DB_USER": "me", "DB_HOST": "db", "DB_PORT": "1"}
    assert ([secret.variable for secret in told.secrets], told.services) == (
        ["DB_KEY"],
        (service_container_name("net", "db"),),
    )
    assert set(addresses([group(db="started")])) == {"db"}


def test_one_that_did_not_come_up_is_as_one_that_was_left_out() -> None:
    for state in ("unhealthy", "exited", "absent"):
        found = group(db=state)
        assert addresses([found]) == {}
        told = beside(REQUEST, [found])
        assert (told.env, told.secrets, told.services, told.networks) == ({}, (), (), ("net",))


def test_a_neighbour_of_one_that_failed_was_interrupted() -> None:
    found = group(db="exited", cache="healthy")
    before = service_state.starting(found.start)
    answer = found.started.model_copy(update={"services": found.started.services[:1]})
    after = service_state.started(before, answer)
    assert {name: (record.state, record.note) for name, record in after.items()} == {
        "db": ("exited", ""),
        "cache": ("interrupted", "stopped before it was ready"),
    }
    assert service_state.abandoned(before)["db"].note == "nobody knows how it is"
