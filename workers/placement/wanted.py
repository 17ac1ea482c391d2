"""From requests to what they ask of this host. Pure."""

from dataclasses import dataclass

from orchestrator import ids
from orchestrator.contract.capacity import SharedRoom
from orchestrator.contract.messages import NO_NETWORK, ContainerRequest
from orchestrator.contract.services import StartServices
from workers.placement.amounts import NOTHING, Amount
from workers.supervision.identity import name_of
from workers.supervision.services.identity import network_of


@dataclass(frozen=True)
class Wanted:
    """What one unit asks for."""

    key: str
    """Of its hold; all that asks under one key is one unit."""
    amount: Amount
    who: str
    """For people: `the job`, `the job and its services`."""
    lender: SharedRoom | None = None
    """What is set aside for the shared services that it uses, and for one that uses them."""
    reserve: Amount = NOTHING
    """Of shared services: how much of the amount is lent to one of the jobs that use them."""
    is_job: bool = True


def of_job(request: ContainerRequest, *, queued: bool) -> Wanted:
    """What a try asks for, of which its services are a part.

    Args:
        request: the try.
        queued: it came from the queue of all hosts, which takes no more jobs than there are places; others need a
            place of their own.
    """
    networks = [network for network in request.networks if network != NO_NETWORK]
    jobs = 0 if queued and not networks else 1
    own = own_network(request)
    if own is None:
        return Wanted(name_of(request), Amount.of(request.resources, jobs=jobs), "the job", request.shared)
    amount = Amount.of(request.resources, request.beside, jobs=jobs)
    return Wanted(own, amount, "the job and its services", request.shared)


def own_network(request: ContainerRequest) -> str | None:
    """The network of the job's own services, if it has one: they run, so that its unit has room already."""
    own = ids.network_name(request.run_id, request.attempt, request.job, request.variant, request.try_number)
    return own if own in request.networks else None


def of_services(request: StartServices) -> Wanted:
    """What services ask for together with their job; shared ones take no place: the jobs that use them do."""
    services = [service.resources for service in request.services]
    key = network_of(request.scope)
    if request.scope.job:
        amount = Amount.of(request.job, *services, jobs=1)
        who = "the job and its services together" if services else "the job"
        return Wanted(key, amount, who, request.shared)
    reserve = Amount.of(request.job)
    return Wanted(
        key,
        Amount.of(*services) + reserve,
        "the shared services and the largest of their jobs together",
        reserve=reserve,
        is_job=False,
    )


def of_lender(shared: SharedRoom) -> Wanted:
    """The hold of shared services, as a job that uses them knows it."""
    reserve = Amount.of(shared.reserve)
    amount = Amount.of(shared.services) + reserve
    return Wanted(shared.network, amount, "the shared services", reserve=reserve, is_job=False)
