"""Services on the engine in memory: what is hard to bring about on a real one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.services import ServicesStarted
from orchestrator.errors import EngineError
from orchestrator.plan.service_model import HealthCheck, Port
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.scopes import made, service
from tests.support.tries import Bench, bench_around, request
from workers.engine.failures import EngineFault, EngineUnreachable, NetworkRefused, StartFailed
from workers.engine.interface import (
    ContainerSpec,
    ExecResult,
    ImageFacts,
    Interrupt,
    NetworkSpec,
    PublishedPort,
)
from workers.supervision.attempt import Elsewhere
from workers.supervision.services.identity import folder_of

POOLS = "could not find an available, non-overlapping IPv4 address pool"


def _serves(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    box.out("bye")
    return 0


def _works(box: Running) -> int:
    box.sleep(1.0)
    return 0


def _fine(box: Running) -> int:
    return 0


def _not_yet(box: Running) -> int:
    return 1


class Flaky(MemoryEngine):
    """Fails as it is told to; counts its calls."""

    def __init__(self) -> None:
        super().__init__(
            {"alpine:latest": ImageFacts("sha256:a")},
            {"serve": _serves, "work": _works},
            {"fine": _fine, "not-yet": _not_yet},
        )
        self.failures: dict[str, list[EngineError]] = {}
        self.calls: list[str] = []

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)

    def create_network(self, spec: NetworkSpec) -> str:
        self._call("create_network")
        return super().create_network(spec)

    def pull_image(self, image: str) -> None:
        self._call("pull_image")
        super().pull_image(image)

    def create(self, spec: ContainerSpec) -> str:
        self._call("create")
        return super().create(spec)

    def start(self, container: str) -> None:
        self._call("start")
        super().start(container)

    def exec(
        self, container: str, command: Sequence[str], *, timeout: float, interrupt: Interrupt
    ) -> ExecResult:
        self._call("exec")
        return super().exec(container, command, timeout=timeout, interrupt=interrupt)

    def inspect(self, container: str) -> Any:
        self._call("inspect")
        if self.failures.get(container):
            raise self.failures[container].pop(0)
        return super().inspect(container)

    def stop(self, container: str, *, grace: float) -> None:
        self._call("stop")
        super().stop(container, grace=grace)

    def logs(self, container: str, **options: Any) -> Any:
        self._call("logs")
        return super().logs(container, **options)

    def remove(self, container: str) -> None:
        self._call("remove")
        super().remove(container)

    def remove_network(self, network: str) -> None:
        self._call("remove_network")
        super().remove_network(network)


def gone() -> EngineUnreachable:
    return EngineUnreachable("the engine went away")


def serving(name: str = "db", check: str = "fine", **changes: Any) -> Any:
    test = HealthCheck(test=("CMD", check))
    return service(name, entrypoint=("serve",), health_check=test, **changes)


@pytest.fixture(name="bench")
async def bench_fixture(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(Flaky(), tmp_path / "store") as bench:
        yield bench


def flaky(bench: Bench) -> Flaky:
    assert isinstance(bench.engine, Flaky)
    return bench.engine


async def test_what_it_costs(bench: Bench) -> None:
    case = made(bench, "run", serving())
    started = await case.start()
    assert (started.status, started.services[0].state) == ("success", "healthy")
    assert flaky(bench).calls == ["create_network", "create", "start", "exec"]
    flaky(bench).calls.clear()
    await case.stop()
    assert flaky(bench).calls == ["inspect", "stop", "logs", "remove", "remove_network"]
    assert await case.texts("db") == ["up", "bye"]


@pytest.mark.parametrize("call", ["create_network", "create", "start", "exec"])
async def test_an_engine_that_goes_away_for_a_moment(bench: Bench, call: str) -> None:
    case = made(bench, "run", serving(), serving("other"))
    flaky(bench).failures[call] = [gone()]
    assert (await case.start()).status == "success"
    assert len((await case.left_over())[0]) == 2
    await case.stopped_without_trace()


@pytest.mark.parametrize(
    ("call", "error", "reason"),
    [
        ("create_network", gone, "docker: the engine went away"),
        ("exec", gone, "docker: the engine went away"),
        ("create", lambda: EngineFault("odd"), "docker: service 'db' cannot be started: odd"),
        ("exec", lambda: EngineFault("odd"), "docker: service 'db' cannot be checked: odd"),
        ("start", lambda: StartFailed("odd"), "service: service 'db' cannot be started: odd"),
    ],
)
async def test_an_engine_that_fails_for_good(bench: Bench, call: str, error: Any, reason: str) -> None:
    case = made(bench, "run", serving())
    flaky(bench).failures[call] = [error() for _ in range(99)]
    started = await case.start()
    assert (started.status, str(started.reason)) == ("failed", reason)
    flaky(bench).failures.clear()
    await case.stopped_without_trace()


async def test_an_engine_that_fails_for_good_at_one_that_is_not_required(bench: Bench) -> None:
    case = made(bench, "run", serving(), serving("extra", required=False, image="odd:1"))
    flaky(bench).failures["pull_image"] = [EngineFault("odd")]
    started = await case.start()
    assert [(one.name, one.state) for one in started.services] == [("db", "healthy"), ("extra", "absent")]
    assert started.warnings == (
        "service 'extra' cannot be started: odd\n(it is not required, so the job goes on)",
    )
    await case.stopped_without_trace()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("the mount is odd", "service 'web' cannot be started: the mount is odd"),
        (
            "Bind for 0.0.0.0:2 failed: port is already allocated",
            "service 'web' cannot publish port 2 of 0.0.0.0: container 'other' has it; publish another port, or none,"
            " since jobs reach services by name without it (Bind for 0.0.0.0:2 failed: port is already allocated)",
        ),
        (
            "listen tcp4 127.0.0.1:3: bind: address already in use",
            "service 'web' cannot publish port 3: a program on the host has it; publish another port, or"
            " none, since jobs reach services by name without it (listen tcp4 127.0.0.1:3: bind: address already in"
            " use)",
        ),
    ],
)
async def test_a_start_that_fails_says_of_ports_what_the_engine_says(
    bench: Bench, error: str, message: str
) -> None:
    taken = ContainerSpec(
        "other",
        "alpine:latest",
        ("serve",),
        published=(PublishedPort(80, 2), PublishedPort(80, 3, protocol="udp")),
    )
    other = await asyncio.to_thread(bench.engine.create, taken)
    await asyncio.to_thread(bench.engine.start, other)
    ports = (
        Port(container=1, host=1),
        Port(container=2, host=2, address="0.0.0.0"),
        Port(container=3, host=3),
    )
    case = made(bench, "run", serving("web", ports=ports))
    flaky(bench).failures["start"] = [StartFailed(error)]
    assert str((await case.start()).reason) == f"service: {message}"
    await case.stopped_without_trace()
    await asyncio.to_thread(bench.engine.remove, other)


async def test_no_address_range_is_left(bench: Bench) -> None:
    other = made(bench, "other", serving())
    await other.start()
    case = made(bench, "run", serving())
    flaky(bench).failures["create_network"] = [NetworkRefused(POOLS)]
    started = await case.start()
    assert str(started.reason) == (
        f"docker: the services' network could not be made: {POOLS}; of the networks on this host 1 is orca's"
        " ('docker network ls --filter label=dev.orca'): remove those that nobody uses any more with 'docker network"
        " rm', or give the engine more addresses ('default-address-pools' in its daemon.json)"
    )
    await case.stopped_without_trace()
    await other.stopped_without_trace()


async def test_a_scope_that_another_host_has_is_left_to_it(bench: Bench) -> None:
    case = made(bench, "run", serving())
    await bench.store.put_bytes(f"{folder_of(case.scope)}host", b"other-host")
    for go in (case.start(), case.start(cancelled=True), case.stop()):
        with pytest.raises(Elsewhere, match="'other-host'") as caught:
            await go
        assert caught.value.host == "other-host"
    assert await case.left_over() == ([], [])


async def test_a_start_that_was_cancelled_while_nobody_had_it(bench: Bench) -> None:
    case = made(bench, "run", serving())
    started = await case.start(cancelled=True)
    assert (started.status, flaky(bench).calls) == ("cancelled", [])
    # Nobody has claimed it, so that it may be anyone's.
    assert (await case.start()).status == "success"
    await case.stopped_without_trace()


async def test_a_start_after_the_stop_starts_nothing(bench: Bench) -> None:
    case = made(bench, "run", serving())
    await case.start()
    await case.stop()
    assert (await case.start()).status == "cancelled"
    assert await case.left_over() == ([], [])


async def test_a_foreign_container_and_a_foreign_network_are_left_alone(bench: Bench) -> None:
    case = made(bench, "run", serving())
    foreign = ContainerSpec(name=case.container("db"), image="alpine:latest")
    await asyncio.to_thread(bench.engine.create, foreign)
    # Someone else's is found where this scope has been begun before.
    await bench.store.put_bytes(f"{folder_of(case.scope)}host", b"host")
    started = await case.start()
    assert str(started.reason).startswith(
        f"service: service 'db' cannot be started: container '{foreign.name}' exists and is not its own: it has no"
    )
    stopped = await case.stop()
    assert [text[:60] for text in stopped.warnings] == [
        f"container '{foreign.name}' is left alone, since"[:60]
    ]
    assert await case.observed("db") is not None
    other = made(bench, "second", serving())
    await asyncio.to_thread(bench.engine.create_network, NetworkSpec(other.network))
    assert "exists and is not that of these services" in str((await other.start()).reason)


@pytest.mark.parametrize("call", ["inspect", "stop", "logs", "remove", "remove_network"])
async def test_an_engine_that_goes_away_while_services_stop(bench: Bench, call: str) -> None:
    case = made(bench, "run", serving(), serving("other"))
    await case.start()
    flaky(bench).failures[call] = [gone(), gone()]
    stopped = await case.stop()
    assert ([one.died for one in stopped.services], stopped.warnings) == ([False, False], ())
    assert await case.left_over() == ([], [])
    assert [await case.texts(name) for name in ("db", "other")] == [["up", "bye"]] * 2


async def test_an_engine_that_does_not_come_back_leaves_things_and_says_so(bench: Bench) -> None:
    case = made(bench, "run", serving())
    await case.start()
    flaky(bench).failures["stop"] = [gone() for _ in range(99)]
    stopped = await case.stop()
    assert [text[:66] for text in stopped.warnings] == [
        "the services could not be stopped: the engine went away; what is l"
    ]
    flaky(bench).failures.clear()
    await case.stopped_without_trace()


async def test_a_log_that_cannot_be_read_is_a_warning(bench: Bench) -> None:
    case = made(bench, "run", serving())
    await case.start()
    flaky(bench).failures["logs"] = [EngineFault("odd")]
    stopped = await case.stop()
    assert stopped.warnings == ("service 'db': the log may not be whole: odd",)
    assert await case.left_over() == ([], [])


async def test_a_broken_store_loses_logs_but_leaves_nothing_behind(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "store" / "runs").write_text("in the way")
    case = made(bench, "run", serving(artifact=True))
    assert (await case.start()).status == "success"
    stopped = await case.stop()
    assert [text.partition(":")[0] for text in stopped.warnings] == [
        "service 'db'",
        "the log of service 'db' is no artifact",
        "how the services ended is not in the store",
    ]
    assert await case.left_over() == ([], [])


async def test_one_that_fails_ends_the_wait_for_the_others(bench: Bench) -> None:
    case = made(bench, "run", serving("slow", "not-yet"), service("bad"))
    async with asyncio.timeout(5):
        started: ServicesStarted = await case.start()
    assert ([one.name for one in started.services], started.status) == (["bad"], "failed")
    assert str(started.reason) == "service: service 'bad' ended at once with exit code 0; it printed nothing"
    await case.stopped_without_trace()


async def test_stopping_what_was_never_started(bench: Bench) -> None:
    case = made(bench, "run", serving())
    stopped = await case.stop()
    assert ([one.name for one in stopped.services], stopped.warnings) == (["db"], ())


async def test_a_service_that_is_removed_beside_a_job_is_told_at_once(bench: Bench) -> None:
    case = made(bench, "run", serving(), serving("other"))
    await case.start()
    bench.beats.clear()
    job = case.job(entrypoint=("own", "work"))
    running = bench.begin(job)
    async with asyncio.timeout(5):
        while not bench.beats or bench.beats[-1].phase != "running":
            await asyncio.sleep(0.01)
    # Of the service alone: the job's own container is looked at in the same moment.
    flaky(bench).failures[case.container("db")] = [EngineFault("odd")]
    await asyncio.to_thread(bench.engine.remove, case.container("db"))
    outcome = await running
    assert (outcome.status, outcome.warnings) == (
        "success",
        (f"service container '{case.container('db')}' had been removed",),
    )
    told = f"service container '{case.container('db')}' was removed"
    assert await bench.texts(job) == [f"orca: {told}"]
    assert bench.beats[-1].note == f"{told}; the job goes on"
    await case.stopped_without_trace()


async def test_a_job_without_services_is_not_asked_about_any(bench: Bench) -> None:
    await bench.run(request("run", entrypoint=("own", "work")))
    # Its own container: before it was made, as it began, and after its end, of which an image's own command says
    # nothing.
    assert flaky(bench).calls.count("inspect") == 3


async def test_a_reason_of_several_lines_is_as_many_lines_of_the_log(bench: Bench) -> None:
    case = made(bench, "run", serving())
    await case.start()
    await asyncio.to_thread(bench.engine.kill, case.container("db"))
    job = case.job(entrypoint=("own", "work"), timeout=0.2)
    outcome = await bench.run(job)
    texts = await bench.texts(job)
    assert texts[-2:] == [f"orca: {line}" for line in str(outcome.reason).splitlines()[-2:]]
    assert texts[-2].startswith("orca: likely cause: service 'db' had ended with exit code 137, ")
    assert texts[-1] == "orca:   up"
    await case.stopped_without_trace()


async def test_heartbeats_name_the_host_and_what_goes_on(bench: Bench) -> None:
    case = made(bench, "run", serving())
    await case.start()
    await case.stop()
    assert {beat.host for beat in bench.beats} == {"host"}
    assert list(dict.fromkeys(beat.phase for beat in bench.beats)) == [
        "looking",
        "preparing",
        "running",
        "collecting",
    ]
