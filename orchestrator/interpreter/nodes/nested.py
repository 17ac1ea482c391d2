"""A job that runs another workflow: a child of its own, with its own page, history and record."""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)

from orchestrator import ids
from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome, NestedFiles, RunRecord, RunRequest
from orchestrator.contract.mocks import Mocks
from orchestrator.contract.names import (
    MEMO_ATTEMPT,
    MEMO_DIGEST,
    SEARCH_LABELS,
    SEARCH_SPEC,
    SEARCH_STATE,
    WORKFLOW_TYPE,
)
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError, UsageError
from orchestrator.interpreter.arguments import evaluate_arguments
from orchestrator.interpreter.details import cut_summary, summary_of
from orchestrator.interpreter.images import images_of_run
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.nesting import reached
from orchestrator.interpreter.nodes.mocked import mock_of
from orchestrator.interpreter.nodes.tries import Ended, run_tries
from orchestrator.interpreter.outcomes import failed
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.reusing import resumed_child
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.plan.fingerprint import digest
from orchestrator.plan.markdown import plan_markdown
from orchestrator.plan.model import Plan, WorkflowNode
from orchestrator.plan.params import bind_params

MAX_DETAILS = 15_000
"""Characters of what the Web UI shows beside the child, of the 20 kB that the server allows."""

_SPEC = SearchAttributeKey.for_keyword(SEARCH_SPEC)
_STATE = SearchAttributeKey.for_keyword(SEARCH_STATE)
_LABELS = SearchAttributeKey.for_keyword_list(SEARCH_LABELS)


async def run_nested(node: WorkflowNode, job: JobState, around: Surroundings) -> JobOutcome:
    """Run `job`, the node's own state or that of a variant, to its last outcome.

    Raises asyncio.CancelledError where it was cancelled: the child has run its finalizers then.
    """

    async def one_try(number: int) -> Ended:
        outcome = await _run_child(node, job, around, number=number)
        return Ended(complete_outputs(job, outcome, around.request, around.state))

    return await run_tries(node, job, around, one_try)


async def _run_child(node: WorkflowNode, job: JobState, around: Surroundings, *, number: int) -> JobOutcome:
    try:
        request = _request(node, job, around, number=number)
    except ExpressionError as error:
        return failed(FailureKind.EXPRESSION, str(error))
    except UsageError as error:
        problems = "; ".join(str(error).splitlines())
        return failed(
            FailureKind.WORKFLOW, f"`with` does not fit the params of '{node.workflow}': {problems}"
        )
    await around.pacing.room_for(request)
    job.child = request.run_id
    job.enter("running")
    around.changed()
    started = workflow.now()
    outcome = await _ended(node, job, around, request, number)
    return outcome.model_copy(update={"started_at": rfc3339(started), "finished_at": rfc3339(workflow.now())})


async def _ended(
    node: WorkflowNode, job: JobState, around: Surroundings, request: RunRequest, number: int
) -> JobOutcome:
    """Start the child, wait for its end, and say what that means for the job."""
    run = request.run_id
    try:
        child = await workflow.start_child_workflow(
            WORKFLOW_TYPE,
            request,
            result_type=RunRecord,
            id=run,
            task_queue=request.task_queue,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE
            if request.reuse
            else WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=_attributes(request.plan),
            memo={MEMO_DIGEST: request.plan_digest}
            | ({MEMO_ATTEMPT: request.attempt} if request.reuse else {}),
            static_summary=cut_summary(
                summary_of(
                    node,
                    image=f"{request.plan.spec} for {around.state.run_id}/{job.key}",
                    try_number=number,
                    moves=job.uncharged,
                )
            ),
            static_details=plan_markdown(request.plan)[:MAX_DETAILS],
        )
        around.cancelling.started(job, child)
        record = RunRecord.model_validate(await child)
    except WorkflowAlreadyStartedError:
        return failed(
            FailureKind.WORKFLOW, f"there is a workflow '{run}' already, which this run did not start"
        )
    except ChildWorkflowError as error:
        return _failure(error, job, around, run)
    finally:
        around.cancelling.ended(job)
    return _success(record)


