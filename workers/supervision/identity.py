"""How a try's container is recognised: its name, its labels, its folder in the store. Pure."""

from orchestrator.contract import names
from orchestrator.contract.messages import ContainerRequest
from orchestrator.ids import container_name, try_prefix


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


def all_labels(request: ContainerRequest, *, namespace: str) -> dict[str, str]:
    """The labels that a container of this try gets."""
    labels = identity_labels(request) | {names.LABEL_NAMESPACE: namespace}
    if request.cleanup != "remove_on_completion":
        labels[names.LABEL_KEEP] = request.cleanup
    return labels
