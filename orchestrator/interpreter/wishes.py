"""Whether a try is still wanted while it is with a host, and where word of it goes once it is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.left_behind import container_left
from orchestrator.interpreter.state import Level, RunState
from orchestrator.plan.model import ContainerNode


@dataclass(frozen=True)
class Wishes:
    """What the run wants of one try.

    Temporal delivers a cancel once: where a stopping worker has taken it and given the try back instead, the next one
    must be told in the request.
    """

    cancelled: Callable[[], bool]
    """Whether the job is to stop."""
    forced: Callable[[], bool]
    """Whether it has no grace then."""
    warned: Callable[[Sequence[str]], None]
    """Gets the warnings of a try that was cancelled, which has no outcome."""
    unheard: Callable[[str], None]
    """Gets the warning of one of which nobody knows how it ended."""
    left: Callable[[str], str] | None
    """Says what may be left on a host that did not come back; None where nothing outlives its worker."""


def wishes_of(job: JobState, state: RunState) -> Wishes:
    """Those for the try of a job or variant that is about to be sent out."""

    def warned(warnings: Sequence[str]) -> None:
        job.notices = (*job.notices, *warnings)

    def unheard(warning: str) -> None:
        job.in_doubt = not job.node.idempotent
        warned((warning,))

    outlives = isinstance(job.node, ContainerNode)
    return Wishes(
        cancelled=lambda: state.stopping(job),
        forced=lambda: state.level is Level.FORCE,
        warned=warned,
        unheard=unheard,
        left=(lambda host: container_left(job, state, host=host)) if outlives else None,
    )
