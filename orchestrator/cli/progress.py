"""What a person sees while a run is followed: a live tree on a terminal, plain lines elsewhere. All on stderr."""

import sys
from types import TracebackType
from typing import Final, Protocol, Self

from orchestrator.cli import output, words
from orchestrator.cli.notable import calls, next_steps
from orchestrator.client.follow import Event, Trouble
from orchestrator.client.logs import LogEntry
from orchestrator.contract.messages import JobRecord, RunRecord

MAX_CALLS: Final = 100
"""Gates and held jobs of one run that are told as they come."""
ENDED: Final = ("success", "failed", "cancelled", "skipped", "omitted")


class Progress(Protocol):
    """Shows events; used as a context, so that a terminal is left as it was found."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, event: Event) -> None:
        """Take in one event of `client.follow.follow`."""
        ...

    def say(self, message: str) -> None:
        """A sentence from the command itself."""
        ...


def progress() -> Progress:
    """The tree where stderr is a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        from orchestrator.cli.tree import TreeProgress

        return TreeProgress()
    return LineProgress()


class LineProgress:
    """One line for each change of a job and each line of its log: for pipes, files and CI."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._called: dict[str, None] = {}
        self._paused = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def say(self, message: str) -> None:
        """Print the sentence."""
        output.note(message)

    def show(self, event: Event) -> None:
        """Print what is new in the event."""
        match event:
            case LogEntry():
                again = f" #{event.try_number}" if event.try_number > 1 else ""
                output.note(f"{event.whose}{again} | {output.harmless(event.text)}")
            case Trouble():
                output.note(f"! {event.message}")
            case RunRecord():
                self._show_record(event)

    def _show_record(self, record: RunRecord) -> None:
        for name, job in record.jobs.items():
            if job.status not in ENDED:
                self._show_job(name, job)
            for variant, state in job.variants.items():
                self._show_job(variant, state)
            if job.status in ENDED:
                # After its variants, of which some may have ended together with it.
                self._show_job(name, job)
        self._call_people(record)

    def _call_people(self, record: RunRecord) -> None:
        """Say once of each gate and held job what to type, and of a pause that it began or ended."""
        for key, lines in calls(record).items():
            if key not in self._called and len(self._called) < MAX_CALLS:
                self._called[key] = None
                for line in lines:
                    output.note(line)
        if (record.paused is not None) != self._paused:
            self._paused = not self._paused
            line = next(next_steps(record)) if self._paused else "the run goes on"
            output.note(f"{line} 'orca unpause {record.run_id}'" if self._paused else line)

    def _show_job(self, name: str, job: JobRecord) -> None:
        # A job with variants counts theirs, and would have a line for each of their tries.
        tries = 0 if job.variants else job.tries
        # A gate that needs several approvals is told anew with each of them.
        given = len(job.gate.answers) if job.gate and job.status == "waiting" else ""
        state = f"{job.status} {tries if job.status == 'running' else given or ''}"
        if self._states.get(name, "pending ") == state:
            return
        self._states[name] = state
        spent = words.duration(job.started_at, job.finished_at) if job.finished_at else ""
        again = f" (try {tries})" if tries > 1 else ""
        parts = [f"{words.SIGNS[job.status][0]} {name}: {job.status}{again}"]
        parts += [f"after {spent}"] if spent else []
        line = " ".join(parts)
        told = words.note(job) if job.status in ENDED else job.reason
        output.note(f"{line} ({words.first_line(told)})" if told else line)
