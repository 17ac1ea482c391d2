"""A container job: try by try, with the user's own retries between them as visible timers."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome, TryRecord
from orchestrator.contract.services import HOST_START_WAIT, MAX_MOVES
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.details import summary_of
from orchestrator.interpreter.dispatch import Unanswered, failed, run_try, unknown
from orchestrator.interpreter.job_state import JobState, in_milliseconds
from orchestrator.interpreter.nodes.with_services import Ended, run_with_services
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.requests import container_request
from orchestrator.interpreter.retries import delay_before, worth_another
from orchestrator.interpreter.service_requests import Group, addresses, beside
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.interpreter.telling import shortened
from orchestrator.plan.model import ContainerNode

MAX_TRY_REASON = 200
"""Bytes of one try's reason; the job's own is the last try's, longer."""


async def run_container(node: ContainerNode, job: JobState, around: Surroundings) -> JobOutcome:
    """Run `job`, the node's own state or that of a variant, to its last outcome.

    Raises asyncio.CancelledError where it was cancelled.
    """
    while True:
        ended = await _run_one_try(node, job, around)
        if ended.moved and job.moves < MAX_MOVES:
            job.moves += 1
            continue
        outcome = ended.outcome
        job.take(outcome)
        tries = job.charged
        if around.state.stopping(job) or not worth_another(node.retry, outcome, tries):
            return outcome
        job.enter("waiting", f"retrying after {outcome.reason}")
        around.changed()
        delay = delay_before(node.retry, tries + 1)
        if delay > 0:
            summary = f"{job.key}: try {tries + 1} of {node.retry.max_attempts} in {delay:g} s"
            await workflow.sleep(timedelta(seconds=delay), summary=summary)


async def _run_one_try(node: ContainerNode, job: JobState, around: Surroundings) -> Ended:
    if around.pacing.full:
        job.enter("waiting")
        around.changed()
    async with around.pacing.slot():
        if around.state.stopping(job):
            # The variant that gave this place back has failed, and nobody has come by yet to cancel the others.
            raise asyncio.CancelledError
        number = job.begin_try(rfc3339(workflow.now()))
        try:
            ended = await _dispatch(node, job, around, number=number)
        except asyncio.CancelledError:
            job.tries[-1] = job.tries[-1].model_copy(
                update={"status": "cancelled", "finished_at": rfc3339(workflow.now())}
            )
            raise
        job.tries[-1] = _closed(job.tries[-1], ended.outcome)
        return ended


async def _dispatch(node: ContainerNode, job: JobState, around: Surroundings, *, number: int) -> Ended:
    async def run(groups: list[Group]) -> JobOutcome | Unanswered:
        return await _run_container(node, job, around, groups, number=number)

    if node.services or node.shared_services or node.network == "internal":
        try:
            ended = await run_with_services(node, job, around, run, number=number)
        except ExpressionError as error:
            return Ended(failed(FailureKind.EXPRESSION, str(error)))
    else:
        answer = await run([])
        ended = Ended(unknown(answer) if isinstance(answer, Unanswered) else answer)
    return Ended(
        complete_outputs(job, ended.outcome, around.request, around.state), gone=ended.gone, moved=ended.moved
    )


async def _run_container(
    node: ContainerNode, job: JobState, around: Surroundings, groups: list[Group], *, number: int
) -> JobOutcome | Unanswered:
    """One try's container, beside the services of `groups`: on their host, in their networks."""
    job.addresses = addresses(groups)
    try:
        request = container_request(node, job, around.request, around.state, try_number=number)
    except ExpressionError as error:
        return failed(FailureKind.EXPRESSION, str(error))
    if groups:
        request = beside(request, groups)
    await around.pacing.room_for(request)
    job.enter("running")
    around.changed()
    return await run_try(
        request,
        task_queue=around.request.task_queue,
        summary=summary_of(node, image=request.image, try_number=number, moves=job.uncharged),
        cancelled=lambda: around.state.stopping(job),
        host=groups[0].started.host if groups else "",
        wait=HOST_START_WAIT if groups else None,
    )


def _closed(record: TryRecord, outcome: JobOutcome) -> TryRecord:
    return record.model_copy(
        update={
            "status": outcome.status,
            "reason": shortened(str(outcome.reason), MAX_TRY_REASON) if outcome.reason else None,
            "exit_code": outcome.exit_code,
            "started_at": in_milliseconds(outcome.started_at) or record.started_at,
            "finished_at": in_milliseconds(outcome.finished_at) or rfc3339(workflow.now()),
            "host": outcome.host,
        }
    )
