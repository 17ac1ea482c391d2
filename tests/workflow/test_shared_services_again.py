"""Shared services that end while the run goes on are started again, on a real server."""

import asyncio
from datetime import UTC, datetime

from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.services import MAX_RENEWALS
from orchestrator.contract.times import rfc3339
from tests.support.house import House, activities, service, until, with_services
from tests.support.kinds import answer, gate
from tests.support.memory_engine import Running
from tests.support.plans import job, plan
from tests.workflow.conftest import Serve


class Restarted(House):
    """Its engine can be restarted."""

    def restart(self) -> None:
        """Takes along all that runs."""
        for one in self.engine.list_labelled({}):
            self.engine.kill(one.id)
        self.engine.began = rfc3339(datetime.now(UTC))


class Shared(House):
    """Its services end while a job uses them that goes on for a while."""

    def nap(self, box: Running) -> int:
        self.naps.set()
        box.sleep(4)
        return 5

    def ends(self, box: Running) -> int:
        self.naps.wait(30)
        return super().ends(box)


async def test_a_job_whose_shared_service_was_ended_by_its_engine_begins_with_a_new_one(
    client: Client, serve: Serve
) -> None:
    house = Restarted()
    shape = plan(
        with_services("one", shared_services=("db",)),
        gate("between", "one"),
        with_services("two", "between", shared_services=("db", "extra"), does="work"),
        services=(service("db", env={"NAME": "db"}), service("extra", required=False)),
    )
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(shape)
        await until(client, handle.id, lambda record: record.jobs["between"].status == "waiting")
        # No job runs: one would be lost with its engine.
        await asyncio.to_thread(house.restart)
        await answer(client, handle.id, "between")
        record = await runs.wait(client, handle.id)
    assert record.status == "success", record
    two = record.jobs["two"]
    # The one that was not begun is none of the tries that `retry` counts: there is only one.
    assert [one.status for one in two.history] == ["failed", "success"]
    assert (two.history[0].reason or "").startswith(
        "service: the job was not begun, since services had ended:\nshared service 'db' was ended by its Docker"
        " engine, which was stopped, or whose host went off (exit code 137)"
    )
    assert [key for _, key in await activities(client, handle.id)] == [
        "start services",
        "one",
        "two",
        "stop services",
        "start services #2",
        "two #2",
        "stop services #2",
    ]
    found = record.services["db"]
    assert (found.state, found.start, found.stopped) == ("healthy", 2, True)
    assert found.note.startswith("started again, as it was ended by its Docker engine")
    assert (record.services["extra"].start, record.services["extra"].note) == (2, "")
    assert house.seen["two"]["DB_HOST"] == "db"
    assert house.left == ([], [])


async def test_a_service_that_always_ends_is_not_started_for_ever(client: Client, serve: Serve) -> None:
    house = House()
    tries = MAX_RENEWALS + 3
    shape = plan(
        with_services(
            "one", shared_services=("db",), does="slow", retry={"max_attempts": tries, "delay": 0.1}
        ),
        services=(service("db", does="dies"),),
    )
    async with serve(client, engine=house.engine) as runner:
        record = await runner.run(shape)
    one = record.jobs["one"]
    # Each began beside a service that stood, as long as there were new ones.
    assert (one.status, one.tries, {tried.exit_code for tried in one.history}) == ("failed", tries, {5})
    assert "service 'db' had ended with exit code 9" in (one.reason or "")
    assert record.services["db"].start == 1 + MAX_RENEWALS
    assert house.left == ([], [])


async def test_the_next_start_waits_until_no_job_uses_the_last_one(client: Client, serve: Serve) -> None:
    house = Shared()
    shape = plan(
        with_services("up", shared_services=("db",)),
        with_services("user", "up", shared_services=("db",), does="nap", on_error="continue"),
        job("between", "up", entrypoint=("ends",)),
        with_services("next", "between", shared_services=("db",), does="work"),
        services=(service("db"),),
    )
    async with serve(client, engine=house.engine) as runner:
        record = await runner.run(shape)
    user, last = record.jobs["user"], record.jobs["next"]
    assert (user.exit_code, user.tries, last.status, last.tries) == (5, 1, "success", 2)
    assert (user.finished_at or "") < (last.history[-1].started_at or "")
    assert (last.history[0].finished_at or "") < (user.finished_at or "")
    assert record.services["db"].note == "started again, as it ended with exit code 137"
    assert house.left == ([], [])


async def test_a_service_that_has_done_its_work_is_not_started_again(client: Client, serve: Serve) -> None:
    house = House()
    shape = plan(
        with_services("one", shared_services=("db",)),
        job("between", "one", entrypoint=("slow",), on_error="continue"),
        with_services(
            "two",
            shared_services=("db",),
            does="work",
            requires=({"job": "between", "condition": "failure"},),
        ),
        services=(service("db", does="prepares"),),
    )
    async with serve(client, engine=house.engine) as runner:
        record = await runner.run(shape)
    assert (record.jobs["two"].status, record.jobs["two"].tries) == ("success", 1)
    assert record.services["db"].start == 1
