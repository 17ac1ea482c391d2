"""Which jobs may go, decided with pure code: no Temporal, no clock, no await.

Event-driven: settling a job looks at its dependents alone, so that a step costs the same in a plan of ten jobs and of
ten thousand. The workflow asks `take_decisions()` and acts on what it gets.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.state import RunState
from orchestrator.plan.base import Requirement
from orchestrator.plan.model import Node


@dataclass(frozen=True)
class Ready:
    """All requirements are met: evaluate the job's own conditions and start it."""

    job: str


@dataclass(frozen=True)
class Omit:
    """A requirement can no longer be met."""

    job: str
    reason: str


@dataclass(frozen=True)
class Skip:
    """The job's `on_complete` does not fit how things ended."""

    job: str
    reason: str


Decision = Ready | Omit | Skip


class Scheduler:
    """Keeps, for each job, how many requirements are open, and yields a decision once it is known."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._open: dict[str, int] = {}
        self._dependents: dict[str, dict[str, list[Requirement]]] = {name: {} for name in state.jobs}
        self._broken: dict[str, Requirement] = {}
        self._decided: dict[str, Decision] = {}
        self._due: deque[str] = deque()
        self._finalizing = False
        self._unsettled = {False: 0, True: 0}  # by Node.finalizer
        for name, job in state.jobs.items():
            for edge in job.node.requires:
                self._dependents[edge.job].setdefault(name, []).append(edge)
            self._open[name] = len({edge.job for edge in job.node.requires})
            self._unsettled[job.node.finalizer] += 1
        self._due.extend(name for name, job in state.jobs.items() if self._is_root(job.node, finalizer=False))

    def _is_root(self, node: Node, *, finalizer: bool) -> bool:
        return node.finalizer == finalizer and not node.requires

    @property
    def main_done(self) -> bool:
        """Whether every job but the finalizers has settled."""
        return self._unsettled[False] == 0

    @property
    def all_done(self) -> bool:
        """Whether every job has settled."""
        return self.main_done and self._unsettled[True] == 0

    def settle(self, name: str) -> None:
        """Say that `name` has reached its end; its dependents become due where that decides them."""
        source = self._state.jobs[name]
        self._unsettled[source.node.finalizer] -= 1
        for dependent, edges in self._dependents[name].items():
            self._open[dependent] -= 1
            broken = next((edge for edge in edges if not source.ended_as(edge.condition)), None)
            if broken is not None:
                self._broken.setdefault(dependent, broken)
            if self._open[dependent] == 0 or broken is not None:
                self._due.append(dependent)

    def begin_finalizers(self) -> None:
        """Open the last phase: finalizers without requirements become due."""
        if not self._finalizing:
            self._finalizing = True
            jobs = self._state.jobs.items()
            self._due.extend(name for name, job in jobs if self._is_root(job.node, finalizer=True))

    def take_decisions(self) -> Sequence[Decision]:
        """What has become decidable since the last call, in order. Each job is decided once."""
        taken: list[Decision] = []
        while self._due:
            name = self._due.popleft()
            job = self._state.jobs[name]
            held_back = job.node.finalizer and not self._finalizing
            if name in self._decided or job.settled or held_back:
                continue
            decision = self._decide(job)
            self._decided[name] = decision
            taken.append(decision)
        return taken

    def undecided(self, *, finalizer: bool) -> list[str]:
        """Jobs of one phase for which nothing has been decided yet, in the plan's order."""
        return [
            name
            for name, job in self._state.jobs.items()
            if job.node.finalizer == finalizer and not job.settled and name not in self._decided
        ]

    def _decide(self, job: JobState) -> Decision:
        node = job.node
        broken = self._broken.get(node.name)
        if broken is not None:
            source = self._state.jobs[broken.job]
            return Omit(node.name, f"omitted: it requires {_wish(broken)}, which {_ending(source)}")
        if node.finalizer and not node.requires:
            return self._decide_finalizer(node)
        if node.on_complete == "failure" and not self._any_failed(node):
            return Skip(node.name, "skipped: none of the jobs that it requires failed (on_complete: failure)")
        return Ready(node.name)

    def _decide_finalizer(self, node: Node) -> Decision:
        standing = self._state.verdict()
        wanted = {"success": ("success", "partial"), "failure": ("failed",)}.get(node.on_complete)
        if wanted is None or standing in wanted:
            return Ready(node.name)
        return Skip(node.name, f"skipped: on_complete is {node.on_complete} and the run is {standing}")

    def _any_failed(self, node: Node) -> bool:
        return any(self._state.jobs[edge.job].ended_as("failure") for edge in node.requires)


def _wish(edge: Requirement) -> str:
    wishes = {"success": "", "failure": " to fail", "skipped": " to be skipped", "always": ""}
    return f"'{edge.job}'{wishes[edge.condition]}"


def _ending(source: JobState) -> str:
    endings = {
        "success": "succeeded",
        "cancelled": "was cancelled",
        "skipped": "was skipped",
        "omitted": "was omitted",
    }
    return endings.get(source.status, source.status)
