"""How the containers and the network of a scope are recognised: names, labels, folders in the store. Pure."""

from orchestrator import ids
from orchestrator.contract import names
from orchestrator.contract.services import ServiceScope
from orchestrator.plan.parts import CleanupPolicy
from workers.supervision.identity import Namespace


def network_of(scope: ServiceScope) -> str:
    """The name of the scope's network."""
    return ids.network_name(scope.run_id, scope.attempt, scope.job, scope.variant, scope.number)


def container_of(scope: ServiceScope, service: str) -> str:
    """The name of a service's container."""
    return ids.service_container_name(network_of(scope), service)


def folder_of(scope: ServiceScope) -> str:
    """The scope's folder in the store, ending in `/`."""
    return ids.services_prefix(scope.run_id, scope.attempt, scope.job, scope.variant, scope.number)


def prefix_of(scope: ServiceScope, service: str) -> str:
    """A service's folder in the store, ending in `/`."""
    return ids.service_prefix(scope.run_id, scope.attempt, scope.job, scope.variant, scope.number, service)


def scope_labels(scope: ServiceScope) -> dict[str, str]:
    """The labels that make a network or a container this scope's."""
    labels = {
        names.LABEL_MARK: "true",
        names.LABEL_RUN: scope.run_id,
        names.LABEL_ATTEMPT: str(scope.attempt),
        names.LABEL_TRY: str(scope.number),
        names.LABEL_PLAN: scope.plan_digest,
    }
    if scope.job:
        labels[names.LABEL_JOB] = scope.job
    if scope.variant is not None:
        labels[names.LABEL_VARIANT] = scope.variant
    return labels


def network_labels(scope: ServiceScope, *, namespace: Namespace, cleanup: CleanupPolicy) -> dict[str, str]:
    """The labels that the scope's network gets."""
    labels = scope_labels(scope) | namespace.labels
    if cleanup != "remove_on_completion":
        labels[names.LABEL_KEEP] = cleanup
    return labels


def container_labels(
    scope: ServiceScope, service: str, *, namespace: Namespace, cleanup: CleanupPolicy
) -> dict[str, str]:
    """The labels that a service's container gets."""
    return network_labels(scope, namespace=namespace, cleanup=cleanup) | {names.LABEL_SERVICE: service}


def foreign(scope: ServiceScope, service: str | None, found: dict[str, str]) -> str | None:
    """Why an object with the labels `found` is not this scope's, as a clause; None when it is.

    Args:
        scope: whose it should be.
        service: the service whose container it should be; None for the network.
        found: its labels.
    """
    wanted = scope_labels(scope) | ({names.LABEL_SERVICE: service} if service is not None else {})
    for label, value in wanted.items():
        if label not in found:
            return f"it has no label '{label}'"
        if found[label] != value:
            return f"its label '{label}' is '{found[label]}' and not '{value}'"
    return None
