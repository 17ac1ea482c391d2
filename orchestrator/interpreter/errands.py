"""Work that a host is asked to do as one Temporal activity, and that nobody brought it to its end. Data alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestrator.contract.messages import Heartbeat
from orchestrator.plan.parts import Frozen

T = TypeVar("T", bound=Frozen)

PREPARATION = 3600.0
"""Seconds beyond its own timeout that a try may take in all: pulling, restoring and collecting."""


@dataclass(frozen=True)
class Sending:
    """What is known when work is sent out."""

    previous: Heartbeat | None
    """The last heartbeat of the worker that had it before; None where nobody has begun it."""
    stays: bool
    """The host that it goes to may not send it on for room."""

    @property
    def update(self) -> dict[str, object]:
        """The fields of a request that say so."""
        return {"previous": self.previous, "stays": self.stays}


@dataclass(frozen=True)
class Errand(Generic[T]):
    """One piece of work, which may have to be sent out more than once."""

    activity: str
    """The activity's type, which the Web UI shows as the bar's name."""
    key: str
    """The activity's id the first time."""
    request: Callable[["Sending"], Frozen]
    """What is asked."""
    result_type: type[T]
    summary: str
    limit: float
    """Seconds from start to close."""
    subject: str
    """What the host looks after, for people: `the container`."""
    taker: str = "has room"
    """Why it is sent to a host that it has not begun on, for people."""
    unplaced: str = "no host had room when it was to begin"
    """That there is no such host, for people."""
    retold: bool = False
    """A host that was away when it was cancelled is told of that once it is back; else what follows there does it."""
    adopted: bool = True
    """A host that comes back takes up what it had. Else nobody does, and any other can say how it ended."""


@dataclass(frozen=True)
class Unanswered:
    """Nobody brought the work to an end."""

    why: str
    """A clause."""
    host: str = ""
    """Which had it, or was to have it."""
    gone: bool = False
    """The host did not take it in time."""
    begun: bool = True
    """Whether a worker may have begun."""
    fault: bool = False
    """A worker had it and failed itself; `why` is its whole sentence."""
    unplaced: bool = False
    """No host had room in all that time; `why` is the whole sentence."""
