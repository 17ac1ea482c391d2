"""Replays all recorded histories against the current interpreter: `python -m tests.replay.replayed`.

A process of its own, so that the test can give it another hash seed.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from orchestrator.client.converter import data_converter
from orchestrator.interpreter.workflow import RunWorkflow

HISTORIES = Path(__file__).with_name("histories")


def name_of(path: Path) -> str:
    """How a history is called: by its place in `HISTORIES`, without the ending; one from elsewhere by its own name."""
    place = path.relative_to(HISTORIES).as_posix() if path.is_relative_to(HISTORIES) else path.name
    return place.removesuffix(".gz").removesuffix(".json")


def all_histories() -> list[Path]:
    """By name."""
    return sorted((*HISTORIES.rglob("*.json"), *HISTORIES.rglob("*.json.gz")), key=name_of)


def read_history(path: Path) -> WorkflowHistory:
    """One with large requests in it is packed."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    # The name is a literal: runs under way have it in their histories, whatever the code calls it today.
    return WorkflowHistory.from_json(f"orca-run/{name_of(path)}", text)


async def replayed(paths: Iterable[Path]) -> AsyncIterator[tuple[Path, Exception | None]]:
    """Replay one after another; each with what was wrong."""
    replayer = Replayer(
        workflows=[RunWorkflow], data_converter=data_converter, workflow_runner=UnsandboxedWorkflowRunner()
    )
    for path in paths:
        done = await replayer.replay_workflow(read_history(path), raise_on_replay_failure=False)
        yield path, done.replay_failure


async def main() -> None:
    """Raises for the first history that the interpreter would not repeat."""
    async for path, failure in replayed(all_histories()):
        if failure is not None:
            raise RuntimeError(f"{name_of(path)} is not repeated") from failure
        print(name_of(path))


if __name__ == "__main__":
    asyncio.run(main())
