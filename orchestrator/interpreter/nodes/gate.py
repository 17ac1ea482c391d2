"""A job that waits for people: it holds no worker and no place, and outlives them all."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome
from orchestrator.contract.people import GateRecord
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.interpreter import gates
from orchestrator.interpreter.details import cut_summary
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.opening import opened
from orchestrator.interpreter.outcomes import failed
from orchestrator.interpreter.outputs import finished
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.plan.model import GateNode
from orchestrator.plan.phrases import lasting

MAX_HISTORY = 20_000
"""Events of a run's history after which nobody is reminded any more. Temporal ends a run at 51,200."""


async def run_gate(node: GateNode, job: JobState, around: Surroundings) -> JobOutcome:
    """Open it and wait until it is decided. Raises asyncio.CancelledError where it was cancelled."""
    now = workflow.now()
    job.begin(rfc3339(now))
    try:
        gate = opened(node, job, around.request, around.state, now=now)
    except ExpressionError as error:
        return failed(FailureKind.EXPRESSION, str(error))
    problem = gates.approval_problem(gate, job.key, around.request.submitted_by)
    if problem is not None:
        return failed(FailureKind.EXPRESSION, problem)
    decided = around.gates.open(job, gate)
    timers: list[asyncio.Task[None]] = []
    if node.limit is not None:
        timers.append(asyncio.create_task(_expire(job, around, node.limit)))
    if node.remind_every is not None and node.reminder:
        timers.append(asyncio.create_task(_remind(node, job, around, node.remind_every)))
    for timer in timers:
        timer.add_done_callback(lambda ended: _pass_on(ended, decided))
    try:
        gate = await decided
    except asyncio.CancelledError:
        # Not `finally`: a worker that drops the run from its memory ends this too, and then there is no clock.
        around.gates.close(job, workflow.now())
        raise
    finally:
        for timer in timers:
            timer.cancel()
    job.note = gates.note_of(gate)
    return finished(job, gates.outcome_of(gate, limit=node.limit), around.request, around.state)


async def _expire(job: JobState, around: Surroundings, limit: float) -> None:
    summary = cut_summary(f"{job.key}: waiting for approval for up to {lasting(limit)}")
    await workflow.sleep(timedelta(seconds=limit), summary=summary)
    around.gates.expire(job, workflow.now())


async def _remind(node: GateNode, job: JobState, around: Surroundings, every: float) -> None:
    summary = cut_summary(f"{job.key}: reminder '{node.reminder}' every {lasting(every)}")
    while True:
        await workflow.sleep(timedelta(seconds=every), summary=summary)
        if workflow.info().get_current_history_length() > MAX_HISTORY:
            # Temporal ends a run whose history grows without bound, and the gate with it.
            job.notices = (*job.notices, f"no more reminders: the run's history has {MAX_HISTORY:,} events")
            return
        around.remind(node.reminder)


def _pass_on(timer: "asyncio.Task[None]", decided: "asyncio.Future[GateRecord]") -> None:
    """The interpreter's own fault in a timer is the gate's."""
    if not timer.cancelled() and (error := timer.exception()) is not None and not decided.done():
        decided.set_exception(error)
