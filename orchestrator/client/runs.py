"""Start, find and follow runs; `cancelling` ends them in all ways."""

import asyncio
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistoryEventFilterType,
    WorkflowQueryFailedError,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from orchestrator import ids
from orchestrator.client.connect import ensure_search_attributes, temporal_errors
from orchestrator.client.pending import running_notes, waiting_work, with_notes, with_waiting
from orchestrator.client.standstill import who_is_missing, why_still
from orchestrator.contract.messages import MAX_LEAVES, JobRecord, RunRecord, RunRequest
from orchestrator.contract.mocks import Mocks
from orchestrator.contract.names import (
    MEMO_ATTEMPT,
    MEMO_DIGEST,
    MEMO_RECORD,
    QUERY_RECORD,
    SEARCH_LABELS,
    SEARCH_SPEC,
    SEARCH_STATE,
    WORKFLOW_TYPE,
)
from orchestrator.contract.times import rfc3339
from orchestrator.errors import OrcaError, RunNotFound, UsageError, WorkerUnreachable
from orchestrator.plan.model import PLAN_VERSION, Plan

if TYPE_CHECKING:
    # Loading the compiler takes a quarter of the time in which a command that only looks at runs begins.
    from orchestrator.client.prepare import Prepared

_SPEC = SearchAttributeKey.for_keyword(SEARCH_SPEC)
_STATE = SearchAttributeKey.for_keyword(SEARCH_STATE)
_LABELS = SearchAttributeKey.for_keyword_list(SEARCH_LABELS)

MAX_REQUEST_BYTES = 1_900_000
"""Temporal refuses a payload of more than 2 MB."""
DRY_RUN = "dry_run=true"
"""Among the labels of a dry run."""
QUERY_LIMIT = 10.0
"""Seconds that a worker may take to answer a query."""
FORCED = "cancelled by force"
"""How the reason begins with which orca itself has the server end a run."""
BEGUN = 5
"""Events that a history has at least once a worker has done anything."""
REGISTER_TRIES = 20
"""Looks, half a second apart, for search attributes that were just registered."""


class Untold(WorkerUnreachable):
    """A worker is there, and cannot tell how a run stands."""


async def submit(
    client: Client,
    prepared: "Prepared",
    *,
    task_queue: str,
    submitted_by: str = "",
    mocks: Mocks | None = None,
) -> str:
    """Start a run and return its id.

    Args:
        client: connected to the namespace that the run belongs in.
        prepared: what it runs.
        task_queue: where its workers are.
        submitted_by: who starts it; a gate may refuse that person's approval.
        mocks: of a dry run how its jobs end.

    Raises UsageError where the plan is too large for one workflow input.
    """
    run = ids.run_id(prepared.plan.spec, _entropy())
    now = datetime.now(UTC)
    request = RunRequest(
        run_id=run,
        plan=prepared.plan,
        plan_digest=prepared.digest,
        params=prepared.params,
        git=prepared.git,
        workspace=prepared.workspace,
        workspace_mark=prepared.workspace_mark,
        file_hashes=prepared.file_hashes,
        nested=prepared.nested,
        created_at=rfc3339(now),
        task_queue=task_queue,
        submitted_by=submitted_by,
        mocks=mocks,
    )
    await begin(client, request, details=prepared.details)
    return run


async def begin(client: Client, request: RunRequest, *, details: str) -> None:
    """Start one attempt of a run.

    Args:
        client: connected to the namespace that the run belongs in.
        request: its whole input.
        details: what the Web UI shows beside it, in Markdown.

    Raises:
        UsageError: the plan is too large for one workflow input, or for a run's record.
        WorkflowAlreadyStartedError: an attempt of that run is still open.
    """
    plan = request.plan
    _check_count(plan)
    if request.reuse is not None:
        # A worker that knows the plan alone could not read what is taken over.
        newest = plan.model_copy(update={"version": PLAN_VERSION})
        request = request.model_copy(update={"plan": newest})
    size = len(request.model_dump_json())
    if size > MAX_REQUEST_BYTES:
        taken = "" if request.reuse is None else " and what is taken over from earlier attempts"
        raise UsageError(
            f"the plan and its parameters{taken} are {size / 1e6:.1f} MB, and Temporal takes at most "
            f"{MAX_REQUEST_BYTES / 1e6:.1f} MB; split the spec or pass large data through the workspace"
        )
    labels = [f"{key}={value}" for key, value in plan.labels.items()]
    labels += [DRY_RUN] if request.mocks is not None else []
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(_SPEC, plan.spec),
        SearchAttributePair(_STATE, "pending"),
    ]
    if labels:
        pairs.append(SearchAttributePair(_LABELS, labels))
    async with temporal_errors(client):
        await _start(client, request, details, TypedSearchAttributes(pairs))


