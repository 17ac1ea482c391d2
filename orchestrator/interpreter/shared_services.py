"""The services that several jobs of a run share: started before the first of these, stopped after the last.

They are started once. Where their host is lost, where they could not be started, or where one of them has ended since,
a later try of a job starts them anew as soon as no job uses the old ones; each start is a scope of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from temporalio import workflow

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import FallenService, RunRequest
from orchestrator.contract.services import MAX_MOVES, ServicesStarted, StartServices
from orchestrator.errors import ExpressionError
from orchestrator.interpreter import service_state
from orchestrator.interpreter.asks import largest
from orchestrator.interpreter.background import Background
from orchestrator.interpreter.errands import Unanswered
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.renewals import Renewals
from orchestrator.interpreter.service_errands import (
    Whereabouts,
    left_over,
    not_started,
    start_errand,
    stop_errand,
)
from orchestrator.interpreter.service_requests import Group, shared_scope, start_request
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import ContainerNode, Node


def shared_by(node: Node) -> tuple[str, ...]:
    """Names of the plan's own services that a job uses."""
    return node.shared_services if isinstance(node, ContainerNode) else ()


class SharedStart:
    """One start of them.

    Attributes:
        number: which, from 1.
        group: they run; None as long as they do not, or where they could not be started.
        failure: why they could not be started.
        lost: their host is gone.
        fallen: those that jobs found to have ended.
        stopped: they have been stopped, or were left to a host that is gone.
        users: jobs that use them now.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.group: Group | None = None
        self.failure: FailureReason | None = None
        self.lost = False
        self.fallen: tuple[FallenService, ...] = ()
        self.stopped = False
        self.users = 0

    @property
    def decided(self) -> bool:
        """Whether it is known that they run, or that they will not."""
        return self.group is not None or self.failure is not None or self.lost

    def lose(self) -> None:
        """Take down that their host is gone, so that the next try starts them anew."""
        self.lost = True

    def fall(self, fallen: Sequence[FallenService]) -> None:
        """Take down that some have ended, so that the next try starts all anew. The first to see it says why."""
        self.fallen = self.fallen or tuple(fallen)

    @property
    def given_up(self) -> bool:
        """Whether no other try begins with them."""
        return self.lost or bool(self.fallen)


class SharedServices:
    """The shared services of one run."""

    def __init__(
        self, request: RunRequest, state: RunState, background: Background, changed: Callable[[], None]
    ) -> None:
        self._request, self._state = request, state
        self._background, self._changed = background, changed
        users = [
            node for node in state.plan.jobs.values() if isinstance(node, ContainerNode) and shared_by(node)
        ]
        named = {name for node in users for name in shared_by(node)}
        self._services = tuple(service for service in state.plan.services if service.name in named)
        self._largest = largest(users)
        self._waiting = len(users)
        self._moves = 0
        self._renewals = Renewals()
        self._current: SharedStart | None = None

    @asynccontextmanager
    async def used_by(self, job: JobState) -> AsyncGenerator[SharedStart]:
        """Have them for one try of a job, which looks at what it gets: they may not run. Starts them where need be."""
        current = await self._usable(job)
        current.users += 1
        try:
            yield current
        finally:
            current.users -= 1

    def settled(self, job: JobState) -> None:
        """Take down that a job has ended: after the last that names them they are stopped."""
        self._waiting -= bool(shared_by(job.node))

    @property
    def _unwanted(self) -> bool:
        return self._waiting == 0

    async def _usable(self, job: JobState) -> SharedStart:
        while True:
            current = self._current
            if current is None:
                current = self._begin(1)
            elif current.given_up or (current.failure is not None and job.shared_start >= current.number):
                await self._until_free(current)
                if self._current is current:
                    self._renewals = self._renewals.after(current.fallen)
                    self._begin(current.number + 1, again=current.fallen)
                continue
            await workflow.wait_condition(_decided(current))
            if not current.given_up:
                job.shared_start = current.number
                return current

    async def _until_free(self, old: SharedStart) -> None:
        """Return when another start may begin: one that is not lost has to have given its ports back."""
        await workflow.wait_condition(
            lambda: self._current is not old or (old.users == 0 and (old.lost or old.stopped))
        )

    def _begin(self, number: int, *, again: Sequence[FallenService] = ()) -> SharedStart:
        current = self._current = SharedStart(number)
        try:
            request = start_request(
                shared_scope(self._request, self._state, number=number),
                self._services,
                self._request,
                self._state,
                job=self._largest,
            )
        except ExpressionError as error:
            current.failure = FailureReason(kind=FailureKind.EXPRESSION, message=str(error)[:2000])
            current.stopped = True
            return current
        self._state.services = service_state.starting(request, again=again, last=not self._renewals.left)
        self._background.start(self._live(current, request))
        return current

    async def _live(self, current: SharedStart, request: StartServices) -> None:
        """One start from its beginning to its end."""
        dispatch = start_errand(
            request, Whereabouts(self._request.task_queue), cancelled=lambda: self._unwanted
        )
        starting = asyncio.create_task(dispatch.run())
        await workflow.wait_condition(lambda: starting.done() or self._unwanted)
        if not starting.done():
            starting.cancel()
        try:
            self._take(current, request, await starting)
        except asyncio.CancelledError:
            current.failure = FailureReason(kind=FailureKind.CANCELLED, message="nobody wants them any more")
        self._changed()
        if current.group is not None:
            await workflow.wait_condition(
                lambda: self._unwanted or current.lost or bool(current.fallen and not current.users)
            )
        refused = current.failure is not None and current.failure.kind is FailureKind.CAPACITY
        if dispatch.begun and not refused:
            await self._stop(current, request, dispatch.host)
        current.stopped = True

    def _take(
        self, current: SharedStart, request: StartServices, answer: ServicesStarted | Unanswered
    ) -> None:
        """What became of the start."""
        if isinstance(answer, Unanswered):
            self._state.services = service_state.abandoned(self._state.services)
            if answer.gone and self._moves < MAX_MOVES:
                # Nothing of any job had begun: whoever waits for them starts them elsewhere.
                self._moves += 1
                current.lost = True
            else:
                current.failure = not_started(answer)
            return
        self._state.services = service_state.started(self._state.services, answer)
        if answer.status == "success":
            current.group = Group(self._services, request, answer, renewable=self._renewals.left)
        else:
            current.failure = answer.reason

    async def _stop(self, current: SharedStart, request: StartServices, host: str) -> None:
        failed = any(job.status == "failed" for job in self._state.jobs.values() if shared_by(job.node))
        errand = stop_errand(
            request, Whereabouts(self._request.task_queue, host), failed=failed or current.failure is not None
        )
        answer = await errand.run()
        if self._current is not current:
            # The record already tells of the next ones.
            return
        if isinstance(answer, Unanswered):
            warning = left_over(answer, request, errand.host)
            self._state.services = service_state.noted(self._state.services, warning)
        else:
            self._state.services = service_state.stopped_shared(self._state.services, answer)
        self._changed()


def _decided(current: SharedStart) -> Callable[[], bool]:
    return lambda: current.decided
