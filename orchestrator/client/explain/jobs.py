"""Each job of a run, or one of them: why it was started or was not, and what happened to it then. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from orchestrator.client.explain.edges import Edge, Way, edges_of, told, tolerated, ways_of
from orchestrator.client.explain.waits import waits_of_job, waits_of_variant
from orchestrator.client.leaves import leaves_of
from orchestrator.contract.messages import JobRecord, JobStatus, RunRecord, RunStatus, TryRecord
from orchestrator.plan.model import Node, Plan
from orchestrator.plan.parts import RetryPolicy
from orchestrator.plan.phrases import bare, listed
from orchestrator.plan.wording import when_finalizing

_FIRED: Final = {
    "success": "succeeded",
    "failure": "failed",
    "complete": "has ended",
    "chosen": "chose it",
}
_REPAIRED: Final = {
    "retry": "let it be tried again",
    "skip": "skipped it",
    "set_outputs": "gave its outputs",
    "fail": "gave it up",
}
MAX_LISTED: Final = 12


@dataclass(frozen=True)
class Explanation:
    """Why one job, or one variant of a job, is in the state that it is in. All texts are a line each."""

    name: str
    kind: str
    status: JobStatus
    why: str
    """Why it was started, or was not."""
    requires: tuple[Edge, ...] = ()
    triggers: tuple[Way, ...] = ()
    conditions: tuple[str, ...] = ()
    """Its own `if` and `unless`, with the values that they saw."""
    facts: tuple[str, ...] = ()
    """What happened to it then: reason, tries, what people did."""
    waits_for: tuple[str, ...] = ()
    """In a live run; empty of a job that has ended."""
    variants: "Mapping[str, Explanation]" = field(default_factory=dict[str, "Explanation"])
    """By full name; each with what its job requires."""


@dataclass(frozen=True)
class RunExplained:
    """A run, or the part of it that was asked for."""

    run_id: str
    spec: str
    status: RunStatus
    jobs: Mapping[str, Explanation]
    """By name, in the spec's order; one variant by its full name."""


def explain_run(record: RunRecord, plan: Plan, name: str | None = None) -> RunExplained:
    """Explain all jobs of a run; with `name` that job with all its variants, or that one variant.

    A variant is not known before its job has started: the job is explained instead.

    Raises UsageError where the run has nothing of that name.
    """
    if name is None:
        found = {job: _explained(job, record, plan) for job in record.jobs}
    else:
        leaves_of(record, name)
        job = name if name in record.jobs else name.partition(" (")[0]
        whole = _explained(job, record, plan)
        found = {name: whole.variants[name]} if name in whole.variants else {job: whole}
    return RunExplained(record.run_id, record.spec, record.status, found)


def _explained(name: str, record: RunRecord, plan: Plan) -> Explanation:
    node, job = plan.jobs[name], record.jobs[name]
    edges, ways = edges_of(node, record, plan), ways_of(node, record, plan)
    cause = _cause(node, edges, ways)
    whole = Explanation(
        name=name,
        kind=job.kind,
        status=job.status,
        why=_why(job, cause),
        requires=edges,
        triggers=ways,
        conditions=tuple(_conditions(node, job)),
        facts=tuple(_facts(node, job)),
        waits_for=waits_of_job(node, record, plan, edges, ways),
    )
    variants = {
        key: replace(
            whole,
            name=key,
            status=leaf.status,
            why=_why(leaf, cause),
            facts=tuple(_facts(node, leaf)),
            waits_for=waits_of_variant(node, leaf, record, plan),
        )
        for key, leaf in job.variants.items()
    }
    return replace(whole, variants=variants)


def _begun(job: JobRecord) -> bool:
    return job.started_at is not None or job.status in ("waiting", "running", "held", "success")


def _why(job: JobRecord, cause: str) -> str:
    if job.reused_from:
        return f"not run again: it stands as attempt {job.reused_from} left it"
    if _begun(job):
        return f"started: {cause}"
    if job.status == "pending":
        return "not started yet"
    return job.reason or f"{job.status} before it was started"


def _cause(node: Node, edges: Sequence[Edge], ways: Sequence[Way]) -> str:
    """What lets a job start, once it does."""
    if node.reminds:
        return f"gate '{node.reminds}' wanted its reminder"
    parts = [f"'{way.job}' {_FIRED[way.on]}" for way in ways if way.fired]
    if edges and node.on_complete == "failure":
        parts.append("one of the jobs that it requires failed (on_complete: failure)")
    elif edges:
        parts.append("all that it requires ended as it asks")
    if node.finalizer:
        how = "" if node.requires or node.triggers else f", and it runs {when_finalizing(node)}"
        parts.append(f"everything else was done{how}")
    return "; ".join(parts) or "it requires nothing"


def _conditions(node: Node, job: JobRecord) -> Iterator[str]:
    both = (("if", node.condition), ("unless", node.unless))
    written = " and ".join(f"`{key}: {bare(text)}`" for key, text in both if text is not None)
    if not written:
        return
    if job.admitted:
        yield job.admitted
    elif job.status == "pending":
        yield f"{written}: not looked at yet"
    elif _begun(job):
        yield f"{written}: let it start; the record has no room for what was seen"
    elif not (job.reason or "").startswith(("skipped: `", "expression: ")):
        # Else that is what kept it from starting, and `why` has it.
        yield f"{written}: not looked at"


def _facts(node: Node, job: JobRecord) -> Iterator[str]:
    if job.summary:
        yield job.summary
    if job.reason and job.status != "waiting" and _begun(job):
        yield f"{job.status}: {told(job)}"
    yield from (f"repaired: {repair.by or 'somebody'} {_REPAIRED[repair.action]}" for repair in job.repairs)
    if not job.variants:
        yield from _tries(node.retry, job)
    if tolerated(node, job):
        yield "it may fail (on_error: continue): the run goes on, and is partial at best"
    if job.child:
        yield f"it is a run of its own: orca explain {job.child}"


def _tries(policy: RetryPolicy, job: JobRecord) -> Iterator[str]:
    """Each try where there were several, and why there was no further one."""
    if job.tries > 1:
        if len(job.history) < job.tries:
            yield f"{job.tries} tries, of which the record has the last {len(job.history)}"
        yield from (f"try {one.number}: {_try(one)}" for one in job.history)
    if job.status in ("failed", "held") and job.tries and policy.max_attempts > 1:
        yield f"no further try: {_no_further(policy, job)}"


def _try(one: TryRecord) -> str:
    return (one.reason or one.status).partition("\n")[0]


def _no_further(policy: RetryPolicy, job: JobRecord) -> str:
    kind = (job.reason or "").partition(":")[0]
    if job.tries >= policy.max_attempts:
        return f"`retry` allows {policy.max_attempts} in all"
    if policy.on and kind not in policy.on and ("error" not in policy.on or kind == "timeout"):
        return f"`retry` is for {listed(policy.on, MAX_LISTED)}, and this was {kind}"
    if policy.exit_codes and kind == "exit" and job.exit_code not in policy.exit_codes:
        codes = listed([str(code) for code in policy.exit_codes], MAX_LISTED)
        return f"`retry` is for the exit codes {codes}, and this was {job.exit_code}"
    return "it would have ended the same way"
