"""What a job requires and which transitions lead to it, beside how their sources stand. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.contract.messages import JobRecord, JobStatus, RunRecord
from orchestrator.plan.ends import fires, meets, needs_path
from orchestrator.plan.model import Node, Plan, Trigger
from orchestrator.plan.parts import Condition, Requirement
from orchestrator.plan.phrases import shortened

MAX_STANDING: Final = 160
"""Characters of how a source stands; its own explanation says all."""
ENDED: Final[tuple[JobStatus, ...]] = ("success", "failed", "cancelled", "skipped", "omitted")


@dataclass(frozen=True)
class Edge:
    """A requirement."""

    job: str
    condition: Condition
    status: JobStatus
    """Of the job that is required."""
    met: bool | None
    """None: not known yet."""
    off_path: bool
    """That job lies on a path that was not taken, so that the requirement is as if it were not there."""
    standing: str
    """How that job stands, in a line: `failed: exit: command 1 exited with 3`."""


@dataclass(frozen=True)
class Way:
    """A transition that leads to the job."""

    job: str
    on: Literal["success", "failure", "complete", "chosen"]
    status: JobStatus
    """Of its source."""
    fired: bool | None
    """None: not known yet."""
    standing: str
    """As of an edge."""


def edges_of(node: Node, record: RunRecord, plan: Plan) -> tuple[Edge, ...]:
    """The requirements of a job, as the run stands."""
    return tuple(_edge(edge, record, plan) for edge in node.requires)


def ways_of(node: Node, record: RunRecord, plan: Plan) -> tuple[Way, ...]:
    """The transitions that lead to a job, as the run stands."""
    return tuple(_way(trigger, node.name, record, plan) for trigger in node.triggers)


def _edge(edge: Requirement, record: RunRecord, plan: Plan) -> Edge:
    source, node = record.jobs[edge.job], plan.jobs[edge.job]
    off_path = source.off_path and needs_path(edge)
    met = None
    if source.status in ENDED:
        met = off_path or meets(edge.condition, source.status, tolerated=tolerated(node, source))
    return Edge(edge.job, edge.condition, source.status, met, off_path, standing(node, source))


def _way(trigger: Trigger, target: str, record: RunRecord, plan: Plan) -> Way:
    source = record.jobs[trigger.job]
    fired = None
    if source.status in ENDED:
        fired = fires(trigger.on, source.status, chosen=target in (source.outputs.get("chosen") or ()))
    return Way(trigger.job, trigger.on, source.status, fired, standing(plan.jobs[trigger.job], source))


def tolerated(node: Node, job: JobRecord) -> bool:
    """Whether a job failed and may."""
    return job.status == "failed" and node.on_error == "continue"


def standing(node: Node, job: JobRecord) -> str:
    """How a job stands, in a line: `failed, as it may: exit: …`, `skipped, on a path that was not taken`."""
    if job.off_path:
        return "skipped, on a path that was not taken"
    may = ", as it may" if tolerated(node, job) else ""
    said = shortened((job.summary if job.status == "success" else told(job)) or "", MAX_STANDING)
    if said.startswith(job.status):
        return said
    return f"{job.status}{may}{f': {said}' if said else ''}"


def told(job: JobRecord) -> str:
    """The first line of a job's reason, without the state that it may begin with."""
    first, more, _ = (job.reason or "").partition("\n")
    return f"{first.removeprefix(f'{job.status}: ')}{' …' if more else ''}"
