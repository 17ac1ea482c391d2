"""What `on_error: hold` does: a failure is not the end, but is put before a person."""

from collections.abc import Awaitable, Callable
from typing import assert_never

from orchestrator.contract.failures import FailureReason
from orchestrator.contract.messages import JobOutcome
from orchestrator.contract.people import Repair
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.outputs import held_outcome
from orchestrator.interpreter.surroundings import Surroundings

Attempt = Callable[[], Awaitable[JobOutcome]]
_LOOK = (
    "; it may have done its work and is marked `idempotent: false`, so that it is not tried again by itself: see what "
    "it has done, and then say `orca retry`, `orca skip`, `orca set-output` or `orca fail`"
)
"""Behind the reason of a job that is held in doubt."""
Conclude = Callable[[JobOutcome], JobOutcome]


async def kept(job: JobState, around: Surroundings, attempt: Attempt, conclude: Conclude) -> JobOutcome:
    """The last outcome of a job, a variant, or a part of what a job does.

    Where it failed and is to be held, a person decides: another attempt, with a fresh budget of tries, or the end that
    they give it.

    Args:
        job: whose failure it would be.
        around: the run.
        attempt: what is done, and done again on request.
        conclude: what belongs to a success, also to one that a person made; may turn it into a failure.

    Raises:
        asyncio.CancelledError: the job was cancelled.
    """
    outcome = conclude(await attempt())
    while outcome.status == "failed" and _to_be_held(job, around):
        if job.in_doubt:
            outcome = outcome.model_copy(update={"reason": _doubted(outcome.reason)})
        repair = await around.repairs.ask(job, outcome)
        match repair.action:
            case "retry":
                job.renew()
                job.enter("waiting", "waiting for its next try")
                outcome = conclude(await attempt())
            case "skip":
                job.in_doubt = False
                return outcome.model_copy(
                    update={
                        "status": "skipped",
                        "reason": None,
                        "outputs": {},
                        "note": _by("skipped", repair),
                    }
                )
            case "set_outputs":
                given = outcome.model_copy(
                    update={"status": "success", "reason": None, "outputs": repair.outputs, "updates": {}}
                )
                given = held_outcome(job, given, around.state)
                job.take(given)
                job.in_doubt = job.in_doubt and given.status == "failed"
                job.note = _by("outputs set", repair)
                outcome = conclude(given)
            case "fail":
                job.in_doubt = False
                return outcome.model_copy(update={"reason": _given_up(outcome.reason, repair)})
            case _:
                assert_never(repair.action)
    return outcome


def _to_be_held(job: JobState, around: Surroundings) -> bool:
    """A dry run waits for nobody, nor does a run that is to end: its finalizers could keep it open for ever."""
    state = around.state
    waits = around.request.mocks is None and state.stop is None and not state.stopping(job)
    return waits and (job.node.on_error == "hold" or job.in_doubt)


def _doubted(reason: FailureReason | None) -> FailureReason | None:
    if reason is None or reason.message.endswith(_LOOK):
        return reason
    return reason.model_copy(update={"message": f"{reason.message[: 2000 - len(_LOOK)]}{_LOOK}"})


def _by(what: str, repair: Repair) -> str:
    """`skipped by ann: not needed today`."""
    who = f"{what} by {repair.by or 'somebody'}"
    return f"{who}: {repair.comment}" if repair.comment else who


def _given_up(reason: FailureReason | None, repair: Repair) -> FailureReason | None:
    if reason is None:
        return None
    return reason.model_copy(update={"message": f"{reason.message} ({_by('given up', repair)})"[:2000]})
