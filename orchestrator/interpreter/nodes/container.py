"""A container job: try by try, with the user's own retries between them as visible timers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome, RunRequest, TryRecord
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.details import summary_of
from orchestrator.interpreter.dispatch import run_try
from orchestrator.interpreter.job_state import JobState, in_milliseconds, shortened
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.pacing import Pacing
from orchestrator.interpreter.requests import container_request
from orchestrator.interpreter.retries import delay_before, worth_another
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import ContainerNode

MAX_TRY_REASON = 200
"""Bytes of one try's reason; the job's own is the last try's, longer."""


@dataclass(frozen=True)
class Surroundings:
    """What a node needs of the run that it is part of."""

    request: RunRequest
    state: RunState
    pacing: Pacing
    changed: Callable[[], None]
    """Say that the state has changed, so that people see it."""


async def run_container(node: ContainerNode, job: JobState, around: Surroundings) -> JobOutcome:
    """Run `job`, the node's own state or that of a variant, to its last outcome.

    Raises asyncio.CancelledError where it was cancelled.
    """
    while True:
        outcome = await _run_one_try(node, job, around)
        job.take(outcome)
        tries = len(job.tries)
        if around.state.stopping(job) or not worth_another(node.retry, outcome, tries):
            return outcome
        job.enter("waiting", f"retrying after {outcome.reason}")
        around.changed()
        delay = delay_before(node.retry, tries + 1)
        if delay > 0:
            summary = f"{job.key}: try {tries + 1} of {node.retry.max_attempts} in {delay:g} s"
            await workflow.sleep(timedelta(seconds=delay), summary=summary)


async def _run_one_try(node: ContainerNode, job: JobState, around: Surroundings) -> JobOutcome:
    if around.pacing.full:
        job.enter("waiting")
        around.changed()
    async with around.pacing.slot():
        if around.state.stopping(job):
            # The variant that gave this place back has failed, and nobody has come by yet to cancel the others.
            raise asyncio.CancelledError
        number = job.begin_try(rfc3339(workflow.now()))
        try:
            outcome = await _dispatch(node, job, around, number=number)
        except asyncio.CancelledError:
            job.tries[-1] = job.tries[-1].model_copy(
                update={"status": "cancelled", "finished_at": rfc3339(workflow.now())}
            )
            raise
        job.tries[-1] = _closed(job.tries[-1], outcome)
        return outcome


async def _dispatch(node: ContainerNode, job: JobState, around: Surroundings, *, number: int) -> JobOutcome:
    try:
        request = container_request(node, job, around.request, around.state, try_number=number)
    except ExpressionError as error:
        return _failed(FailureKind.EXPRESSION, str(error))
    await around.pacing.room_for(request)
    job.enter("running")
    around.changed()
    outcome = await run_try(
        request,
        task_queue=around.request.task_queue,
        summary=summary_of(node, image=request.image, try_number=number),
        cancelled=lambda: around.state.stopping(job),
    )
    return complete_outputs(job, outcome, around.request, around.state)


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


def _failed(kind: FailureKind, message: str) -> JobOutcome:
    return JobOutcome(status="failed", reason=FailureReason(kind=kind, message=message[:2000]))
