"""Services that jobs of a run share, on a real server: up before the first job, gone after the last."""

import asyncio

from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.plan.model import ContainerNode, Plan
from orchestrator.plan.service_model import Service
from tests.support.house import House, activities, service, with_services
from tests.support.plans import job, plan
from tests.workflow.conftest import Serve


def sharing(*jobs: ContainerNode, services: tuple[Service, ...] = ()) -> Plan:
    return plan(
        *jobs, services=services or (service("db", env={"NAME": "db"}, artifact=True), service("unused"))
    )


async def test_shared_services_run_from_before_the_first_job_to_after_the_last(
    client: Client, serve: Serve
) -> None:
    house = House()
    shape = sharing(
        job("before", entrypoint=("work",)),
        with_services("one", "before", shared_services=("db",)),
        with_services("two", "one", service("own"), shared_services=("db",), does="work"),
        job("after", "two", entrypoint=("work",)),
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        record = await runs.wait(client, handle.id)
    assert record.status == "success", record
    assert (house.seen["one"]["DB_HOST"], house.seen["two"]["DB_HOST"]) == ("db", "db")
    assert (house.seen["two"]["OWN_HOST"], "DB_HOST" in house.seen["before"]) == ("own", False)
    order = [key for _, key in await activities(client, handle.id)]
    assert order.index("before") < order.index("start services") < order.index("one")
    assert order.index("two") < order.index("stop services")
    assert (order.count("start services"), order.count("stop services")) == (1, 1)
    assert order[-2:].count("stop services") == 1
    assert list(record.services) == ["db"]
    shared = record.services["db"]
    assert (shared.state, shared.stopped, shared.start) == ("healthy", True, 1)
    assert shared.artifact is not None
    assert house.starts == ["db", ""]
    assert house.left == ([], [])


async def test_shared_services_that_do_not_start_fail_each_job_that_names_them(
    client: Client, serve: Serve
) -> None:
    house = House()
    shape = sharing(
        with_services("one", shared_services=("db",)),
        with_services("two", shared_services=("db",)),
        with_services("again", shared_services=("db",), retry={"max_attempts": 2, "delay": 0.1}),
        job("alone", entrypoint=("work",)),
        services=(service("db", does="early"),),
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        record = await runs.wait(client, handle.id)
    reasons = [record.jobs[name].reason or "" for name in ("one", "two", "again")]
    assert all(
        reason.startswith("service: service 'db' ended at once with exit code 1") for reason in reasons
    )
    assert (record.jobs["alone"].status, record.jobs["again"].tries) == ("success", 2)
    assert record.services["db"].start == 2
    assert [key for _, key in await activities(client, handle.id) if "services" in key] == [
        "start services",
        "stop services",
        "start services #2",
        "stop services #2",
    ]
    assert house.left == ([], [])


async def test_a_cancel_stops_shared_services_too(client: Client, serve: Serve) -> None:
    house = House()
    shape = sharing(
        with_services("one", shared_services=("db",), does="nap", timeout=60),
        job("end", finalizer=True, on_complete="always"),
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        await asyncio.to_thread(house.naps.wait, 30)
        await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    assert (record.status, record.jobs["one"].status) == ("cancelled", "cancelled")
    assert record.services["db"].stopped
    assert house.left == ([], [])


async def test_a_cancel_while_shared_services_start(client: Client, serve: Serve) -> None:
    house = House()
    shape = sharing(
        with_services("one", shared_services=("db",)),
        services=(service("db", does="mute", start_timeout=60),),
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        await house.inhabited()
        found = await runs.record(client, handle.id)
        assert found.jobs["one"].reason == "waiting for the shared services db"
        await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    assert (record.status, record.jobs["one"].status) == ("cancelled", "cancelled")
    assert house.left == ([], [])
