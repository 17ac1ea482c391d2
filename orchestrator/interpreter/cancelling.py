"""The end of a run before its time: by a person, in one of three modes, or by the run's own timeout.

It comes in steps that only rise (`state.Level`). What a step reaches is told once: a second cancel of the same task
would be a second request to Temporal.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import CANCEL_FORCE, MEMO_CANCEL, OWN_CANCEL, SIGNAL_CANCEL
from orchestrator.contract.people import MAX_COMMENT, Cancel, CancelRecord
from orchestrator.contract.times import rfc3339
from orchestrator.interpreter.background import Background
from orchestrator.interpreter.job_state import Ending, JobState
from orchestrator.interpreter.left_behind import left_behind
from orchestrator.interpreter.pausing import Pausing
from orchestrator.interpreter.reminders import Reminders
from orchestrator.interpreter.repairs import Repairs
from orchestrator.interpreter.said import spelling_problem
from orchestrator.interpreter.scheduler import Scheduler
from orchestrator.interpreter.state import Level, RunState, Stop

FORCE_WAIT = 10.0
"""Seconds that hosts have to say that what they killed has ended. Then the run ends without them."""
OWN_CANCEL_LIMIT = 10.0
"""Seconds that the server may take to note that a run is cancelled which it was not asked to cancel."""
RESULTS_FIRST = "results before a cancel"
"""Patch: a job's end that reached the run together with a cancel counts."""
LATE_CANCEL = "cancels of runs whose jobs have ended"
"""Patch: a cancel that comes when all jobs have ended does not change how the run ended."""
FINALIZERS_STAY = "finalizers outlast a drain"
"""Patch: a nested run that is a finalizer is not told of the drain during which it begins."""

ChildHandle = workflow.ChildWorkflowHandle[object, RunRecord]

_NOW = {
    Level.DRAIN: "the run drains: what runs comes to its end, nothing new starts, then finalizers run",
    Level.GRACEFUL: "the run is being cancelled: what runs gets its stop signal and its grace, then finalizers run",
    Level.FINAL: "the run's finalizers are cancelled too: what runs of them gets its stop signal and its grace",
    Level.FORCE: "the run is being ended by force: what runs is killed, and no finalizer runs",
}
_ALREADY = {
    Level.DRAIN: "the run drains already: '--mode graceful' stops what runs, '--mode force' kills it",
    Level.GRACEFUL: "the run is being cancelled already: cancel it once more to cancel its finalizers too, or with "
    "'--mode force' to kill what runs",
    Level.FINAL: "the run's finalizers are being cancelled already: '--mode force' kills what runs",
    Level.FORCE: "the run is being ended by force already",
}
_TOO_LATE = (
    "all jobs of the run have ended, so that there is nothing left to cancel: only shared services are being stopped; "
    f"'--mode force' waits for that no longer than {FORCE_WAIT:.0f} seconds"
)
_HURRIED = (
    "all jobs of the run have ended, and how it ends stays as it is: its shared services have "
    f"{FORCE_WAIT:.0f} seconds to stop"
)


@dataclass(frozen=True)
class Waits:
    """What holds jobs up beside their own work."""

    pausing: Pausing
    reminders: Reminders
    repairs: Repairs