def _check_count(plan: Plan) -> None:
    """Refuse what a run's record cannot hold. What variants are known only at run time is checked then."""
    jobs, variants = len(plan.jobs), sum(len(node.variants) for node in plan.jobs.values())
    if sum(max(1, len(node.variants)) for node in plan.jobs.values()) <= MAX_LEAVES:
        return
    if not variants:
        raise UsageError(f"the plan has {jobs} jobs, and one run holds at most {MAX_LEAVES}; split the spec")
    raise UsageError(
        f"the plan has {jobs} jobs with {variants} variants, and one run holds at most {MAX_LEAVES} jobs and variants "
        "together; split the spec, or let one variant do more"
    )


async def _start(
    client: Client, request: RunRequest, details: str, attributes: TypedSearchAttributes
) -> None:
    for look in range(REGISTER_TRIES + 1):
        try:
            await client.start_workflow(
                WORKFLOW_TYPE,
                request,
                id=request.run_id,
                task_queue=request.task_queue,
                search_attributes=attributes,
                memo={MEMO_DIGEST: request.plan_digest}
                | ({MEMO_ATTEMPT: request.attempt} if request.attempt > 1 else {}),
                static_summary=_heading(request),
                static_details=details[:15_000],
            )
        except RPCError as error:
            unregistered = error.status is RPCStatusCode.INVALID_ARGUMENT and "Orca" in error.message
            if not unregistered or look == REGISTER_TRIES:
                raise
            # A namespace that orca has not met yet; registering takes effect within seconds.
            if look == 0:
                await ensure_search_attributes(client)
            await asyncio.sleep(0.5)
        else:
            return


def _heading(request: RunRequest) -> str:
    """What the Web UI shows beside the run's id."""
    dry = "dry run of " if request.mocks is not None else ""
    return f"{dry}{request.plan.spec} {request.plan.spec_version}".strip()[:200]


async def describe(client: Client, run: str, *, execution: str | None = None) -> WorkflowExecutionDescription:
    """Temporal's own description of a run's latest attempt, or of the one with that execution. Raises RunNotFound."""
    async with temporal_errors(client, run=run):
        found = await client.get_workflow_handle(run, run_id=execution).describe()
    if found.workflow_type != WORKFLOW_TYPE:
        raise RunNotFound(
            f"'{run}' is a Temporal workflow of type '{found.workflow_type}' and not a run of orca"
        )
    return found


async def record(
    client: Client, run: str, *, execution: str | None = None, certain: bool = False
) -> RunRecord:
    """The run's whole state: from its closing event, or by asking the interpreter where it is still open.

    Args:
        client: connected to the run's namespace.
        run: its id.
        execution: Temporal's id of one attempt; None: the latest.
        certain: of a run that the server ended, refuse to show all jobs as cancelled where no worker is there to tell
            how far they had come.

    Raises:
        RunNotFound: there is no such run.
        WorkerUnreachable: the run is open, or it is to be `certain`, and no worker is there to answer.
    """
    found = await describe(client, run, execution=execution)
    handle = client.get_workflow_handle(run, run_id=found.run_id)
    async with temporal_errors(client, run=run):
        if found.status in (WorkflowExecutionStatus.CANCELED, WorkflowExecutionStatus.FAILED):
            # A cancelled run that the server was not asked to cancel is a failed one there.
            memo = await found.memo()
            if MEMO_RECORD in memo:
                return RunRecord.model_validate(memo[MEMO_RECORD])
        match found.status:
            case WorkflowExecutionStatus.RUNNING if _is_pending(found):
                return await _record_of_pending(client, handle, found)
            case WorkflowExecutionStatus.COMPLETED:
                return RunRecord.model_validate(await handle.result())
            case WorkflowExecutionStatus.FAILED:
                return await _record_of_failed(handle)
            case _:
                pass
        return await _ask(client, handle, found, certain=certain)


def _is_pending(found: WorkflowExecutionDescription) -> bool:
    """Whether no worker has done anything for an open run yet, or for one that the server ended."""
    state = found.typed_search_attributes.get(_STATE)
    # A namespace may lose its search attributes.
    return state == "pending" if state is not None else found.history_length < BEGUN


async def _record_of_pending(
    client: Client, handle: WorkflowHandle[Any, Any], found: WorkflowExecutionDescription
) -> RunRecord:
    """No worker has done anything for the run, so that nobody can be asked; but its jobs are as they were submitted.

    Raises PlanTooNew.
    """
    first = await anext(handle.fetch_history_events(page_size=1))
    payloads = first.workflow_execution_started_event_attributes.input.payloads
    (request,) = await client.data_converter.decode(payloads, [RunRequest])
    return RunRecord(
        run_id=request.run_id,
        attempt=request.attempt,
        spec=request.plan.spec,
        status="pending",
        created_at=request.created_at,
        jobs={name: JobRecord(kind=node.kind, status="pending") for name, node in request.plan.jobs.items()},
        dry_run=request.mocks is not None,
        error=await why_still(client, found),
    )


