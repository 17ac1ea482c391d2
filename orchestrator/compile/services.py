"""The services of a spec: which stand where, under which names. Pure; the rules about them are `service_checks`'."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from orchestrator.compile.known_services import KNOWN_SERVICES, KnownService
from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, segments
from orchestrator.plan.parts import Resources
from orchestrator.plan.service_model import DEFAULT_START_TIMEOUT, HealthCheck, Port, Ready, Service
from orchestrator.plan.well_known import name_of_image
from orchestrator.spec.model import HealthCheckShape, JobShape, ReadyShape, ResourcesShape, ServiceShape, Spec
from orchestrator.spec.places import Path

NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
"""A host name of one part (RFC 1123), so that every client takes it. Letters come first, as variables are named for
it, and no underscores, so that no two names give the same variable."""
_HOLE: Final = "\0"


@dataclass(frozen=True, slots=True)
class Written:
    """A service as the spec writes it."""

    name: str
    """Empty where it cannot be told from the image."""
    path: Path
    """Of its key, or of its item in a list."""
    shape: ServiceShape
    known: KnownService | None = None
    listed: bool = False

    @property
    def service(self) -> Service:
        """The plan's form of it."""
        return _with_known(self.name, self.shape, self.known) if self.known else _as_written(self)


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a job's list: of one of the workflow's services, or of nothing."""

    name: str
    path: Path


@dataclass(frozen=True)
class JobServices:
    """The services of one job."""

    own: tuple[Written, ...] = ()
    shared: tuple[Named, ...] = ()
    """Those of the workflow that it names."""
    unknown: tuple[Named, ...] = ()
    """What is neither an image nor a name of one of the workflow's services."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which it finds services."""
        return tuple(one.name for one in (*self.own, *self.shared))


@dataclass(frozen=True)
class AllServices:
    """The services of a spec."""

    shared: tuple[Written, ...] = ()
    of_jobs: Mapping[str, JobServices] = field(default_factory=dict[str, JobServices])
    """Of the jobs that have any."""

    @property
    def written(self) -> Iterator[Written]:
        """All that the spec has, the workflow's first."""
        yield from self.shared
        for found in self.of_jobs.values():
            yield from found.own

    def of(self, job: str | None) -> JobServices:
        """Those of a job; of none where there are none."""
        return self.of_jobs.get(job or "", JobServices())

    def reachable(self, job: str) -> Iterator[Service]:
        """The services that a job finds: its own, and those that it names."""
        found = self.of(job)
        named = {one.name for one in found.shared}
        yield from (one.service for one in found.own)
        yield from (one.service for one in self.shared if one.name in named)


def services_of(spec: Spec) -> AllServices:
    """All of them, where they stand."""
    shared = tuple(Written(name, ("services", name), shape) for name, shape in spec.services.items())
    of_jobs = {name: _of_job(name, job, spec.services) for name, job in spec.jobs.items() if job.services}
    return AllServices(shared, of_jobs)


def _of_job(job: str, shape: JobShape, declared: Mapping[str, ServiceShape]) -> JobServices:
    at: Path = ("jobs", job, "services")
    if isinstance(shape.services, dict):
        own = tuple(Written(name, (*at, name), service) for name, service in shape.services.items())
        return JobServices(own)
    images: list[Written] = []
    named: list[Named] = []
    unknown: list[Named] = []
    for number, text in enumerate(shape.services):
        path: Path = (*at, number)
        if text in declared:
            named.append(Named(text, path))
        elif (name := image_name(text)) in KNOWN_SERVICES or any(sign in text for sign in ":@/$"):
            written = ServiceShape(image=text)
            images.append(Written(name, path, written, KNOWN_SERVICES.get(name), listed=True))
        else:
            unknown.append(Named(text, path))
    return JobServices(tuple(images), tuple(named), tuple(unknown))


def image_name(image: str) -> str:
    """The last part of an image's path, without tag and digest; empty where that is not known before a run."""
    try:
        parts = segments(image)
    except ExpressionError:
        return ""
    text = "".join(_HOLE if isinstance(part, Hole) else part.text for part in parts)
    name = name_of_image(text)
    return "" if _HOLE in name else name


def _with_known(name: str, shape: ServiceShape, known: KnownService) -> Service:
    return Service(
        name=name,
        image=shape.image,
        env=dict(known.env),
        generated=known.generated,
        shared_env=tuple(known.env),
        health_check=known.health_check,
        ports=(Port(container=known.port),),
    )


def _as_written(written: Written) -> Service:
    shape = written.shape
    return Service(
        name=written.name,
        image=shape.image,
        env=shape.env,
        command=shape.command,
        entrypoint=shape.entrypoint,
        health_check=_health_check(shape.health_check or HealthCheckShape()),
        start_timeout=_start_timeout(shape),
        ports=tuple(
            Port(container=port.container, host=port.host, address=port.address, protocol=port.protocol)
            for port in shape.ports
        ),
        resources=resources(shape.resources),
        tmpfs=shape.tmpfs,
        required=shape.required,
        artifact=shape.artifact,
        pull=shape.pull or "missing",
    )


def resources(shape: ResourcesShape | None) -> Resources:
    """The plan's form of limits."""
    if shape is None:
        return Resources()
    return Resources(cpus=shape.cpus, memory=shape.memory, pids=shape.pids)


def _start_timeout(shape: ServiceShape) -> float:
    """As the spec gives it; else as long as the check that it gives may take, and no less than the default."""
    if shape.start_timeout is not None:
        return shape.start_timeout
    given = _health_check(shape.health_check or HealthCheckShape())
    if not {"start_period", "interval", "retries"} & set(given.given):
        return DEFAULT_START_TIMEOUT
    return max(DEFAULT_START_TIMEOUT, given.start_period + given.interval * given.retries)


def _health_check(shape: HealthCheckShape) -> HealthCheck:
    names = ("test", "ready", "interval", "timeout", "retries", "start_period", "start_interval")
    given: dict[str, object] = {name: getattr(shape, name) for name in names}
    if shape.disable:
        given["test"] = ("NONE",)
    if shape.ready is not None:
        given["ready"] = _ready(shape.ready)
    given = {name: value for name, value in given.items() if value is not None}
    return HealthCheck.model_validate({**given, "given": tuple(given)})


def _ready(shape: ReadyShape) -> Ready:
    http = shape.http
    return Ready(
        tcp=shape.tcp,
        http=None if http is None else http.path,
        http_port=None if http is None else http.port,
        log=shape.log,
    )
