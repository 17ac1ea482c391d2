"""From a service's request to a container that can be created. Pure."""

from collections.abc import Mapping

from orchestrator.contract.messages import ServiceSecret
from orchestrator.contract.services import ServiceRequest, StartServices
from workers.engine.interface import ContainerSpec, PublishedPort
from workers.supervision.identity import Namespace
from workers.supervision.services.identity import container_labels, container_of, network_of


def secrets_of(request: StartServices, service: ServiceRequest) -> list[ServiceSecret]:
    """The values that the host makes up for a service."""
    network = network_of(request.scope)
    return [
        ServiceSecret(variable=variable, network=network, service=service.name)
        for variable in service.generated
    ]


def published(service: ServiceRequest) -> tuple[PublishedPort, ...]:
    """The ports that the host is to listen on for a service."""
    return tuple(
        PublishedPort(port.container, port.host, port.address, port.protocol)
        for port in service.ports
        if port.host is not None
    )


def service_spec(
    request: StartServices, service: ServiceRequest, made_up: Mapping[str, str], *, namespace: Namespace
) -> ContainerSpec:
    """The container of a service: as the spec writes it, with nothing of ours in its environment.

    Args:
        request: what all services of the scope have in common.
        service: which one.
        made_up: values for its environment that the host made up.
        namespace: Temporal's, for the labels.
    """
    return ContainerSpec(
        name=container_of(request.scope, service.name),
        image=service.image,
        entrypoint=service.entrypoint,
        command=service.command,
        env={**service.env, **made_up},
        labels=container_labels(request.scope, service.name, namespace=namespace, cleanup=request.cleanup),
        cpus=service.resources.cpus,
        memory=service.resources.memory,
        pids=service.resources.pids,
        network=network_of(request.scope),
        aliases=(service.name,),
        tmpfs=service.tmpfs,
        published=published(service),
        # Checked by us, at our pace, where it matters: twice the work else, for the whole length of the job.
        own_health_check=False,
        # Some images bring an init that insists on being process 1.
        init=False,
    )
