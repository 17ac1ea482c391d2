"""What an engine that is ended and started again really loses, and nobody can bring back. Pure.

Told from what is seen below the engine: when each container began, and when its first process was gone.
"""

from typing import Final

from tests.chaos.breaking import Done
from tests.chaos.seen import OneTry, Seen, Start, seconds
from tests.chaos.workflow import Leaf

MARGIN: Final = 5.0
"""Seconds by which a fault's effect may be seen before its beginning or after its end."""
TEARING: Final = 1.5
"""Seconds before its end that an engine may not have taken down yet."""
SIGHT: Final = 0.5
"""Seconds by which a container's end may be seen late, or the time of a line be off."""


def ends_engine(done: Done) -> bool:
    """Whether the engine was away; frozen it forgets nothing."""
    return done.part == "engine" and done.manner in ("kill", "stop")


def meets(done: Done, one: OneTry) -> bool:
    """Whether the fault may have had an effect on the try."""
    began, ended = seconds(one.record.started_at), seconds(one.record.finished_at)
    return (ended is None or done.began <= ended + MARGIN) and (began is None or done.ended >= began - MARGIN)


def starts_of(container: str, seen: Seen) -> list[Start]:
    """Of the container of that name."""
    return [start for start in seen.starts if start.name == container]


def lost_sight(one: OneTry, leaf: Leaf, seen: Seen) -> bool:
    """Whether an engine that keeps containers alive cannot say how the try's container came out.

    That is so where it was away when the container began, or when that came to its own end. A container that was ended
    before it can have been done was not left alone.
    """
    return any(
        _within(start.at, done) or (ended_unseen(start, done) and _came_to_its_end(start, leaf))
        for start in starts_of(one.container, seen)
        for done in seen.done
        if ends_engine(done)
    )


def forgot_a_service(one: OneTry, seen: Seen) -> bool:
    """Whether an engine was ended as it started a service, which it then does not know to run, before the try's end."""
    ended = seconds(one.record.finished_at)
    return any(
        start.service and _within(start.at, done) and (ended is None or start.at <= ended)
        for start in seen.starts
        for done in seen.done
        if ends_engine(done)
    )


def asked_in_vain(one: OneTry, seen: Seen) -> bool:
    """Whether the try ended while the engine was away, which looks up the names of services for containers."""
    return any(
        ended_unseen(start, done)
        for start in starts_of(one.container, seen)
        for done in seen.done
        if ends_engine(done)
    )


def not_taken(one: OneTry, seen: Seen) -> bool:
    """Whether an engine that was away did not begin the try's container. Of one that it began no worker lets go."""
    return not starts_of(one.container, seen) and any(
        ends_engine(done) and meets(done, one) for done in seen.done
    )


def ended_unseen(start: Start, done: Done) -> bool:
    """Whether the container ended while the engine was away."""
    return start.ended is not None and _within(start.ended, done)


def _within(at: float, done: Done) -> bool:
    return done.began - TEARING <= at <= done.ended + SIGHT


def _came_to_its_end(start: Start, leaf: Leaf) -> bool:
    return start.ended is not None and start.ended - start.at >= leaf.lasts
