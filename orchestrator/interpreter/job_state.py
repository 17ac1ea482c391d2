"""One job, or one variant of it, while the run goes, and what the variants of a job make together. Pure.

A job with variants has no tries of its own: its state is made of theirs, and is kept up to date with each change of
one of them, so that a step costs the same with six variants and with a thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from orchestrator import ids
from orchestrator.contract.messages import (
    ArtifactRef,
    Earlier,
    JobOutcome,
    JobRecord,
    JobStatus,
    ServiceRecord,
    TryRecord,
)
from orchestrator.contract.people import GateRecord, RepairRecord
from orchestrator.contract.times import parse_rfc3339, rfc3339
from orchestrator.interpreter.agreement import Agreement
from orchestrator.interpreter.telling import shortened, size_of, told, told_gate, told_repairs
from orchestrator.plan.ends import meets
from orchestrator.plan.model import Node, Variant
from orchestrator.plan.parts import Condition, Json

TERMINAL: frozenset[JobStatus] = frozenset({"success", "failed", "cancelled", "skipped", "omitted"})
"""States that a job does not leave. Only ever asked for membership: a set has no order to iterate in."""

NOTEWORTHY: tuple[JobStatus, ...] = (
    "failed",
    "running",
    "waiting",
    "held",
    "pending",
    "cancelled",
    "success",
)
"""Which variants are shown first where there is no room for all."""

MIN_ADMITTED = 40
"""Bytes; of what conditions saw, less than that tells nothing."""
MAX_ALSO = 3
"""Variants that a job's reason names beside the first that failed."""
MAX_TOLD = 600
"""Bytes of that one's own reason."""


@dataclass(frozen=True)
class Limits:
    """How much of each job a record holds; a record must fit into one payload, so the more jobs the less of each."""

    reason: int = 2000
    """Bytes."""
    history: int = 20
    """Tries that are told one by one, the last ones; `tries` counts them all."""
    try_reason: int = 200
    """Bytes of the reason of each of them; the job's own is the last try's, longer."""
    warnings: int = 10
    services: int = 50
    """Those that are told of each job; the note of each is as long as a try's reason."""
    gate: int = 200_000
    """Bytes of what is told of a gate: its prompt, form and answers."""
    updates: int = 32_768
    """Bytes of the variables that a function set. Where there are more a later attempt cannot take it over."""
    images: int = 4096
    """Of the images that it ran with; where there are more a later attempt compares them by name."""


@dataclass(frozen=True)
class Ending:
    """How a job ended, and why where it is not a plain success."""

    status: JobStatus
    reason: str | None = None
    off_path: bool = False
    """Skipped because it lies on a path that was not taken."""


def ending_of(outcome: JobOutcome) -> Ending:
    """What an outcome means for a job without variants, or for a variant."""
    return Ending(outcome.status, str(outcome.reason) if outcome.reason else outcome.note or None)


def in_milliseconds(moment: str | None) -> str | None:
    """A worker's or Docker's instant in the one form that records have."""
    return None if moment is None else rfc3339(parse_rfc3339(moment))


