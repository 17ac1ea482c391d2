"""How a try's container is recognised: its name, its labels, its folder in the store. Pure."""

from dataclasses import dataclass

from orchestrator.contract import names
from orchestrator.contract.messages import ContainerRequest
from orchestrator.ids import container_name, try_prefix


@dataclass(frozen=True)
class Namespace:
    """The namespace that a worker serves."""

    name: str = "default"
    id: str = ""
    """The server's own id of it; empty where the server does not tell."""

    @property
    def labels(self) -> dict[str, str]:
        """What says on every object whose runs it is of. Servers are told apart by the id alone."""
        own = {names.LABEL_NAMESPACE: self.name}
        return own | {names.LABEL_NAMESPACE_ID: self.id} if self.id else own


def name_of(request: ContainerRequest) -> str:
    """The container's name."""
    return container_name(request.run_id, request.attempt, request.job, request.variant, request.try_number)


def prefix_of(request: ContainerRequest) -> str:
    """The try's folder in the store, ending in `/`."""
    return try_prefix(request.run_id, request.attempt, request.job, request.variant, request.try_number)


def identity_labels(request: ContainerRequest) -> dict[str, str]:
    """The labels that make a container this try's."""
    labels = {
        names.LABEL_MARK: "true",
        names.LABEL_RUN: request.run_id,
        names.LABEL_ATTEMPT: str(request.attempt),
        names.LABEL_JOB: request.job,
        names.LABEL_TRY: str(request.try_number),
        names.LABEL_PLAN: request.plan_digest,
    }
    if request.variant is not None:
        labels[names.LABEL_VARIANT] = request.variant
    return labels


def all_labels(request: ContainerRequest, *, namespace: Namespace) -> dict[str, str]:
    """The labels that a container of this try gets."""
    labels = identity_labels(request) | namespace.labels
    if request.cleanup != "remove_on_completion":
        labels[names.LABEL_KEEP] = request.cleanup
    return labels
