"""The workflow: asks the scheduler what may go, starts it, waits for the next event, until all is done.

It holds no rules of its own: which jobs go is `scheduler`, what a job does is `nodes/`, what people see is `details`,
what they say is `people`.
An error of the interpreter itself fails the workflow task, not the run: Temporal tries the task again, and after a
fixed version is rolled out the run goes on.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import assert_never

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey, SearchAttributeUpdate
from temporalio.exceptions import ApplicationError

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome, RunRecord, RunRequest
from orchestrator.contract.names import (
    MEMO_RECORD,
    QUERY_GATE,
    QUERY_RECORD,
    REFUSED_ERROR,
    SEARCH_STATE,
    UPDATE_ANSWER,
    UPDATE_CANCEL,
    UPDATE_PAUSE,
    UPDATE_REPAIR,
    WORKFLOW_TYPE,
)
from orchestrator.contract.people import Answer, AnswerReply, Cancel, GateRecord, Pause, Repair, Reply
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.background import Background
from orchestrator.interpreter.cancelling import Cancelling, Waits
from orchestrator.interpreter.details import table_of
from orchestrator.interpreter.holding import kept
from orchestrator.interpreter.job_state import Ending, ending_of
from orchestrator.interpreter.nodes.leaf import run_leaf
from orchestrator.interpreter.nodes.variants import run_variants
from orchestrator.interpreter.open_gates import OpenGates
from orchestrator.interpreter.outcomes import failed
from orchestrator.interpreter.pacing import Pacing
from orchestrator.interpreter.pausing import Pausing
from orchestrator.interpreter.people import People
from orchestrator.interpreter.reminders import Reminders
from orchestrator.interpreter.repairs import Repairs
from orchestrator.interpreter.requests import admit, evaluate_outputs
from orchestrator.interpreter.scheduler import Omit, Ready, Scheduler, Skip
from orchestrator.interpreter.shared_services import SharedServices
from orchestrator.interpreter.state import MAX_FINAL_OUTPUT_BYTES, Level, RunState
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.interpreter.telling import size_of
from orchestrator.interpreter.variables import publishing, set_first_values
from orchestrator.plan.model import Node

_STATE = SearchAttributeKey.for_keyword(SEARCH_STATE)
TIMED_DRAIN = "the timeout of a run that drains"
"""Patch: it counts."""


@workflow.defn(name=WORKFLOW_TYPE)
class RunWorkflow:
    """One attempt of a run."""

    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        self._request = request
        self._state = RunState(request.plan, request.run_id, request.attempt, request.created_at)
        self._state.dry_run, self._state.reuse = request.mocks is not None, request.reuse
        self._scheduler = Scheduler(self._state)
        self._background = Background(self._background_ended)
        self._shared = SharedServices(request, self._state, self._background, self._changed)
        self._pausing = Pausing(self._state, self._changed)
        gates = OpenGates(self._state, request.submitted_by, self._changed)
        self._repairs = Repairs(self._state, self._changed)
        self._reminders = Reminders(
            self._state,
            run=lambda job: self._admit_and_carry_out(job.node),
            settle=self._settle,
            changed=self._changed,
            fault=self._background_ended,
        )
        self._tasks: dict[str, asyncio.Task[Ending]] = {}
        self._cancelling = Cancelling(
            self._state,
            self._scheduler,
            self._tasks,
            Waits(self._pausing, self._reminders, self._repairs),
            background=self._background,
            settle=self._settle,
            changed=self._changed,
        )
        self._people = People(self._state, gates, self._repairs, self._pausing, self._cancelling)
        self._around = Surroundings(
            request,
            self._state,
            Pacing(request.plan.max_parallel),
            self._shared,
            self._background,
            self._pausing,
            self._repairs,
            gates,
            self._cancelling,
            self._reminders.send,
            self._changed,
        )
        self._events = 0
        self._fault: BaseException | None = None

    @workflow.query(name=QUERY_RECORD)
    def record(self) -> RunRecord:
        """The run's whole state."""
        return self._state.record()

    @workflow.query(name=QUERY_GATE)
    def gate(self, name: str) -> GateRecord | None:
        """The whole of one gate, by its full name; None where it has not opened."""
        return self._people.gate(name)

    @workflow.update(name=UPDATE_ANSWER)
    def answer(self, answer: Answer) -> AnswerReply:
        """Answer a gate. Refused, with the reason, where the answer does not count."""
        return self._people.answer(answer)

    @answer.validator
    def _check_answer(self, answer: Answer) -> None:
        _refuse(self._people.answer_problem(answer))

    @workflow.update(name=UPDATE_REPAIR)
    def repair(self, repair: Repair) -> Reply:
        """Say how a held job is to go on."""
        return self._people.repair(repair)

    @repair.validator
    def _check_repair(self, repair: Repair) -> None:
        _refuse(self._people.repair_problem(repair))

    @workflow.update(name=UPDATE_PAUSE)
    def pause(self, pause: Pause) -> Reply:
        """Let nothing new start, or let what waits start."""
        return self._people.pause(pause)

    @pause.validator
    def _check_pause(self, pause: Pause) -> None:
        _refuse(self._people.pause_problem(pause))

    @workflow.update(name=UPDATE_CANCEL)
    def cancel(self, cancel: Cancel) -> Reply:
        """End the run before its time, in one of the modes. Refused where it ends so already."""
        return self._people.cancel(cancel)

    @cancel.validator
    def _check_cancel(self, cancel: Cancel) -> None:
        _refuse(self._people.cancel_problem(cancel))

    @workflow.signal(dynamic=True)
    def signalled(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Answer a gate: `approve` or `reject` with `{"gate": …, "by": …, "fields": {…}, "comment": …}`; or `cancel`.

        One handler for all names: only such a one gets payloads as they came, and the SDK drops a signal that it cannot
        decode without a word. The record tells what was ignored.
        """
        self._people.signal(name, payloads)

    @workflow.run
    async def run(self, request: RunRequest) -> RunRecord:
        """Walk the plan to its end.

        Returns the record of a run that succeeded or is partial. Raises ApplicationError (type `RunFailed`, the
        record in its details) for one that failed, and asyncio.CancelledError for one that was cancelled; its record
        is in the memo.
        """
        self._state.status = "running"
        self._state.started_at = rfc3339(workflow.now())
        self._publish_state()
        timer = self._start_timeout()
        self._set_variables()
        await self._walk(finalizers=False)
        if timer:
            timer.cancel()
        self._scheduler.begin_finalizers()
        await self._walk(finalizers=True)
        await self._clean_up()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._state.verdict() == "cancelled":
            await self._cancelling.be_cancelled()
        return self._close()

    async def _walk(self, *, finalizers: bool) -> None:
        while True:
            self._cancelling.carry_out()
            self._act()
            self._show()
            if self._scheduler.all_done if finalizers else self._scheduler.main_done:
                return
            await self._next_event()

    async def _clean_up(self) -> None:
        """Wait for what no job waits for. A cancel is too late here: all jobs have ended; by force it ends the wait."""
        while self._background.busy and not self._cancelling.abandoned:
            self._show()
            with suppress(asyncio.CancelledError):
                await workflow.wait_condition(
                    lambda: not self._background.busy or self._fault is not None or self._cancelling.due
                )
            self._raise_fault()
            self._cancelling.carry_out()

    def _act(self) -> None:
        """Carry out all that is decidable; settling one job may make others so. While the run pauses nothing is."""
        while not self._pausing.on and (decisions := self._scheduler.take_decisions()):
            for decision in decisions:
                match decision:
                    case Ready(job=name):
                        self._start(self._state.jobs[name].node)
                    case Omit(job=name, reason=reason):
                        self._settle(name, Ending("omitted", reason))
                    case Skip(job=name, reason=reason, off_path=off_path):
                        self._settle(name, Ending("skipped", reason, off_path=off_path))
                    case _:
                        assert_never(decision)

    def _start(self, node: Node) -> None:
        """Start it, or settle at once what its own conditions keep from running."""
        try:
            admission = admit(node, self._request, self._state)
        except ExpressionError as error:
            if node.on_error != "hold":
                self._settle(node.name, Ending("failed", f"expression: {error}"))
                return
            work = self._admit_and_carry_out(node)
        else:
            if not admission.admitted:
                self._settle(node.name, Ending("skipped", admission.reason))
                return
            self._state.jobs[node.name].admitted = admission.reason or ""
            work = self._carry_out(node)
        task = self._tasks[node.name] = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._finish(node.name, done))

    def _finish(self, name: str, task: asyncio.Task[Ending]) -> None:
        """Settle a job whose task has ended. A callback, since a task cancelled before its first step runs no code."""
        del self._tasks[name]
        if task.cancelled():
            self._settle(name, Ending("cancelled", self._state.stop_reason(self._state.jobs[name])))
        elif (error := task.exception()) is not None:
            # The interpreter's own fault: the main coroutine fails the workflow task with it.
            self._fault = error
            self._changed()
        else:
            self._settle(name, task.result())

    async def _admit_and_carry_out(self, node: Node) -> Ending:
        """The same for a job whose conditions may have to be looked at again, by its task."""
        job = self._state.jobs[node.name]
        admitted: list[str] = []

        async def look() -> JobOutcome:
            try:
                admission = admit(node, self._request, self._state)
            except ExpressionError as error:
                return failed(FailureKind.EXPRESSION, str(error))
            if not admission.admitted:
                return JobOutcome(status="skipped", note=admission.reason or "")
            job.admitted = admission.reason or ""
            admitted.append(node.name)
            return JobOutcome(status="success")

        def conclude(outcome: JobOutcome) -> JobOutcome:
            # A success that a person made is the job's end, and one of `look` only its beginning.
            return outcome if admitted else publishing(job, outcome, self._request, self._state)

        outcome = await kept(job, self._around, look, conclude)
        return await self._carry_out(node) if admitted else ending_of(outcome)

    async def _carry_out(self, node: Node) -> Ending:
        job = self._state.jobs[node.name]
        if node.strategy is not None:
            return await run_variants(job, node.strategy, self._around)
        return ending_of(await run_leaf(job, self._around))

    def _settle(self, name: str, ending: Ending) -> None:
        if self._state.jobs[name].settled:
            return  # By force, before its task had ended.
        self._state.settle(name, ending, rfc3339(workflow.now()))
        self._scheduler.settle(name)
        self._shared.settled(self._state.jobs[name])
        self._reminders.settled(self._state.jobs[name])
        self._changed()

    def _changed(self) -> None:
        self._events += 1

    async def _next_event(self) -> None:
        seen = self._events
        try:
            await workflow.wait_condition(lambda: self._events != seen)
        except asyncio.CancelledError:
            await self._cancelling.asked_by_the_server()
        self._raise_fault()

    def _background_ended(self, fault: BaseException | None) -> None:
        self._fault = self._fault or fault
        self._changed()

    def _raise_fault(self) -> None:
        """The interpreter's own fault fails the workflow task, so that a fixed version can go on."""
        if self._fault is not None:
            raise self._fault

    def _set_variables(self) -> None:
        problem = set_first_values(self._request, self._state)
        if problem is not None:
            self._state.error = problem
            for name in self._scheduler.undecided(finalizer=False):
                self._settle(name, Ending("omitted", "omitted: the run's variables could not be set"))

    def _start_timeout(self) -> asyncio.Task[None] | None:
        limit = self._state.plan.timeout
        return None if limit is None else asyncio.create_task(self._time_out(limit))

    async def _time_out(self, limit: float) -> None:
        await workflow.sleep(timedelta(seconds=limit), summary=f"run timeout of {limit:g} s")
        if self._scheduler.main_done or self._state.level >= Level.GRACEFUL:
            return
        if self._state.stop is None or workflow.patched(TIMED_DRAIN):
            self._state.error = f"timeout: the run took longer than its timeout of {limit:g} s"
            self._cancelling.stop(Level.GRACEFUL, "timeout")

    def _publish_state(self) -> None:
        """Each change costs an event, so this is for the run's phases alone."""
        update: SearchAttributeUpdate[str] = _STATE.value_set(self._state.status)
        workflow.upsert_search_attributes([update])  # pyright: ignore[reportUnknownMemberType]

    def _show(self) -> None:
        workflow.set_current_details(table_of(self._state))

    def _close(self) -> RunRecord:
        state = self._state
        if state.error is None and state.verdict() == "failed":
            state.error = _first_failures(state)
        problem = self._complete_outputs()
        if problem is not None:
            # What went wrong first is told first: an output of a job that failed often has nothing to read.
            state.error = f"{state.error}; {problem}" if state.error else problem
        state.status = state.verdict()
        state.finished_at = rfc3339(workflow.now())
        self._publish_state()
        self._show()
        record = state.record()
        match state.status:
            case "failed":
                raise ApplicationError(
                    state.error or "the run failed", record, type="RunFailed", non_retryable=True
                )
            case "cancelled":
                # The closing event of a cancelled workflow has no room for details in this SDK.
                workflow.upsert_memo({MEMO_RECORD: record.model_dump(mode="json")})
                raise asyncio.CancelledError("the run was cancelled")
            case _:
                return record

    def _complete_outputs(self) -> str | None:
        """Evaluate the run's own outputs; why that cannot be done, where it cannot."""
        state = self._state
        try:
            outputs = evaluate_outputs(state.plan.outputs, self._request, state, owner="the run")
        except ExpressionError as error:
            return f"expression: {error}"
        if size_of(outputs) > MAX_FINAL_OUTPUT_BYTES:
            limit = MAX_FINAL_OUTPUT_BYTES // 1024
            return f"output: the run's own outputs exceed {limit} KiB; pass large data as artifacts"
        state.outputs = outputs
        return None


def _refuse(problem: str | None) -> None:
    if problem is not None:
        raise ApplicationError(problem, type=REFUSED_ERROR, non_retryable=True)


def _first_failures(state: RunState) -> str:
    failed = [
        f"job '{name}' failed: {job.reason}"
        for name, job in state.jobs.items()
        if job.status == "failed" and not job.tolerated
    ]
    more = f" (and {len(failed) - 3} more)" if len(failed) > 3 else ""
    return "; ".join(failed[:3])[:2000] + more
