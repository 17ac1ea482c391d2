"""A namespace that loses orca's search attributes: what people are told, and runs go on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.connect import connect, ensure_search_attributes, lost_attribute
from orchestrator.client.listing import list_runs
from orchestrator.client.prepare import check, prepare
from orchestrator.client.replaying import replay
from orchestrator.contract.names import SEARCH_LABELS, SEARCH_SPEC, SEARCH_STATE
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from orchestrator.errors import UsageError
from orchestrator.store.store import open_store
from tests.support.house import House, until
from tests.support.kinds import answer
from workers import main
from workers.settings import Settings
from workers.stopping import Stop

QUEUE = "lost-attributes"
ALL = (SEARCH_SPEC, SEARCH_STATE, SEARCH_LABELS)
SPEC = """
name: lost
labels: {team: a}
jobs:
  go: {gate: "Go on?"}
  work: {image: "alpine:latest", entrypoint: [work], requires: [go]}
"""


async def lose(client: Client) -> None:
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=ALL)
    )


async def until_lost(client: Client) -> None:
    """Return once the server acts on it: it keeps what it knows of a namespace for some seconds."""
    async with asyncio.timeout(60):
        with suppress(UsageError):
            while True:
                await list_runs(client, spec="lost")
                await asyncio.sleep(0.2)


@asynccontextmanager
async def worker(client: Client, folder: Path) -> AsyncGenerator[None]:
    """As `orca worker` runs it, with an engine in memory."""
    stop = Stop()
    environ = {
        "ORCA_HOME": str(folder / "home"),
        "ORCA_TASK_QUEUE": QUEUE,
        "ORCA_STORE": str(folder / "store"),
    }
    serving = asyncio.create_task(main.serve(client, Settings.from_env(environ), House().engine, stop=stop))
    try:
        yield
    finally:
        stop.asked.set()
        await serving


async def submit(client: Client, folder: Path) -> str:
    spec = folder / "lost.yaml"
    spec.write_text(SPEC)
    prepared = await prepare(check(spec, []), store=open_store(str(folder / "store")))
    return await runs.submit(client, prepared, task_queue=QUEUE)


async def test_runs_go_on_where_a_namespace_loses_its_search_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(main, "ATTRIBUTES_LOOK", 5.0)
    with use_server(Home(tmp_path)) as server:
        client = await connect(server.address)
        waiting = await submit(client, tmp_path)
        await lose(client)
        await until_lost(client)
        with pytest.raises(UsageError) as caught:
            await list_runs(client, spec="lost")
        assert str(caught.value) == lost_attribute("default", SEARCH_SPEC)
        with pytest.raises(UsageError, match="Temporal refused the request: invalid query: malformed"):
            [one async for one in replay(client, query=f"{SEARCH_SPEC} == ")]
        assert [(one.run_id, one.status) for one in await list_runs(client)] == [(waiting, "running")]
        assert (await runs.record(client, waiting)).status == "pending"
        async with worker(client, tmp_path):
            record = await until(client, waiting, lambda found: found.error or found.jobs["go"].gate)
            assert record.error == f"the run waits: {lost_attribute('default', SEARCH_STATE)}"
            record = await until(client, waiting, lambda found: found.jobs["go"].gate)
            assert record.error is None
            # In the middle of a run, and for a new one.
            await lose(client)
            fresh = await submit(client, tmp_path)
            for run in (waiting, fresh):
                await until(client, run, lambda found: found.jobs["go"].gate)
                await answer(client, run, "go")
                async with asyncio.timeout(60):
                    assert (await runs.wait(client, run)).status == "success"
            assert "had lost orca's search attributes OrcaSpec, OrcaState, OrcaLabels" in caplog.text
        assert await ensure_search_attributes(client) == ()
