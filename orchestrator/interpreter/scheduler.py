"""Which jobs may go, decided with pure code: no Temporal, no clock, no await.

Event-driven: settling a job looks at its dependents alone, so that a step costs the same in a plan of ten jobs and of
ten thousand. The workflow asks `take_decisions()` and acts on what it gets.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.state import RunState
from orchestrator.plan.ends import fires, needs_path
from orchestrator.plan.model import Node, Trigger
from orchestrator.plan.parts import Requirement


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
    """The job's `on_complete` does not fit how things ended, or it lies on a path that was not taken."""

    job: str
    reason: str
    off_path: bool = False


Decision = Ready | Omit | Skip

MAX_WAYS = 3
"""Transitions that did not fire which a reason names."""


@dataclass
class _Waits:
    """What one job still waits for. A source with several edges counts once."""

    open: int = 0
    """Required jobs that have not settled."""
    broken: Requirement | None = None
    """The first requirement that cannot be met any more."""
    paths: int = 0
    """Required jobs whose success or failure is asked for: the paths on which the job lies."""
    lost: int = 0
    """Those of them that lie on a path that was not taken."""
    triggered: bool = False
    """Whether it needs a transition to start it."""
    ways: int = 0
    """Sources of transitions that have not settled."""
    fired: bool = False

    @property
    def off_path(self) -> bool:
        """Whether no way led to it."""
        if self.triggered and not self.fired:
            return self.ways == 0
        return self.broken is None and self.paths > 0 and self.lost == self.paths

    @property
    def decidable(self) -> bool:
        """Whether what becomes of it does not depend on what ends next: so that timing decides nothing."""
        if self.triggered and not self.fired:
            return self.ways == 0
        return self.open == 0 or self.broken is not None


class Scheduler:
    """Keeps, for each job, what it waits for, and yields a decision once it is known.

    A transition that fires starts its target once the target's own requirements are met too. Until one has fired, or
    all their sources have settled, nothing is decided about it, not even where a requirement broke: whether it is
    omitted or lies on a path that was not taken must not depend on what ended first.
    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._waits: dict[str, _Waits] = {}
        self._dependents: dict[str, dict[str, list[Requirement]]] = {name: {} for name in state.jobs}
        self._targets: dict[str, dict[str, list[Trigger]]] = {name: {} for name in state.jobs}
        self._decided: dict[str, Decision] = {}
        self._due: deque[str] = deque()
        self._finalizing = False
        self._unsettled = {False: 0, True: 0}  # by Node.finalizer
        for name, job in state.jobs.items():
            self._add(name, job.node)
        self._due.extend(name for name, job in state.jobs.items() if self._is_root(job.node, finalizer=False))

    def _add(self, name: str, node: Node) -> None:
        for edge in node.requires:
            self._dependents[edge.job].setdefault(name, []).append(edge)
        for trigger in node.triggers:
            self._targets[trigger.job].setdefault(name, []).append(trigger)
        self._waits[name] = _Waits(
            open=len({edge.job for edge in node.requires}),
            paths=len({edge.job for edge in node.requires if needs_path(edge)}),
            triggered=bool(node.triggers),
            ways=len({trigger.job for trigger in node.triggers}),
        )
        self._unsettled[node.finalizer] += 1

    def _is_root(self, node: Node, *, finalizer: bool) -> bool:
        return node.finalizer == finalizer and not (node.requires or node.triggers or node.reminds)

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
            waits = self._waits[dependent]
            waits.open -= 1
            waits.lost += source.off_path and any(needs_path(edge) for edge in edges)
            broken = next((edge for edge in edges if not _met(edge, source)), None)
            waits.broken = waits.broken or broken
            if waits.decidable:
                self._due.append(dependent)
        for dependent, triggers in self._targets[name].items():
            waits = self._waits[dependent]
            waits.ways -= 1
            waits.fired = waits.fired or any(_fires(trigger, source, dependent) for trigger in triggers)
            if waits.decidable:
                self._due.append(dependent)

    def begin_finalizers(self) -> None:
        """Open the last phase: finalizers that wait for nothing more become due."""
        if not self._finalizing:
            self._finalizing = True
            for name, job in self._state.jobs.items():
                fired = bool(job.node.triggers) and self._waits[name].decidable
                if self._is_root(job.node, finalizer=True) or (job.node.finalizer and fired):
                    self._due.append(name)

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
            if job.node.finalizer == finalizer
            and not (job.settled or job.node.reminds)
            and name not in self._decided
        ]

    def _decide(self, job: JobState) -> Decision:
        node = job.node
        waits = self._waits[node.name]
        if waits.off_path:
            return Skip(node.name, _not_taken(node, fired=waits.fired), off_path=True)
        if waits.broken is not None:
            source = self._state.jobs[waits.broken.job]
            return Omit(node.name, f"omitted: it requires {_wish(waits.broken)}, which {_ending(source)}")
        if node.finalizer and not node.requires and not node.triggers:
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


def _met(edge: Requirement, source: JobState) -> bool:
    """A path that was not taken is as if it were not there: it neither meets nor breaks a wish for an end."""
    return (source.off_path and needs_path(edge)) or source.ended_as(edge.condition)


def _fires(trigger: Trigger, source: JobState, target: str) -> bool:
    return fires(trigger.on, source.status, chosen=target in source.chosen)


def _not_taken(node: Node, *, fired: bool) -> str:
    if node.triggers and not fired:
        ways = [f"'{trigger.job}' {_NOT_FIRED[trigger.on]}" for trigger in node.triggers]
        more = f" and {len(ways) - MAX_WAYS} more" if len(ways) > MAX_WAYS else ""
        return f"skipped: none of the ways that lead to it was taken ({', '.join(ways[:MAX_WAYS])}{more})"
    names = list(dict.fromkeys(edge.job for edge in node.requires if needs_path(edge)))
    more = f" and {len(names) - MAX_WAYS} more" if len(names) > MAX_WAYS else ""
    listed = ", ".join(f"'{name}'" for name in names[:MAX_WAYS])
    return f"skipped: all that it requires lies on paths that were not taken ({listed}{more})"


_NOT_FIRED: Final = {
    "success": "did not succeed",
    "failure": "did not fail",
    "complete": "did not run to an end",
    "chosen": "did not choose it",
}


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
