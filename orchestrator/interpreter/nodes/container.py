"""A container job: what one try of it is."""

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome
from orchestrator.contract.services import HOST_START_WAIT
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.details import summary_of
from orchestrator.interpreter.errands import Unanswered
from orchestrator.interpreter.fingerprints import fingerprint
from orchestrator.interpreter.images import with_services_images
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.nodes.tries import Ended, run_tries
from orchestrator.interpreter.nodes.with_services import run_with_services
from orchestrator.interpreter.outcomes import failed, unknown
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.requests import container_request
from orchestrator.interpreter.service_requests import Group, addresses, beside
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.interpreter.try_errands import run_try
from orchestrator.interpreter.wishes import wishes_of
from orchestrator.plan.model import ContainerNode


async def run_container(node: ContainerNode, job: JobState, around: Surroundings) -> JobOutcome:
    """Run `job`, the node's own state or that of a variant, to its last outcome.

    Raises asyncio.CancelledError where it was cancelled.
    """
    return await run_tries(node, job, around, lambda number: _dispatch(node, job, around, number=number))


async def _dispatch(node: ContainerNode, job: JobState, around: Surroundings, *, number: int) -> Ended:
    async def run(groups: list[Group]) -> JobOutcome | Unanswered:
        return await _run_container(node, job, around, groups, number=number)

    if node.services or node.shared_services or node.network == "internal":
        try:
            ended = await run_with_services(node, job, around, run, number=number)
        except ExpressionError as error:
            return Ended(failed(FailureKind.EXPRESSION, str(error)))
    else:
        answer = await run([])
        ended = Ended(unknown(answer) if isinstance(answer, Unanswered) else answer)
    return Ended(
        complete_outputs(job, ended.outcome, around.request, around.state),
        gone=ended.gone,
        moved=ended.moved,
        begun=ended.begun,
    )


async def _run_container(
    node: ContainerNode, job: JobState, around: Surroundings, groups: list[Group], *, number: int
) -> JobOutcome | Unanswered:
    """One try's container, beside the services of `groups`: on their host, in their networks."""
    job.addresses = addresses(groups)
    try:
        request = container_request(node, job, around.request, around.state, try_number=number)
    except ExpressionError as error:
        return failed(FailureKind.EXPRESSION, str(error))
    if groups:
        if job.fingerprint and fingerprint(job, around.request, around.state) != job.fingerprint:
            # Variables changed while its services started: it runs with values of two moments.
            job.fingerprint = ""
        request = beside(request, groups)
    await around.pacing.room_for(request)
    job.enter("running")
    around.changed()
    answer = await run_try(
        request,
        task_queue=around.request.task_queue,
        summary=summary_of(node, image=request.image, try_number=number, moves=job.uncharged),
        wishes=wishes_of(job, around.state),
        host=groups[0].started.host if groups else "",
        wait=HOST_START_WAIT if groups else None,
    )
    return with_services_images(answer, groups) if isinstance(answer, JobOutcome) else answer
