"""The attempts of a run: each is an execution of the same Temporal workflow."""

from dataclasses import dataclass
from datetime import datetime

from temporalio.client import Client, WorkflowExecution

from orchestrator.client import runs
from orchestrator.client.connect import temporal_errors
from orchestrator.client.plans import request_of_run
from orchestrator.contract.messages import RunRecord, RunRequest
from orchestrator.contract.names import WORKFLOW_TYPE
from orchestrator.errors import UsageError


@dataclass(frozen=True)
class Attempt:
    """One attempt as Temporal has it."""

    execution: str
    """Temporal's own id of it."""
    request: RunRequest
    record: RunRecord


async def attempts_of(client: Client, run: str) -> list[Attempt]:
    """All attempts that Temporal still knows, the latest first.

    Raises:
        RunNotFound: there is no such run.
        WorkerUnreachable: one of them was ended from outside, and no worker is there to say how far it had come.
    """
    found = [
        Attempt(
            execution,
            await request_of_run(client, run, execution=execution),
            await runs.record(client, run, execution=execution, certain=True),
        )
        for execution in await _executions(client, run)
    ]
    return sorted(found, key=lambda one: one.request.attempt, reverse=True)


async def execution_of(client: Client, run: str, attempt: int | None) -> str | None:
    """Temporal's id of one attempt of a run; None for the latest, where no attempt is asked for.

    Raises:
        RunNotFound: there is no such run.
        UsageError: it has no such attempt, or Temporal does not know it any more.
    """
    if attempt is None:
        return None
    known: list[int] = []
    for execution in await _executions(client, run):
        number = (await request_of_run(client, run, execution=execution)).attempt
        if number == attempt:
            return execution
        known.append(number)
    has = ", ".join(str(number) for number in sorted(known))
    raise UsageError(
        f"run '{run}' has no attempt {attempt}; Temporal knows attempt {has}"
        if len(known) == 1
        else f"run '{run}' has no attempt {attempt}; Temporal knows the attempts {has}"
    )


async def _executions(client: Client, run: str) -> list[str]:
    """Temporal's ids, the latest first. The latest is asked for by itself: lists may be a moment behind."""
    latest = (await runs.describe(client, run)).run_id
    quoted = run.replace("'", "''")
    async with temporal_errors(client, run=run):
        query = f"WorkflowId = '{quoted}' AND WorkflowType = '{WORKFLOW_TYPE}'"
        listed = [item async for item in client.list_workflows(query)]
    older = sorted((item for item in listed if item.run_id != latest), key=_started, reverse=True)
    return [latest, *(item.run_id for item in older)]


def _started(item: WorkflowExecution) -> datetime:
    return item.start_time
