"""A job that shares services begins only beside ones that stand, and tells which have ended when it has."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.messages import ContainerRequest, FallenService, SharedService
from orchestrator.contract.times import rfc3339
from orchestrator.plan.service_model import HealthCheck, Ready
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.scopes import Scope, made, service
from tests.support.tries import Bench, bench_around
from workers.engine.failures import EngineFault, EngineUnreachable

READY = HealthCheck(ready=Ready(log="^up$"))


def _ends(code: int) -> Any:
    def program(box: Running) -> int:
        box.out("up")
        box.sleep(60, until_stopped=True)
        return code

    return program


class Engine(MemoryEngine):
    """Can be told to forget a container's start, and to fail when it is asked about one."""

    def __init__(self) -> None:
        programs = {"fine": _ends(0), "bad": _ends(9), "work": self._work}
        super().__init__(programs=programs)
        self.odd = ""
        self.dying = ""
        self.takes = ""
        self.later_odd = ""
        self.cut_off = ""

    def start(self, container: str) -> None:
        if self.takes:
            self.kill(self.takes)
            self.takes = ""
            raise EngineUnreachable("the engine went away")
        super().start(container)

    def _work(self, _: Running) -> int:
        if self.dying:
            self.kill(self.dying)
        self.odd = self.later_odd
        return 0

    def forget(self, name: str) -> None:
        box = self._get(name)
        box.state, box.started_at, box.exit_code = "created", None, None

    def inspect(self, container: str) -> Any:
        if container == self.odd:
            raise EngineFault("odd")
        found = super().inspect(container)
        return found and replace(found, address=None) if container == self.cut_off else found


