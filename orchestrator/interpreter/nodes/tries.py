"""A job that is tried, whatever is tried: try by try, with the user's own retries between them as visible timers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow

from orchestrator.contract.messages import JobOutcome, TryRecord
from orchestrator.contract.services import MAX_MOVES
from orchestrator.contract.times import rfc3339
from orchestrator.interpreter.fingerprints import fingerprint
from orchestrator.interpreter.job_state import JobState, in_milliseconds
from orchestrator.interpreter.retries import delay_before, uncertain, worth_another
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.interpreter.telling import shortened
from orchestrator.plan.model import Node

MAX_TRY_REASON = 200
"""Bytes of one try's reason; the job's own is the last try's, longer."""


@dataclass(frozen=True)
class Ended:
    """How a try came out."""

    outcome: JobOutcome
    gone: bool = False
    """Its host is."""
    moved: bool = False
    """Nothing of it had begun there."""
    begun: bool = True
    """Whether the job's own work may have begun."""


OneTry = Callable[[int], Awaitable[Ended]]
"""Carries out the try of that number, from 1."""


async def run_tries(node: Node, job: JobState, around: Surroundings, one_try: OneTry) -> JobOutcome:
    """Run `job`, the node's own state or that of a variant, to its last outcome.

    Raises asyncio.CancelledError where it was cancelled.
    """
    while True:
        ended = await _run_one(job, around, one_try)
        if ended.moved and job.moves < MAX_MOVES:
            job.moves += 1
            continue
        outcome = ended.outcome
        job.take(outcome)
        tries = job.charged
        # Where its work may be done and must not be done twice, `holding` puts it before a person.
        job.in_doubt = not node.idempotent and ended.begun and uncertain(outcome)
        if job.in_doubt or around.state.ending(job) or not worth_another(node.retry, outcome, tries):
            return outcome
        job.enter("waiting", f"retrying after {outcome.reason}")
        around.changed()
        delay = delay_before(node.retry, tries + 1)
        if delay > 0 and around.request.mocks is None:
            summary = f"{job.key}: try {tries + 1} of {node.retry.max_attempts} in {delay:g} s"
            await workflow.sleep(timedelta(seconds=delay), summary=summary)


async def _run_one(job: JobState, around: Surroundings, one_try: OneTry) -> Ended:
    if around.pacing.full:
        job.enter("waiting")
        around.changed()
    async with around.pacing.slot():
        await around.pausing.lifted(job)
        if around.state.ending(job):
            # The variant that gave this place back has failed, and nobody has come by yet to cancel the others; or the
            # run drains, and this would be new.
            raise asyncio.CancelledError
        number = job.begin_try(rfc3339(workflow.now()))
        if around.request.mocks is None:
            # Variables may have changed while it waited for its place.
            job.fingerprint = fingerprint(job, around.request, around.state)
        job.working, job.in_doubt = True, False
        try:
            ended = await one_try(number)
        except asyncio.CancelledError:
            job.tries[-1] = job.tries[-1].model_copy(
                update={"status": "cancelled", "finished_at": rfc3339(workflow.now())}
            )
            raise
        finally:
            job.working = False
        job.tries[-1] = _closed(job.tries[-1], ended.outcome)
        return ended


def _closed(record: TryRecord, outcome: JobOutcome) -> TryRecord:
    return record.model_copy(
        update={
            # A try that found nothing to do was no failure.
            "status": "success" if outcome.status == "skipped" else outcome.status,
            "reason": shortened(str(outcome.reason), MAX_TRY_REASON) if outcome.reason else None,
            "exit_code": outcome.exit_code,
            "started_at": in_milliseconds(outcome.started_at) or record.started_at,
            "finished_at": in_milliseconds(outcome.finished_at) or rfc3339(workflow.now()),
            "host": outcome.host,
        }
    )
