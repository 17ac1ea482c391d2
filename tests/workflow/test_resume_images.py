"""Resuming runs whose images have changed behind their names, and whose workers cannot be asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.worker import Worker

from orchestrator.client import runs
from orchestrator.client.images import Answers, Leaf, Policies, ask
from orchestrator.client.takers import has_worker
from orchestrator.contract.images import LOOK_AT_IMAGES, ImageAsked, ImageFound, ImagesAsked, ImagesFound
from orchestrator.contract.messages import Earlier
from orchestrator.contract.names import host_queue
from orchestrator.errors import OrcaError
from orchestrator.plan.model import Param
from tests.support.house import service
from tests.support.kinds import nested
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import matrix, plan
from tests.support.resuming import Starts, counted, counting, planned, resumed
from tests.support.serving import worker_of
from tests.workflow.conftest import Serve
from workers.engine.interface import ImageFacts
from workers.supervision.limits import Limits

NAMES = ("app", "lib", "db")


POLICIES: Policies = {"alpine:latest": ("missing",)}
LEAF = Leaf("a", Earlier(status="success", attempt=1, host="old", images={"alpine:latest": ("m",)}), POLICIES)


class Shelf:
    """The images of one host, which a test changes."""

    def __init__(self, starts: Starts) -> None:
        self.images = {name: ImageFacts(id=f"sha256:{name}-1") for name in NAMES}
        self.images["alpine:latest"] = ImageFacts(id="sha256:alpine")
        self.engine = MemoryEngine(self.images, {**starts.programs, "serve": serve_until_stopped})

    def change(self, name: str, number: int) -> None:
        self.images[name] = replace(self.images[name], id=f"sha256:{name}-{number}")


def serve_until_stopped(box: Running) -> int:
    box.out("ready")
    box.sleep(600, until_stopped=True)
    return 143


async def asked_once_known(client: Client, queue: str) -> Answers:
    """The server learns of a worker by its first poll."""
    async with asyncio.timeout(20):
        while not await has_worker(client, queue):
            await asyncio.sleep(0.05)
    return await ask(client, queue, [LEAF])


async def test_a_job_whose_image_is_another_one_now_runs_and_what_comes_after_it(
    client: Client, serve: Serve, store_folder: str
) -> None:
    inner = plan(counting("x", image="lib"), counting("y", "x", env={"NAME": "${{ params.y }}"}), spec="inner", params=(
        Param(name="y", required=True),
    ))  # fmt: skip
    shape = plan(
        counting("a", image="app"),
        counting("b", "a"),
        matrix("m", {"i": ["app", "lib"]}, **counted("m ${{ matrix.i }}", image="${{ matrix.i }}")),
        counting("s", services=(service(image="db"),)),
        nested("good", "p", given={"y": "y1"}),
        nested("bad", "p", given={"y": "y2"}),
        counting("last", "b", "m", "s", "good", "bad"),
        workflows={"p": inner},
    )
    starts = Starts(broken={"y2"})
    shelf = Shelf(starts)
    async with serve(client, engine=shelf.engine) as runner:
        handle = await runner.start(shape)
        first = await runs.wait(client, handle.id)
        assert first.jobs["a"].images == {"app": ("app-1",)}
        assert first.jobs["s"].images == {"alpine:latest": ("alpine",), "db": ("db-1",)}
        assert first.jobs["good"].images == {"lib": ("lib-1",), "alpine:latest": ("alpine",)}
        assert first.jobs["bad"].images == {}
        same = await planned(client, handle.id, store_folder)
        assert same.warnings == ()
        assert {one.name for one in same.expected if one.action == "run"} == {"bad", "last"}
        starts.take()
        starts.broken.clear()
        for name in ("app", "db"):
            shelf.change(name, 2)
        told = await planned(client, handle.id, store_folder)
        assert [(one.name, one.action, one.why) for one in told.expected] == [
            ("a", "run", "image app is another one now"),
            ("b", "run", "after 'a'"),
            ("m (app)", "run", "image app is another one now"),
            ("m (lib)", "reuse", "unchanged"),
            ("s", "run", "image db is another one now"),
            ("good", "reuse", "unchanged"),
            ("bad", "run", "it failed before"),
            ("last", "run", "after 'b'"),
        ]
        shelf.change("lib", 2)
        # A service's image is what it was when its host last looked.
        await asyncio.sleep(Limits().image_facts + 0.1)
        _, second = await resumed(client, handle.id, store_folder)
        assert second.status == "success"
        # In the nested run that goes on too.
        assert starts.take() == {
            "a": 1, "b": 1, "m app": 1, "m lib": 1, "s": 1, "x": 2, "y1": 1, "y2": 1, "last": 1,
        }  # fmt: skip
        # What was taken over keeps what it ran with: here nothing was, and in the next attempt all is.
        told, third = await resumed(client, handle.id, store_folder, again=("last",))
        assert {action for name, action in told.items() if name != "last"} == {"reuse"}
        assert third.jobs["a"].images == {"app": ("app-2",)}
        shelf.change("app", 1)
        told, _ = await resumed(client, handle.id, store_folder)
    assert [name for name, action in told.items() if action == "run"] == ["a", "b", "m (app)", "last"]


async def test_a_run_that_succeeded_is_resumed_for_another_image_and_not_with_only_failed(
    client: Client, serve: Serve, store_folder: str
) -> None:
    starts = Starts()
    shelf = Shelf(starts)
    async with serve(client, engine=shelf.engine) as runner:
        handle = await runner.start(plan(counting("a", image="app")))
        await runs.wait(client, handle.id)
        shelf.change("app", 2)
        with pytest.raises(OrcaError, match="nothing in it has changed"):
            await planned(client, handle.id, store_folder, only_failed=True)
        told, _ = await resumed(client, handle.id, store_folder)
    assert told == {"a": "run"}


async def test_an_image_that_nobody_has_counts_by_its_name_and_that_is_said(
    client: Client, serve: Serve, store_folder: str
) -> None:
    starts = Starts(broken={"end"})
    shelf = Shelf(starts)
    shape = plan(
        counting("a", image="app"), counting("n", image="lib", pull="never"), counting("end", "a", "n")
    )
    async with serve(client, engine=shelf.engine) as runner:
        handle = await runner.start(shape)
        await runs.wait(client, handle.id)
        del shelf.images["app"], shelf.images["lib"]
        found = await planned(client, handle.id, store_folder)
    assert [one.action for one in found.expected] == ["reuse", "reuse", "run"]
    (warning,) = found.warnings
    assert warning == (
        "images could not be compared and count by their names alone: of image 'app': the registry does not say what "
        "image 'app' is: there is no registry; of image 'lib': it is not on the host and may not be pulled"
    )


async def test_without_a_worker_names_count_and_nobody_waits_long(
    client: Client, serve: Serve, store_folder: str
) -> None:
    starts = Starts(broken={"b"})
    async with serve(client, starts.programs) as runner:
        handle = await runner.start(plan(counting("a"), counting("b", "a")))
        await runs.wait(client, handle.id)
    found = await planned(client, handle.id, store_folder)
    assert [one.action for one in found.expected] == ["reuse", "run"]
    assert found.warnings == (
        "images could not be compared and count by their names alone: no worker on task queue "
        f"'{runner.task_queue}' answered in time",
    )
    other = f"nobody-{uuid4().hex}"
    answers = await ask(client, other, [LEAF])
    assert list(answers.silent) == [f"no worker is on task queue '{other}'"]


async def test_where_the_host_is_gone_another_one_answers_and_an_older_worker_cannot(client: Client) -> None:
    queue, asked = uuid4().hex, ImageAsked(image="alpine:latest")

    @activity.defn(name=LOOK_AT_IMAGES)
    async def look(request: ImagesAsked) -> ImagesFound:
        return ImagesFound(
            host="new", images=tuple(ImageFound(asked=one, marks=("n",)) for one in request.images)
        )

    @activity.defn(dynamic=True)
    async def older(arguments: Sequence[RawValue]) -> None:
        raise ValueError("this is no request of a job")

    nobody = host_queue(queue, "old")
    async with worker_of(client, queue, look), Worker(client, task_queue=nobody, activities=[older]):
        found = await asked_once_known(client, queue)
    assert found.found == {("old", asked): ImageFound(asked=asked, marks=("n",))}
    queue = uuid4().hex
    async with worker_of(client, queue, older):
        found = await asked_once_known(client, queue)
    assert (found.found, list(found.silent)) == (
        {},
        [f"a worker on task queue '{queue}' cannot tell; it may be of an earlier version of orca"],
    )
