"""One try of a container job with services: they are started, the job runs on their host, and they are always stopped.

All three belong together. Where the host is gone before anything of the job's container began, the whole is worth
starting again elsewhere.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from temporalio import workflow

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome
from orchestrator.contract.services import HOST_START_WAIT, ServicesStarted, ServicesStopped, StartServices
from orchestrator.interpreter import service_state
from orchestrator.interpreter.asks import together
from orchestrator.interpreter.background import shielded
from orchestrator.interpreter.dispatch import Dispatch
from orchestrator.interpreter.errands import Unanswered
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.nodes.tries import Ended
from orchestrator.interpreter.outcomes import failed, unknown
from orchestrator.interpreter.service_errands import (
    Whereabouts,
    left_over,
    not_started,
    start_errand,
    stop_errand,
)
from orchestrator.interpreter.service_requests import Group, own_scope, start_request
from orchestrator.interpreter.shared_services import SharedStart
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.plan.model import ContainerNode

RENEWED = "shared services that ended are started again"
"""Patch: where a job says that shared services have ended, all of them are started anew for the next try."""

SWEPT = "a job whose own services went before it began is tried again"
"""Patch: it is, with new ones, and none of its tries counts for that."""

RunJob = Callable[[list[Group]], Awaitable[JobOutcome | Unanswered]]
"""Runs the job's container beside services: its own first, then those that it shares. An error in an expression is an
outcome."""


async def run_with_services(
    node: ContainerNode, job: JobState, around: Surroundings, run: RunJob, *, number: int
) -> Ended:
    """One try.

    Raises:
        ExpressionError: of one of the services, the place in its message.
        asyncio.CancelledError: it was cancelled, and all that it started has been stopped.
    """
    start = start_request(
        own_scope(job, around.request, around.state, try_number=number),
        node.services,
        around.request,
        around.state,
        leaf=job,
        internal=node.network == "internal",
        job=together([node.resources]),
    )
    own = _Own(node, start, job, around)
    if not node.shared_services:
        return await own.around(run, shared=None)
    job.enter("running", f"waiting for the shared services {', '.join(node.shared_services)}")
    around.changed()
    async with around.shared.used_by(job) as shared:
        if shared.group is None:
            return Ended(_not_shared(shared), begun=False)
        ended = await own.around(run, shared=shared.group)
        if ended.gone:
            shared.lose()
        fallen = ended.outcome.fallen
        if fallen and workflow.patched(RENEWED):
            shared.fall(fallen)
            if ended.outcome.started_at is None:
                # Nothing of the job has begun: it is worth starting with the next ones.
                return Ended(ended.outcome, moved=True, begun=False)
        # Others may use them still, so that this job's next try waits for these: its own retries decide about that.
        return Ended(ended.outcome, gone=ended.gone, moved=ended.moved and not ended.gone, begun=ended.begun)


def _not_shared(shared: SharedStart) -> JobOutcome:
    reason = shared.failure
    if reason is None:
        return failed(FailureKind.LOST, "the host of the shared services is gone")
    return failed(reason.kind, reason.message)


class _Own:
    """The services of one try."""

    def __init__(
        self, node: ContainerNode, request: StartServices, job: JobState, surroundings: Surroundings
    ) -> None:
        self._node, self._request, self._job, self._surroundings = node, request, job, surroundings
        self._start: Dispatch[ServicesStarted] | None = None
        self._warnings: tuple[str, ...] = ()

    async def around(self, run: RunJob, *, shared: Group | None) -> Ended:
        """Start them, run the job, stop them. Raises asyncio.CancelledError once they have been stopped."""
        groups = [] if shared is None else [shared]
        if shared is not None:
            self._request = self._request.model_copy(update={"shared": shared.room})
        host = "" if shared is None else shared.started.host
        self._job.services = {}
        if not (self._request.services or self._request.internal):
            return self._ended(await run(groups), host)
        try:
            ended = await self._start_and_run(run, groups, host)
        except asyncio.CancelledError:
            await shielded(self._stop_in_vain())
            raise
        if ended.gone:
            # Nothing else of the job waits for a host that may never come back.
            self._surroundings.background.start(self._stop_in_vain())
            return ended
        return replace(ended, outcome=await shielded(self._stop_after(ended.outcome)))

    async def _start_and_run(self, run: RunJob, shared: list[Group], host: str) -> Ended:
        found = await self._started(host)
        if isinstance(found, Ended):
            return found
        return self._ended(await run([found, *shared]), found.started.host)

    def _ended(self, answer: JobOutcome | Unanswered, host: str) -> Ended:
        if isinstance(answer, JobOutcome):
            if answer.swept and workflow.patched(SWEPT):
                return Ended(answer, moved=True, begun=False)
            return Ended(answer)
        if not answer.gone or answer.begun:
            return Ended(unknown(answer), gone=answer.gone)
        names = service_state.names_of(self._request) if self._request.services else "the shared services"
        why = (
            f"host '{host}', which has {names}, did not take the job within {HOST_START_WAIT:.0f} s; nothing of the "
            "job had begun there"
        )
        return Ended(failed(FailureKind.LOST, why, host=host), gone=True, moved=True, begun=False)

    async def _started(self, host: str) -> Group | Ended:
        """Until they run, or will not; `host` is the only one that may have them, empty lets any."""
        job, around = self._job, self._surroundings
        job.services = service_state.starting(self._request)
        self._say("starting")
        await around.pacing.room_for(self._request)
        where = Whereabouts(around.request.task_queue, host)
        start = self._start = start_errand(self._request, where, cancelled=lambda: around.state.stopping(job))
        answer = await start.run()
        if isinstance(answer, Unanswered):
            job.services = service_state.abandoned(job.services)
            reason = not_started(answer)
            return Ended(
                failed(reason.kind, reason.message, host=start.host),
                gone=answer.gone,
                moved=answer.gone,
                begun=False,
            )
        start.host = answer.host
        job.services = service_state.started(job.services, answer)
        self._warnings = answer.warnings
        if answer.status == "cancelled" or around.state.stopping(job):
            raise asyncio.CancelledError
        if answer.reason is not None:
            if answer.reason.kind is FailureKind.CAPACITY:
                # Refused before anything was started: there is nothing to stop.
                start.begun = False
            return Ended(failed(answer.reason.kind, answer.reason.message, host=answer.host), begun=False)
        return Group(self._node.services, self._request, answer)

    async def _stop_after(self, outcome: JobOutcome) -> JobOutcome:
        """Stop them after the job, and say in its outcome what was found."""
        warnings = (*outcome.warnings, *self._warnings)
        answer = await self._stop(failed=outcome.status != "success")
        if isinstance(answer, ServicesStopped):
            known = "\n".join((str(outcome.reason), *warnings))
            found = (*service_state.deaths(answer, known=known), *answer.warnings)
        else:
            found = (answer,) if answer else ()
        return outcome.model_copy(update={"warnings": (*warnings, *found)})

    async def _stop_in_vain(self) -> None:
        """Stop them where there is no outcome that could say what was found."""
        answer = await self._stop(failed=True)
        found = answer.warnings if isinstance(answer, ServicesStopped) else (answer,) if answer else ()
        self._job.notices = (*self._job.notices, *self._warnings, *found)

    async def _stop(self, *, failed: bool) -> ServicesStopped | str | None:
        """Stop what may have been started; in words why that could not be; None where there is nothing."""
        start, job = self._start, self._job
        if start is None or not start.begun:
            return None
        if not job.settled:
            self._say("stopping")
        where = Whereabouts(self._surroundings.request.task_queue, start.host)
        errand = stop_errand(self._request, where, failed=failed)
        answer = await errand.run()
        if isinstance(answer, Unanswered):
            return left_over(answer, self._request, errand.host)
        if all(record.start == self._request.scope.number for record in job.services.values()):
            # Or the record tells of the next try's already.
            job.services = service_state.stopped(job.services, answer)
            job.service_logs = service_state.log_artifacts(answer)
        return answer

    def _say(self, what: str) -> None:
        self._job.enter("running", f"{what} {service_state.names_of(self._request)}")
        self._surroundings.changed()
