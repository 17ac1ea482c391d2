"""Would the code that is installed here carry on the runs that are under way? Asked before workers are upgraded.

Each run's history is repeated by the interpreter, as a worker does that takes the run over: nothing is sent to the
server and nothing runs. The only place of the client that imports the interpreter.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

from pydantic import ValidationError
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from orchestrator.client.connect import temporal_errors
from orchestrator.client.converter import data_converter
from orchestrator.client.standstill import pinned_to, told_by
from orchestrator.contract.messages import RunRequest
from orchestrator.contract.names import WORKFLOW_TYPE
from orchestrator.errors import PlanTooNew
from orchestrator.interpreter.workflow import RunWorkflow

OPEN = "ExecutionStatus = 'Running'"
DEFAULT_LIMIT = 100
"""Runs that are replayed where nobody says how many: a sample, the newest first."""

WHO = "this orca"
"""Who replays, for people."""

_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
_EVENT = re.compile(r"HistoryEvent\(id: (\d+)")
_SCHEDULED = re.compile(r"scheduled event '((?:[^'\\]|\\.)*)'")


@dataclass(frozen=True)
class Replayed:
    """What became of one run."""

    run_id: str
    events: int
    """Of its history."""
    pinned_to: str
    """`deployment build` whose workers alone carry it on, so that an upgrade does not reach it; empty: no such."""
    problem: str
    """Why it could not go on with this code; empty: it could."""
    where: str
    """The event of its history from which on; empty where that is not known."""

    @property
    def breaks(self) -> bool:
        """Whether a worker with this code could not carry it on, and would get it."""
        return bool(self.problem) and not self.pinned_to


async def replay(
    client: Client, *, query: str | None = None, limit: int = DEFAULT_LIMIT
) -> AsyncGenerator[Replayed]:
    """Replay runs one after another, the newest first.

    Args:
        client: connected to their namespace.
        query: which, in the server's list filter; open ones where it is None.
        limit: at most so many.

    Raises:
        UsageError: the server does not understand the query.
        TemporalUnreachable: it does not answer.
    """
    with ThreadPoolExecutor(2, thread_name_prefix="replay") as threads:
        async with temporal_errors(client):
            terms = f"WorkflowType = '{WORKFLOW_TYPE}' AND ({query or OPEN})"
            async for found in client.list_workflows(terms, limit=limit):
                if (history := await _history(client, found)) is not None:
                    yield await _replayed(found, history, threads)


async def replay_history(history: WorkflowHistory, threads: ThreadPoolExecutor) -> tuple[str, str]:
    """Why the installed code could not carry on a run with that history, and from which event on; empty: it could."""
    replayer = Replayer(
        workflows=[RunWorkflow],
        data_converter=data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_task_executor=threads,
        runtime=_silent(),
    )
    done = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if done.replay_failure is None:
        return "", ""
    return _words(str(done.replay_failure)), _place(str(done.replay_failure), history.events)


async def _history(client: Client, found: WorkflowExecution) -> WorkflowHistory | None:
    """None where it is gone since it was listed: the server keeps runs that have ended only for a time."""
    try:
        return await client.get_workflow_handle(found.id, run_id=found.run_id).fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _replayed(
    found: WorkflowExecution, history: WorkflowHistory, threads: ThreadPoolExecutor
) -> Replayed:
    if not any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in history.events):
        # No worker has done anything for it, so that none has anything to repeat; but its plan must be one to read.
        problem = await _unreadable(history)
        return Replayed(found.id, len(history.events), _pinned(found), problem, "event 1" if problem else "")
    problem, where = await replay_history(history, threads)
    return Replayed(found.id, len(history.events), _pinned(found), problem, where)


@lru_cache(maxsize=1)
def _silent() -> Runtime:
    """Without the SDK's own log lines of each failure, which say less and print over what programs read."""
    return Runtime(telemetry=TelemetryConfig(logging=None))


def _pinned(found: WorkflowExecution) -> str:
    return " ".join(pinned_to(found.raw_info) or ())


async def _unreadable(history: WorkflowHistory) -> str:
    payloads = history.events[0].workflow_execution_started_event_attributes.input.payloads
    try:
        await data_converter.decode(payloads, [RunRequest])
    except (PlanTooNew, ValidationError) as error:
        return told_by([str(error)], who=WHO)
    return ""


def _words(failure: str) -> str:
    """What the SDK says of a replay that failed, in words; it prints its own structures as they are."""
    messages = [_unescaped(found) for found in _MESSAGE.findall(failure)] or [failure]
    return told_by(messages, who=WHO, deterministic="force_cause: NonDeterministicError" not in failure)


def _place(failure: str, events: Sequence[HistoryEvent]) -> str:
    """The event at which code and history part, where the SDK names it: `event 5 (job 'test' scheduled)`."""
    if (named := _EVENT.search(failure)) is not None:
        number = int(named[1])
        found = next((event for event in events if event.event_id == number), None)
    elif (scheduled := _SCHEDULED.search(failure)) is not None:
        found = next((event for event in events if _activity(event) == _unescaped(scheduled[1])), None)
    else:
        found = None
    if found is None:
        return ""
    kind = EventType.Name(found.event_type).removeprefix("EVENT_TYPE_").replace("_", " ").lower()
    of = f" '{_activity(found)}'" if _activity(found) else ""
    return f"event {found.event_id} ({kind}{of})"


def _activity(event: HistoryEvent) -> str:
    return event.activity_task_scheduled_event_attributes.activity_type.name


def _unescaped(text: str) -> str:
    """As Rust's debug output quotes a text."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)
