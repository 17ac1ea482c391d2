"""Why the server or the SDK cancels an activity, and what that means for the thing that it looks after. Pure."""

from dataclasses import dataclass

from temporalio.activity import ActivityCancellationDetails

from workers.supervision.control import Cause


@dataclass(frozen=True)
class Treatment:
    """What becomes of the thing."""

    cause: Cause
    why: str
    """A clause for people: `the worker was stopped`."""


@dataclass(frozen=True)
class Run:
    """What the server says of the run that the activity belongs to."""

    open: bool
    forced: bool
    """Somebody cancelled it by force."""


CANCELLED = Treatment("cancel", "the run was cancelled")
STOPPED_WORKER = Treatment("detach", "the worker was stopped")
HANDED_OVER = Treatment("detach", "another activity on this worker took over")


def asks_for_the_run(details: ActivityCancellationDetails | None) -> bool:
    """Whether it depends on how the run stands."""
    if details is None or details.worker_shutdown:
        return False
    return details.cancel_requested or details.timed_out or details.not_found


def treatment(details: ActivityCancellationDetails | None, run: Run | None) -> Treatment:
    """What to do where the activity is cancelled for what `details` say; several may hold at once.

    - `worker_shutdown`: let go. Also where the run was cancelled at that very moment: the next worker is told.
    - `cancel_requested`: stop, or kill where the run is cancelled by force.
    - `paused`, `reset`: let go. The interpreter sends the work out again, and what runs is adopted: an activity that
      went on could not be cancelled any more, since the SDK tells of one cancellation only.
    - `timed_out`, `not_found`: the server has given this activity up. While the run is open somebody else has the work
      or will have it: let go. Where it is closed nobody wants it any more: stop.

    Args:
        details: as the SDK tells them; None where it does not.
        run: how the run stands; None where nobody knows.
    """
    if details is None or details.worker_shutdown:
        return STOPPED_WORKER
    if details.cancel_requested:
        return Treatment("kill" if run is not None and run.forced else "cancel", "the run was cancelled")
    if details.paused:
        return Treatment("detach", "somebody paused its activity at the server")
    if details.reset:
        return Treatment("detach", "somebody reset its activity at the server")
    why = "its activity timed out" if details.timed_out else "the server no longer knew its activity"
    if run is None or run.open:
        return Treatment("detach", why)
    return Treatment("kill" if run.forced else "cancel", f"{why}, and the run is closed")
