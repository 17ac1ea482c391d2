"""What a function knows of the run that calls it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Cancelled(Exception):
    """The function is to end: its job was cancelled, or its time is up."""


def _say(text: str) -> None:
    print(text)  # noqa: T201 - outside a worker, as in an author's tests, the log is the terminal


def _nothing() -> None:
    """Outside a worker nobody waits for a sign of life."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The run, as it stood when the function was called. All that it holds is JSON and a copy.

    Attributes:
        run_id: the run.
        attempt: which attempt of the run, from 1.
        spec: name of the workflow.
        job: name of the job.
        variant: name of the variant of a job with a matrix or a list, without the job's: `3.11, alpine`.
        try_number: which try of the job, from 1.
        params: the run's params.
        outputs: of the jobs that this one requires or was started by, by job.
        vars: the run's variables.
        cancelled: is set when the function is to end. One that takes long looks at `cancelled.is_set()` now and then,
            or sleeps with `cancelled.wait(seconds)`. An asynchronous function is cancelled as asyncio does it, too.
    """

    run_id: str = ""
    attempt: int = 1
    spec: str = ""
    job: str = ""
    variant: str | None = None
    try_number: int = 1
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    vars: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cancelled: threading.Event = field(default_factory=threading.Event, repr=False)
    say: Callable[[str], None] = field(default=_say, repr=False)
    """Where `log` goes; the worker sets it."""
    beat: Callable[[], None] = field(default=_nothing, repr=False)
    """Where `heartbeat` goes; the worker sets it."""

    def param(self, name: str, default: Any = None) -> Any:
        """A param of the run; `default` where it has none of that name, or it is null."""
        value = self.params.get(name)
        return default if value is None else value

    def output(self, job: str, name: str, default: Any = None) -> Any:
        """An output of a job that this one requires; `default` where there is none."""
        return self.outputs.get(job, {}).get(name, default)

    def has_output(self, job: str, name: str) -> bool:
        """Whether a job that this one requires has that output."""
        return name in self.outputs.get(job, {})

    def log(self, *words: object) -> None:
        """Write a line to the job's log, which `orca logs RUN JOB` shows, as `print` and `logging` do too."""
        self.say(" ".join(str(word) for word in words))

    def heartbeat(self) -> None:
        """Say that the function goes on; for the places at which a long one may end.

        Raises:
            Cancelled: it is to end.
        """
        self.beat()
        if self.cancelled.is_set():
            raise Cancelled("the function was told to end")
