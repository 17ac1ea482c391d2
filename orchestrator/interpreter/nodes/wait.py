"""A durable timer: it holds no worker and no place, and outlives them all."""

from datetime import datetime, timedelta

from temporalio import workflow

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.details import cut_summary
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.moments import after, instant
from orchestrator.interpreter.outcomes import failed
from orchestrator.interpreter.outputs import finished
from orchestrator.interpreter.requests import evaluate_json
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.plan.model import WaitNode

SHORTEST = 0.001
"""Seconds: Temporal's timers know no less."""


async def run_wait(node: WaitNode, job: JobState, around: Surroundings) -> JobOutcome:
    """Wait until its time has come. Raises asyncio.CancelledError where it was cancelled."""
    now = workflow.now()
    job.begin(rfc3339(now))
    try:
        until = _until(node, job, around, now)
    except ExpressionError as error:
        return failed(FailureKind.EXPRESSION, str(error))
    moment = rfc3339(until)
    job.enter("waiting", f"waiting until {moment}")
    around.changed()
    seconds = (until - now).total_seconds()
    if seconds >= SHORTEST and around.request.mocks is None:
        await workflow.sleep(
            timedelta(seconds=seconds), summary=cut_summary(f"{job.key}: waiting until {moment}")
        )
    job.note = f"waited until {moment}"
    outcome = JobOutcome(
        status="success",
        outputs={"until": moment},
        started_at=rfc3339(now),
        finished_at=rfc3339(workflow.now()),
    )
    return finished(job, outcome, around.request, around.state)


def _until(node: WaitNode, job: JobState, around: Surroundings, now: datetime) -> datetime:
    where = f"`wait` of job '{job.key}'"
    if node.until is not None:
        value = evaluate_json(node.until, around.request, around.state, where=where, leaf=job)
        read = instant
    else:
        value = evaluate_json(node.duration, around.request, around.state, where=where, leaf=job)
        read = after
    try:
        return read(value, now)
    except ExpressionError as error:
        raise ExpressionError(f"{where}: {error}") from error
