"""From services in a plan and the values of this moment to what a worker is asked for, and what their job learns. Pure.

A scope is what services belong to: one try of a job, or the run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator import ids
from orchestrator.contract.capacity import Ask, SharedRoom
from orchestrator.contract.messages import ContainerRequest, RunRequest, ServiceSecret, SharedService
from orchestrator.contract.services import (
    STOP_GRACE,
    ServiceReport,
    ServiceRequest,
    ServiceScope,
    ServicesStarted,
    StartServices,
    StopServices,
)
from orchestrator.expressions import render, to_text
from orchestrator.interpreter.asks import shared_room, together
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.requests import evaluate_env, place, scope
from orchestrator.interpreter.state import RunState
from orchestrator.plan.file_hashes import known_hashes
from orchestrator.plan.parts import Json, Template
from orchestrator.plan.service_env import host_variable, port_variable
from orchestrator.plan.service_model import Service

NOTHING = Ask()


@dataclass(frozen=True)
class Group:
    """The services of one scope while they run."""

    services: Sequence[Service]
    """As the plan has them."""
    start: StartServices
    started: ServicesStarted
    renewable: bool = False
    """They are started again where they end; else jobs go on without them as well as they can."""

    @property
    def network(self) -> str:
        """In which they are."""
        return self.started.network

    @property
    def up(self) -> tuple[ServiceReport, ...]:
        """Those that came up: one that is not required need not have."""
        return tuple(one for one in self.started.services if one.state in ("healthy", "started"))

    @property
    def required(self) -> tuple[ServiceReport, ...]:
        """Those that came up and have to."""
        names = {service.name for service in self.services if service.required}
        return tuple(one for one in self.up if one.name in names)

    @property
    def missed(self) -> tuple[SharedService, ...]:
        """Those without which no job is to begin."""
        return tuple(
            SharedService(
                name=one.name,
                container=ids.service_container_name(self.network, one.name),
                serves=one.state == "healthy" and one.port is not None,
            )
            for one in self.required
            if self.renewable
        )

    @property
    def room(self) -> SharedRoom | None:
        """What is set aside on their host, where jobs share them."""
        return None if self.start.scope.job else shared_room(self.start, self.started)


def own_scope(job: JobState, request: RunRequest, state: RunState, *, try_number: int) -> ServiceScope:
    """What the services of one try of a job or variant belong to."""
    return ServiceScope(
        run_id=state.run_id,
        attempt=state.attempt,
        job=job.node.name,
        variant=job.variant.name if job.variant else None,
        number=try_number,
        plan_digest=request.plan_digest,
    )


def shared_scope(request: RunRequest, state: RunState, *, number: int) -> ServiceScope:
    """What the services that the run's jobs share belong to, the `number`-th time that they are started."""
    return ServiceScope(
        run_id=state.run_id, attempt=state.attempt, number=number, plan_digest=request.plan_digest
    )


def start_request(
    of: ServiceScope,
    services: Sequence[Service],
    request: RunRequest,
    state: RunState,
    *,
    leaf: JobState | None = None,
    internal: bool = False,
    job: Ask = NOTHING,
) -> StartServices:
    """The services with every expression evaluated; one whose image is empty is left out.

    `job` is what the job beside them asks for, of shared services the largest of their jobs.

    Raises ExpressionError with the place in its message.
    """
    contexts = scope(request, state, leaf=leaf, try_number=of.number if leaf else None)
    whose = f" of job '{leaf.key}'" if leaf else ""
    evaluated = [_evaluated(service, contexts, request, whose=whose) for service in services]
    return StartServices(
        scope=of,
        services=tuple(service for service in evaluated if service.image),
        internal=internal,
        job=job,
        cleanup=state.plan.cleanup_policy,
    )


def stop_request(started: StartServices, *, failed: bool) -> StopServices:
    """The end of what `started` asks for."""
    return StopServices(
        scope=started.scope,
        services=started.services,
        failed=failed,
        cleanup=started.cleanup,
        stop_grace=STOP_GRACE,
    )


def addresses(groups: Sequence[Group]) -> dict[str, Json]:
    """The `services` context: where a job in their networks finds each service that came up."""
    return {
        report.name: {"host": report.name, "port": report.port, "ports": list(report.ports)}
        for group in reversed(groups)
        for report in group.up
    }


def beside(request: ContainerRequest, groups: Sequence[Group]) -> ContainerRequest:
    """The request of a job that has services: in their networks, with what it needs to know of them.

    Args:
        request: the job's own. Its `env` goes before what the services say.
        groups: its own services first, then those that it shares; the nearer go before the farther.
    """
    env: dict[str, str] = {}
    secrets: dict[str, ServiceSecret] = {}
    for group in reversed(groups):
        up = {report.name for report in group.up}
        for service in group.start.services:
            if service.name not in up:
                continue
            env |= _told(service, group)
            secrets |= {
                variable: ServiceSecret(variable=variable, network=group.network, service=service.name)
                for variable in service.generated
            }
    return request.model_copy(
        update={
            "env": env | request.env,
            "secrets": tuple(secret for name, secret in secrets.items() if name not in request.env),
            "networks": tuple(group.network for group in groups),
            "beside": together(
                service.resources
                for group in groups
                if group.start.scope.job
                for service in group.start.services
            ),
            "shared": groups[-1].room,
            # Of one that never came up people have been told already.
            "services": tuple(
                ids.service_container_name(group.network, report.name)
                for group in groups
                for report in group.up
            ),
            "required_services": tuple(
                ids.service_container_name(group.network, report.name)
                for group in groups
                if group.start.scope.job
                for report in group.required
            ),
            "shared_services": groups[-1].missed,
        }
    )


def _told(service: ServiceRequest, group: Group) -> dict[str, str]:
    """What a job's environment says of one service."""
    told = {host_variable(service.name): service.name}
    port = next((report.port for report in group.started.services if report.name == service.name), None)
    if port is not None:
        told[port_variable(service.name)] = str(port)
    shared = next(one.shared_env for one in group.services if one.name == service.name)
    return {name: service.env[name] for name in shared if name in service.env} | told


def _evaluated(
    service: Service, contexts: Mapping[str, Json], request: RunRequest, *, whose: str
) -> ServiceRequest:
    functions = known_hashes(request.file_hashes)

    def text(key: str, template: Template) -> str:
        with place(f"`{key}` of service '{service.name}'{whose}"):
            return to_text(render(template, contexts, functions=functions))

    def texts(key: str, templates: tuple[Template, ...] | None) -> tuple[str, ...] | None:
        return None if templates is None else tuple(text(key, template) for template in templates)

    def env_place(name: str) -> str:
        return f"{name} in `env` of service '{service.name}'{whose}"

    return ServiceRequest(
        name=service.name,
        image=text("image", service.image).strip(),
        env=evaluate_env(service.env, {}, contexts, functions, where=env_place),
        generated=service.generated,
        command=texts("command", service.command),
        entrypoint=texts("entrypoint", service.entrypoint),
        health_check=service.health_check,
        start_timeout=service.start_timeout,
        ports=service.ports,
        resources=service.resources,
        tmpfs=service.tmpfs,
        required=service.required,
        artifact=service.artifact,
        pull=service.pull,
    )
