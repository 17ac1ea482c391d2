"""The container activity: one logical try, supervised under Temporal's heartbeats and cancellation.

What a job does wrong comes back as an outcome; it is raised as an ApplicationError that carries the outcome, so that
the Web UI shows the try as failed.
"""

import asyncio
import time
from collections.abc import Sequence

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError

from orchestrator import ids
from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.contract.names import DETACHED_ERROR
from workers.supervision.attempt import Elsewhere
from workers.supervision.container_try import Supervisor
from workers.supervision.control import Cause

SHORTEST_PAUSE = 1.5
"""Seconds between two heartbeats that are worth sending. A shorter job sends none: whose it is stands in the store."""


class ContainerActivities:
    """The activities of one worker. At most one of them looks after a container at a time."""

    def __init__(self, client: Client, supervisor: Supervisor) -> None:
        self._client = client
        self._supervisor = supervisor
        self._keepers: dict[str, _Keeper] = {}

    @activity.defn(dynamic=True)
    async def run(self, arguments: Sequence[RawValue]) -> JobOutcome:
        """Run one logical try, or take over the one that an earlier activity began.

        Dynamic, since the activity's type is the job's name. The one argument is a `ContainerRequest`.

        Raises:
            ApplicationError: the job failed, or was cancelled before this activity was sent out (the outcome is in the
                details), or the worker is stopping and has left the container running (type `detached`, the last
                heartbeat in the details).
            asyncio.CancelledError: the job was cancelled and the container has stopped.
        """
        payload = arguments[0].payload
        request = activity.payload_converter().from_payload(payload, ContainerRequest)
        name = ids.container_name(
            request.run_id, request.attempt, request.job, request.variant, request.try_number
        )
        earlier = self._keepers.get(name)
        if earlier is not None:
            # The server sent the try out again while this worker still had it: after an outage of the server.
            await earlier.let_go()
        keeper = self._keepers[name] = _Keeper(self._client, self._supervisor, request)
        try:
            outcome = await keeper.keep()
        finally:
            if self._keepers.get(name) is keeper:
                del self._keepers[name]
        if outcome.status == "success":
            return outcome
        details = activity.cancellation_details()
        if outcome.status == "cancelled" and details is not None and details.cancel_requested:
            raise asyncio.CancelledError
        reason = outcome.reason
        raise ApplicationError(
            str(reason),
            outcome,
            type=reason.kind.value if reason else "failed",
            non_retryable=True,
            # A job's failure is no fault of the worker: no stack in its log, no error in its metrics.
            category=ApplicationErrorCategory.BENIGN,
        )


class _Keeper:
    """Looks after one container for one activity."""

    def __init__(self, client: Client, supervisor: Supervisor, request: ContainerRequest) -> None:
        self._client = client
        self._supervisor = supervisor
        self._request = request
        self._beat = Heartbeat(host=supervisor.host)
        self._info = activity.info()
        self._trying: asyncio.Task[JobOutcome] | None = None
        self._cause: Cause = "detach"
        self._said = time.monotonic()
        self._gone = asyncio.Event()

    async def keep(self) -> JobOutcome:
        self._note(self._beat)
        self._trying = asyncio.create_task(
            self._supervisor.run_try(
                self._request, self._note, lambda: self._cause, previous=self._request.previous
            )
        )
        stopping = asyncio.create_task(activity.wait_for_worker_shutdown())
        try:
            try:
                await asyncio.wait({self._trying, stopping}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                self._cause = await asyncio.shield(self._why())
            return await self._end(self._trying)
        finally:
            stopping.cancel()
            self._gone.set()

    async def let_go(self) -> None:
        """Leave the container to another keeper, and return when it is free."""
        if self._trying is not None:
            self._cause = "detach"
            self._trying.cancel()
        await self._gone.wait()

    async def _end(self, trying: asyncio.Task[JobOutcome]) -> JobOutcome:
        """The try's outcome; a try that is still going is stopped or left, by cause."""
        if not trying.done():
            trying.cancel()
        while not trying.done():
            try:
                await asyncio.wait({trying})
            except asyncio.CancelledError:
                # Cancelled once more while the container stops: the clean-up goes to its end all the same.
                continue
        if trying.cancelled():
            raise _given_back("the worker was stopped and left the container running", self._beat)
        try:
            return trying.result()
        except Elsewhere as error:
            raise _given_back(str(error), Heartbeat(host=error.host)) from error

    async def _why(self) -> Cause:
        """Whether the activity's cancellation means to stop the container or to leave it to someone else."""
        details = activity.cancellation_details()
        if details is None or details.worker_shutdown:
            return "detach"
        if details.cancel_requested:
            return "cancel"
        # The server no longer knows this activity: it timed out during an outage and was sent out again, or the whole
        # run was ended from outside. Only in the second case does nobody want the container any more.
        try:
            handle = self._client.get_workflow_handle(
                self._info.workflow_id or "", run_id=self._info.workflow_run_id
            )
            found = await handle.describe()
        except RPCError:
            return "detach"
        return "detach" if found.status is WorkflowExecutionStatus.RUNNING else "cancel"

    def _note(self, beat: Heartbeat) -> None:
        """Take down how the try stands, and tell the server where it is time: each call costs a processor something.

        The supervisor beats again before long, so that what is not said now is said then.
        """
        self._beat = beat
        now = time.monotonic()
        if now - self._said >= SHORTEST_PAUSE:
            self._said = now
            activity.heartbeat(beat)


def _given_back(message: str, beat: Heartbeat) -> ApplicationError:
    """The error that makes the interpreter send the try to the host that `beat` names."""
    return ApplicationError(
        message, beat, type=DETACHED_ERROR, non_retryable=True, category=ApplicationErrorCategory.BENIGN
    )
