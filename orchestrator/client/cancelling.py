"""Cancelling a run in one of the modes, also one that no worker looks after."""

from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus

from orchestrator.client import people, runs
from orchestrator.client.connect import temporal_errors
from orchestrator.client.standstill import who_is_missing, why_still
from orchestrator.client.takers import has_worker
from orchestrator.contract.names import SIGNAL_CANCEL
from orchestrator.contract.people import Cancel
from orchestrator.errors import PlanTooNew, RunNotFound, UsageError, WorkerUnreachable

FORCE_LIMIT = 10.0
"""Seconds that a worker may take to answer before a run that is to end by force is ended without it."""


@dataclass(frozen=True)
class Cancelled:
    """What a cancel came to."""

    how: Literal["requested", "terminated"]
    """`terminated`: the server ended the run, as no worker answered."""
    message: str
    """A sentence for whoever asked."""


@dataclass(frozen=True)
class _Unheard:
    """Why a run does not hear of a cancel now, in words."""

    why: str
    """A clause, such as `no worker on task queue 'orca' answers`."""
    was: str
    """The same of the past."""
    step: str
    """A sentence without its end: what is to be done."""
    then: str
    """When it will hear of it."""


async def cancel(
    client: Client, run: str, wanted: Cancel, *, say: Callable[[str], None] = lambda _: None
) -> Cancelled:
    """Have a run end before its time.

    A second graceful cancel ends the finalizers too. Where no worker answers a graceful one is kept at the server, and
    counts once a worker is there, however often it was asked for; one by force ends the run at the server, and the
    nested runs below it.

    Args:
        client: connected to the run's namespace.
        run: its id.
        wanted: the mode, who asks and why.
        say: gets a line of what goes on where it takes long.

    Raises:
        RunNotFound: there is no such run.
        UsageError: it has ended, or ends in this mode already, or in one that a person cannot go back from.
        WorkerUnreachable: it was to drain, and no worker is there to hear of it.
    """
    found = await _open(client, run)
    try:
        again = await _asked_before(client, found, wanted)
        wanted = wanted.model_copy(update={"again": again})
        limit = FORCE_LIMIT if wanted.mode == "force" else people.ANSWER_LIMIT
        reply = await people.cancel(client, run, wanted, limit=limit)
    except people.UpdatesUsedUp:
        return await _signal(client, run, wanted)
    except (people.NotUnderstood, WorkerUnreachable) as error:
        return await _without_worker(client, await _open(client, run), wanted, error, say)
    return Cancelled("requested", reply.message)


async def _open(client: Client, run: str) -> WorkflowExecutionDescription:
    found = await runs.describe(client, run)
    if found.status is not WorkflowExecutionStatus.RUNNING:
        ended = found.status.name.lower() if found.status else "closed"
        raise UsageError(f"run '{run}' has already ended ({ended})")
    return found


async def _asked_before(client: Client, found: WorkflowExecutionDescription, wanted: Cancel) -> bool:
    """Whether the run was cancelled before, gracefully, as far as anybody can tell. Raises WorkerUnreachable."""
    if not await has_worker(client, found.task_queue):
        raise WorkerUnreachable(f"no worker serves task queue '{found.task_queue}'")
    if wanted.mode != "graceful":
        return False
    try:
        record = await runs.record(client, found.id)
    except (PlanTooNew, runs.Untold):
        return False  # It is newer than this orca, and no worker has begun it; or its worker fails at it.
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
    run = found.id
    unheard = await _unheard(client, found, error)
    match wanted.mode:
        case "drain":
            raise WorkerUnreachable(
                f"{unheard.why}, and only the run itself can drain. {unheard.step}, and ask again; or end the run with "
                f"'orca cancel {run}', which counts {unheard.then}"
            ) from error
        case "graceful":
            before = found.raw_description.workflow_extended_info.cancel_requested
            async with temporal_errors(client, run=run):
                await client.get_workflow_handle(run, run_id=found.run_id).cancel()
            if isinstance(error, people.NotUnderstood):
                return Cancelled("requested", f"asked run '{run}' to stop; {unheard.why}")
            told = "was told to stop before" if before else "is to stop"
            # The server keeps one such cancel of a run, and drops further ones.
            again = f"; ask again then to end its finalizers too, or end it now with 'orca cancel {run} --mode force'"
            force = f"; 'orca cancel {run} --mode force' ends it at the server"
            return Cancelled(
                "requested",
                f"run '{run}' {told}, and will {unheard.then}: {unheard.why}. {unheard.step}"
                f"{again if before else force}",
            )
        case "force":
            return await _end_at_server(client, found, wanted, unheard, say)


async def _unheard(
    client: Client,
    found: WorkflowExecutionDescription,
    error: people.NotUnderstood | WorkerUnreachable,
) -> _Unheard:
    queue, soon = found.task_queue, "as soon as a worker is there"
    if isinstance(error, people.NotUnderstood):
        older = f"the worker on task queue '{queue}' is of an older version, which does not know modes"
        return _Unheard(older, "its worker did not know modes", "Start a newer one", soon)
    if (stands := await why_still(client, found)) is not None:
        step = stands[0].upper() + stands[1:]
        return _Unheard(
            "no worker can carry it on", "no worker could carry it on", step, "as soon as it goes on"
        )
    nobody, step = f"no worker on task queue '{queue}'", who_is_missing(found)
    return _Unheard(f"{nobody} answers", f"{nobody} answered", step[0].upper() + step[1:], soon)


async def _end_at_server(
    client: Client,
    found: WorkflowExecutionDescription,
    wanted: Cancel,
    unheard: _Unheard,
    say: Callable[[str], None],
) -> Cancelled:
    """End a run that hears of nothing, and with it the nested runs below, whose finalizers would run otherwise."""
    run = found.id
    say(f"{unheard.why}: ending run '{run}' at the server")
    who = f" by {wanted.by}" if wanted.by else ""
    comment = f" ({wanted.comment})" if wanted.comment else ""
    reason = f"{runs.FORCED}{who}{comment}: {unheard.was}"
    # Once the run has ended nothing leads from it to them.
    below = [one async for one in _below(client, found)]
    async with temporal_errors(client, run=run):
        await client.get_workflow_handle(run, run_id=found.run_id).terminate(reason=reason)
    for one in below:
        with suppress(RunNotFound):  # It has ended meanwhile.
            async with temporal_errors(client, run=one.id):
                await client.get_workflow_handle(one.id, run_id=one.run_id).terminate(reason=reason)
    nested = f" with the {len(below)} nested runs below it" if len(below) > 1 else ""
    nested = f" with nested run '{below[0].id}'" if len(below) == 1 else nested
    return Cancelled(
        "terminated",
        f"{unheard.why}, so run '{run}' was ended at the server{nested}: no finalizer runs, and containers that still "
        "run are removed by their hosts' workers once these are back",
    )


async def _below(
    client: Client, found: WorkflowExecutionDescription
) -> AsyncGenerator[WorkflowExecutionDescription]:
    """The nested runs below a run that have not ended, each before those below itself."""
    for child in found.raw_description.pending_children:
        if not child.run_id:
            continue  # It has not been started, and the server starts none for a run that has ended.
        try:
            inner = await runs.describe(client, child.workflow_id, execution=child.run_id)
        except RunNotFound:
            continue  # Deleted by hand.
        if inner.status is WorkflowExecutionStatus.RUNNING:
            yield inner
            async for one in _below(client, inner):
                yield one
