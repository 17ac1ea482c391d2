"""How many Temporal history events a run will make. An upper estimate without retries; measured, not promised."""

from collections.abc import Iterable
from typing import Final

BASE_EVENTS: Final = 8
"""Start and end of the workflow, its search attributes and its first and last workflow tasks."""
EVENTS_PER_JOB: Final = 6
"""The worst case, a chain: activity scheduled, started, completed, and a workflow task of three before the next.

Jobs that end together share a workflow task, so a fan-out costs 3 to 4.
"""
EVENTS_PER_SCOPE: Final = 12
"""Services are started and stopped by an activity each, with a workflow task after either: twice what a job costs."""
TIMER_EVENTS: Final = 2
"""A timer for the run's timeout: started, and cancelled or fired."""


def estimated_events(leaves: int, *, scopes: int = 0, run_timeout: bool) -> int:
    """Events of a run of `leaves` jobs and variants of which every one takes one try.

    Args:
        leaves: jobs and variants.
        scopes: how many times services are started and stopped: for each of these that has any, and for the run.
        run_timeout: whether the run has one.
    """
    own = EVENTS_PER_JOB * leaves + EVENTS_PER_SCOPE * scopes
    return BASE_EVENTS + own + (TIMER_EVENTS if run_timeout else 0)


def leaves(variants: Iterable[int]) -> int:
    """How many activities the jobs are, given the variants of each that are known: a job has at least one."""
    return sum(max(1, count) for count in variants)
