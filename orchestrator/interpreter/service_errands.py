"""Starting and stopping the services of one scope, as activities on the host that has them."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator import ids
from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.services import (
    HOST_START_WAIT,
    HOST_STOP_WAIT,
    START_SERVICES,
    STOP_GRACE,
    STOP_SERVICES,
    ServiceScope,
    ServicesStarted,
    ServicesStopped,
    StartServices,
)
from orchestrator.interpreter.details import cut_summary
from orchestrator.interpreter.dispatch import Dispatch
from orchestrator.interpreter.errands import PREPARATION, Errand, Unanswered
from orchestrator.interpreter.service_requests import stop_request
from orchestrator.interpreter.service_state import images_of


@dataclass(frozen=True)
class Whereabouts:
    """Where work goes."""

    task_queue: str
    """Which all hosts serve."""
    host: str = ""
    """The only one that may have it; empty lets any."""


def start_errand(
    request: StartServices, where: Whereabouts, *, cancelled: Callable[[], bool]
) -> Dispatch[ServicesStarted]:
    """The start of a scope's services. `cancelled` says whether they are still wanted (see `try_errands.run_try`)."""
    errand = Errand(
        activity=START_SERVICES,
        key=_key(START_SERVICES, request.scope),
        request=lambda sending: request.model_copy(update={**sending.update, "cancelled": cancelled()}),
        result_type=ServicesStarted,
        summary=_summary(request),
        limit=max((service.start_timeout for service in request.services), default=0.0) + PREPARATION,
        subject="the services",
    )
    # Nothing of the job has begun yet, so that it can start elsewhere where this host does not come back.
    return Dispatch(
        errand,
        task_queue=where.task_queue,
        host=where.host,
        wait=HOST_START_WAIT if where.host else None,
        again_wait=HOST_START_WAIT,
    )


def stop_errand(request: StartServices, where: Whereabouts, *, failed: bool) -> Dispatch[ServicesStopped]:
    """The end of the services that `request` asked for; `failed` says how the job beside them ended.

    Where nobody knows which host began to start them any host will do: the store knows.
    """
    stop = stop_request(request, failed=failed)
    errand = Errand(
        activity=STOP_SERVICES,
        key=_key(STOP_SERVICES, request.scope),
        request=lambda _: stop,
        result_type=ServicesStopped,
        summary=_summary(request),
        limit=STOP_GRACE + PREPARATION,
        subject="the services",
    )
    return Dispatch(
        errand,
        task_queue=where.task_queue,
        host=where.host,
        wait=HOST_STOP_WAIT if where.host else None,
        again_wait=HOST_STOP_WAIT,
    )


def not_started(answer: Unanswered) -> FailureReason:
    """Why there are no services, where no worker said."""
    if answer.fault:
        return FailureReason(kind=FailureKind.WORKER, message=answer.why)
    if answer.unplaced:
        return FailureReason(kind=FailureKind.CAPACITY, message=answer.why)
    message = f"whether the services started is not known: {answer.why}"
    return FailureReason(kind=FailureKind.LOST, message=message[:2000])


def left_over(answer: Unanswered, request: StartServices, host: str) -> str:
    """A warning for services that nobody stopped."""
    scope = request.scope
    network = ids.network_name(scope.run_id, scope.attempt, scope.job, scope.variant, scope.number)
    where = f"on host '{host}' " if host else ""
    return (
        f"the services could not be stopped: {answer.why}; what is left over {where}has names that begin with "
        f"'{network}': remove the containers with 'docker rm -fv', then 'docker network rm {network}'"
    )


def _key(what: str, scope: ServiceScope) -> str:
    """`start services: test (3.11) #2`; `start services` for those that jobs share."""
    if scope.job:
        return f"{what}: {ids.try_key(scope.job, scope.variant, scope.number)}"
    return what if scope.number == 1 else f"{what} #{scope.number}"


def _summary(request: StartServices) -> str:
    scope = request.scope
    whose = ids.try_key(scope.job, scope.variant, scope.number) if scope.job else "shared"
    return cut_summary(f"{whose} · {images_of(request)}")
