"""What work asks of a host, and the moves of work for which a host has no room. No behaviour.

A unit is what is placed together: a job's container and its own services.
"""

from typing import Final

from orchestrator.plan.parts import Frozen

MISPLACED_ERROR: Final = "misplaced"
"""Type of the error with which a worker gives back work that it has not begun. Its details hold a `Heartbeat` with the
host that is to have it; no host means any."""
ROOM_WAIT: Final = 1800.0
"""Seconds that work waits for room on a host before it is offered to all hosts again: no activity comes near its own
limit by waiting."""
MAX_ROOM_WAITS: Final = 2000
"""Times that work is given back by hosts that had no room for `ROOM_WAIT` seconds; more than a month."""
MAX_ROOM_MOVES: Final = 20
"""Times in a row that work is sent on to where there seems to be room."""
SETTLES_AFTER: Final = 5
"""Such moves after which it waits where it was sent."""


class Ask(Frozen):
    """What of a host's capacity something asks for. Zero: it says nothing, and nothing is counted."""

    cpus: float = 0.0
    memory: int = 0
    """Bytes."""


class SharedRoom(Frozen):
    """Room on a host that is set aside for services which jobs share, from their start to their stop.

    The reserve is for one of these jobs at a time. Without it two runs' services could take all room, and the jobs of
    both wait for ever.
    """

    network: str
    """Of the services."""
    services: Ask
    reserve: Ask
    """As much as the largest of the jobs that name the services asks for, its own services included."""