@dataclass
class JobState:
    """One job or variant while the run goes."""

    node: Node
    variant: Variant | None = None
    status: JobStatus = "pending"
    """Changed by `enter` and `settle` alone."""
    reason: str | None = None
    tries: list[TryRecord] = field(default_factory=list[TryRecord])
    exit_code: int | None = None
    outputs: dict[str, Json] = field(default_factory=dict[str, Json])
    artifacts: tuple[ArtifactRef, ...] = ()
    warnings: tuple[str, ...] = ()
    """Of the last try."""
    notices: tuple[str, ...] = ()
    """Warnings that are no try's own, such as services that could not be stopped."""
    started_at: str | None = None
    finished_at: str | None = None
    fan: "Fan | None" = None
    """The job's variants, from its start on."""
    member_of: "Fan | None" = None
    place: int = 0
    """Among the job's variants, from 0."""
    output_bytes: int = 0
    artifact_bytes: int = 0
    """What of the run's caps it takes."""
    services: dict[str, ServiceRecord] = field(default_factory=dict[str, ServiceRecord])
    """Its own, those of the last try."""
    service_logs: tuple[ArtifactRef, ...] = ()
    """Artifacts of its own services. Apart from the job's, which later jobs find at their paths."""
    addresses: dict[str, Json] = field(default_factory=dict[str, Json])
    """The `services` context of its last try."""
    moves: int = 0
    """Tries that its services' host did not take up, or whose services had ended; the user's `retry` does not count
    them."""
    shared_start: int = 0
    """The last start of the run's shared services that a try of it used."""
    spent: int = 0
    """Tries of earlier rounds: before a person asked for another, or, of a reminder, before it was last sent."""
    working: bool = False
    """Whether a try of it is under way, from its request to its end."""
    in_doubt: bool = False
    """Nobody knows how far its last try got, and it may not be run twice."""
    off_path: bool = False
    """Skipped because it lies on a path that was not taken: as if it were not there."""
    chosen: tuple[str, ...] = ()
    """Of a choice: the jobs of the branch that it took."""
    gate: GateRecord | None = None
    """Of a gate, from the moment at which it opened."""
    repairs: list[RepairRecord] = field(default_factory=list[RepairRecord])
    admitted: str = ""
    """What its own conditions saw when they let it start; empty where it has none."""
    note: str = ""
    """What its kind has to say of it beside its state: who approved, which branch was taken."""
    updates: dict[str, Json] = field(default_factory=dict[str, Json])
    """Variables that its function set, which hold from its success on."""
    quality: dict[str, Json] | None = None
    images: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    child: str = ""
    """Of a nested workflow: the run id of its last try."""
    fingerprint: str = ""
    """Of its last try, or of that which was taken over."""
    reused: Earlier | None = None
    """What it took over instead of running."""
    since: int = 0
    """Once it has ended: the attempt since which it stands as it does; the one in which it ran, where it did."""
    key: str = field(init=False)
    """How people name it: `build`, or `test (3.11, alpine)`."""

    def __post_init__(self) -> None:
        """Names stay what they are."""
        self.key = ids.variant_key(self.node.name, self.variant.name if self.variant else None)

    @property
    def settled(self) -> bool:
        """Whether the job has reached its end."""
        return self.status in TERMINAL

    @property
    def tolerated(self) -> bool:
        """Whether it failed and may: `on_error: continue`."""
        return self.status == "failed" and self.node.on_error == "continue"

    @property
    def tried(self) -> int:
        """Tries so far; of a job with variants, theirs together."""
        return self.fan.tries if self.fan else len(self.tries)

    @property
    def summary(self) -> str | None:
        """`4/6 passed` of a job with variants; else what its kind has to say."""
        return self.fan.summary if self.fan else self.note or None

    def ended_as(self, condition: Condition) -> bool:
        """Whether a settled job's end meets an edge's condition."""
        return meets(condition, self.status, tolerated=self.tolerated)

    @property
    def charged(self) -> int:
        """Tries that the user's `retry` counts."""
        return len(self.tries) - self.moves - self.spent

    @property
    def uncharged(self) -> int:
        """Tries that it does not count."""
        return self.moves + self.spent

    def renew(self) -> None:
        """Give it the whole budget of tries once more."""
        self.spent = len(self.tries) - self.moves

    def begin(self, now: str) -> None:
        """Take down that it begins: where there are no tries, or before the first."""
        self.started_at = self.started_at or now
        if self.member_of is not None:
            self.member_of.began(now)

    def enter(self, status: JobStatus, reason: str | None = None) -> None:
        """Change the status; the job of a variant learns of it."""
        before, self.status, self.reason = self.status, status, reason
        if self.member_of is not None:
            self.member_of.moved(self, before)

    def begin_try(self, now: str) -> int:
        """Take down that a try begins, and return its number, from 1."""
        number = len(self.tries) + 1
        self.tries.append(TryRecord(number=number, status="running", started_at=now))
        if self.member_of is not None:
            self.member_of.began_try(now)
        return number

    def take(self, outcome: JobOutcome) -> None:
        """Take over what the last try left. The status is set when the job settles, not here."""
        self.exit_code = outcome.exit_code
        self.outputs = dict(outcome.outputs)
        self.artifacts = outcome.artifacts
        self.warnings = outcome.warnings
        self.updates, self.quality = dict(outcome.updates), outcome.quality
        self.images = dict(outcome.images)
        self.started_at = self.started_at or in_milliseconds(outcome.started_at)

    def settle(self, ending: Ending, now: str) -> None:
        """Bring it to its end; a job with variants takes over what they left."""
        self.finished_at = self.reused.finished_at or now if self.reused else now
        self.off_path = ending.off_path
        if self.fan is not None:
            self.fan.close(self)
        self.enter(ending.status, ending.reason)

    def record(self, limits: Limits) -> JobRecord:
        """The job as a run's record shows it."""
        history = self.tries[-limits.history :]
        reason = shortened(self.reason, limits.reason) or ""
        # In the room that the reason leaves.
        room = limits.reason - len(reason.encode())
        kept = self.status == "success" and size_of(self.updates) <= limits.updates
        return JobRecord(
            kind=self.node.kind,
            status=self.status,
            reason=reason or None,
            tries=self.tried,
            exit_code=self.exit_code,
            outputs=self.outputs,
            started_at=self.started_at,
            finished_at=self.finished_at,
            variants={key: leaf.record(limits) for key, leaf in self.fan.leaves.items()} if self.fan else {},
            summary=shortened(self.summary, limits.reason),
            # Those of variants are told once, where they are from.
            artifacts=() if self.fan else (*self.artifacts, *self.service_logs),
            history=tuple(
                tried.model_copy(update={"reason": shortened(tried.reason, limits.try_reason)})
                for tried in history
            ),
            warnings=tuple(
                shortened(warning, limits.reason) or ""
                for warning in (*self.warnings, *self.notices)[: limits.warnings]
            ),
            services=told(self.services, most=limits.services, text=limits.try_reason),
            gate=told_gate(self.gate, limits.gate) if self.gate else None,
            quality=self.quality,
            child=self.child,
            repairs=told_repairs(self.repairs, most=limits.history, comment=limits.try_reason),
            off_path=self.off_path,
            admitted=(shortened(self.admitted, room) or "") if room >= MIN_ADMITTED else "",
            fingerprint=self.fingerprint if kept else "",
            reused_from=self.reused.attempt if self.reused else 0,
            reused_tries=self.reused.tries if self.reused else 0,
            updates=self.updates if kept else {},
            images=self.images if kept and size_of(self.images) <= limits.images else {},
            # By force a job may have been settled whose try nobody heard of again.
            in_doubt=self.in_doubt or (self.working and self.settled and not self.node.idempotent),
        )


