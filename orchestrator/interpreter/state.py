"""What a run knows while it goes: the state of every job, and the record that people read, made of it."""

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.contract.messages import (
    ArtifactRef,
    JobOutcome,
    JobRecord,
    JobStatus,
    RunRecord,
    RunStatus,
    TryRecord,
)
from orchestrator.contract.times import parse_rfc3339, rfc3339
from orchestrator.plan.model import Condition, Json, Node, Plan

TERMINAL: frozenset[JobStatus] = frozenset({"success", "failed", "cancelled", "skipped", "omitted"})
"""States that a job does not leave. Only ever asked for membership: a set has no order to iterate in."""

MAX_RUN_OUTPUT_BYTES = 512 * 1024
"""All outputs of all jobs together: a record has to fit into one payload of 2 MB."""

MAX_HISTORY, HISTORY_BUDGET = 20, 1000
"""Tries that a record tells one by one, the last ones of a job, and of all jobs together; `tries` counts them all."""
MAX_WARNINGS = 10
MAX_REASON, MIN_REASON, REASON_BUDGET = 2000, 100, 300_000
"""Characters of a job's reason in the record: the fewer jobs, the more. A record must fit into 2 MB."""


def shortened(text: str | None, limit: int) -> str | None:
    """`text`, cut to `limit` characters with a sign that it was."""
    return text if text is None or len(text) <= limit else f"{text[: limit - 1]}…"


def in_milliseconds(moment: str | None) -> str | None:
    """A worker's or Docker's instant in the one form that records have."""
    return None if moment is None else rfc3339(parse_rfc3339(moment))


@dataclass
class JobState:
    """One job while the run goes."""

    node: Node
    status: JobStatus = "pending"
    reason: str | None = None
    tries: list[TryRecord] = field(default_factory=list[TryRecord])
    exit_code: int | None = None
    outputs: dict[str, Json] = field(default_factory=dict[str, Json])
    artifacts: tuple[ArtifactRef, ...] = ()
    warnings: tuple[str, ...] = ()
    started_at: str | None = None
    finished_at: str | None = None
    reason_limit: int = MAX_REASON
    history_limit: int = MAX_HISTORY

    @property
    def settled(self) -> bool:
        """Whether the job has reached its end."""
        return self.status in TERMINAL

    @property
    def tolerated(self) -> bool:
        """Whether it failed and may: `on_error: continue`."""
        return self.status == "failed" and self.node.on_error == "continue"

    def ended_as(self, condition: Condition) -> bool:
        """Whether a settled job's end meets an edge's condition (see `plan.model.Requirement`)."""
        match condition:
            case "always":
                return True
            case "success":
                return self.status in ("success", "skipped") or self.tolerated
            case "failure":
                return self.status == "failed"
            case "skipped":
                return self.status == "skipped"

    def take(self, outcome: JobOutcome) -> None:
        """Take over what the last try left. The status is set when the job settles, not here."""
        self.exit_code = outcome.exit_code
        self.outputs = dict(outcome.outputs)
        self.artifacts = outcome.artifacts
        self.warnings = outcome.warnings
        self.started_at = self.started_at or in_milliseconds(outcome.started_at)

    def record(self) -> JobRecord:
        """The job as a run's record shows it."""
        return JobRecord(
            kind=self.node.kind,
            status=self.status,
            reason=shortened(self.reason, self.reason_limit),
            tries=len(self.tries),
            exit_code=self.exit_code,
            outputs=self.outputs,
            started_at=self.started_at,
            finished_at=self.finished_at,
            artifacts=self.artifacts,
            history=tuple(self.tries[-self.history_limit :]),
            warnings=self.warnings[:MAX_WARNINGS],
        )


Stop = Literal["cancel", "timeout"]


@dataclass
class RunState:
    """The whole run. `stop` is set once, by a cancel or by the run's own timeout."""

    plan: Plan
    run_id: str
    attempt: int
    created_at: str
    jobs: dict[str, JobState] = field(init=False)
    status: RunStatus = "pending"
    started_at: str | None = None
    finished_at: str | None = None
    outputs: dict[str, Json] = field(default_factory=dict[str, Json])
    error: str | None = None
    stop: Stop | None = None
    output_bytes: int = 0
    _failures: int = 0
    _tolerated: int = 0

    def __post_init__(self) -> None:
        """Every job starts out pending, in the plan's order."""
        count = max(1, len(self.plan.jobs))
        reason = max(MIN_REASON, min(MAX_REASON, REASON_BUDGET // count))
        history = max(1, min(MAX_HISTORY, HISTORY_BUDGET // count))
        self.jobs = {
            name: JobState(node, reason_limit=reason, history_limit=history)
            for name, node in self.plan.jobs.items()
        }

    def verdict(self) -> RunStatus:
        """How the run stands by the jobs that have settled: what a finalizer sees and what the run ends as."""
        if self.stop == "cancel":
            return "cancelled"
        if self.stop == "timeout" or self.error or self._failures:
            return "failed"
        return "partial" if self._tolerated else "success"

    def settle(self, name: str, status: JobStatus, reason: str | None, finished_at: str) -> None:
        """Bring a job to its end. Keeps count of failures, so that `verdict` costs the same in any plan."""
        job = self.jobs[name]
        job.status, job.reason, job.finished_at = status, reason, finished_at
        if job.tolerated:
            self._tolerated += 1
        elif status == "failed":
            self._failures += 1

    def record(self) -> RunRecord:
        """The whole state as people and programs read it."""
        return RunRecord(
            run_id=self.run_id,
            attempt=self.attempt,
            spec=self.plan.spec,
            status=self.status,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            jobs={name: job.record() for name, job in self.jobs.items()},
            outputs=self.outputs,
            error=self.error,
        )
