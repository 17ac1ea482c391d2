"""Messages about services: start them and wait until they are healthy, stop them and keep what they said.

A scope is what services belong to: one logical try of a job, or a run's shared services. Its network's name, which is a
function of it, tells it apart on the host.
"""

from typing import Literal

from orchestrator.contract.capacity import Ask, SharedRoom
from orchestrator.contract.failures import FailureReason
from orchestrator.contract.messages import ArtifactRef, Heartbeat
from orchestrator.plan.parts import CleanupPolicy, Frozen, PullPolicy, Resources
from orchestrator.plan.service_model import HealthCheck, Port

START_SERVICES = "start services"
"""Type of the activity that starts them, as the Web UI shows it."""
STOP_SERVICES = "stop services"
SHARED = "services"
"""How people name what the services that a run's jobs share belong to: `services/db`."""

HOST_START_WAIT = 30.0
"""Seconds that the host which has the services may take to begin with the job. Then it counts as gone: nothing of the
job has begun, so the whole may start again elsewhere."""
HOST_STOP_WAIT = 60.0
"""Seconds that the host may take to begin stopping them before they are left to it."""
STOP_GRACE = 1.0
"""Seconds between a service's stop signal and its kill: its data goes with it, so there is little to wait for."""
MAX_MOVES = 3
"""Times that a job with services starts again elsewhere, beyond the user's own retries."""

MAX_RENEWALS = 3
"""Times that a run's shared services are started again because one of them ended by itself."""
MAX_RETURNS = 20
"""The same where their engine took them along."""


class ServiceScope(Frozen):
    """What services belong to."""

    run_id: str
    attempt: int
    job: str = ""
    """Empty for the services that a run's jobs share."""
    variant: str | None = None
    number: int = 1
    """The logical try; of shared services how often they have been started."""
    plan_digest: str = ""


class ServiceRequest(Frozen):
    """One service, with every expression evaluated."""

    name: str
    """Also its host name in the network."""
    image: str
    env: dict[str, str] = {}
    generated: tuple[str, ...] = ()
    """Names of variables whose values the host makes up (see `ServiceSecret`)."""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    health_check: HealthCheck = HealthCheck()
    start_timeout: float
    """Seconds, from its start."""
    ports: tuple[Port, ...] = ()
    resources: Resources = Resources()
    tmpfs: dict[str, str] = {}
    required: bool = True
    artifact: bool = False
    pull: PullPolicy = "missing"


class StartServices(Frozen):
    """Start all, side by side, in a network of their own; doing it again finds what was."""

    scope: ServiceScope
    services: tuple[ServiceRequest, ...]
    internal: bool = False
    """The network has no way out."""
    job: Ask = Ask()
    """What the job beside them asks for; of shared services, what the largest of the jobs that use them does."""
    shared: SharedRoom | None = None
    """What is set aside for the shared services that this job uses too."""
    stays: bool = False
    """They may not be sent to another host for room."""
    cleanup: CleanupPolicy = "remove_on_completion"
    previous: Heartbeat | None = None
    cancelled: bool = False


class ServiceReport(Frozen):
    """How one service stands once all are up, or one has failed."""

    name: str
    state: Literal["healthy", "started", "unhealthy", "exited", "absent"]
    """`started`: it runs and nothing can be checked. `absent`: it could not be started."""
    after: float | None = None
    """Seconds from its start until it was healthy."""
    check: str = ""
    """What was checked, for people: `pg_isready -h 127.0.0.1`, `port 6379`, `the image's own check`."""
    port: int | None = None
    """The first port that it has: published, asked for, or exposed by the image."""
    ports: tuple[int, ...] = ()
    exit_code: int | None = None
    note: str = ""
    """Why it is not healthy, in a sentence."""
    image: tuple[str, ...] = ()
    """Marks of the image that its container was made of (`contract.images`)."""


class ServicesStarted(Frozen):
    """The end of a `StartServices`."""

    status: Literal["success", "failed", "cancelled"]
    reason: FailureReason | None = None
    """None exactly when `status` is success; names the service, its exit code and its last lines."""
    host: str
    """Whose queue the rest follows to."""
    network: str
    services: tuple[ServiceReport, ...] = ()
    warnings: tuple[str, ...] = ()


class StopServices(Frozen):
    """Keep the logs, then remove the containers and the network. Doing it again is fine; nothing there is fine."""

    scope: ServiceScope
    services: tuple[ServiceRequest, ...]
    failed: bool = False
    """How the job ended, for `cleanup`."""
    cleanup: CleanupPolicy = "remove_on_completion"
    stop_grace: float


class ServiceEnd(Frozen):
    """How one service was found when it was to be stopped."""

    name: str
    died: bool = False
    """It had ended by itself before."""
    exit_code: int | None = None
    finished_at: str | None = None
    last_lines: tuple[str, ...] = ()
    """Of one that died: at most 20."""
    artifact: ArtifactRef | None = None


class ServicesStopped(Frozen):
    """The end of a `StopServices`."""

    services: tuple[ServiceEnd, ...] = ()
    warnings: tuple[str, ...] = ()
