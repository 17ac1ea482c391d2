"""How many Temporal history events a run will make. An upper estimate without retries; measured, not promised."""

from typing import Final

BASE_EVENTS: Final = 8
"""Start and end of the workflow, its search attributes and its first and last workflow tasks."""
EVENTS_PER_JOB: Final = 6
"""The worst case, a chain: activity scheduled, started, completed, and a workflow task of three before the next.

Jobs that end together share a workflow task, so a fan-out costs 3 to 4.
"""
TIMER_EVENTS: Final = 2
"""A timer for the run's timeout: started, and cancelled or fired."""


def estimated_events(jobs: int, *, run_timeout: bool) -> int:
    """Events of a run of `jobs` jobs of which every one takes one try."""
    return BASE_EVENTS + EVENTS_PER_JOB * jobs + (TIMER_EVENTS if run_timeout else 0)
