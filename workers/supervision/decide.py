"""What to do about a try, from what is seen. Pure: no calls, no clock; every action carries its cause."""

from dataclasses import dataclass

from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from workers.engine.interface import ObservedContainer
from workers.supervision.identity import identity_labels


@dataclass(frozen=True)
class Create:
    """Make the container and start it."""

    cause: str


@dataclass(frozen=True)
class Start:
    """It was made and never ran: prepare it (again) and start it."""

    container: ObservedContainer
    cause: str


@dataclass(frozen=True)
class Attach:
    """It runs: wait for it."""

    container: ObservedContainer
    cause: str


@dataclass(frozen=True)
class Collect:
    """It has ended: take what it left, never run it again."""

    container: ObservedContainer
    cause: str


@dataclass(frozen=True)
class Return:
    """The try ended before, and its outcome is known. `leftover` is its container where one is still there."""

    outcome: JobOutcome
    leftover: str | None
    cause: str


@dataclass(frozen=True)
class Conflict:
    """A container that is not this try's has its name."""

    container: ObservedContainer
    cause: str


@dataclass(frozen=True)
class Lost:
    """The container ran and is gone without an outcome: running it again could do its work twice."""

    cause: str


Action = Create | Start | Attach | Collect | Return | Conflict | Lost


def decide(
    request: ContainerRequest,
    observed: ObservedContainer | None,
    *,
    recorded: JobOutcome | None,
    previous: Heartbeat | None,
) -> Action:
    """Choose the one action.

    Args:
        request: the try.
        observed: the container of the try's name on this host, if any.
        recorded: the outcome in the store, if any.
        previous: the last heartbeat of the worker that had the try before, if any.
    """
    foreign = None if observed is None else _foreign(request, observed)
    if recorded is not None:
        leftover = observed.id if observed is not None and foreign is None else None
        return Return(recorded, leftover, "the outcome of this try is in the store")
    if observed is None:
        return _absent(previous)
    if foreign is not None:
        lost = _absent(previous)
        return lost if isinstance(lost, Lost) else Conflict(observed, foreign)
    match observed.state:
        case "created":
            return Start(observed, "the container was made and never ran")
        case "running" | "paused":
            return Attach(observed, "the container runs")
        case "exited" | "dead":
            return Collect(observed, "the container has ended")


def ran(beat: Heartbeat) -> bool:
    """Whether the container that `beat` names has been started.

    A worker that is still looking names only one that was there before: its predecessor's, or its own.
    """
    return bool(beat.container_id) and beat.phase in ("looking", "running", "collecting")


def _absent(previous: Heartbeat | None) -> Create | Lost:
    if previous is not None and ran(previous):
        return Lost(
            f"the container {previous.container_id[:12]} ran on host '{previous.host}' and cannot be found any"
            " more, nor its outcome"
        )
    return Create("there is no container of this try")


def _foreign(request: ContainerRequest, observed: ObservedContainer) -> str | None:
    """Why the container is not this try's; None when it is."""
    for label, wanted in identity_labels(request).items():
        found = observed.labels.get(label)
        if found is None:
            return f"it has no label '{label}'"
        if found != wanted:
            return f"its label '{label}' is '{found}' and not '{wanted}'"
    return None
