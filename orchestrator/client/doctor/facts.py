"""What was found, before anybody judges it. Durations in seconds, sizes in bytes."""

from dataclasses import dataclass

from orchestrator.contract.doctor import HostReport, WorkerReport


@dataclass(frozen=True)
class ServerFacts:
    """The Temporal server and the namespace."""

    address: str
    namespace: str
    error: str = ""
    """Why it does not answer; then nothing else is known."""
    version: str = ""
    missing_namespace: bool = False
    missing_attributes: tuple[str, ...] = ()
    """Search attributes of orca's that the namespace lacks."""
    unknown: str = ""
    """Why search attributes are not known."""
    ahead: float | None = None
    """By which its clock is ahead of this machine's."""
    workers: tuple[WorkerReport, ...] = ()
    """Those on the task queue."""


@dataclass(frozen=True)
class StoreFacts:
    """The store, after an object was written, read, listed and deleted there."""

    url: str
    error: str = ""
    took: float = 0.0
    free: int | None = None
    """None where it is no folder."""
    size: int | None = None
    ahead: float | None = None
    """By which its clock is ahead of this machine's."""


@dataclass(frozen=True)
class Facts:
    """All that a doctor sees."""

    task_queue: str
    plan_version: int
    """The one that this orca writes."""
    home: str
    """The state folder."""
    server: ServerFacts
    store: StoreFacts
    home_error: str = ""
    """Why it cannot be written."""
    host: HostReport | None = None
    """None where nobody could look."""
    host_error: str = ""
    """Why not."""
