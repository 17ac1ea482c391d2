"""Replays all recorded histories against the current interpreter: `python -m tests.replay.replayed`.

A process of its own, so that the test can give it another hash seed.
"""

import asyncio
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from orchestrator.client.converter import data_converter
from orchestrator.interpreter.workflow import RunWorkflow

HISTORIES = Path(__file__).with_name("histories")


async def main() -> None:
    """Raises for the first history that the interpreter would not repeat."""
    replayer = Replayer(
        workflows=[RunWorkflow], data_converter=data_converter, workflow_runner=UnsandboxedWorkflowRunner()
    )
    for path in sorted(HISTORIES.glob("*.json"), key=lambda path: path.stem):
        # The name is a literal: runs under way have it in their histories, whatever the code calls it today.
        history = WorkflowHistory.from_json(f"orca-run/{path.stem}", path.read_text())
        await replayer.replay_workflow(history)
        print(path.stem)


if __name__ == "__main__":
    asyncio.run(main())
