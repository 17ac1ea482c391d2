"""What the reaper of a host removes, asked of a real Temporal: closed runs, earlier tries, and nothing else."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from orchestrator import ids
from orchestrator.contract.messages import JobOutcome, RunRecord
from orchestrator.contract.names import LABEL_NAMESPACE_ID, LABEL_TRY
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from orchestrator.store.store import Store, open_store
from tests.support.house import House, service, until, with_services
from tests.support.memory_host import MemoryHost
from tests.support.plans import job, plan
from tests.support.serving import worker_of
from tests.unit.reaping.test_decide import container
from tests.workflow.conftest import Serve
from workers.engine.interface import ContainerSpec, NetworkSpec
from workers.reaping.act import Act
from workers.reaping.asking import Asking, namespace_of
from workers.reaping.ledger import Finding
from workers.reaping.look import Look
from workers.reaping.reaper import Reaper
from workers.supervision.identity import Namespace
from workers.supervision.threads import Threads


@asynccontextmanager
async def reaper_of(
    client: Client, engine: MemoryHost, folder: Path, *, grace: float = 0, home: Namespace | None = None
) -> AsyncGenerator[Reaper]:
    """The reaper of one engine; `folder` is its state folder."""
    with ThreadPoolExecutor(12) as pool:
        threads, store = Threads(pool), open_store(str(folder / "store"))
        home = home or await namespace_of(client)
        look = Look(engine, threads, store, home=home, answers=Asking(client, home))
        act = Act(engine, threads, stop_grace=0.2)
        yield Reaper(look, act, home=folder, mark="test", grace=grace)


async def fates(reaper: Reaper) -> dict[str, tuple[str, str]]:
    """What becomes of all that is there, by whose it is, and why."""
    found = await reaper.findings()
    return {told(finding): (finding.verdict.fate, finding.verdict.why) for finding in found}


def told(finding: Finding) -> str:
    owner = finding.thing.owner
    return f"{finding.thing.kind} {owner.key if owner else finding.thing.name}"


async def gone(engine: MemoryHost, *, left: int = 0) -> None:
    """Return once no more than that many things are there."""
    async with asyncio.timeout(20):
        while len(engine.list_labelled({})) + len(engine.list_networks({})) + len(engine.volumes) > left:
            await asyncio.sleep(0.05)


def made(engine: MemoryHost, name: str, labels: dict[str, str]) -> str:
    """A container that runs until it is stopped."""
    found = engine.create(ContainerSpec(name, "alpine:latest", entrypoint=("nap",), labels=labels))
    engine.start(found)
    return found


def labels_of(run: str, home: Namespace, **about: str) -> dict[str, str]:
    """The labels of something of job `build`."""
    changes = {f"dev.orca.{key}": value for key, value in about.items()}
    return {**container(namespace=home).labels, "dev.orca.run": run, **changes}


async def test_all_of_a_terminated_run_goes_and_nothing_of_a_live_one(
    client: Client, serve: Serve, tmp_path: Path
) -> None:
    house = House()
    node = with_services("test", service(), does="nap")
    async with serve(client, engine=house.engine) as runner:
        ended, other = await runner.start(plan(node)), await runner.start(plan(node))
        for handle in (ended, other):
            await until(client, handle.id, lambda record: record.jobs["test"].services)
        async with asyncio.timeout(30):
            while sum(one.state == "running" for one in house.engine.list_labelled({})) < 4:
                await asyncio.sleep(0.05)
        there = {one.id for one in house.engine.list_labelled({"dev.orca.run": other.id})}
    # Nobody looks after either of them now; a worker elsewhere tells how they are.
    await ended.terminate("by hand")
    house.engine.volumes.update({"v": labels_of(ended.id, Namespace()), "mine": {}})
    stranger = house.engine.create(ContainerSpec("mine", "alpine:latest", entrypoint=("nap",)))
    async with (
        worker_of(client, runner.task_queue),
        reaper_of(client, house.engine, tmp_path) as reaper,
    ):
        reaping = asyncio.create_task(reaper.run())
        # The stranger and its volume, and a network and two containers of the live run.
        await gone(house.engine, left=5)
        reaping.cancel()
        assert {one.id for one in house.engine.list_labelled({})} == there | {stranger}
        assert [one.labels["dev.orca.run"] for one in house.engine.list_networks({})] == [other.id]
        assert list(house.engine.volumes) == ["mine"]
        assert {fate for fate, _ in (await fates(reaper)).values()} == {"live"}
        await other.terminate("by hand")
        assert await reaper.reap(await reaper.findings()) == {}
    assert [one.id for one in house.engine.list_labelled({})] == [stranger]
    assert house.engine.list_networks({}) == []


async def test_earlier_tries_and_attempts_go_and_the_current_one_stays(
    client: Client, serve: Serve, tmp_path: Path
) -> None:
    house, home = House(), await namespace_of(client)
    retry = {"max_attempts": 2, "on": ("exit",), "delay": 0.0}
    node = job("build", entrypoint=("slow",), retry=retry)
    async with serve(client, engine=house.engine) as runner:
        handle = await runner.start(plan(node, job("held", entrypoint=("fail",), on_error="hold")))
        made(house.engine, "earlier", labels_of(handle.id, home))
        await until(client, handle.id, lambda _: bool(house.engine.list_labelled({LABEL_TRY: "2"})))
        network = labels_of(handle.id, home, job="held")
        house.engine.create_network(NetworkSpec("of-held", network))
        await until(client, handle.id, lambda record: record.jobs["held"].status == "held")
        made(house.engine, "of-none", labels_of(handle.id, home, job="none"))
        async with reaper_of(client, house.engine, tmp_path) as reaper:
            found = await fates(reaper)
            assert found["container build"] == ("remove", "it is of try 1, and its job is at try 2")
            assert found["container build #2"] == ("live", "its run goes on, and it is being looked after")
            assert found["network held"] == (
                "live",
                "its job is held: a person decides how it goes on",
            )
            assert found["container none"] == ("unknown", "its run goes on and does not tell of its job")
            due = [finding for finding in await reaper.findings() if finding.wait == 0]
            assert await reaper.reap(due) == {}
            assert house.engine.inspect("earlier") is None
        await handle.terminate("by hand")
        async with reaper_of(client, house.engine, tmp_path) as reaper:
            await reaper.reap(await reaper.findings())
    assert house.left == ([], [])


async def test_the_grace_is_waited_out_over_workers(client: Client, tmp_path: Path) -> None:
    engine, home = House().engine, await namespace_of(client)
    made(engine, "left", labels_of(f"no-such-run-{uuid4().hex}", home))
    for grace, stays in ((0.3, True), (0.05, False)):
        async with reaper_of(client, engine, tmp_path, grace=grace) as reaper:
            (finding,) = await reaper.findings()
            assert finding.verdict.doubtful
            reaping = asyncio.create_task(reaper.run())
            await asyncio.sleep(0.7)
            reaping.cancel()
            # What the server does not know is waited out for longer; the second worker goes on where the first was.
            assert (engine.inspect("left") is not None) == stays


async def test_one_reaper_of_several_acts(client: Client, tmp_path: Path) -> None:
    engine, home = House().engine, await namespace_of(client)
    async with (
        reaper_of(client, engine, tmp_path) as first,
        reaper_of(client, engine, tmp_path) as second,
    ):
        acting = asyncio.create_task(first.run())
        await asyncio.sleep(0.2)
        waiting = asyncio.create_task(second.run())
        await asyncio.sleep(0.2)
        acting.cancel()
        made(engine, "left", labels_of(f"no-such-run-{uuid4().hex}", home))
        # The one that waited takes over.
        await gone(engine)
        waiting.cancel()


async def test_nothing_goes_while_the_server_is_away_or_is_another_one(
    client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine, home = House().engine, await namespace_of(client)
    run = f"no-such-run-{uuid4().hex}"
    made(engine, "left", labels_of(run, home))
    async with reaper_of(client, engine, tmp_path) as reaper:
        assert (await fates(reaper))["container build"][0] == "remove"
    (tmp_path / "other").mkdir()
    with use_server(Home(tmp_path / "other")) as info:
        away = await Client.connect(info.address)
        # The same address and namespace, and a database that knows nothing.
        async with reaper_of(away, engine, tmp_path, home=home) as reaper:
            fate, why = (await fates(reaper))["container build"]
            assert fate == "unknown"
            assert "is not there, or is another one than when this worker began" in why
        async with reaper_of(away, engine, tmp_path) as reaper:
            assert (await fates(reaper))["container build"][0] == "foreign"
        made(engine, "nameless", {**labels_of(run, home), LABEL_NAMESPACE_ID: ""})
        async with reaper_of(away, engine, tmp_path) as reaper:
            assert "nothing says that it was made for this server" in str(await reaper.findings())
    with caplog.at_level(logging.INFO):
        async with reaper_of(away, engine, tmp_path, home=home) as reaper:
            assert {fate for fate, _ in (await fates(reaper)).values()} == {"unknown"}
            assert await reaper.reap(await reaper.findings()) == {}
    assert engine.inspect("left") is not None


async def test_what_is_to_be_kept_is_stopped(client: Client, serve: Serve, tmp_path: Path) -> None:
    house, home = House(), await namespace_of(client)
    store: Store = open_store(str(tmp_path / "store"))
    async with serve(client, engine=house.engine) as runner:
        record: RunRecord = await runner.run(plan(job("quick", entrypoint=("work",))))
    for name, job_name, policy in (
        ("asked", "a", "keep"),
        ("failed", "b", "keep_on_failure"),
        ("fine", "c", "keep_on_failure"),
        ("unknown", "d", "keep_on_failure"),
    ):
        made(house.engine, name, labels_of(record.run_id, home, job=job_name, keep=policy))
    for job_name, status in (("b", "failed"), ("c", "success")):
        outcome = JobOutcome.model_validate({"status": status})
        prefix = ids.try_prefix(record.run_id, 1, job_name, None, 1)
        await store.put_bytes(f"{prefix}outcome.json", outcome.model_dump_json().encode())
    async with reaper_of(client, house.engine, tmp_path) as reaper:
        assert await reaper.reap(await reaper.findings()) == {}
        assert {one.name: one.state for one in house.engine.list_labelled({})} == {
            "asked": "exited",
            "failed": "exited",
            "unknown": "exited",
        }
        assert {fate for fate, _ in (await fates(reaper)).values()} == {"kept"}
