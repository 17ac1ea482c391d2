"""What is asked of a host for one try of a container or a function, and what its answer means to the run."""

import asyncio
from dataclasses import replace

from temporalio import workflow

from orchestrator import ids
from orchestrator.contract.calls import REJOIN_WAIT, CallRequest
from orchestrator.contract.messages import ContainerRequest, JobOutcome
from orchestrator.contract.names import HOST_WAIT
from orchestrator.interpreter.dispatch import Dispatch
from orchestrator.interpreter.errands import PREPARATION, Errand, Sending, Unanswered
from orchestrator.interpreter.wishes import Wishes
from orchestrator.plan.parts import Frozen

LEFT_BEHIND = "cancelled on a host that is gone"
"""Patch: a job that was cancelled is cancelled, also where its host did not come back."""


async def run_try(
    request: ContainerRequest | CallRequest,
    *,
    task_queue: str,
    summary: str,
    wishes: Wishes,
    host: str = "",
    wait: float | None = None,
) -> JobOutcome | Unanswered:
    """Run one try to its outcome. Raises asyncio.CancelledError once a cancelled container or function has ended.

    Args:
        request: the try.
        task_queue: which all hosts serve.
        summary: what stands behind the job's name on its bar.
        wishes: whether it is still wanted, and where word of it goes once it is not.
        host: the only one that may have it; empty lets any.
        wait: seconds that this one may take to begin.
    """
    is_call = isinstance(request, CallRequest)

    def asked(sending: Sending) -> Frozen:
        # A call is sent on for what a host allows, which has nothing to do with room.
        update = {"previous": sending.previous} if is_call else sending.update
        if wishes.forced():
            update = {**update, "stop_grace": 0.0}
        return request.model_copy(update={**update, "cancelled": wishes.cancelled()})

    errand = Errand(
        # The activity's type is the job's name, so that the timeline in the Web UI reads as the run.
        activity=ids.variant_key(request.job, request.variant),
        key=ids.try_key(request.job, request.variant, request.try_number),
        request=asked,
        result_type=JobOutcome,
        summary=summary,
        limit=request.timeout + request.stop_grace + PREPARATION,
        subject="the container",
        retold=True,
    )
    if is_call:
        errand = replace(
            errand,
            subject="the function",
            taker="allows it",
            unplaced="no host that allows it took it",
            retold=False,
            adopted=False,
        )
    again_wait = REJOIN_WAIT if is_call else HOST_WAIT
    dispatch = Dispatch(errand, task_queue=task_queue, host=host, wait=wait, again_wait=again_wait)
    answer = await dispatch.run()
    if isinstance(answer, JobOutcome) and answer.status == "cancelled":
        # Told in the request and not by Temporal's own cancel, or with a warning: so it comes back as an outcome.
        if answer.warnings:
            wishes.warned(answer.warnings)
        raise asyncio.CancelledError
    if (
        isinstance(answer, Unanswered)
        and (answer.gone and answer.begun)
        and wishes.left is not None
        and wishes.cancelled()
        and workflow.patched(LEFT_BEHIND)
    ):
        # It is not wanted any more, so that it does not matter how it ended, but what is left there does.
        wishes.unheard(f"{answer.why}: {wishes.left(answer.host)}")
        raise asyncio.CancelledError
    return answer