class Cancelling:
    """How far the end of one run has come, and what it reaches.

    Attributes:
        abandoned: what was killed did not end in time, and is waited for no longer.
    """

    def __init__(
        self,
        state: RunState,
        scheduler: Scheduler,
        tasks: Mapping[str, "asyncio.Task[Ending]"],
        waits: Waits,
        *,
        background: Background,
        settle: Callable[[str, Ending], None],
        changed: Callable[[], None],
    ) -> None:
        self._state, self._scheduler, self._tasks = state, scheduler, tasks
        self._pausing, self._reminders, self._repairs = waits.pausing, waits.reminders, waits.repairs
        self._background, self._settle, self._changed = background, settle, changed
        self._wanted = Level.NONE
        self._late = self._timed_out = False
        self._told: dict[str, None] = {}
        self._children: dict[str, tuple[JobState, ChildHandle]] = {}
        self._begun_at = workflow.time()
        self.abandoned = False

    def problem(self, cancel: Cancel) -> str | None:
        """Why a cancel is refused, if it is: it asks for what is under way, or for less."""
        why = spelling_problem(cancel.by)
        if why is not None:
            return why
        if len(cancel.comment) > MAX_COMMENT:
            return f"the comment is longer than {MAX_COMMENT:,} characters"
        now, wanted = max(self._wanted, self._state.level), self._level_of(cancel)
        if wanted > now:
            return None
        if wanted < now:
            return f"a cancel can be raised and not lowered, and {_ALREADY[now]}"
        return _ALREADY[now]

    def too_late(self, cancel: Cancel) -> str | None:
        """Why there is nothing left to cancel, if so: all jobs have ended. Force still cuts the clean-up short."""
        return _TOO_LATE if self._scheduler.all_done and cancel.mode != "force" else None

    def take(self, cancel: Cancel) -> str:
        """Note a cancel with which there is no problem; a sentence about it. The run's own loop carries it out."""
        self._wanted, self._late = self._level_of(cancel), self._scheduler.all_done
        if self._late:
            self._changed()
            return _HURRIED
        self._state.cancel = CancelRecord(
            mode=cancel.mode,
            finalizers=self._wanted < Level.FINAL,
            by=cancel.by,
            at=rfc3339(workflow.now()),
            comment=cancel.comment,
        )
        self._changed()
        return _NOW[self._wanted]

    @property
    def due(self) -> bool:
        """Whether there is something for the run's loop to do: what was asked for, or an end without what is left."""
        return self._wanted > self._state.level or self.abandoned

    def carry_out(self) -> None:
        """Do what was last asked for."""
        if self._wanted <= self._state.level:
            return
        if self._late and workflow.patched(LATE_CANCEL):
            self._hurry()
        else:
            self.stop(self._wanted)

    async def asked_by_the_server(self) -> None:
        """Carry out Temporal's own cancel, of which there is one: graceful, unless the run ends already."""
        if self._state.level >= Level.GRACEFUL:
            return
        if workflow.time() != self._begun_at and workflow.patched(RESULTS_FIRST):
            # What ended in the same workflow task has ended: it keeps its own end.
            await workflow.wait_condition(lambda: True)
        self._wanted = Level.GRACEFUL
        self._state.cancel = CancelRecord(mode="graceful", at=rfc3339(workflow.now()))
        self.stop(Level.GRACEFUL)

    def stop(self, level: Level, why: Stop = "cancel") -> None:
        """Settle what has not begun and end what runs, as far as `level` says; finalizers come after, or end too."""
        state = self._state
        state.level, state.stop = level, state.stop or why
        self._timed_out = self._timed_out or why == "timeout"
        if self._pausing.on:
            # A run that is to end must not wait for anybody: its finalizers are to run.
            self._pausing.end()
        for finalizer in (False, True) if level >= Level.FINAL else (False,):
            for name in self._scheduler.undecided(finalizer=finalizer):
                self._settle(name, Ending("cancelled", state.stop_reason(state.jobs[name])))
        for name, task in list(self._tasks.items()):
            if name not in self._told and self._reaches(state.jobs[name]):
                self._told[name] = None
                task.cancel()
        self._reminders.stop(drain=level is Level.DRAIN)
        self._repairs.give_up()
        self._tell_children(level)
        if level is Level.FORCE:
            self._hurry()
        self._changed()

    def started(self, job: JobState, child: ChildHandle) -> None:
        """Take down that a nested run goes: it is cancelled in the same mode."""
        self._children[job.key] = job, child
        if self._state.level is not Level.DRAIN:
            return
        if not (job.node.finalizer and workflow.patched(FINALIZERS_STAY)):
            self._signal(child, Cancel(mode="drain"))

    def ended(self, job: JobState) -> None:
        """Take down that a job's nested run has ended."""
        self._children.pop(job.key, None)

    async def be_cancelled(self) -> None:
        """Have the server note that the run is cancelled: it lets only such a one end so.

        Where that fails the run ends as failed there, and its record still says that it was cancelled.
        """
        if workflow.cancellation_reason() is not None:
            return
        limit = timedelta(seconds=OWN_CANCEL_LIMIT)
        try:
            await workflow.execute_local_activity(
                OWN_CANCEL,
                schedule_to_close_timeout=limit,
                start_to_close_timeout=limit,
                retry_policy=RetryPolicy(maximum_attempts=3),
            )
            await workflow.wait_condition(lambda: workflow.cancellation_reason() is not None, timeout=limit)
        except asyncio.CancelledError:
            return
        except (ActivityError, TimeoutError) as error:
            if workflow.cancellation_reason() is None:
                workflow.logger.warning("the server could not be asked to cancel the run: %s", error)

    def _level_of(self, cancel: Cancel) -> Level:
        match cancel.mode:
            case "drain":
                return Level.DRAIN
            case "force":
                return Level.FORCE
            case "graceful":
                # A run whose timeout has passed ends already: what a person can still mean are its finalizers.
                again = cancel.again or self._timed_out
                ends = max(self._wanted, self._state.level) >= Level.GRACEFUL
                return Level.FINAL if again and ends else Level.GRACEFUL

    def _reaches(self, job: JobState) -> bool:
        """Whether a job's task is to end now. While a run drains the variants of a job look for themselves."""
        if self._state.level is Level.DRAIN:
            return not (job.node.finalizer or job.working or job.fan)
        return self._state.stopping(job)

    def _tell_children(self, level: Level) -> None:
        """Tell nested runs what Temporal's own cancel, which their jobs' tasks pass on, has no words for."""
        for job, child in list(self._children.values()):
            match level:
                case Level.DRAIN if not job.node.finalizer:
                    self._signal(child, Cancel(mode="drain"))
                case Level.FINAL if not job.node.finalizer:
                    self._signal(child, Cancel(mode="graceful", again=True))
                case Level.FORCE:
                    self._signal(child, Cancel(mode="force"))
                case _:
                    pass

    def _signal(self, child: ChildHandle, cancel: Cancel) -> None:
        self._background.start(_signalled(child, cancel))

    def _hurry(self) -> None:
        """Have workers kill what they still stop, and wait for all that goes on only so long."""
        self._state.level = Level.FORCE
        workflow.upsert_memo({MEMO_CANCEL: CANCEL_FORCE})
        self._background.start(self._give_up())

    async def _give_up(self) -> None:
        """After a while wait no longer for what is killed, and say what may be left."""
        try:
            # All else that goes on in the background stops services or tells nested runs.
            await workflow.wait_condition(
                lambda: self._scheduler.all_done and self._background.left == 1,
                timeout=timedelta(seconds=FORCE_WAIT),
                timeout_summary="force: until all that runs is killed",
            )
        except TimeoutError:
            self._abandon()
        self.abandoned = True

    def _abandon(self) -> None:
        now = rfc3339(workflow.now())
        for name, job in self._state.jobs.items():
            if job.settled:
                continue
            for leaf in job.fan.listed if job.fan else ():
                if not leaf.settled:
                    leaf.settle(Ending("cancelled", left_behind(leaf, self._state, FORCE_WAIT)), now)
            self._settle(name, Ending("cancelled", left_behind(job, self._state, FORCE_WAIT)))


async def _signalled(child: ChildHandle, cancel: Cancel) -> None:
    try:
        await child.signal(SIGNAL_CANCEL, cancel)
    except ApplicationError as error:
        # It has ended meanwhile.
        workflow.logger.info("nested run '%s' did not hear of the cancel: %s", child.id, error)
