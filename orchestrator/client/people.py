"""What people say to a live run: answers to gates, repairs of held jobs, pause, cancel. Refusals are UsageErrors."""

import asyncio
import getpass
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeVar

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from orchestrator.client.connect import temporal_errors
from orchestrator.client.runs import describe, record
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import (
    QUERY_GATE,
    REFUSED_ERROR,
    SIGNAL_APPROVE,
    SIGNAL_REJECT,
    UPDATE_ANSWER,
    UPDATE_CANCEL,
    UPDATE_PAUSE,
    UPDATE_REPAIR,
)
from orchestrator.contract.people import Answer, AnswerReply, Cancel, GateRecord, Pause, Repair, Reply
from orchestrator.errors import OrcaError, UsageError, WorkerUnreachable
from orchestrator.plan.parts import Frozen

ANSWER_LIMIT = 15.0
"""Seconds that a worker may take to say whether something counts."""
_ALL_USED = "total number of distinct updates"
"""In the server's words, which its status does not tell from others: the run has had all updates that it may have."""

_NO_HANDLER = "expected but not found"
"""In the SDK's words: the run's worker does not know such an update."""

_ReplyT = TypeVar("_ReplyT", bound=Frozen)


class UpdatesUsedUp(UsageError):
    """The server takes no more updates of the run; signals and a cancel it does take."""


class NotUnderstood(OrcaError):
    """The worker that has the run is of a version that does not know what was said."""


def whoami() -> str:
    """Who is at the keyboard: ORCA_USER, else the login name, else nobody's name."""
    asked = os.environ.get("ORCA_USER", "").strip()
    if asked:
        return asked
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""  # A container may run as a user that has no name.


async def live_record(client: Client, run: str, *, doing: str) -> RunRecord:
    """The record of a run that people can still act on.

    Args:
        client: connected to the run's namespace.
        run: its id.
        doing: what the person wants, for the message: `answer its gates`.

    Raises:
        RunNotFound: there is no such run.
        UsageError: it has ended; says how.
        WorkerUnreachable: no worker is there to answer.
    """
    found = await record(client, run)
    if found.status not in ("pending", "running"):
        raise UsageError(f"run '{run}' has already ended ({found.status}), so nobody can {doing}")
    return found


async def answer(client: Client, run: str, given: Answer) -> AnswerReply:
    """Answer a gate. Raises UsageError where the answer does not count; says why.

    Where the server takes no more updates of the run it is sent as a signal, which nobody refuses: the reply says so.
    One for a gate that has not opened raises UsageError there too.
    """
    try:
        return await _update(client, run, UPDATE_ANSWER, given, AnswerReply)
    except UpdatesUsedUp:
        return await _signal(client, run, given)


async def repair(client: Client, run: str, wanted: Repair) -> Reply:
    """Say how a held job goes on. Raises UsageError where that cannot be done; says why."""
    return await _update(client, run, UPDATE_REPAIR, wanted, Reply)


async def pause(client: Client, run: str, wanted: Pause) -> Reply:
    """Hold a run's further jobs back, or let them go again. Raises UsageError where that cannot be done."""
    return await _update(client, run, UPDATE_PAUSE, wanted, Reply)


async def cancel(client: Client, run: str, wanted: Cancel, *, limit: float) -> Reply:
    """Tell a run to end, within `limit` seconds; see `cancelling.cancel`, which also does where nobody answers.

    Raises:
        UsageError: it ends so already, or has ended.
        NotUnderstood: its worker is of an older version.
        WorkerUnreachable: no worker answers.
    """
    return await _update(client, run, UPDATE_CANCEL, wanted, Reply, limit=limit)


async def _update(
    client: Client, run: str, name: str, given: Frozen, kind: type[_ReplyT], *, limit: float = ANSWER_LIMIT
) -> _ReplyT:
    found = await describe(client, run)
    if found.status is not WorkflowExecutionStatus.RUNNING:
        raise await _ended(client, run)
    handle = client.get_workflow_handle(run, run_id=found.run_id)
    async with _refusals(client, run, found.task_queue), asyncio.timeout(limit):
        reply = await handle.execute_update(name, given)  # pyright: ignore[reportUnknownMemberType]
    return kind.model_validate(reply)


async def _signal(client: Client, run: str, given: Answer) -> AnswerReply:
    found = await describe(client, run)
    handle = client.get_workflow_handle(run, run_id=found.run_id)
    name = SIGNAL_APPROVE if given.decision == "approve" else SIGNAL_REJECT
    async with _refusals(client, run, found.task_queue), asyncio.timeout(ANSWER_LIMIT):
        await handle.signal(name, given)
        # The server lets a worker see the signal before it asks it.
        told = await handle.query(QUERY_GATE, given.gate)
    if told is None:
        raise UsageError(
            f"run '{run}' has no open gate '{given.gate}', so that the answer, sent as the signal '{name}', does not "
            f"count; 'orca status {run}' shows its gates"
        )
    gate = GateRecord.model_validate(told)
    return AnswerReply(
        gate=given.gate,
        approvals=sum(one.decision == "approve" for one in gate.answers),
        needed=gate.needed,
        closed=gate.closed_at is not None,
        message=f"the server takes no more updates of run '{run}', so the answer was sent as the signal '{name}'; "
        f"'orca status {run}' shows whether it counts",
    )


async def _ended(client: Client, run: str) -> UsageError:
    state = (await record(client, run)).status
    return UsageError(f"run '{run}' has already ended ({state}), so nothing more can be said to it")


@asynccontextmanager
async def _refusals(client: Client, run: str, queue: str) -> AsyncGenerator[None]:
    """What Temporal says about an update that was not carried out, in orca's errors."""
    try:
        async with temporal_errors(client, run=run):
            try:
                yield
            except RPCError as error:
                # The run has ended since it was looked at.
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise await _ended(client, run) from error
                if error.status is RPCStatusCode.FAILED_PRECONDITION and _ALL_USED in error.message:
                    raise UpdatesUsedUp(
                        f"the server takes no more updates of run '{run}': it keeps so many of one run, 2,000 as a "
                        "rule. Its gates can still be answered with 'orca approve' and 'orca reject', and "
                        f"'orca cancel {run}' ends it; what is left to do is for a new run"
                    ) from error
                raise
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == REFUSED_ERROR:
            raise UsageError(cause.message) from error
        if isinstance(cause, ApplicationError) and _NO_HANDLER in cause.message:
            raise NotUnderstood(
                f"the worker of run '{run}' is of an older version: {cause.message}"
            ) from error
        raise OrcaError(f"run '{run}' could not take it: {cause}") from error
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise WorkerUnreachable(
            f"no worker on task queue '{queue}' answers for run '{run}'; start one with 'orca worker'. What you said "
            f"may still count once one is there: look at 'orca status {run}' before you say it again"
        ) from error
