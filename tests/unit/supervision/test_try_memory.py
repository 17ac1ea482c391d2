"""The whole of a try on the engine in memory: what is hard to bring about on a real one."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.errors import EngineError
from tests.support.memory_engine import MemoryEngine, Program, Running
from tests.support.tries import Bench, bench_around, request
from workers.engine.failures import EngineUnreachable, PullFailed
from workers.engine.interface import ContainerSpec, ImageFacts, Interrupt, ObservedContainer
from workers.supervision.attempt import Elsewhere
from workers.supervision.identity import Namespace, name_of, prefix_of
from workers.supervision.prepare import container_spec, launch_of

OWN = "own-command"
"""The entrypoint of containers with a program; no commands, so that no script is in the way."""


class Flaky(MemoryEngine):
    """Fails as it is told to."""

    def __init__(self, programs: dict[str, Program] | None = None, **images: ImageFacts) -> None:
        super().__init__({"alpine:latest": ImageFacts("sha256:a")} | images, programs)
        self.failures: dict[str, list[EngineError]] = {}
        self.calls: list[str] = []
        self.pulling = threading.Event()
        self.pulled = threading.Event()

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)

    def create(self, spec: ContainerSpec) -> str:
        self._call("create")
        return super().create(spec)

    def wait(self, container: str, *, interrupt: Interrupt) -> int:
        self._call("wait")
        return super().wait(container, interrupt=interrupt)

    def inspect(self, container: str) -> Any:
        self._call("inspect")
        return super().inspect(container)

    def remove(self, container: str) -> None:
        self._call("remove")
        super().remove(container)

    def pull_image(self, image: str) -> None:
        self._call("pull_image")
        self.pulling.set()
        self.pulled.wait(10)
        raise PullFailed(f"image '{image}' could not be pulled: there is no registry")


def _until_stopped(box: Running) -> int:
    box.out("up")
    box.sleep(60, until_stopped=True)
    box.out("bye")
    return 7


def _stubborn(box: Running) -> int:
    box.out("up")
    box.sleep(60)
    return 0


def own(run: str, program: str, **changes: Any) -> Any:
    return request(run, entrypoint=(OWN, program), **changes)


@pytest.fixture(name="bench")
async def bench_fixture(tmp_path: Path) -> AsyncIterator[Bench]:
    engine = Flaky({"until-stopped": _until_stopped, "stubborn": _stubborn})
    async with bench_around(engine, tmp_path / "store") as bench:
        yield bench


def flaky(bench: Bench) -> Flaky:
    assert isinstance(bench.engine, Flaky)
    return bench.engine


def gone() -> EngineUnreachable:
    return EngineUnreachable("the engine went away")


async def test_a_no_op_costs_one_look_and_one_creation(bench: Bench) -> None:
    outcome = await bench.run(request("run", "true"))
    assert outcome == JobOutcome(
        status="success",
        exit_code=0,
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        host="host",
        container_id=outcome.container_id,
        images={"alpine:latest": ("a",)},
    )
    # The second look is for when it began by its engine's clock, the last for those that do not say that they came to
    # their end: this shell prints nothing.
    assert flaky(bench).calls == ["inspect", "create", "inspect", "wait", "inspect", "remove"]
    assert [beat.phase for beat in bench.beats][:1] == ["looking"]
    assert bench.beats[-1].container_id == outcome.container_id


async def test_the_outcome_is_recorded_and_given_again(bench: Bench) -> None:
    wanted = request("run", "true")
    outcome = await bench.run(wanted)
    stored = await bench.store.get_bytes(f"{prefix_of(wanted)}outcome.json")
    assert JobOutcome.model_validate_json(stored) == outcome
    again = await bench.run(wanted, Heartbeat(host="host", container_id="x", phase="running"))
    assert again == outcome
    assert flaky(bench).calls.count("create") == 1
    flaky(bench).failures["inspect"] = [gone()]
    assert await bench.run(wanted) == outcome


async def test_a_container_that_vanished_is_lost(bench: Bench) -> None:
    wanted = request("run", "true")
    outcome = await bench.run(wanted, Heartbeat(host="h1", container_id="0123456789abcdef", phase="running"))
    assert str(outcome.reason) == (
        "lost: the container 0123456789ab ran on host 'h1' and cannot be found any more, nor its outcome"
    )
    # By its name, and by its id, since it may have been renamed.
    assert flaky(bench).calls == ["inspect", "inspect", "remove"]
    assert outcome.container_id == "0123456789abcdef"


async def test_a_container_that_is_removed_under_it(bench: Bench) -> None:
    wanted = own("run", "until-stopped")
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    await asyncio.to_thread(MemoryEngine.remove, flaky(bench), name_of(wanted))
    outcome = await running
    # The engine tells the kill that comes with a removal as if it were the container's own end.
    assert (outcome.status, outcome.exit_code) == ("failed", 137)
    assert str(outcome.reason) == (
        f"lost: the container {outcome.container_id[:12]} was removed from host 'host' while it ran, by hand or by"
        " another program, so that nobody knows how the job would have ended; see to it that nothing there removes"
        " containers of running jobs"
    )
    assert flaky(bench).calls.count("create") == 1


async def test_a_foreign_container_of_that_name(bench: Bench) -> None:
    wanted = request("run", "true")
    foreign = await asyncio.to_thread(
        bench.engine.create, ContainerSpec(name=name_of(wanted), image="alpine:latest")
    )
    outcome = await bench.run(wanted)
    assert str(outcome.reason) == (
        f"start: container '{name_of(wanted)}' exists and is not this try's: it has no label 'dev.orca'; remove it"
        f" with 'docker rm -f {name_of(wanted)}'"
    )
    found = await bench.container(wanted)
    assert found is not None
    assert found.id == foreign


@pytest.mark.parametrize(
    ("failures", "status", "reason"),
    [
        ({"inspect": [gone()]}, "success", "None"),
        ({"create": [gone()]}, "success", "None"),
        ({"wait": [gone(), gone()]}, "success", "None"),
        ({"inspect": [gone() for _ in range(99)]}, "failed", "docker: the engine went away"),
        ({"wait": [gone() for _ in range(99)]}, "failed", "docker: the engine went away"),
        ({"create": [EngineError("odd")]}, "failed", "docker: odd"),
        ({"remove": [EngineError("odd")]}, "success", "None"),
    ],
)
async def test_an_engine_that_goes_away(
    bench: Bench, failures: dict[str, list[EngineError]], status: str, reason: str
) -> None:
    flaky(bench).failures = {name: list(errors) for name, errors in failures.items()}
    outcome = await bench.run(request("run", "true"))
    assert (outcome.status, str(outcome.reason)) == (status, reason)
    assert flaky(bench).calls.count("create") <= 2
    flaky(bench).failures = {}
    assert await bench.container(request("run")) is None


async def test_cancel_stops_with_grace(bench: Bench) -> None:
    wanted = own("run", "until-stopped")
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    running.cancel()
    outcome = await running
    assert (outcome.status, str(outcome.reason), outcome.exit_code) == (
        "cancelled",
        "cancelled: the job was cancelled",
        7,
    )
    assert await bench.texts(wanted) == ["up", "bye", "orca: cancelled: the job was cancelled"]
    assert await bench.container(wanted) is None


async def test_cancel_of_what_does_not_stop(bench: Bench) -> None:
    wanted = own("run", "stubborn", stop_grace=0.3)
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    running.cancel()
    await asyncio.sleep(0.1)
    running.cancel()
    outcome = await running
    assert (outcome.status, outcome.exit_code) == ("cancelled", 137)


async def test_a_try_that_was_cancelled_while_nobody_had_it(bench: Bench) -> None:
    outcome = await bench.run(request("new", "true", cancelled=True))
    assert (outcome.status, flaky(bench).calls) == ("cancelled", ["inspect"])
    wanted = own("run", "until-stopped")
    bench.cause = "detach"
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    outcome = await bench.run(wanted.model_copy(update={"cancelled": True}))
    assert (outcome.status, outcome.exit_code) == ("cancelled", 7)
    assert (await bench.texts(wanted))[:2] == ["up", "bye"]
    assert await bench.container(wanted) is None


async def test_the_time_limit(bench: Bench) -> None:
    outcome = await bench.run(own("run", "until-stopped", timeout=0.3))
    assert (str(outcome.reason), outcome.exit_code) == (
        "timeout: the job took longer than its limit of 0.3 s and was stopped",
        7,
    )


async def let_go(bench: Bench, wanted: ContainerRequest) -> ObservedContainer:
    """The container that a worker leaves which is told to stop once the job has said `up`."""
    bench.cause = "detach"
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    left = await bench.container(wanted)
    assert left is not None
    return left


async def test_detach_leaves_the_container_and_the_next_worker_takes_it_up(bench: Bench) -> None:
    wanted = own("run", "until-stopped")
    left = await let_go(bench, wanted)
    assert left.state == "running"
    again = bench.begin(wanted)
    await asyncio.sleep(0.2)
    await asyncio.to_thread(bench.engine.stop, left.id, grace=5)
    outcome = await again
    assert (outcome.status, outcome.exit_code, outcome.container_id) == ("failed", 7, left.id)
    assert await bench.texts(wanted) == ["up", "bye"]
    assert flaky(bench).calls.count("create") == 1


async def test_the_next_worker_waits_as_long_for_an_engine_that_is_away(bench: Bench) -> None:
    wanted = own("run", "until-stopped")
    left = await let_go(bench, wanted)
    flaky(bench).failures = {"inspect": [gone() for _ in range(8)]}
    before = Heartbeat(host="host", container_id=left.id, phase="running")
    again = asyncio.create_task(bench.run(wanted, before))
    async with asyncio.timeout(30):
        while flaky(bench).failures["inspect"]:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    await asyncio.to_thread(bench.engine.stop, left.id, grace=5)
    outcome = await again
    assert (outcome.status, outcome.exit_code, outcome.container_id) == ("failed", 7, left.id)


@pytest.mark.parametrize("cause", ["cancel", "detach"])
async def test_ending_while_an_image_is_pulled(bench: Bench, cause: Any) -> None:
    bench.cause = cause
    running = bench.begin(request("run", "true", image="none:1"))
    await asyncio.to_thread(flaky(bench).pulling.wait, 10)
    running.cancel()
    if cause == "detach":
        with pytest.raises(asyncio.CancelledError):
            await running
    else:
        assert (await running).status == "cancelled"
    flaky(bench).pulled.set()


async def test_jobs_share_a_pull(bench: Bench) -> None:
    running = [bench.begin(request(f"run-{number}", "true", image="none:1")) for number in range(3)]
    await asyncio.to_thread(flaky(bench).pulling.wait, 10)
    await asyncio.sleep(0.2)
    flaky(bench).pulled.set()
    reasons = {str((await task).reason) for task in running}
    assert reasons == {
        "pull: image 'none:1' could not be pulled: there is no registry; check the name, or load it on this host"
        " with 'docker load'"
    }
    assert flaky(bench).calls.count("pull_image") == 1


@pytest.mark.parametrize(
    ("cleanup", "program", "kept"),
    [
        ("remove_on_completion", "stubborn", False),
        ("keep_on_failure", "stubborn", True),
        ("keep_on_failure", "quick", False),
        ("keep", "quick", True),
    ],
)
async def test_what_is_kept(bench: Bench, cleanup: Any, program: str, kept: bool) -> None:
    wanted = own("run", program, cleanup=cleanup, timeout=0.2, stop_grace=0)
    await bench.run(wanted)
    assert (await bench.container(wanted) is not None) == kept


async def test_a_broken_store_loses_log_and_record_but_not_the_outcome(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "store" / "runs").write_text("in the way")
    bench_engine = flaky(bench)
    wanted = own("run", "until-stopped", timeout=0.2)
    outcome = await bench.run(wanted)
    assert (outcome.status, outcome.exit_code) == ("failed", 7)
    assert [warning.split(":")[0] for warning in outcome.warnings] == [
        "3 log lines were lost",
        "the outcome is not in the store",
    ]
    # It is all that tells how the job ended, should the worker die now.
    assert "remove" not in bench_engine.calls
    assert await bench.container(wanted) is not None


async def test_a_container_that_was_made_and_never_started(bench: Bench) -> None:
    wanted = own("run", "quick")
    image = ImageFacts("sha256:a")
    spec = container_spec(wanted, image, launch_of(wanted, image), namespace=Namespace())
    made = await asyncio.to_thread(MemoryEngine.create, flaky(bench), spec)
    outcome = await bench.run(wanted, Heartbeat(host="host", container_id=made, phase="preparing"))
    assert (outcome.status, outcome.container_id) == ("success", made)
    assert flaky(bench).calls.count("create") == 0


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_try_that_another_host_has_is_left_to_it(bench: Bench, cancelled: bool) -> None:
    wanted = request("elsewhere", cancelled=cancelled)
    await bench.store.put_bytes(f"{prefix_of(wanted)}host", b"other-host")
    with pytest.raises(Elsewhere, match="'other-host' has the try") as caught:
        await bench.run(wanted)
    assert caught.value.host == "other-host"
    assert await bench.container(wanted) is None


async def test_a_try_that_this_host_claimed_before_goes_on_here(bench: Bench) -> None:
    wanted = request("here")
    await bench.store.put_bytes(f"{prefix_of(wanted)}host", b"host")
    assert (await bench.run(wanted)).status == "success"
