"""What expressions read of `services`: whether they can, and whether it is there. Pure."""

from collections.abc import Iterator
from typing import Final

from orchestrator.compile.draft import Draft
from orchestrator.compile.slips import Slip
from orchestrator.compile.templates import Place
from orchestrator.expressions import WILDCARD, Reference
from orchestrator.plan.service_env import host_variable, port_variable, told_variables
from orchestrator.plan.service_model import Service

SERVICE_KEYS: Final = ("host", "port", "ports")


def service_slips(draft: Draft, place: Place, reference: Reference) -> Iterator[Slip]:
    """What is wrong with a reference to `services` at `place`."""
    if not place.reads_services:
        yield Slip("E208", _not_here(place))
        return
    names = draft.services.of(place.job).names
    owner = place.owner
    if not names:
        message = (
            f"{owner} has no services, so it cannot read 'services'; add some, such as 'services: [redis:7]'"
        )
        yield Slip("E118", message)
        return
    name, key = (*reference.path[1:3], None, None)[:2]
    if name is None or name == WILDCARD:
        return
    if name.lower() not in names:
        message = f"an expression of {owner} reads service '{name}', which the job does not have"
        if name.lower() in draft.spec.services:
            message += f"; it is one of the workflow's: add '{name.lower()}' to the job's 'services'"
        yield Slip("E118", message, name, names)
    elif key not in (None, WILDCARD) and str(key).lower() not in SERVICE_KEYS:
        yield Slip("W104", f"a service has no '{key}'", str(key), SERVICE_KEYS)


def variables(draft: Draft, place: Place) -> dict[str, Service]:
    """The variables that the job of a place has there from its services, with the service of each."""
    if place.job is None or not place.reads_services:
        return {}
    return {name: one for one in draft.services.reachable(place.job) for name in told_variables(one)}


def not_in_expressions(variable: str, service: Service) -> str:
    """Why `env.NAME` gives nothing for a variable that a service brings, and what to write."""
    parts = {host_variable(service.name): "host", port_variable(service.name): "port"}
    if variable in parts:
        what = f"is set once service '{service.name}' runs"
        instead = f"expressions read it as 'services.{service.name}.{parts[variable]}'"
    else:
        made_up = variable in service.generated
        what = f"{'is made up for' if made_up else 'comes from'} service '{service.name}'"
        instead = "no expression can read it"
    return f"env '{variable}' {what}, and {instead}; commands have it as \"${variable}\""


def _not_here(place: Place) -> str:
    if place.job is None:
        return f"{place.owner} cannot read 'services': they belong to single jobs; read them in the 'env' of a job"
    if place.part in ("inputs", "when"):
        return f"{place.owner} cannot read 'services': only jobs that run in a container have some"
    if place.part == "service":
        return (
            f"the services of {place.owner} cannot read 'services': they start side by side, before their addresses "
            "are known; each finds the others under their names"
        )
    if place.part == "publish":
        return f"'publish' of {place.owner} cannot read 'services': it is asked when they have ended"
    when = {"strategy": "it says what the variants are", "image": "it is chosen"}.get(
        place.part, "it is asked"
    )
    return f"'{place.path[2]}' of {place.owner} cannot read 'services': {when} before they start"
