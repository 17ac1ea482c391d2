"""The shapes of services in a plan."""

from typing import Annotated, Literal

from pydantic import Field

from orchestrator.plan.parts import Frozen, PullPolicy, Resources, Template

DEFAULT_START_TIMEOUT = 60.0
"""Seconds that a service may take to get healthy."""


class Ready(Frozen):
    """What tells that a service is ready, other than a command inside it. Exactly one is set."""

    tcp: int | None = None
    """A port that accepts connections."""
    http: str | None = None
    """A path that answers with a status below 400; on `http_port`."""
    http_port: int | None = None
    """None: the first port that the service has."""
    log: str | None = None
    """A regular expression that a line of the service's log matches."""


class HealthCheck(Frozen):
    """When a service counts as healthy. Fields and defaults are those of the Compose specification; seconds."""

    test: tuple[str, ...] | None = None
    """`("CMD", word, …)`, `("CMD-SHELL", text)` or `("NONE",)`: no check, the image's neither. None: see `ready`."""
    ready: Ready | None = None
    """Neither this nor `test`: the image's own check, else a connection to its exposed ports."""
    interval: Annotated[float, Field(gt=0)] = 30.0
    timeout: Annotated[float, Field(gt=0)] = 30.0
    """Of one check."""
    retries: Annotated[int, Field(ge=1)] = 3
    """Failed checks in a row, after the start period, that make it unhealthy."""
    start_period: Annotated[float, Field(ge=0)] = 0.0
    """Failed checks do not count before."""
    start_interval: Annotated[float, Field(gt=0)] = 5.0
    """Between checks while the service has not been healthy; the first ones come faster, from 0.1 s on."""
    given: tuple[str, ...] = ()
    """Fields that the spec sets; the image's own check fills in the others."""


class Port(Frozen):
    """A port of a service; `host` is set where the host listens on it too."""

    container: Annotated[int, Field(ge=1, le=65535)]
    host: Annotated[int, Field(ge=1, le=65535)] | None = None
    address: str = "127.0.0.1"
    protocol: Literal["tcp", "udp"] = "tcp"


class Service(Frozen):
    """A container that runs beside a job, or beside several."""

    name: str
    image: Template
    """Empty after evaluation: the service is left out."""
    env: dict[str, Template] = {}
    generated: tuple[str, ...] = ()
    """Names in its environment whose values the worker makes up; the job gets them too."""
    shared_env: tuple[str, ...] = ()
    """Names of `env` that the job gets too."""
    command: tuple[Template, ...] | None = None
    entrypoint: tuple[Template, ...] | None = None
    health_check: HealthCheck = HealthCheck()
    start_timeout: float = DEFAULT_START_TIMEOUT
    """Seconds until it has to be healthy, counted from its start."""
    ports: tuple[Port, ...] = ()
    resources: Resources = Resources()
    tmpfs: dict[str, str] = {}
    """Folder to mount options."""
    required: bool = True
    """Whether the job fails where the service does not get healthy; else that is a warning."""
    artifact: bool = False
    """Whether its log becomes an artifact of the job."""
    pull: PullPolicy = "missing"
