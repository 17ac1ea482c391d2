"""The way into this room: makes calls, and keeps those that are under way.

A function cannot be adopted by another process. So a call that an activity gave up goes on here, and the next activity
for it joins it; where the worker died meanwhile, the try is lost, and the job's own `retry` decides about another.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, Final

from orchestrator.contract.calls import HTTP, CallRequest
from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import Heartbeat, JobOutcome
from orchestrator.contract.names import HEARTBEAT_INTERVAL, host_of
from orchestrator.handlers import Context
from orchestrator.store.logs import LogWriter, timestamp_now
from orchestrator.store.store import Store
from workers.calling.arguments import bound
from workers.calling.ending import End
from workers.calling.faults import CallFault
from workers.calling.http.call import call_http
from workers.calling.loading import load
from workers.calling.record import Record, name_of, prefix_of
from workers.calling.running import Running
from workers.calling.voice import Voice
from workers.settings import Calls
from workers.supervision.attempt import Elsewhere
from workers.supervision.control import Cause, Control
from workers.supervision.pulse import Pulse

log = logging.getLogger("orca.calling")

KILLED_GRACE: Final = 1.0
"""Seconds at most that a function has to end where its run is cancelled by force."""
LEAVING_GRACE: Final = 15.0
"""Seconds at most that a stopping worker lets a function go on, and then waits for it to heed that it is cancelled."""


class Caller:
    """Makes calls for one worker.

    Args:
        store: where logs and outcomes go.
        name: this worker's as a caller, the same after a restart; or that of its host alone.
        calls: what may be called.
    """

    def __init__(self, *, store: Store, name: str, calls: Calls) -> None:
        self._store = store
        self.name = name
        self.host = host_of(name)
        self.calls = calls
        self._under_way: dict[str, _Call] = {}

    async def run(
        self,
        request: CallRequest,
        beat: Callable[[Heartbeat], None],
        cancel_cause: Callable[[], Cause],
        *,
        leaving: Callable[[], bool] = lambda: False,
        refused: str | None = None,
    ) -> JobOutcome:
        """Make one call, or join the one that an earlier activity began.

        What goes wrong in the function is a value: an outcome with a reason.

        Args:
            request: the call.
            beat: gets a sign of life every few seconds; may not block.
            cancel_cause: asked when this task is cancelled. `cancel`: the function is told to end, and left behind
                where it does not within its grace. `kill`: it has no grace. `detach`: see `leaving`.
            leaving: whether the worker ends. Then a function may come to its end for a while, and is lost otherwise;
                else it goes on without this activity.
            refused: why it is not to be made at all; it fails with that.

        Raises:
            asyncio.CancelledError: the cause was `detach`, and the function goes on.
            Elsewhere: another caller has the call.
        """
        name = name_of(request)
        call = self._under_way.get(name)
        if call is None:
            record = Record(self._store, self.name, request)
            call = self._under_way[name] = _Call(request, record, self, refused=refused)
            call.task.add_done_callback(lambda _: self._under_way.pop(name, None))
        elif request.cancelled:
            call.control.stop("cancel")
        pulse = Pulse(beat, self.name, interval=HEARTBEAT_INTERVAL)
        pulse.enter("running")
        call.beat = partial(pulse.enter, "running")
        beating = asyncio.create_task(pulse.run())
        try:
            while not call.task.done():
                try:
                    await asyncio.wait({call.task})
                except asyncio.CancelledError:
                    cause = cancel_cause()
                    if cause == "detach" and not leaving():
                        raise
                    call.control.stop(cause)
            return call.task.result()
        finally:
            beating.cancel()

    async def knows(self, request: CallRequest) -> bool:
        """Whether the call is under way here, or some caller has or had it."""
        if name_of(request) in self._under_way:
            return True
        return await Record(self._store, self.name, request).holder() is not None

    def writer(self, request: CallRequest) -> LogWriter:
        """For the log of a try."""
        return LogWriter(self._store, prefix_of(request))

    def work(self, request: CallRequest, context: Context) -> Callable[[], Any]:
        """What is to be done in the call's own thread. Its errors are the call's."""
        if request.function == HTTP:
            return lambda: call_http(context, request.arguments, self.calls.hosts)

        def load_and_call() -> Any:
            function = load(request.function, self.calls)
            positional, named = bound(function, request.arguments, context)
            return function(*positional, **named)

        return load_and_call


class _Call:
    """One call from its claim to its record, independent of the activities that wait for it.

    Attributes:
        task: ends with the outcome.
        control: by which it is told to end.
        beat: gives a sign of life to whoever waits now.
    """

    def __init__(self, request: CallRequest, record: Record, caller: Caller, *, refused: str | None) -> None:
        self._request = request
        self._refused = refused
        self._record = record
        self._caller = caller
        self.control = Control()
        self.beat: Callable[[], None] = lambda: None
        if request.cancelled:
            self.control.stop("cancel")
        self.task = asyncio.create_task(self._conduct())

    async def _conduct(self) -> JobOutcome:
        recorded = await self._record.read()
        if recorded is not None:
            return recorded
        if self.control.cause is not None:
            holder = await self._record.holder()
            if holder is not None and self._may_live(holder):
                raise Elsewhere(holder)
            # Nobody had it yet, or the worker that did is gone: there is nothing that could be stopped.
            return _ended(FailureKind.CANCELLED, "the run was cancelled", host=self._caller.host)
        holder = await self._record.claim()
        if holder is not None and self._may_live(holder):
            raise Elsewhere(holder)
        writer = self._caller.writer(self._request)
        if holder is not None:
            host = host_of(holder)
            why = (
                f"the worker on host '{host}' ended while it had the call, and a function cannot be taken over; it "
                "may have done its work. `retry` with `on: [lost]` calls it again"
            )
            return await self._record.write(_ended(FailureKind.LOST, why, host=host), writer)
        return await self._call(writer)

    def _may_live(self, holder: str) -> bool:
        """Whether that one is to be asked: not this worker itself, nor one that the run has asked in vain."""
        previous = self._request.previous
        return holder != self._caller.name and (previous is None or holder != previous.host)

    def _work(self, context: Context) -> Callable[[], Any]:
        if (why := self._refused) is None:
            return self._caller.work(self._request, context)

        def refuse() -> None:
            raise CallFault(why)

        return refuse

    async def _call(self, writer: LogWriter) -> JobOutcome:
        voice = Voice(writer)
        cancelled = threading.Event()
        context = self._context(voice, cancelled)
        started = timestamp_now()
        try:
            running = Running(
                self._work(context),
                name=f"call {self._request.job}",
                voice=voice,
                cancelled=cancelled,
            )
            outcome = await self._outcome(running, voice)
            if outcome.reason is not None:
                voice.tell(f"orca: {outcome.reason}")
            for warning in outcome.warnings:
                voice.tell(f"orca: warning: {warning}")
        finally:
            # Whoever still waits for room in it is let go.
            await voice.close()
        outcome = outcome.model_copy(
            update={"started_at": started, "finished_at": timestamp_now(), "host": self._caller.host}
        )
        return await self._record.write(outcome, writer)

    async def _outcome(self, running: Running, voice: Voice) -> JobOutcome:
        """Wait for the function's end, which may be of our making."""
        timeout, grace = self._request.timeout, self._request.stop_grace
        if await self.control.until(running.ended, timeout=timeout):
            return _told(running.ended.result(), voice)
        if self.control.cause == "detach":
            grace = min(grace, LEAVING_GRACE)
            await asyncio.wait({running.ended}, timeout=grace)
            if running.ended.done():
                return _told(running.ended.result(), voice)
        reason = self._reason(timeout)
        running.stop()
        await self.control.grace(running.ended, grace)
        if self.control.hurried and not running.ended.done():
            # A thread cannot be killed: it gets the moment that it takes to heed that it is cancelled.
            most = LEAVING_GRACE / 2 if self.control.cause == "detach" else KILLED_GRACE
            grace = min(grace, most)
            await asyncio.wait({running.ended}, timeout=grace)
        outcome = JobOutcome(
            status="cancelled" if reason.kind is FailureKind.CANCELLED else "failed", reason=reason
        )
        if running.ended.done():
            return outcome
        left = (
            f"the function did not end within its grace of {grace:g} s and still runs in the worker on host "
            f"'{self._caller.host}', until it ends by itself or the worker does"
        )
        log.warning("%s: %s", self._request.function, left)
        return outcome.model_copy(update={"warnings": (left,)})

    def _reason(self, timeout: float) -> FailureReason:
        match self.control.cause:
            case "cancel" | "kill":
                return FailureReason(kind=FailureKind.CANCELLED, message="the run was cancelled")
            case "detach":
                message = (
                    "the worker was stopped while the function ran, and a function cannot be taken over; `retry` with "
                    "`on: [lost]` calls it again"
                )
                return FailureReason(kind=FailureKind.LOST, message=message)
            case None:
                message = f"the function took longer than its timeout of {timeout:g} s"
                return FailureReason(kind=FailureKind.TIMEOUT, message=message)

    def _beat(self) -> None:
        self.beat()

    def _context(self, voice: Voice, cancelled: threading.Event) -> Context:
        # Not the function's own context, in which whatever speaks on the loop would speak for the function.
        request, loop, silent = self._request, asyncio.get_running_loop(), copy_context()

        def beat() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._beat, context=silent)

        return Context(
            run_id=request.run_id,
            attempt=request.attempt,
            spec=request.spec,
            job=request.job,
            variant=request.variant,
            try_number=request.try_number,
            params=request.params,
            outputs=request.outputs,
            vars=request.vars,
            cancelled=cancelled,
            say=voice.say,
            beat=beat,
        )


def _told(end: End, voice: Voice) -> JobOutcome:
    """The outcome; what tells of it goes to the log."""
    for text in end.told:
        voice.tell(text)
    return end.outcome


def _ended(kind: FailureKind, message: str, *, host: str) -> JobOutcome:
    status = "cancelled" if kind is FailureKind.CANCELLED else "failed"
    return JobOutcome(status=status, reason=FailureReason(kind=kind, message=message), host=host)
