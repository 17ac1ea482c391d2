"""What a host's worker side tells `orca doctor`: as JSON of one process to another, never through Temporal."""

import re
from typing import Final, Literal

from orchestrator.plan.parts import Frozen

_IDENTITY: Final = re.compile(
    r"orca@(?P<host>[^/]+)(/(?P<version>[^/]+)/plan-(?P<plan>[0-9]{1,6}))?", re.ASCII
)

Fate = Literal["remove", "stop", "kept", "live", "foreign", "unknown"]
"""What becomes of it. `stop`: it runs for nobody, and is kept once it has ended. `kept`: somebody asked for that.
`foreign`: it is another server's or namespace's."""


class EngineReport(Frozen):
    """The container engine of this host."""

    address: str
    error: str = ""
    """Why it does not answer; then nothing else is known."""
    version: str = ""
    root: str = ""
    """Its folder for images and containers, on its own host."""
    free: int | None = None
    """Bytes left there; None where the engine is on another host."""
    size: int | None = None
    """Bytes there in all."""
    ahead: float | None = None
    """Seconds by which its clock is ahead of this machine's; negative where it is behind."""


class LeftOver(Frozen):
    """Something on this host that has orca's labels."""

    kind: Literal["container", "network", "volume"]
    id: str
    name: str
    run: str = ""
    of: str = ""
    """The try or service that it belongs to: `test (3.11) #2/db`."""
    fate: Fate
    why: str
    """A clause."""
    wait: float | None = None
    """Seconds until it goes or is stopped; None where it is left alone."""
    done: bool = False
    """It has been done just now."""
    failed: str = ""
    """Why it could not be."""


class HostReport(Frozen):
    """How a host is, as its workers would find it."""

    host: str
    engine: EngineReport
    grace: float | None
    """Seconds that something must have been of no use before it goes; None: workers here remove nothing."""
    found: tuple[LeftOver, ...] = ()
    blind: str = ""
    """Why nobody looked for leftovers; empty where somebody did."""


def worker_identity(host: str, version: str, plan_version: int) -> str:
    """How a worker calls itself to Temporal, which shows it to people: `orca@host-1/0.1.0/plan-4`."""
    return f"orca@{host}/{version}/plan-{plan_version}"


class WorkerReport(Frozen):
    """A worker as the server sees it."""

    host: str
    """Its own name for itself where it is not one of orca's."""
    version: str = ""
    """Empty: it does not say."""
    plan_version: int | None = None
    """The newest plans that it understands; None: it does not say."""
    seen: float
    """Seconds since it last asked for work."""


def read_identity(identity: str) -> tuple[str, str, int | None]:
    """Host, version and plan version in a worker's identity; see `worker_identity`."""
    match = _IDENTITY.fullmatch(identity)
    if match is None:
        return identity, "", None
    plan = match["plan"]
    return match["host"], match["version"] or "", int(plan) if plan else None