@pytest.fixture(name="bench")
async def bench_fixture(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(Engine(), tmp_path / "store") as bench:
        yield bench


def engine(bench: Bench) -> Engine:
    assert isinstance(bench.engine, Engine)
    return bench.engine


def sharing(case: Scope, *, serves: bool = True, **changes: Any) -> ContainerRequest:
    shared = tuple(
        SharedService(name=one.name, container=case.container(one.name), serves=serves)
        for one in case.services
    )
    fields: dict[str, Any] = {"entrypoint": ("own", "work"), "shared_services": shared}
    return case.job(**(fields | changes))


async def up(bench: Bench, does: str = "bad") -> Scope:
    case = made(bench, "run", service(entrypoint=(does,), health_check=READY), job="")
    assert (await case.start()).status == "success"
    return case


async def test_beside_services_that_stand_a_job_begins(bench: Bench) -> None:
    case = await up(bench)
    outcome = await bench.run(sharing(case))
    assert (outcome.status, outcome.fallen) == ("success", ())
    await case.stopped_without_trace()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("does", ["fine", "bad"])
async def test_beside_one_that_has_ended_no_job_begins(bench: Bench, does: str, *, restarted: bool) -> None:
    case = await up(bench, does)
    await asyncio.to_thread(bench.engine.stop, case.container("db"), grace=5.0)
    if restarted:
        engine(bench).began = rfc3339(datetime.now(UTC))
    outcome = await bench.run(sharing(case))
    why = f"ended with exit code {0 if does == 'fine' else 9}; its last lines:\n  up"
    # A code of its own that an engine does not give is the service's own, whenever the engine began.
    if restarted and does == "fine":
        why = "was ended by its Docker engine, which was stopped, or whose host went off (exit code 0)"
    assert outcome.fallen == (FallenService(name="db", why=why, taken=restarted and does == "fine"),)
    assert (outcome.status, outcome.started_at, outcome.container_id) == ("failed", None, "")
    text = f"the job was not begun, since services had ended:\nshared service 'db' {why}"
    assert str(outcome.reason) == f"service: {text}"
    assert await bench.container(sharing(case)) is None
    await case.stopped_without_trace()


def beside(case: Scope, **changes: Any) -> ContainerRequest:
    """A job with services of its own."""
    own = tuple(case.container(one.name) for one in case.services)
    fields: dict[str, Any] = {"required_services": own, "services": own, "shared_services": ()}
    return sharing(case, **(fields | changes))


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("restarted", [False, True])
async def test_beside_own_ones_that_the_engine_took_along_no_job_begins(
    bench: Bench, *, restarted: bool, required: bool
) -> None:
    case = await up(bench, "fine")
    await asyncio.to_thread(bench.engine.stop, case.container("db"), grace=5.0)
    if restarted:
        engine(bench).began = rfc3339(datetime.now(UTC))
    outcome = await bench.run(beside(case) if required else beside(case, required_services=()))
    assert outcome.swept == (restarted and required)
    if outcome.swept:
        assert (outcome.status, outcome.started_at, outcome.fallen) == ("failed", None, ())
        assert str(outcome.reason) == (
            "service: the job was not begun, since services had ended:\nservice 'db' was ended by its Docker engine, "
            "which was stopped, or whose host went off (exit code 0)"
        )
    else:
        # It may have done what it was there for.
        assert outcome.status == "success"
    await case.stopped_without_trace()


async def test_one_that_was_only_to_be_done_may_have_ended(bench: Bench) -> None:
    case = await up(bench, "fine")
    await asyncio.to_thread(bench.engine.stop, case.container("db"), grace=5.0)
    assert (await bench.run(sharing(case, serves=False))).status == "success"
    await case.stopped_without_trace()


async def test_one_that_was_killed_by_its_engine_is_taken(bench: Bench) -> None:
    case = await up(bench)
    await asyncio.to_thread(bench.engine.kill, case.container("db"))
    engine(bench).began = rfc3339(datetime.now(UTC))
    outcome = await bench.run(sharing(case))
    assert [(one.name, one.taken) for one in outcome.fallen] == [("db", True)]
    await case.stopped_without_trace()


async def test_one_that_was_removed_is_missed(bench: Bench) -> None:
    case = await up(bench)
    await asyncio.to_thread(bench.engine.remove, case.container("db"))
    outcome = await bench.run(sharing(case))
    assert outcome.fallen == (FallenService(name="db", why="was removed, by hand or by another program"),)
    await case.stopped_without_trace()


async def test_one_that_its_engine_forgot_is_missed(bench: Bench) -> None:
    case = await up(bench)
    engine(bench).forget(case.container("db"))
    outcome = await bench.run(sharing(case))
    assert [(one.name, one.taken) for one in outcome.fallen] == [("db", True)]


async def test_one_whose_network_its_engine_lost_is_missed(bench: Bench) -> None:
    case = await up(bench)
    engine(bench).cut_off = case.container("db")
    outcome = await bench.run(sharing(case))
    why = "has no network any more: its Docker engine was stopped as it started it"
    assert outcome.fallen == (FallenService(name="db", why=why, taken=True),)
    engine(bench).cut_off = ""
    await case.stopped_without_trace()


async def test_also_where_the_container_had_been_made(bench: Bench) -> None:
    """Its engine went away before the start, and took the services with it; whoever has the try next knows."""
    case = await up(bench)
    wanted = sharing(case)
    engine(bench).takes = case.container("db")
    outcome = await bench.run(wanted)
    assert (outcome.started_at, [one.name for one in outcome.fallen]) == (None, ["db"])
    assert outcome.container_id
    assert await bench.container(wanted) is None
    assert await bench.run(wanted) == outcome
    await case.stopped_without_trace()


async def test_an_engine_that_does_not_say_how_services_stand(bench: Bench) -> None:
    """Before the job that is its end; after it the next one looks for itself."""
    case = await up(bench)
    engine(bench).odd = case.container("db")
    assert str((await bench.run(sharing(case))).reason) == "docker: odd"
    engine(bench).odd, engine(bench).later_odd = "", case.container("db")
    outcome = await bench.run(sharing(case, try_number=2))
    assert (outcome.status, outcome.fallen) == ("success", ())
    assert outcome.warnings == ("whether the services were still there cannot be seen: odd",)


async def test_one_that_ends_while_the_job_runs_is_told_at_its_end(bench: Bench) -> None:
    case = await up(bench)
    engine(bench).dying = case.container("db")
    outcome = await bench.run(sharing(case))
    assert (outcome.status, outcome.started_at is None) == ("success", False)
    assert [one.why for one in outcome.fallen] == ["ended with exit code 137; its last lines:\n  up"]
    await case.stopped_without_trace()
