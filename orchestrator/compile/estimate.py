"""How many Temporal history events a run will make. An upper estimate without retries; measured, not promised."""

from collections.abc import Iterable
from typing import Final

from orchestrator.compile.kinds import Kind
from orchestrator.spec.model import JobShape

BASE_EVENTS: Final = 8
"""Start and end of the workflow, its search attributes and its first and last workflow tasks."""
EVENTS_PER_JOB: Final = 6
"""The worst case, a chain: activity scheduled, started, completed, and a workflow task of three before the next.

Jobs that end together share a workflow task, so a fan-out costs 3 to 4.
"""
EVENTS_PER_SCOPE: Final = 12
"""Services are started and stopped by an activity each, with a workflow task after either: twice what a job costs."""
TIMER_EVENTS: Final = 2
"""A timer: started, and cancelled or fired."""


TASK_EVENTS: Final = 3
"""A workflow task: scheduled, started, completed."""
EVENTS_PER_ANSWER: Final = 2 + TASK_EVENTS
"""An update that is accepted and completed, and the workflow task that it comes with."""
EVENTS_PER_CHILD: Final = 3 + 2 * TASK_EVENTS
"""A child workflow: initiated, started, completed, with a workflow task after each of the last two."""


def events_of(kind: Kind, job: JobShape) -> int:
    """Events that one job, or one variant of it, makes. Reminders are left out: nobody knows how many there will be."""
    match kind:
        case "container" | "call":
            return EVENTS_PER_JOB
        case "workflow":
            return EVENTS_PER_CHILD
        case "wait":
            return TIMER_EVENTS + TASK_EVENTS
        case "choice":
            return 0
        case "gate":
            gate = job.gate
            limited = job.timeout is not None or (gate is not None and gate.timeout is not None)
            answers = 1 if gate is None else gate.min_approvals
            return answers * EVENTS_PER_ANSWER + (TIMER_EVENTS if limited else 0)


def estimated_events(of_jobs: int, *, scopes: int = 0, run_timeout: bool) -> int:
    """Events of a run in which every job takes one try.

    Args:
        of_jobs: those of its jobs and variants.
        scopes: how many times services are started and stopped: for each of these that has any, and for the run.
        run_timeout: whether the run has one.
    """
    own = of_jobs + EVENTS_PER_SCOPE * scopes
    return BASE_EVENTS + own + (TIMER_EVENTS if run_timeout else 0)


def leaves(variants: Iterable[int]) -> int:
    """How often jobs run, given the variants of each that are known: a job has at least one."""
    return sum(max(1, count) for count in variants)
