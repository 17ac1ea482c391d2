"""What is seen of a round once it is over. Data alone: the invariants judge it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator import ids
from orchestrator.contract.messages import JobRecord, RunRecord, TryRecord
from orchestrator.store.logs import LogLine
from tests.chaos.breaking import Done
from tests.chaos.faults import Schedule
from tests.chaos.lab import OwnEnd
from tests.chaos.workflow import Leaf


@dataclass(frozen=True)
class Start:
    """A start of a container, as whatever runs containers for the engine saw it."""

    name: str
    at: float
    """Seconds since the epoch."""
    service: bool = False
    ended: float | None = None
    """When its first process was gone; None: nobody saw that."""
    idle: bool = False
    """Its engine ended it before it had begun anything, and the same container was started again."""


@dataclass(frozen=True)
class Dispatch:
    """An activity of a run's history that ended. Times are seconds since the epoch."""

    activity: str
    """Its id."""
    started: float | None
    """None: nobody took it."""


@dataclass(frozen=True)
class Collected:
    """An artifact as it is in the store."""

    intact: bool
    """Size and hash are those of the record."""
    lines: tuple[str, ...]
    """Of the only file in it; empty where there is not just one."""


@dataclass(frozen=True)
class OneTry:
    """A try of a job or variant."""

    leaf: str
    """Full name."""
    record: TryRecord
    key: str
    """The id of its activity, without how often it was sent out."""
    container: str
    """The name that its container has."""
    log: tuple[LogLine, ...]


@dataclass(frozen=True)
class ServiceSeen:
    """What a service beside a try, or one start of a service that jobs share, has printed."""

    name: str
    """As people read it, with the number of its try or start."""
    container: str
    """The name that its container has."""
    needed: bool
    """It was there: a job that asks it succeeded."""
    log: tuple[LogLine, ...]


@dataclass(frozen=True)
class RunSeen:
    """One run: the round's own, or one that it nested."""

    record: RunRecord
    expected: Mapping[str, Leaf]
    leaves: Mapping[str, JobRecord]
    """Jobs without variants and variants, by full name."""
    tries: tuple[OneTry, ...]
    services: tuple[ServiceSeen, ...]
    artifacts: Mapping[str, tuple[Collected, ...]]
    """By leaf."""
    dispatches: tuple[Dispatch, ...]
    stumbles: tuple[str, ...]
    """Workflow tasks that failed as the interpreter did, and why its history does not replay."""


@dataclass(frozen=True)
class Seen:
    """A whole round."""

    schedule: Schedule
    done: tuple[Done, ...]
    """What was broken."""
    stuck: str
    """Why the round did not come to its end; empty where it did."""
    runs: tuple[RunSeen, ...]
    """The round's own first; none where it is stuck."""
    starts: tuple[Start, ...]
    calls: tuple[str, ...]
    """`run job try` for each start of a function."""
    left: tuple[str, ...]
    """Containers, networks and volumes that are still there."""
    own_ends: tuple[OwnEnd, ...] = ()
    """Of workers."""
    unremovable: tuple[str, ...] = ()
    """Containers of the run that their engine calls `dead`: it was told to remove them, and cannot."""


def try_of(
    run: RunRecord, leaf: str, job: str, variant: str | None, record: TryRecord, log: tuple[LogLine, ...]
) -> OneTry:
    """A try with the names that follow from what it is."""
    number = record.number
    return OneTry(
        leaf=leaf,
        record=record,
        key=ids.try_key(job, variant, number),
        container=ids.container_name(run.run_id, run.attempt, job, variant, number),
        log=log,
    )


def seconds(stamp: str | None) -> float | None:
    """A time of a record or log (RFC 3339 in UTC, with any fraction) in seconds since the epoch."""
    if stamp is None:
        return None
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    began = datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()
    return began + (float(f"0.{fraction}") if fraction else 0.0)
