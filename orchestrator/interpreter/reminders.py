"""Jobs that run for an open gate alone, as often as its interval comes round, and end with it."""

import asyncio
from collections.abc import Awaitable, Callable

from orchestrator.interpreter.job_state import Ending, JobState
from orchestrator.interpreter.state import RunState


class Reminders:
    """The reminders of one run."""

    def __init__(
        self,
        state: RunState,
        *,
        run: Callable[[JobState], Awaitable[Ending]],
        settle: Callable[[str, Ending], None],
        changed: Callable[[], None],
        fault: Callable[[BaseException], None],
    ) -> None:
        """Prepare to remind.

        Args:
            state: of the run.
            run: does a reminder's work once.
            settle: brings a job to its end.
            changed: is told of each change.
            fault: is told of an error of the interpreter itself.
        """
        self._state, self._run = state, run
        self._settle, self._changed, self._fault = settle, changed, fault
        self._of: dict[str, list[str]] = {}
        self._tasks: dict[str, asyncio.Task[Ending]] = {}
        self._last: dict[str, Ending] = {}
        self._stopped: dict[str, None] = {}
        for name, node in state.plan.jobs.items():
            if node.reminds:
                self._of.setdefault(node.reminds, []).append(name)

    def send(self, name: str) -> None:
        """Run a reminder, unless it still runs from the last time, or the run pauses: there will be another."""
        job = self._state.jobs.get(name)
        if job is None or job.settled or name in self._tasks or self._state.paused is not None:
            return
        job.renew()
        task = self._tasks[name] = asyncio.ensure_future(self._run(job))
        task.add_done_callback(lambda done: self._finish(job, done))

    def settled(self, gate: JobState) -> None:
        """Bring the reminders of a job that has ended to their ends too; one that runs may finish."""
        for name in self._of.get(gate.node.name, ()):
            job = self._state.jobs[name]
            if name not in self._tasks and not job.settled:
                self._settle(name, self._last.get(name) or _never_sent(gate))

    def stop(self, *, drain: bool) -> None:
        """Cancel those that run, or while the run drains those that wait for their next try. Each once."""
        for name, task in list(self._tasks.items()):
            if name not in self._stopped and not (drain and self._state.jobs[name].working):
                self._stopped[name] = None
                task.cancel()

    def _finish(self, job: JobState, task: "asyncio.Task[Ending]") -> None:
        name = job.node.name
        del self._tasks[name]
        if task.cancelled():
            self._last[name] = Ending("cancelled", self._state.stop_reason(job))
        elif (error := task.exception()) is not None:
            self._fault(error)
            return
        else:
            self._last[name] = task.result()
        last = self._last[name]
        if self._state.jobs[job.node.reminds].settled:
            self._settle(name, last)
            return
        ended = f"the last time: {last.status}{f' ({last.reason})' if last.reason else ''}"
        job.enter("waiting", f"waiting until gate '{job.node.reminds}' wants another reminder; {ended}")
        self._changed()


def _never_sent(gate: JobState) -> Ending:
    if gate.status == "cancelled":
        return Ending("cancelled", gate.reason)
    opened = gate.status in ("success", "failed")
    why = "was closed before a reminder was due" if opened else "did not open"
    return Ending("skipped", f"skipped: gate '{gate.key}' {why}", off_path=gate.off_path)
