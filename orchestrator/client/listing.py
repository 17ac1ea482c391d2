"""The runs of a namespace, as lists show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
)
from temporalio.common import SearchAttributeKey

from orchestrator.client.connect import temporal_errors
from orchestrator.client.runs import DRY_RUN
from orchestrator.contract.names import (
    MEMO_ATTEMPT,
    SEARCH_LABELS,
    SEARCH_SPEC,
    SEARCH_STATE,
    WORKFLOW_TYPE,
)
from orchestrator.contract.times import rfc3339

_SPEC = SearchAttributeKey.for_keyword(SEARCH_SPEC)
_STATE = SearchAttributeKey.for_keyword(SEARCH_STATE)
_LABELS = SearchAttributeKey.for_keyword_list(SEARCH_LABELS)
AT_ONCE = 100
"""Executions that one page has, and runs that one query names."""
_KNOWN_WITHOUT: Mapping[WorkflowExecutionStatus | None, str] = {
    WorkflowExecutionStatus.RUNNING: "running",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
}
"""What Temporal's own state says where the search attribute is not there."""


@dataclass(frozen=True)
class RunSummary:
    """One line of `orca list`. Times are RFC 3339 in UTC."""

    run_id: str
    spec: str
    status: str
    created_at: str
    finished_at: str | None
    dry_run: bool = False
    attempt: int = 1
    """The latest, which is the one that the rest is told of."""


async def list_runs(
    client: Client, *, spec: str | None = None, status: str | None = None, limit: int = 50
) -> list[RunSummary]:
    """At most `limit` runs, the newest first, each as its latest attempt stands."""
    terms = [f"WorkflowType = '{WORKFLOW_TYPE}'"]
    terms += [f"{SEARCH_SPEC} = {_quoted(spec)}"] if spec else []
    terms += [f"{SEARCH_STATE} = {_quoted(status)}"] if status else []
    async with temporal_errors(client):
        pages = client.list_workflows(" AND ".join(terms), page_size=AT_ONCE)
        found: list[RunSummary] = []
        while True:
            await pages.fetch_next_page()
            page = pages.current_page or ()
            latest = await _latest(client, [item.id for item in page])
            found += [
                await _summary(item) for item in page if latest.get(item.id, item.run_id) == item.run_id
            ]
            if len(found) >= limit or pages.next_page_token is None:
                return found[:limit]


async def _latest(client: Client, listed: Sequence[str]) -> dict[str, str]:
    """Temporal's id of the latest attempt of each of these runs. What is asked for may fit an earlier one alone."""
    starts: dict[str, tuple[datetime, str]] = {}
    if names := list(dict.fromkeys(listed)):
        query = f"WorkflowId IN ({', '.join(map(_quoted, names))})"
        async for item in client.list_workflows(query):
            starts[item.id] = max(starts.get(item.id, (item.start_time, "")), (item.start_time, item.run_id))
    return {run: execution for run, (_, execution) in starts.items()}


async def list_open(client: Client, *, limit: int) -> list[str]:
    """The ids of the newest runs that have not ended."""
    query = f"WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'"
    async with temporal_errors(client):
        return [item.id async for item in client.list_workflows(query, limit=limit)]


async def _summary(item: WorkflowExecution) -> RunSummary:
    attributes = item.typed_search_attributes
    # A namespace may lose its search attributes; that a run has completed does not tell success from partial.
    status = attributes.get(_STATE) or _KNOWN_WITHOUT.get(item.status, "unknown")
    if item.status in (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT):
        status = "cancelled"
    return RunSummary(
        run_id=item.id,
        spec=attributes.get(_SPEC) or "",
        status=status,
        created_at=rfc3339(item.start_time),
        finished_at=rfc3339(item.close_time) if item.close_time else None,
        attempt=(await item.memo()).get(MEMO_ATTEMPT, 1),
        dry_run=DRY_RUN in (attributes.get(_LABELS) or ()),
    )


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