def _success(record: RunRecord) -> JobOutcome:
    warnings = ()
    if record.status == "partial":
        names = [f"'{name}'" for name, found in record.jobs.items() if found.status == "failed"]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        warnings = (f"run '{record.run_id}' is partial: {', '.join(names[:3])}{more} failed and may",)
    return JobOutcome(
        status="success", outputs=record.outputs, warnings=warnings, images=images_of_run(record)
    )


def _failure(error: ChildWorkflowError, job: JobState, around: Surroundings, run: str) -> JobOutcome:
    """What the child's end means. Raises asyncio.CancelledError where it is this job that is cancelled."""
    match error.cause:
        case CancelledError() if around.state.ending(job):
            raise asyncio.CancelledError from error
        case CancelledError():
            return failed(FailureKind.WORKFLOW, f"run '{run}' was cancelled by itself; this run was not")
        case TerminatedError():
            return failed(FailureKind.WORKFLOW, f"run '{run}' was terminated, so its finalizers did not run")
        case ApplicationError() as failure if failure.details:
            record = RunRecord.model_validate(failure.details[0])
            outcome = failed(FailureKind.WORKFLOW, record.error or failure.message)
            return outcome.model_copy(update={"outputs": record.outputs})
        case cause:
            return failed(FailureKind.WORKFLOW, f"run '{run}' failed outside its jobs: {cause or error}")


def _request(node: WorkflowNode, job: JobState, around: Surroundings, *, number: int) -> RunRequest:
    """The child's whole input. Raises ExpressionError, or UsageError where `with` does not fit its params."""
    parent, state = around.request, around.state
    plan = parent.plan.workflows[node.workflow]
    given = evaluate_arguments(node.arguments, job, parent, state, try_number=number)
    known = reached(plan, parent.plan.workflows)
    limit = min((seconds for seconds in (node.limit, plan.timeout) if seconds is not None), default=None)
    plan = plan.model_copy(update={"workflows": known, "timeout": limit})
    files = parent.nested.get(
        node.workflow,
        NestedFiles(
            workspace=parent.workspace,
            workspace_mark=parent.workspace_mark,
            file_hashes=parent.file_hashes,
        ),
    )
    variant = job.variant.name if job.variant else None
    mocks = None
    if parent.mocks is not None:
        mock = mock_of(job, parent.mocks, number)
        mocks = Mocks(jobs=mock.jobs if mock else {})
    # A further try in this attempt is a run of its own, as ever.
    resumed = resumed_child(job, state) if number == 1 else None
    fresh = ids.child_run_id(state.run_id, state.attempt, node.name, variant, number)
    return RunRequest(
        run_id=resumed.run_id if resumed else fresh,
        attempt=resumed.reuse.attempt + 1 if resumed else 1,
        reuse=resumed.reuse if resumed else None,
        plan=plan,
        plan_digest=digest(plan),
        params=bind_params(plan.params, given),
        git=parent.git,
        workspace=files.workspace,
        workspace_mark=files.workspace_mark,
        file_hashes=files.file_hashes,
        created_at=rfc3339(workflow.now()),
        task_queue=parent.task_queue,
        submitted_by=parent.submitted_by,
        nested={key: found for key, found in parent.nested.items() if key in known},
        mocks=mocks,
    )


def _attributes(plan: Plan) -> TypedSearchAttributes:
    """As those of a run that a person starts, so that `orca list` finds it."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(_SPEC, plan.spec),
        SearchAttributePair(_STATE, "pending"),
    ]
    if plan.labels:
        pairs.append(SearchAttributePair(_LABELS, [f"{key}={value}" for key, value in plan.labels.items()]))
    return TypedSearchAttributes(pairs)
