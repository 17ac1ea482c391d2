"""What the parts of a run ask of a host."""

from orchestrator.contract.capacity import Ask, SharedRoom
from orchestrator.contract.services import ServicesStarted, StartServices
from orchestrator.interpreter.asks import largest, shared_room, together
from orchestrator.plan.parts import Resources
from tests.support.house import service, with_services
from tests.support.plans import job
from tests.support.scopes import scope
from tests.support.scopes import service as requested


def test_all_at_the_same_time() -> None:
    asks = [Resources(cpus=0.1, memory=5), Resources(cpus=0.2, pids=9), Resources(memory=7)]
    assert together(asks) == Ask(cpus=0.3, memory=12)
    assert together([]) == Ask()


def test_the_largest_of_the_jobs_that_share_services() -> None:
    nodes = [
        job("a", resources=Resources(cpus=1, memory=1)),
        with_services("b", service(resources=Resources(memory=8)), resources=Resources(cpus=0.5, memory=1)),
    ]
    assert largest(nodes) == Ask(cpus=1, memory=9)
    assert largest([job("a")]) == Ask()


def test_what_is_set_aside_for_shared_services() -> None:
    started = ServicesStarted(status="success", host="a", network="net")
    asked = StartServices(
        scope=scope(job=""), services=(requested(resources=Resources(cpus=1)),), job=Ask(cpus=2)
    )
    assert shared_room(asked, started) == SharedRoom(network="net", services=Ask(cpus=1), reserve=Ask(cpus=2))
    nothing = StartServices(scope=scope(job=""), services=(requested(),))
    assert shared_room(nothing, started) is None
