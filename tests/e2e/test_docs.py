"""Every example of the documentation runs, all of them at once on one server and worker, and ends as the page says."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.client import logs, runs
from orchestrator.client.connect import connect_embedded
from orchestrator.client.prepare import check, prepare
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.mocks import Mocks
from orchestrator.contract.names import DEFAULT_TASK_QUEUE
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server
from orchestrator.store.store import open_store
from tests.support.cli import Orca
from tests.support.docs import Block, blocks

RUNNING = [block for block in blocks() if block.runs]
LIMIT = 170
"""Seconds for all of them."""


class Ended:
    """A run at its end, with its log as people read it."""

    def __init__(self, record: RunRecord, lines: list[str]) -> None:
        self.record = record
        self.lines = lines

    def shows(self, expected: str) -> bool:
        """Whether a line of a page is true of the run."""
        if " | " in expected:
            return expected in self.lines
        if expected.startswith("output "):
            name, _, value = expected.removeprefix("output ").partition(" = ")
            found = self.record.outputs.get(name)
            return value == (found if isinstance(found, str) else json.dumps(found))
        job, _, state = expected.rpartition(": ")
        record = self.record.jobs.get(job)
        return record is not None and state in (record.status, f"{record.status}, {record.summary}")


@pytest_asyncio.fixture(scope="session")
async def ended(orca: Orca, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended | BaseException]:
    """All runs, by the place of their block, or why there was none."""
    home = Home(orca.home)
    server = running_server(home)
    assert server is not None
    client, store = await connect_embedded(server.address), open_store(str(home.store))

    async def run(block: Block) -> Ended:
        folder = tmp_path_factory.mktemp("docs")
        for name, text in {**block.files, block.file: block.text}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        prepared = await prepare(check(Path(folder / block.file), block.params), store=store)
        mocks = Mocks() if "dry" in block.words else None
        run_id = await runs.submit(client, prepared, task_queue=DEFAULT_TASK_QUEUE, mocks=mocks)
        record = await runs.wait(client, run_id)
        lines = [f"{entry.job} | {entry.text}" async for entry in logs.read(store, logs.sources(record))]
        return Ended(record, lines)

    found = await asyncio.wait_for(
        asyncio.gather(*(run(block) for block in RUNNING), return_exceptions=True), LIMIT
    )
    return dict(zip((block.name for block in RUNNING), found, strict=True))


@pytest.mark.parametrize("block", RUNNING, ids=lambda block: block.name)
def test_every_example_ends_as_the_page_says(ended: dict[str, Ended | BaseException], block: Block) -> None:
    run = ended[block.name]
    if isinstance(run, BaseException):
        raise run
    states = {name: f"{job.status} {job.reason or ''}" for name, job in run.record.jobs.items()}
    assert run.record.status == block.words.get("run", "success"), states
    for line in _lines(block):
        assert run.shows(line), f"{line!r} is not in {run.lines}; {states}; {run.record.outputs}"


def _lines(block: Block) -> Iterator[str]:
    return (line for line in (block.after or "").split("\n") if line)
