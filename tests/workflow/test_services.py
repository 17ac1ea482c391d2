"""Services around jobs on a real server: started before, stopped after, whatever happens in between."""

import asyncio
from uuid import uuid4

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.messages import ServiceRecord
from orchestrator.plan.service_model import Service
from tests.support.house import READY, House, activities, service, until, with_services
from tests.support.plans import for_each, job, plan
from tests.support.serving import Runner, worker_of
from tests.workflow.conftest import Serve


async def test_a_job_finds_its_services(client: Client, serve: Serve) -> None:
    house = House()
    db = service(
        "my-db",
        env={"NAME": "${{ params.name }}", "USER": "u-${{ item }}", "HIDDEN": "x"},
        shared_env=("USER",),
        generated=("PASSWORD",),
        ports=({"container": 5432},),
        health_check=READY,
        artifact=True,
    )
    node = for_each(
        "test",
        ["a", "b"],
        services=(db, service("cache"), service("off", image="${{ '' }}")),
        entrypoint=("work",),
        env={
            "NAME": "${{ item }}",
            "URL": "${{ services.my-db.host }}:${{ services.my-db.port }}",
            "CACHE_HOST": "mine",
        },
        outputs={"where": "${{ services.my-db.host }}"},
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(plan(node), params={"name": "n"})
        record = await runs.wait(client, handle.id)
    assert record.status == "success", record
    first, second = house.seen["a"], house.seen["b"]
    names = ("MY_DB_HOST", "MY_DB_PORT", "URL", "USER", "CACHE_HOST", "CACHE_PORT", "HIDDEN")
    assert [first.get(name) for name in names] == [
        "my-db",
        "5432",
        "my-db:5432",
        "u-a",
        "mine",
        None,
        None,
    ]
    assert len(first["PASSWORD"]) == 32
    assert first["PASSWORD"] != second["PASSWORD"]
    found = record.jobs["test"].variants["test (a)"]
    assert found.outputs == {"where": "my-db"}
    assert list(found.services) == ["my-db", "cache"]
    kept = found.services["my-db"]
    assert (kept.state, kept.check, kept.stopped, kept.start) == (
        "healthy",
        "a line of its log like '^ready$'",
        True,
        1,
    )
    assert kept.after is not None
    assert [ref.path for ref in found.artifacts] == ["services/my-db.log"]
    assert found.warnings == ()
    order = await activities(client, handle.id)
    assert [each for each in order if "test (a)" in each[1]] == [
        ("start services", "start services: test (a)"),
        ("test (a)", "test (a)"),
        ("stop services", "stop services: test (a)"),
    ]
    assert house.left == ([], [])


@pytest.mark.parametrize(
    ("one", "kind", "text", "state"),
    [
        (
            service(does="early"),
            "service",
            "service 'db' ended at once with exit code 1; its last lines:\n  no pass",
            "exited",
        ),
        (service(does="mute", start_timeout=1), "service", "service 'db' is not healthy: ", "unhealthy"),
        (service(image="nobody/knows:1"), "pull", "service 'db' cannot be started: ", "absent"),
    ],
)
async def test_services_that_do_not_come_up(
    client: Client, serve: Serve, one: Service, kind: str, text: str, state: str
) -> None:
    house = House()
    async with serve(client, engine=house.engine) as runner:
        record = await runner.run(plan(with_services("test", one, service("cache"))))
    found = record.jobs["test"]
    assert found.reason is not None
    assert found.reason.startswith(f"{kind}: {text}"), found.reason
    assert (record.status, found.status, found.exit_code, found.tries) == ("failed", "failed", None, 1)
    assert (found.services["db"].state, found.services["db"].stopped) == (state, True)
    assert house.seen == {}
    assert house.left == ([], [])


async def test_a_failure_of_services_is_retried_with_fresh_ones(client: Client, serve: Serve) -> None:
    house = House()
    node = with_services(
        "test", service(does="early"), retry={"max_attempts": 2, "delay": 0.1, "on": ("service",)}
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(plan(node))
        record = await runs.wait(client, handle.id)
    assert (record.jobs["test"].tries, record.jobs["test"].services["db"].start) == (2, 2)
    assert [key for _, key in await activities(client, handle.id)] == [
        "start services: test",
        "stop services: test",
        "start services: test #2",
        "stop services: test #2",
    ]
    assert house.left == ([], [])


async def test_a_service_that_dies_beside_the_job_is_named_once(client: Client, serve: Serve) -> None:
    house = House()
    async with serve(client, engine=house.engine) as runner:
        record = await runner.run(plan(with_services("test", service(does="dies"), does="slow")))
    found = record.jobs["test"]
    assert found.reason is not None
    assert found.reason.startswith(
        "exit: the container ended with exit code 5\nlikely cause: service 'db' had ended"
    )
    assert found.reason.count("service 'db'") == 1
    assert found.warnings == ()
    assert found.services["db"] == ServiceRecord(
        state="exited",
        after=found.services["db"].after,
        check="a line of its log like '^ready$'",
        exit_code=9,
        note="ended by itself with exit code 9 ('out of luck')",
        stopped=True,
    )
    assert house.left == ([], [])


async def test_an_expression_that_cannot_be_evaluated(client: Client, serve: Serve) -> None:
    house = House()
    bad = service(env={"N": "${{ fromJSON('{') }}"})
    late = with_services("late", service(), env={"N": "${{ fromJSON('{') }}"})
    async with serve(client, engine=house.engine) as runner:
        record = await runner.run(plan(with_services("early", bad), late))
    assert str(record.jobs["early"].reason).startswith(
        "expression: N in `env` of service 'db' of job 'early': "
    )
    assert str(record.jobs["late"].reason).startswith("expression: N in `env` of job 'late': ")
    assert record.jobs["late"].services["db"].state == "healthy"
    assert house.left == ([], [])


async def test_a_cancel_while_services_start(client: Client, serve: Serve) -> None:
    house = House()
    shape = plan(with_services("test", service(does="mute", start_timeout=60)))
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        await house.inhabited()
        found = await runs.record(client, handle.id)
        assert (found.jobs["test"].status, found.jobs["test"].reason) == ("running", "starting db")
        await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    assert (record.status, record.jobs["test"].status) == ("cancelled", "cancelled")
    assert record.jobs["test"].services["db"].stopped
    assert house.left == ([], [])


async def test_a_cancel_while_the_job_runs(client: Client, serve: Serve) -> None:
    house = House()
    shape = plan(with_services("test", service(), does="nap", timeout=60))
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        await asyncio.to_thread(house.naps.wait, 30)
        await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    assert (record.status, record.jobs["test"].status) == ("cancelled", "cancelled")
    assert record.jobs["test"].services["db"].state == "healthy"
    assert house.left == ([], [])


async def test_a_cancel_before_anyone_has_taken_the_start(client: Client) -> None:
    """Nothing was started, so that nobody is asked to stop anything."""
    queue = uuid4().hex
    async with worker_of(client, queue):
        handle = await Runner(client, queue).start(plan(with_services("test", service())))
        waiting = await until(client, handle.id, lambda record: record.jobs["test"].status == "waiting")
        await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    assert waiting.jobs["test"].reason == "waiting for a free worker"
    assert record.status == "cancelled"
    assert [key for _, key in await activities(client, handle.id)] == ["start services: test"]


async def test_a_host_that_is_gone_before_the_job_begins(client: Client, serve: Serve) -> None:
    """The first host starts the services and goes; the whole starts again on the other, and no retry is charged."""
    house, other = House(), House()
    other.gate.set()
    queue = uuid4().hex
    node = with_services("test", service(does="slowly", start_timeout=30))
    async with serve(client, engine=house.engine, queue=queue, host="first", own=False) as runner:
        handle = await runner.start(plan(node))
        await until(client, handle.id, lambda record: house.left[0])
        async with asyncio.timeout(20):
            house.gate.set()
            while len(await activities(client, handle.id)) < 2:
                await asyncio.sleep(0.05)
    # The first host is gone with the services on it. Its own queue was served by nobody.
    async with serve(client, engine=other.engine, queue=queue, host="second"):
        record = await runs.wait(client, handle.id)
    found = record.jobs["test"]
    assert (record.status, found.tries, found.services["db"].start) == ("success", 2, 2)
    assert (found.history[0].status, found.history[0].host) == ("failed", "first")
    assert found.history[0].reason == (
        "lost: host 'first', which has db, did not take the job within 30 s; nothing of the job had begun there"
    )
    assert found.history[1].host == "second"
    assert [key for _, key in await activities(client, handle.id)] == [
        "start services: test",
        "test",
        "start services: test #2",
        "stop services: test",
        "test #2",
        "stop services: test #2",
    ]
    (warning,) = found.warnings
    assert warning.startswith(
        "the services could not be stopped: host 'first', which had the services, did not come back"
    )
    assert "on host 'first'" in warning
    assert other.left == ([], [])


async def test_a_worker_that_stops_while_services_start_leaves_them_to_the_next(
    client: Client, serve: Serve
) -> None:
    house = House()
    queue = uuid4().hex
    node = with_services("test", service(does="slowly", start_timeout=30))
    async with serve(client, engine=house.engine, queue=queue) as runner:
        handle = await runner.start(plan(node))
        await until(client, handle.id, lambda record: house.left[0])
        before = house.left
    assert house.left == before
    house.gate.set()
    async with serve(client, engine=house.engine, queue=queue):
        record = await runs.wait(client, handle.id)
    assert (record.status, record.jobs["test"].tries) == ("success", 1)
    assert house.starts == [""]
    assert house.left == ([], [])


async def test_networks_without_services(client: Client, serve: Serve) -> None:
    house = House()
    shape = plan(
        job("inside", network="internal", entrypoint=("work",)),
        job("alone", network="none", entrypoint=("work",)),
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        record = await runs.wait(client, handle.id)
    assert record.status == "success"
    assert sorted(key for _, key in await activities(client, handle.id)) == [
        "alone",
        "inside",
        "start services: inside",
        "stop services: inside",
    ]
    assert house.left == ([], [])
