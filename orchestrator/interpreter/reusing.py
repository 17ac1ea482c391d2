"""Whether a job or variant of a resumed run takes over what it left in an earlier attempt, or runs. Pure.

It is decided when the job's turn has come and its own conditions have let it start, with the values of that moment. The
client asks the same before the attempt begins, to tell people what will happen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import Earlier, JobOutcome, Reuse, RunRequest
from orchestrator.interpreter.fingerprints import fingerprint
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.lineage import newest_upstream
from orchestrator.interpreter.outputs import held_outcome
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import Node

DOUBTED: Final = "it may have done its work (`idempotent: false`)"
ONLY_FAILED: Final = "it succeeded, and with --only-failed no success runs again"
CHANGED: Final = "what it runs with has changed"
_BEFORE: Final = {
    "failed": "it failed before",
    "held": "it was held when the run ended",
    "running": "it had not ended when the run was ended",
    "waiting": "it had not ended when the run was ended",
    "cancelled": "it was cancelled before",
    "omitted": "it was left out before",
    "skipped": "it was skipped before",
}


@dataclass(frozen=True)
class Taken:
    """It is taken over."""

    earlier: Earlier
    why: str


@dataclass(frozen=True)
class Runs:
    """It runs."""

    why: str
    changed: bool = False
    """It succeeded, and what it runs with is not the same any more."""


@dataclass(frozen=True)
class ResumedChild:
    """A nested workflow that goes on where it ended."""

    run_id: str
    reuse: Reuse


def earlier_of(leaf: JobState, reuse: Reuse) -> Earlier | None:
    """What a job without variants, or a variant, left; None where there was none of that name."""
    found = reuse.jobs.get(leaf.node.name)
    if leaf.variant is None:
        return None if found is None or found.variants else found
    return found.variants.get(leaf.key) if found else None


def judged(leaf: JobState, reuse: Reuse, state: RunState, fingerprint_now: Callable[[], str]) -> Taken | Runs:
    """What becomes of a job without variants, or of a variant, that may start now."""
    earlier = earlier_of(leaf, reuse)
    why = always_runs(leaf) or _not_kept(leaf, earlier, reuse)
    if earlier is None or why is not None:
        return Runs(why or "it is new")
    if reuse.only_failed:
        return Taken(earlier, ONLY_FAILED)
    since, newer = newest_upstream(leaf.node, state.jobs)
    if since > earlier.attempt:
        return Runs(f"after '{newer}'")
    if not earlier.fingerprint:
        return Runs("the earlier attempt did not keep what it ran with")
    changed = CHANGED if fingerprint_now() != earlier.fingerprint else _replaced(earlier.replaced)
    return Runs(changed, changed=True) if changed else Taken(earlier, "unchanged")


def _replaced(images: Sequence[str]) -> str:
    """Which images are others than those that it ran with, although their names are the same; empty where none is."""
    if not images:
        return ""
    others = len(images) - 1
    more = f", and so {'is' if others == 1 else 'are'} {others} more" if others else ""
    return f"image {images[0]} is another one now{more}"


def doubted(node: Node, key: str, earlier: Earlier, reuse: Reuse) -> bool:
    """Whether nobody knows how far a job or variant got that may not run twice, and that nobody asked for again.

    Whether it may is what its plan says now: who has looked can also edit the spec.
    """
    asked = key in reuse.again or node.name in reuse.again
    return earlier.in_doubt and not (node.idempotent or node.finalizer or node.reminds or asked)


def _not_kept(leaf: JobState, earlier: Earlier | None, reuse: Reuse) -> str | None:
    """Why there is nothing to take over, whatever has changed."""
    if leaf.key in reuse.again or leaf.node.name in reuse.again:
        return "it is to run again"
    if earlier is None or earlier.status == "success":
        return None
    return _BEFORE.get(earlier.status, "it had not run")


def always_runs(leaf: JobState) -> str | None:
    """Why a job of that kind is never taken over; None where it may be."""
    node = leaf.node
    if node.kind == "gate":
        return "people are asked again in each attempt"
    if node.kind == "choice":
        return "it is decided again in each attempt"
    if node.reminds:
        return f"it runs when gate '{node.reminds}' wants it"
    return "it runs at the end of each attempt" if node.finalizer else None


def taken_over(leaf: JobState, request: RunRequest, state: RunState) -> JobOutcome | None:
    """The outcome that `leaf` takes over instead of running, or for which it is held; None where it is to run."""
    reuse = state.reuse
    if reuse is None:
        return None
    earlier = earlier_of(leaf, reuse)
    if earlier is not None and doubted(leaf.node, leaf.key, earlier, reuse):
        return _held(leaf, earlier)
    verdict = judged(leaf, reuse, state, lambda: leaf.fingerprint or fingerprint(leaf, request, state))
    return take_over(leaf, verdict.earlier, state) if isinstance(verdict, Taken) else None


def _held(leaf: JobState, earlier: Earlier) -> JobOutcome | None:
    """The failure for which `leaf` is held at once; None where a person has said that it is to run."""
    if leaf.in_doubt or leaf.tries:
        return None
    leaf.in_doubt = True
    why = f"nobody knows how far it came in attempt {earlier.attempt}"
    return JobOutcome(status="failed", reason=FailureReason(kind=FailureKind.LOST, message=why))


def take_over(leaf: JobState, earlier: Earlier, state: RunState) -> JobOutcome:
    """Let `leaf` stand as it did, and return its outcome; a failure where the run has no room for what it left."""
    leaf.service_logs = earlier.service_logs
    outcome = JobOutcome(
        status="success",
        exit_code=earlier.exit_code,
        outputs=earlier.outputs,
        artifacts=earlier.artifacts,
        started_at=earlier.started_at,
        finished_at=earlier.finished_at,
        updates=earlier.updates,
        quality=earlier.quality,
        images=earlier.images,
    )
    outcome = held_outcome(leaf, outcome, state)
    leaf.take(outcome)
    if outcome.status == "success":
        leaf.reused = earlier
        leaf.child = earlier.child
        leaf.note = f"reused from attempt {earlier.attempt}"
    return outcome


def resumed_child(leaf: JobState, state: RunState) -> ResumedChild | None:
    """The run with which a nested workflow goes on; None where it begins anew.

    Nothing in it is taken over where the job is to run again, or something before it has.
    """
    reuse = state.reuse
    earlier = earlier_of(leaf, reuse) if reuse else None
    if reuse is None or earlier is None or earlier.nested is None:
        return None
    if leaf.node.finalizer or leaf.key in reuse.again or leaf.node.name in reuse.again:
        return None
    if newest_upstream(leaf.node, state.jobs)[0] > earlier.attempt and not reuse.only_failed:
        return None
    return ResumedChild(earlier.child, earlier.nested.model_copy(update={"only_failed": reuse.only_failed}))
