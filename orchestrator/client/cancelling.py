"""Cancelling a run in one of the modes, also one that no worker looks after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus

from orchestrator.client import people, runs
from orchestrator.client.connect import temporal_errors
from orchestrator.contract.names import SIGNAL_CANCEL
from orchestrator.contract.people import Cancel
from orchestrator.errors import UsageError, WorkerUnreachable

FORCE_LIMIT = 10.0
"""Seconds that a worker may take to answer before a run that is to end by force is ended without it."""


@dataclass(frozen=True)
class Cancelled:
    """What a cancel came to."""

    how: Literal["requested", "terminated"]
    """`terminated`: the server ended the run, as no worker answered."""
    message: str
    """A sentence for whoever asked."""


async def cancel(
    client: Client, run: str, wanted: Cancel, *, say: Callable[[str], None] = lambda _: None
) -> Cancelled:
    """Have a run end before its time.

    A graceful cancel is kept at the server where no worker answers, and counts once one is there. A second one cancels
    the finalizers too. One by force ends the run at the server then.

    Args:
        client: connected to the run's namespace.
        run: its id.
        wanted: the mode, who asks and why.
        say: gets a line of what goes on where it takes long.

    Raises:
        RunNotFound: there is no such run.
        UsageError: it has ended, or ends in this mode already, or in one that a person cannot go back from.
        WorkerUnreachable: it was to drain, or was asked before, and no worker is there to hear of it.
    """
    found = await runs.describe(client, run)
    if found.status is not WorkflowExecutionStatus.RUNNING:
        ended = found.status.name.lower() if found.status else "closed"
        raise UsageError(f"run '{run}' has already ended ({ended})")
    try:
        again = await _asked_before(client, found, wanted)
        wanted = wanted.model_copy(update={"again": again})
        limit = FORCE_LIMIT if wanted.mode == "force" else people.ANSWER_LIMIT
        reply = await people.cancel(client, run, wanted, limit=limit)
    except people.UpdatesUsedUp:
        return await _signal(client, run, wanted)
    except (people.NotUnderstood, WorkerUnreachable) as error:
        return await _without_worker(client, found, wanted, error, say)
    return Cancelled("requested", reply.message)


async def _asked_before(client: Client, found: WorkflowExecutionDescription, wanted: Cancel) -> bool:
    """Whether the run was cancelled before, gracefully. Raises WorkerUnreachable."""
    if not await runs.has_worker(client, found.task_queue):
        raise WorkerUnreachable(f"no worker serves task queue '{found.task_queue}'")
    if wanted.mode != "graceful":
        return False
    record = await runs.record(client, found.id)
    return record.cancel is not None and record.cancel.mode == "graceful"


async def _signal(client: Client, run: str, wanted: Cancel) -> Cancelled:
    async with temporal_errors(client, run=run):
        await client.get_workflow_handle(run).signal(SIGNAL_CANCEL, wanted)
    return Cancelled(
        "requested",
        f"the server takes no more updates of run '{run}', so it was asked by the signal '{SIGNAL_CANCEL}'; "
        f"'orca status {run}' shows what came of it",
    )


async def _without_worker(
    client: Client,
    found: WorkflowExecutionDescription,
    wanted: Cancel,
    error: people.NotUnderstood | WorkerUnreachable,
    say: Callable[[str], None],
) -> Cancelled:
    run, queue = found.id, found.task_queue
    why = (
        f"the worker on task queue '{queue}' is of an older version, which does not know modes"
        if isinstance(error, people.NotUnderstood)
        else f"no worker on task queue '{queue}' answers"
    )
    handle = client.get_workflow_handle(run, run_id=found.run_id)
    match wanted.mode:
        case "drain":
            raise WorkerUnreachable(
                f"{why}, and only the run itself can drain; start one with 'orca worker' and ask again, or end the "
                f"run with 'orca cancel {run}', which counts as soon as a worker is there"
            ) from error
        case "graceful":
            async with temporal_errors(client, run=run):
                await handle.cancel()
            if isinstance(error, people.NotUnderstood):
                return Cancelled("requested", f"asked run '{run}' to stop; {why}")
            return Cancelled(
                "requested",
                f"run '{run}' is to stop, and will as soon as a worker is there: {why}. Start one with "
                f"'orca worker'; 'orca cancel {run} --mode force' ends it without one",
            )
        case "force":
            say(f"{why}: ending run '{run}' at the server")
            who = f" by {wanted.by}" if wanted.by else ""
            comment = f" ({wanted.comment})" if wanted.comment else ""
            async with temporal_errors(client, run=run):
                await handle.terminate(
                    reason=f"{runs.FORCED}{who}{comment}: {why.replace('answers', 'answered')}"
                )
            return Cancelled(
                "terminated",
                f"{why}, so run '{run}' was ended at the server: no finalizer runs, and containers that still run "
                "are removed by their hosts' workers once these are back",
            )
