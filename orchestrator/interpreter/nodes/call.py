"""A job that calls a function: what one try of it is."""

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.arguments import call_request
from orchestrator.interpreter.details import summary_of
from orchestrator.interpreter.errands import Unanswered
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.nodes.tries import Ended, run_tries
from orchestrator.interpreter.outcomes import failed, unknown
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.interpreter.try_errands import run_try
from orchestrator.interpreter.wishes import wishes_of
from orchestrator.plan.model import CallNode


async def run_call(node: CallNode, job: JobState, around: Surroundings) -> JobOutcome:
    """Run `job`, the node's own state or that of a variant, to its last outcome.

    Raises asyncio.CancelledError where it was cancelled.
    """

    async def one_try(number: int) -> Ended:
        outcome = await _dispatch(node, job, around, number=number)
        return Ended(complete_outputs(job, outcome, around.request, around.state))

    return await run_tries(node, job, around, one_try)


async def _dispatch(node: CallNode, job: JobState, around: Surroundings, *, number: int) -> JobOutcome:
    try:
        request = call_request(node, job, around.request, around.state, try_number=number)
    except ExpressionError as error:
        return failed(FailureKind.EXPRESSION, str(error))
    await around.pacing.room_for(request)
    job.enter("running")
    around.changed()
    answer = await run_try(
        request,
        task_queue=around.request.task_queue,
        summary=summary_of(node, image=node.function, try_number=number, moves=job.uncharged),
        wishes=wishes_of(job, around.state),
    )
    return unknown(answer) if isinstance(answer, Unanswered) else answer