async def _record_of_untold(
    client: Client, handle: WorkflowHandle[Any, Any], found: WorkflowExecutionDescription, why: str
) -> RunRecord:
    """Of a run that the server ended, with all jobs cancelled, as no worker tells how far they had come."""
    state = await _record_of_pending(client, handle, found)
    jobs = {
        name: job.model_copy(update={"status": "cancelled", "reason": why})
        for name, job in state.jobs.items()
    }
    return state.model_copy(update={"jobs": jobs})


async def _record_of_failed(handle: WorkflowHandle[Any, Any]) -> RunRecord:
    try:
        await handle.result()
    except WorkflowFailureError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.details:
            return RunRecord.model_validate(error.cause.details[0])
        raise OrcaError(f"the run failed outside its jobs: {error.cause}") from error
    raise OrcaError(
        f"Temporal says that '{handle.id}' failed and gives a result; look at its page in the Web UI"
    )


async def _ask(
    client: Client, handle: WorkflowHandle[Any, Any], found: WorkflowExecutionDescription, *, certain: bool
) -> RunRecord:
    """Ask the interpreter; a run that was terminated from outside is shown as cancelled, with the reason."""
    closed = found.status is not WorkflowExecutionStatus.RUNNING
    if closed and _is_pending(found):
        why = "the run was ended at the server before a worker took it"
        return await _ended_outside(handle, found, await _record_of_untold(client, handle, found, why))
    try:
        answer = await handle.query(QUERY_RECORD, rpc_timeout=timedelta(seconds=QUERY_LIMIT))
    except WorkflowQueryFailedError as error:
        why = await why_still(client, found) or f"the worker could not tell: {error}"
        raise Untold(f"nobody can tell how run '{found.id}' stands: {why}") from error
    except RPCError as error:
        if error.status is RPCStatusCode.UNAVAILABLE:
            raise
        if closed and not certain:
            why = "how far it came is not known: no worker is there to tell, and the run was ended at the server"
            return await _ended_outside(handle, found, await _record_of_untold(client, handle, found, why))
        if closed:
            raise WorkerUnreachable(
                f"run '{found.id}' was ended at the server, and only a worker can tell how far it had come: none on "
                f"task queue '{found.task_queue}' answers ({error}); {who_is_missing(found)}"
            ) from error
        why = await why_still(client, found) or who_is_missing(found)
        raise WorkerUnreachable(
            f"no worker on task queue '{found.task_queue}' answers for run '{found.id}' ({error}); {why}"
        ) from error
    state = RunRecord.model_validate(answer)
    if not closed:
        told = with_notes(state, await running_notes(client, found))
        stands = with_waiting(told, await waiting_work(client, found))
        why = await why_still(client, found)
        return stands if why is None else stands.model_copy(update={"error": why})
    return await _ended_outside(handle, found, state)


async def _ended_outside(
    handle: WorkflowHandle[Any, Any], found: WorkflowExecutionDescription, state: RunRecord
) -> RunRecord:
    """The record of a run that did not come to its own end."""
    closed = found.status.name.lower() if found.status else "closed"
    last = await anext(
        handle.fetch_history_events(event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT)
    )
    reason = last.workflow_execution_terminated_event_attributes.reason
    how = reason if reason.startswith(FORCED) else "the run was ended from outside orca"
    return state.model_copy(
        update={
            "status": "cancelled",
            "error": f"{closed}: {how}, so its finalizers did not run",
            "finished_at": rfc3339(found.close_time) if found.close_time else None,
        }
    )


async def wait(client: Client, run: str) -> RunRecord:
    """Wait until the run has ended, without polling."""
    async with temporal_errors(client, run=run):
        with suppress(WorkflowFailureError):  # How it ended is in the record.
            await client.get_workflow_handle(run).result()
    return await record(client, run)


async def cancel(client: Client, run: str) -> None:
    """Ask the server to cancel the run, gracefully: it is kept there, and counts once. See `cancelling.cancel`.

    Raises UsageError where the run has already ended.
    """
    found = await describe(client, run)
    if found.status is not WorkflowExecutionStatus.RUNNING:
        ended = found.status.name.lower() if found.status else "closed"
        raise UsageError(f"run '{run}' has already ended ({ended})")
    async with temporal_errors(client, run=run):
        await client.get_workflow_handle(run, run_id=found.run_id).cancel()


def _entropy() -> str:
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "".join(secrets.choice(alphabet) for _ in range(8))
