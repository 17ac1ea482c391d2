"""What the parts of a run ask of a host, from the plan's `resources`. Pure."""

from collections.abc import Iterable

from orchestrator.contract.capacity import Ask, SharedRoom
from orchestrator.contract.services import ServicesStarted, StartServices
from orchestrator.plan.model import ContainerNode
from orchestrator.plan.parts import Resources


def together(resources: Iterable[Resources]) -> Ask:
    """All of them at the same time; a limit that one does not set counts nothing."""
    found = list(resources)
    return Ask(
        # As fine as the engine counts, so that ten tenths are one.
        cpus=round(sum(one.cpus or 0.0 for one in found), 9),
        memory=sum(one.memory or 0 for one in found),
    )


def largest(nodes: Iterable[ContainerNode]) -> Ask:
    """As much as any of these jobs asks for, its own services included."""
    asks = [together([node.resources, *(service.resources for service in node.services)]) for node in nodes]
    return Ask(
        cpus=max((ask.cpus for ask in asks), default=0.0), memory=max((ask.memory for ask in asks), default=0)
    )


def shared_room(start: StartServices, started: ServicesStarted) -> SharedRoom | None:
    """What is set aside for shared services that run; None where they and their jobs ask for nothing."""
    services = together(service.resources for service in start.services)
    if services == Ask() and start.job == Ask():
        return None
    return SharedRoom(network=started.network, services=services, reserve=start.job)