class Fan:
    """The variants of one job.

    Attributes:
        leaves: each variant's state under its full name, in order.
        tries: of all of them.
        stop_reason: why those that have not ended are to end although the run goes on: one of them failed.
        outputs: what they agree on; empty until the job has ended.
    """

    def __init__(self, job: JobState, variants: Sequence[Variant]) -> None:
        """Make the state of each variant, pending, and let `job` stand for them from here on."""
        made = [
            JobState(job.node, variant=variant, member_of=self, place=place)
            for place, variant in enumerate(variants)
        ]
        self.leaves = {leaf.key: leaf for leaf in made}
        self.tries = 0
        self.stop_reason: str | None = None
        self.outputs = Agreement(job.node.name, {})
        self._job = job
        self._known: dict[str, None] = {}
        self._by_status: dict[JobStatus, dict[str, JobState]] = {"pending": dict(self.leaves)}
        self.listed = tuple(made)
        job.fan = self

    @property
    def finalizer(self) -> bool:
        """Whether its job is one."""
        return self._job.node.finalizer

    def count(self, status: JobStatus) -> int:
        """How many variants are in that state."""
        return len(self._by_status.get(status, ()))

    @property
    def summary(self) -> str:
        """`4/6 passed`."""
        return f"{self.count('success')}/{len(self.leaves)} passed"

    def moved(self, leaf: JobState, before: JobStatus) -> None:
        """Take down that a variant has left the status `before`; a job that has not ended shows what goes on."""
        del self._by_status[before][leaf.key]
        self._by_status.setdefault(leaf.status, {})[leaf.key] = leaf
        if not self._job.settled:
            # What needs a person stands before what only needs time.
            idle: tuple[JobStatus, ...] = () if self.count("running") else ("held", "waiting")
            found: list[JobStatus] = [status for status in idle if self.count(status)]
            self._job.enter(found[0] if found else "running")

    def began_try(self, now: str) -> None:
        """Take down that a variant's try begins; the first is when the job began."""
        self.tries += 1
        self.began(now)

    def began(self, now: str) -> None:
        """Take down that a variant begins."""
        self._job.started_at = self._job.started_at or now

    def new_outputs(self, outputs: Mapping[str, Json]) -> dict[str, Json]:
        """Those of `outputs` that no variant had before: the job itself shows each name once more."""
        fresh = {name: value for name, value in outputs.items() if name not in self._known}
        self._known.update(dict.fromkeys(fresh))
        return fresh

    def noteworthy(self, limit: int) -> list[JobState]:
        """At most `limit` variants, in their order; where there are more, those that failed or run before others."""
        if len(self.leaves) <= limit:
            return list(self.listed)
        ranked = (leaf for status in NOTEWORTHY for leaf in self._by_status.get(status, {}).values())
        return sorted(islice(ranked, limit), key=lambda leaf: leaf.place)

    def close(self, job: JobState) -> None:
        """Give the ended `job` what its variants left."""
        self.outputs = Agreement(job.node.name, {key: leaf.outputs for key, leaf in self.leaves.items()})
        job.outputs = self.outputs.agreed
        job.artifacts = tuple(ref for leaf in self.listed for ref in leaf.artifacts)
        # What was reused has the times of another attempt.
        timed = [leaf for leaf in self.listed if leaf.reused is None] or self.listed
        starts = [leaf.started_at for leaf in timed if leaf.started_at is not None]
        ends = [leaf.finished_at for leaf in timed if leaf.finished_at is not None]
        job.started_at = min(starts, default=None)
        job.finished_at = max(ends, default=job.finished_at)
        codes = [leaf.exit_code for leaf in self.listed]
        failed = next((leaf for leaf in self.listed if leaf.status == "failed"), None)
        job.exit_code = failed.exit_code if failed else 0 if set(codes) == {0} else None

    def ending(self) -> Ending:
        """How the job ended, once all variants have: failed where one did, else cancelled where one was."""
        if self.count("failed"):
            return Ending("failed", self._failures())
        cancelled = next(iter(self._by_status.get("cancelled", {}).values()), None)
        if cancelled is not None:
            return Ending("cancelled", cancelled.reason)
        if self.count("skipped") == len(self.leaves):
            return Ending("skipped", self.listed[0].reason)
        return Ending("success")

    def _failures(self) -> str:
        """`exit: 2 of 6 variants failed: test (3.12, alpine): command 1 exited with 3; also test (3.12, musl)`."""
        first, *others = (leaf for leaf in self.listed if leaf.status == "failed")
        kind, _, why = (first.reason or "").partition(": ")
        cancelled = self.count("cancelled")
        beside = f" and {cancelled} {'was' if cancelled == 1 else 'were'} cancelled" if cancelled else ""
        also = ", ".join(leaf.key for leaf in others[:MAX_ALSO])
        more = f" and {len(others) - MAX_ALSO} more" if len(others) > MAX_ALSO else ""
        return (
            f"{kind}: {1 + len(others)} of {len(self.leaves)} variants failed{beside}: "
            f"{first.key}: {shortened(why, MAX_TOLD)}{f'; also {also}{more}' if also else ''}"
        )
