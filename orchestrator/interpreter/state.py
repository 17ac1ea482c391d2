"""What a run knows while it goes: the state of every job, and the record that people read, made of it."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from orchestrator.contract.messages import MAX_LEAVES, Reuse, RunRecord, RunStatus, ServiceRecord
from orchestrator.contract.people import MAX_IGNORED, CancelRecord, Ignored, PauseRecord
from orchestrator.interpreter.job_state import Ending, Fan, JobState, Limits
from orchestrator.interpreter.lineage import since_of
from orchestrator.interpreter.telling import shortened, told
from orchestrator.plan.model import ContainerNode, GateNode, Plan, Variant
from orchestrator.plan.parts import Json

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
GATE_ROOM = 200_000
"""The same of a run with gates, beside what is fixed of each, which has no tries to tell of."""
MAX_VARS_BYTES = 64 * 1024
"""The run's variables together, as JSON; a run with any has so much less for artifacts."""
REASON_BUDGET, HISTORY_BUDGET, WARNINGS_BUDGET = 300_000, 1000, 1000
"""Bytes of reasons, tries told one by one, and warnings, of all jobs and variants together."""
MIN_REASON, MIN_TRY_REASON, MIN_GATE = 100, 40, 400
MAX_IGNORED_BYTES = 500
"""Of why a signal was no good."""
UPDATES_BUDGET = 32 * 1024
"""The same of variables that functions set, of all jobs together."""
IMAGES_BUDGET = 120_000
"""The same of the images that jobs ran with."""
MAX_SERVICE_RECORDS = 300
"""Of all jobs and variants together."""

Stop = Literal["cancel", "timeout"]


class Level(IntEnum):
    """How far a run is on its way to an end before its time. It only rises."""

    NONE = 0
    DRAIN = 1
    """What runs comes to its end, and nothing new begins but finalizers."""
    GRACEFUL = 2
    """What runs is stopped; finalizers run."""
    FINAL = 3
    """Finalizers too are stopped, or do not begin."""
    FORCE = 4
    """All is killed, and waited for only so long."""


@dataclass
class RunState:
    """The whole run. `stop` is set once, by a cancel or by the run's own timeout; `level` says how far that goes."""

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
    level: Level = Level.NONE
    cancel: CancelRecord | None = None
    services: dict[str, ServiceRecord] = field(default_factory=dict[str, ServiceRecord])
    """Those that jobs share."""
    vars: dict[str, Json] = field(default_factory=dict[str, Json])
    """The run's variables as they stand."""
    writers: dict[str, int] = field(default_factory=dict[str, int])
    """Of each variable that a job has set, the place of that job in the plan's order."""
    reuse: Reuse | None = None
    """What it may take over from earlier attempts."""
    dry_run: bool = False
    paused: PauseRecord | None = None
    ignored: tuple[Ignored, ...] = ()
    output_bytes: int = 0
    artifact_bytes: int = 0
    settled: int = 0
    """Jobs that have reached their end."""
    _variants: dict[str, JobState] = field(default_factory=dict[str, JobState])
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
        nodes = self.plan.jobs.values()
        with_services = self.plan.services or any(
            isinstance(node, ContainerNode) and node.services for node in nodes
        )
        room = MAX_ARTIFACT_BYTES - (SERVICE_ROOM if with_services else 0)
        room -= GATE_ROOM if any(isinstance(node, GateNode) for node in nodes) else 0
        return room - (MAX_VARS_BYTES if self.plan.vars else 0)

    def stop_reason(self, job: JobState) -> str:
        """Why a run that ends before its time cancels a job."""
        if self.level is Level.FORCE:
            return "cancelled: the run was cancelled by force"
        if job.node.finalizer and self.level is Level.FINAL:
            return "cancelled: the run was cancelled, and then its finalizers too"
        if self.stop == "timeout":
            return f"cancelled: the run's timeout of {self.plan.timeout:g} s passed"
        return "cancelled: the run was cancelled"

    def stopping(self, job: JobState) -> bool:
        """Whether a job or variant is to end before its time."""
        return self._reached(job, Level.GRACEFUL)

    def ending(self, job: JobState) -> bool:
        """Whether nothing new of a job or variant may begin; what runs of it may come to its end all the same."""
        return self._reached(job, Level.DRAIN)

    def _reached(self, job: JobState, level: Level) -> bool:
        if job.member_of is not None and job.member_of.stop_reason is not None:
            return True
        return self.level >= (Level.FINAL if job.node.finalizer else level)

    def room_for(self, job: JobState, count: int) -> bool:
        """Whether the run can hold `count` variants of `job`."""
        return self._leaves - max(1, len(job.node.variants)) + count <= MAX_LEAVES

    def fan_out(self, job: JobState, variants: Sequence[Variant]) -> Fan:
        """Give `job` its variants. Once, when it starts."""
        self._leaves += len(variants) - max(1, len(job.node.variants))
        fan = Fan(job, variants)
        self._variants.update(fan.leaves)
        return fan

    def find(self, key: str) -> JobState | None:
        """The job, or the variant, of that full name; a variant only once its job has begun."""
        return self.jobs.get(key) or self._variants.get(key)

    def ignore(self, signal: str, at: str, why: str) -> None:
        """Take down a signal that was no good."""
        told_why = shortened(why, MAX_IGNORED_BYTES) or ""
        entry = Ignored(signal=shortened(signal, 60) or "", at=at, why=told_why)
        self.ignored = (*self.ignored, entry)[-MAX_IGNORED:]

    def timeless(self) -> "RunState":
        """The same run without what belongs to this attempt alone: its number, its times and how it stands."""
        still = copy(self)
        still.attempt, still.created_at, still.started_at = 1, "", None
        still.stop, still.error = None, None
        still._failures = still._tolerated = 0
        return still

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
        job.since = since_of(job, self.jobs, self.reuse, self.attempt)
        self.settled += 1
        if job.tolerated:
            self._tolerated += 1
        elif ending.status == "failed":
            self._failures += 1

    def limits(self) -> Limits:
        """How much of each job a record can hold."""
        count = max(len(self.jobs), self._leaves, 1)
        most = Limits()
        gates = sum(
            max(1, len(job.fan.listed) if job.fan else len(job.node.variants))
            for job in self.jobs.values()
            if isinstance(job.node, GateNode)
        )
        setters = sum(
            bool(leaf.updates)
            for job in self.jobs.values()
            for leaf in (job.fan.listed if job.fan else [job])
        )
        return Limits(
            updates=UPDATES_BUDGET // max(1, setters),
            images=min(most.images, IMAGES_BUDGET // count),
            reason=max(MIN_REASON, min(most.reason, REASON_BUDGET // count)),
            history=max(1, min(most.history, HISTORY_BUDGET // count)),
            try_reason=max(MIN_TRY_REASON, min(most.try_reason, REASON_BUDGET // 5 // count)),
            warnings=max(1, min(most.warnings, WARNINGS_BUDGET // count)),
            services=min(most.services, MAX_SERVICE_RECORDS // count),
            gate=max(MIN_GATE, GATE_ROOM // max(1, gates)),
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
            services=told(self.services, most=Limits().services, text=Limits().try_reason),
            vars=self.vars,
            paused=self.paused,
            ignored=self.ignored,
            dry_run=self.dry_run,
            cancel=self.cancel,
        )
