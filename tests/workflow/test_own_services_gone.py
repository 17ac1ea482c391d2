"""Services that an engine takes along before their job has begun, on a real server."""

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from tests.support.house import House, activities, service, with_services
from tests.support.plans import plan
from tests.workflow.conftest import Serve
from tests.workflow.test_shared_services_again import Restarted
from workers.engine.failures import EngineUnreachable
from workers.engine.interface import ContainerSpec

SHARED = ("start services", "stop services")
"""What is done for the services that jobs share."""


def restarts_before_the_job(house: Restarted) -> House:
    """Its engine is restarted as the first container of a job is to be made, which is not made then."""
    create, restarted = house.engine.create, list[str]()

    def made(spec: ContainerSpec) -> str:
        if spec.entrypoint == ("work",) and not restarted:
            restarted.append(spec.name)
            house.restart()
            raise EngineUnreachable("the engine went away")
        return create(spec)

    house.engine.create = made  # pyright: ignore[reportAttributeAccessIssue]
    return house


@pytest.mark.parametrize("shared", [(), ("shared",)])
async def test_a_job_whose_own_services_went_before_it_began_is_tried_again(
    client: Client, serve: Serve, shared: tuple[str, ...]
) -> None:
    house = restarts_before_the_job(Restarted())
    shape = plan(
        with_services("test", service(), shared_services=shared),
        services=tuple(service(name, required=False) for name in shared),
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        record = await runs.wait(client, handle.id)
    found = record.jobs["test"]
    # There is only one try that counts.
    assert (record.status, [one.status for one in found.history]) == ("success", ["failed", "success"])
    assert (found.history[0].reason or "").startswith(
        "service: the job was not begun, since services had ended:\nservice 'db' was ended by its Docker engine"
    )
    assert [key for _, key in await activities(client, handle.id) if key not in SHARED] == [
        "start services: test",
        "test",
        "stop services: test",
        "start services: test #2",
        "test #2",
        "stop services: test #2",
    ]
    assert house.left == ([], [])


async def test_one_that_is_not_required_holds_no_job_up(client: Client, serve: Serve) -> None:
    house = restarts_before_the_job(Restarted())
    own = service("own", required=False)
    shape = plan(
        with_services("test", own, shared_services=("shared",)),
        services=(service("shared", required=False),),
    )
    async with serve(client, engine=house.engine) as runner:
        record = await runner.run(shape)
    assert (record.status, record.jobs["test"].tries) == ("success", 1)
    assert record.services["shared"].start == 1
    assert house.left == ([], [])
