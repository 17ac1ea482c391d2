"""What a run knows while it goes: the state of every job, and the record that people read, made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.contract.messages import MAX_LEAVES, RunRecord, RunStatus, ServiceRecord
from orchestrator.interpreter.job_state import Ending, Fan, JobState, Limits, told
from orchestrator.plan.base import Json
from orchestrator.plan.model import Plan, Variant

# A record has to fit into one payload of 2 MB. With as many jobs and variants as a run may hold, what is fixed of
# them takes 0.5 MB, reasons and tries 0.4 MB, and the rest is what follows.
MAX_RUN_OUTPUT_BYTES = 512 * 1024
"""All outputs of all jobs together, those on which variants agree counted once more."""
MAX_FINAL_OUTPUT_BYTES = 128 * 1024
"""The run's own outputs."""
MAX_ARTIFACT_BYTES = 400_000
"""What a record says about artifacts: about 1 500 of them."""
SERVICE_ROOM = 100_000
"""Bytes of that which a run with services has for saying how they are."""
REASON_BUDGET, HISTORY_BUDGET, WARNINGS_BUDGET = 300_000, 1000, 1000
"""Bytes of reasons, tries told one by one, and warnings, of all jobs and variants together."""
MIN_REASON, MIN_TRY_REASON = 100, 40
MAX_SERVICE_RECORDS = 300
"""Of all jobs and variants together."""

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
    services: dict[str, ServiceRecord] = field(default_factory=dict[str, ServiceRecord])
    """Those that jobs share."""
    output_bytes: int = 0
    artifact_bytes: int = 0
    _leaves: int = 0
    _failures: int = 0
    _tolerated: int = 0

    def __post_init__(self) -> None:
        """Every job starts out pending, in the plan's order."""
        self.jobs = {name: JobState(node) for name, node in self.plan.jobs.items()}
        self._leaves = sum(max(1, len(node.variants)) for node in self.plan.jobs.values())

    @property
    def artifact_room(self) -> int:
        """Bytes that its record has for artifacts."""
        with_services = self.plan.services or any(node.services for node in self.plan.jobs.values())
        return MAX_ARTIFACT_BYTES - (SERVICE_ROOM if with_services else 0)

    @property
    def stop_reason(self) -> str:
        """Why a stopped run cancels what is not a finalizer."""
        if self.stop == "timeout":
            return f"cancelled: the run's timeout of {self.plan.timeout:g} s passed"
        return "cancelled: the run was cancelled"

    def stopping(self, job: JobState) -> bool:
        """Whether a job or variant is to end before its time."""
        if job.member_of is not None and job.member_of.stop_reason is not None:
            return True
        return self.stop is not None and not job.node.finalizer

    def room_for(self, job: JobState, count: int) -> bool:
        """Whether the run can hold `count` variants of `job`."""
        return self._leaves - max(1, len(job.node.variants)) + count <= MAX_LEAVES

    def fan_out(self, job: JobState, variants: Sequence[Variant]) -> Fan:
        """Give `job` its variants. Once, when it starts."""
        self._leaves += len(variants) - max(1, len(job.node.variants))
        return Fan(job, variants)

    def charge(self, job: JobState, *, outputs: int, artifacts: int) -> None:
        """Count what a job's last try left, in bytes, instead of what an earlier one did."""
        self.output_bytes += outputs - job.output_bytes
        self.artifact_bytes += artifacts - job.artifact_bytes
        job.output_bytes, job.artifact_bytes = outputs, artifacts

    def verdict(self) -> RunStatus:
        """How the run stands by the jobs that have settled: what a finalizer sees and what the run ends as."""
        if self.stop == "cancel":
            return "cancelled"
        if self.stop == "timeout" or self.error or self._failures:
            return "failed"
        return "partial" if self._tolerated else "success"

    def settle(self, name: str, ending: Ending, finished_at: str) -> None:
        """Bring a job to its end. Keeps count of failures, so that `verdict` costs the same in any plan."""
        job = self.jobs[name]
        job.settle(ending, finished_at)
        if job.tolerated:
            self._tolerated += 1
        elif ending.status == "failed":
            self._failures += 1

    def limits(self) -> Limits:
        """How much of each job a record can hold."""
        count = max(len(self.jobs), self._leaves, 1)
        most = Limits()
        return Limits(
            reason=max(MIN_REASON, min(most.reason, REASON_BUDGET // count)),
            history=max(1, min(most.history, HISTORY_BUDGET // count)),
            try_reason=max(MIN_TRY_REASON, min(most.try_reason, REASON_BUDGET // 5 // count)),
            warnings=max(1, min(most.warnings, WARNINGS_BUDGET // count)),
            services=min(most.services, MAX_SERVICE_RECORDS // count),
        )

    def record(self) -> RunRecord:
        """The whole state as people and programs read it."""
        limits = self.limits()
        return RunRecord(
            run_id=self.run_id,
            attempt=self.attempt,
            spec=self.plan.spec,
            status=self.status,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            jobs={name: job.record(limits) for name, job in self.jobs.items()},
            outputs=self.outputs,
            error=self.error,
            services=told(self.services, Limits()),
        )
