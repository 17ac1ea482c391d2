"""An engine that is stopped, killed or goes off with its host under running jobs, with and without `live-restore`."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from orchestrator.contract.messages import ContainerRequest, JobOutcome, SharedService
from tests.support.engines import IMAGE
from tests.support.machines import Machine
from tests.support.scopes import Scope, logged, made, service
from tests.support.tries import Bench, bench_around, request
from workers.engine.docker_engine import DockerEngine
from workers.engine.interface import NetworkSpec
from workers.supervision.limits import Limits

pytestmark = [
    pytest.mark.filterwarnings(
        # Docker's client leaves its connection open where none can be made.
        "ignore:unclosed <socket:ResourceWarning",
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning",
    ),
]
LIMITS = Limits(heartbeat=0.2)
GRACEFUL = "trap 'exit 0' TERM; echo begun; while :; do sleep 0.1; done"
"""What is told to stop ends as if it had done its work."""
MORTAL = "echo begun; sleep 600"
SERVE = "trap 'exit 0' TERM; mkdir /w; echo hi >/w/health; httpd -f -p 8080 -h /w & echo serving; wait"
COUNT = "echo begun; for i in $(seq 80); do echo $i; sleep 0.1; done"


@pytest.fixture(name="machine", scope="module", params=["plain", "live-restore"])
def machine_fixture(request: pytest.FixtureRequest) -> Iterator[Machine]:
    machine = Machine("engine", ["--live-restore"] if request.param == "live-restore" else [])
    try:
        machine.switch_on()
        machine.load(IMAGE)
        yield machine
    finally:
        machine.remove()


@pytest.fixture(name="plain")
def plain_fixture(machine: Machine, request: pytest.FixtureRequest) -> Machine:
    if not machine.is_on:
        machine.switch_on()
    return machine


@pytest.fixture(name="bench")
async def bench_fixture(plain: Machine, tmp_path: Path) -> AsyncIterator[Bench]:
    engine = DockerEngine(plain.address)
    async with bench_around(engine, tmp_path / "store", LIMITS) as bench:
        yield bench
    engine.close()
    gc.collect()


async def begun(bench: Bench, *wanted: ContainerRequest) -> "list[asyncio.Task[JobOutcome]]":
    running = [bench.begin(one) for one in wanted]
    for one in wanted:
        await bench.until_logged(one, "begun")
    return running


def jobs() -> tuple[ContainerRequest, ...]:
    """What an engine takes with it; the last two end with 0 when they are told to stop, and one says no more."""
    return (
        request("run", MORTAL, job="mortal"),
        request("run", GRACEFUL, job="graceful"),
        request("run", job="silent", entrypoint=("sh", "-c", GRACEFUL)),
    )


def taken(outcome: JobOutcome) -> bool:
    """Whether it says that the engine took the container with it."""
    return str(outcome.reason).startswith(
        "lost: the Docker engine of host 'host' was stopped, or its host went off, while the job ran, and took the"
        f" container {outcome.container_id[:12]} with it (exit code {outcome.exit_code})"
    )


def lives_on(machine: Machine) -> bool:
    return "--live-restore" in machine.options


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_an_engine_that_is_restarted(bench: Bench, plain: Machine, how: str) -> None:
    wanted = jobs()
    if lives_on(plain):
        wanted = (request("run", COUNT, job="counts"), request("run", COUNT, job="counts-too"))
    running = await begun(bench, *wanted)
    await asyncio.to_thread(plain.stop_engine if how == "stopped" else plain.kill_engine)
    await asyncio.to_thread(plain.start_engine)
    outcomes = await asyncio.gather(*running)
    if not lives_on(plain):
        assert [taken(outcome) for outcome in outcomes] == [True, True, True], outcomes
        return
    for one, outcome in zip(wanted, outcomes, strict=True):
        assert (outcome.status, outcome.exit_code, outcome.warnings) == ("success", 0, ())
        numbers = [text for text in await bench.texts(one) if text.isdecimal()]
        assert numbers == [str(number) for number in range(1, 81)]


async def test_what_fails_by_itself_under_the_next_engine(bench: Bench, plain: Machine) -> None:
    """Seen to run under that one, which is younger than the container. Else it is taken along before it gets there."""
    wanted = request("run", "echo begun; sleep 8; kill -9 $$", job="fails", networks=("own",))
    # Where containers are in a network of their own the engine makes its first one anew.
    await asyncio.to_thread(bench.engine.create_network, NetworkSpec("own", {"dev.orca": "true"}))
    (running,) = await begun(bench, wanted)
    await asyncio.to_thread(plain.stop_engine)
    await asyncio.to_thread(plain.start_engine)
    outcome = await running
    assert (outcome.exit_code, taken(outcome)) == ((137, False) if lives_on(plain) else (143, True))
    assert lives_on(plain) == str(outcome.reason).startswith("exit: ")


async def test_shared_services_after_a_restart(bench: Bench, plain: Machine) -> None:
    """What jobs share goes with the engine: the next job is not begun; what is started again serves the one after."""
    server = service("web", SERVE, health_check=logged("serving"))
    case, next_case = (made(bench, "shared", server, job="", number=number) for number in (1, 2))
    assert (await case.start()).status == "success"
    await asyncio.to_thread(plain.stop_engine)
    await asyncio.to_thread(plain.start_engine)
    outcome = await bench.run(_asks(case, 1))
    if lives_on(plain):
        assert (outcome.status, outcome.fallen) == ("success", ())
        await case.stopped_without_trace()
        return
    assert [(one.name, one.taken) for one in outcome.fallen] == [("web", True)], outcome
    assert (outcome.started_at, outcome.container_id) == (None, "")
    assert str(outcome.reason).startswith(
        "service: the job was not begun, since services had ended:\nshared service 'web' was ended by its Docker engine"
    )
    await case.stopped_without_trace()
    assert (await next_case.start()).status == "success"
    outcome = await bench.run(_asks(next_case, 2))
    assert (outcome.status, outcome.fallen) == ("success", ()), outcome
    await next_case.stopped_without_trace()


async def test_services_that_start_while_their_engine_is_restarted(bench: Bench, plain: Machine) -> None:
    """Killed as its runtime starts one, an engine forgets that; the services come up all the same."""
    case = made(bench, "starting", service("web", f"sleep 2; {SERVE}", health_check=logged("serving")))
    starting = asyncio.create_task(case.start())
    async with asyncio.timeout(20):
        while (box := await case.observed("web")) is None or box.state != "running":
            await asyncio.sleep(0.05)
    await asyncio.to_thread(plain.kill_engine)
    await asyncio.to_thread(plain.start_engine)
    started = await starting
    assert started.status == "success", started
    await case.stopped_without_trace()


def _asks(case: Scope, number: int) -> ContainerRequest:
    shared = SharedService(name="web", container=case.container("web"))
    text = "wget -q -O - http://web:8080/health"
    return case.job(text, job="asks", try_number=number, shared_services=(shared,))


async def test_a_host_that_goes_off(bench: Bench, plain: Machine) -> None:
    running = await begun(bench, *jobs())
    plain.cut_off()
    await asyncio.to_thread(plain.switch_on)
    outcomes = await asyncio.gather(*running)
    assert [taken(outcome) for outcome in outcomes] == [True, True, True], outcomes
    assert {outcome.exit_code for outcome in outcomes} == {255}


async def test_what_ended_by_itself_before_keeps_its_end(bench: Bench, plain: Machine) -> None:
    """Nobody was there to see it, and the engine has been restarted since."""
    wanted = request("run", "echo begun; sleep 1; echo k=v >$ORCA_OUTPUT; echo done", job="early")
    bench.cause = "detach"
    (running,) = await begun(bench, wanted)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with asyncio.timeout(10):
        while (box := await bench.container(wanted)) is None or box.state != "exited":
            await asyncio.sleep(0.1)
    await asyncio.to_thread(plain.stop_engine)
    await asyncio.to_thread(plain.start_engine)
    outcome = await bench.run(wanted)
    assert (outcome.status, outcome.outputs) == ("success", {"k": "v"})
    assert (await bench.texts(wanted)).count("begun") == 1


async def test_what_ended_while_the_engine_was_away_keeps_its_end(bench: Bench, plain: Machine) -> None:
    """A killed engine leaves its containers running; one that is done before it comes back was not cut short."""
    wanted = request("run", "echo begun; sleep 3; echo done; exit 5", job="meanwhile")
    (running,) = await begun(bench, wanted)
    await asyncio.to_thread(plain.kill_engine)
    await asyncio.sleep(5)
    await asyncio.to_thread(plain.start_engine)
    outcome = await running
    assert (outcome.status, outcome.exit_code) == ("failed", 5)
    assert str(outcome.reason).startswith("exit: ")
