"""What a job of a live run still waits for, each thing in a line. Pure."""

from collections.abc import Iterator, Sequence

from orchestrator.client.explain.edges import ENDED, Edge, Way, told
from orchestrator.contract.messages import JobRecord, RunRecord
from orchestrator.plan.kinds import MAX_NAMES, trigger_words
from orchestrator.plan.model import Node, Plan, Trigger
from orchestrator.plan.phrases import count, listed


def waits_of_job(
    node: Node, record: RunRecord, plan: Plan, edges: Sequence[Edge], ways: Sequence[Way]
) -> tuple[str, ...]:
    """What `node` waits for; nothing where it, or the run, has ended.

    Args:
        node: the job.
        record: the run.
        plan: what it runs.
        edges: what the job requires, as the run stands.
        ways: the transitions that lead to it.
    """
    job = record.jobs[node.name]
    if not _live(job, record):
        return ()
    if job.status != "pending":
        return tuple(_going(job, plan))
    return tuple(_open(edges, ways)) or (_next(node, record, plan),)


def waits_of_variant(node: Node, leaf: JobRecord, record: RunRecord, plan: Plan) -> tuple[str, ...]:
    """What one variant of `node` waits for; nothing where it, or the run, has ended."""
    if not _live(leaf, record):
        return ()
    if leaf.status != "pending":
        return tuple(_going(leaf, plan))
    strategy = node.strategy
    if strategy is not None and strategy.max_parallel is not None:
        return (f"a place: {count(strategy.max_parallel, 'variant')} at a time",)
    if strategy is not None and strategy.batch_size is not None:
        return (f"the batch before it: {count(strategy.batch_size, 'variant')} at a time",)
    return (_pause(record) or "its turn",)


def _live(job: JobRecord, record: RunRecord) -> bool:
    return record.status in ("pending", "running") and job.status not in ENDED


def _open(edges: Sequence[Edge], ways: Sequence[Way]) -> Iterator[str]:
    """The jobs whose end is to decide about it."""
    if ways and not any(way.fired for way in ways):
        for way in ways:
            if way.fired is None:
                yield f"a way to it: {trigger_words(Trigger(job=way.job, on=way.on))}, which is {way.status}"
    for edge in edges:
        if edge.met is None:
            yield f"'{edge.job}', which is {edge.status}"


def _next(node: Node, record: RunRecord, plan: Plan) -> str:
    """What a job waits for that no other job keeps from starting."""
    if record.status == "pending":
        return "a worker: none has taken the run yet"
    if node.finalizer:
        left = [
            f"'{name}'"
            for name, job in record.jobs.items()
            if job.status not in ENDED and not plan.jobs[name].finalizer
        ]
        if left:
            return f"everything else to be done: {listed(left, MAX_NAMES)} {'is' if len(left) == 1 else 'are'} not"
    if node.reminds:
        return f"gate '{node.reminds}' to want its reminder"
    return _pause(record) or "its turn"


def _pause(record: RunRecord) -> str | None:
    if record.paused is None:
        return None
    by = f" by {record.paused.by}" if record.paused.by else ""
    return f"the end of the pause{by}: 'orca unpause {record.run_id}'"


def _going(job: JobRecord, plan: Plan) -> Iterator[str]:
    """What a job waits for that has been started."""
    said = told(job).removeprefix("waiting for ").removeprefix("waiting ")
    if job.variants:
        left = [f"'{key}'" for key, leaf in job.variants.items() if leaf.status not in ENDED]
        yield f"its variants: {listed(left, MAX_NAMES)}"
    elif job.gate is not None and job.gate.closed_at is None:
        who = listed(job.gate.approvers, MAX_NAMES) or "anyone"
        yield f"{said or 'approval'}; answered by {who}{f' until {job.gate.deadline}' if job.gate.deadline else ''}"
    elif job.status == "held":
        yield "a person: it is held after its failure"
    elif job.status == "waiting":
        yield said or _place(plan)
    elif job.child:
        yield f"run '{job.child}'"
    else:
        yield "its own end"


def _place(plan: Plan) -> str:
    if plan.max_parallel is None:
        return "a place: the run has as many jobs at a time as one may have"
    return f"a place: the run has at most {count(plan.max_parallel, 'job')} at a time (max_parallel)"
