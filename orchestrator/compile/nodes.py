"""From a job of the spec, with its defaults, to a node of the plan: containers here, all others in `kind_nodes`.

No checks here.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from orchestrator.compile.commands import DEFAULT_SHELL, Commands
from orchestrator.compile.draft import Draft
from orchestrator.compile.kind_nodes import call_node, choice_node, gate_node, wait_node, workflow_node
from orchestrator.compile.services import resources
from orchestrator.plan.model import (
    DEFAULT_FINALIZER_TIMEOUT,
    DEFAULT_JOB_TIMEOUT,
    DEFAULT_STOP_GRACE,
    ContainerNode,
    Node,
    Param,
    Trigger,
    Variant,
)
from orchestrator.plan.parts import Condition, Requirement, RetryPolicy
from orchestrator.spec.model import JobShape, ParamShape, RetryShape


def node_of(
    draft: Draft, name: str, *, rank: Mapping[str, int], commands: Commands | None, gates: Mapping[str, str]
) -> Node:
    """The node of a job.

    Args:
        draft: The spec.
        name: The job's name.
        rank: For each job its place in the topological order.
        commands: The job's commands, bound; None for a job that is no container.
        gates: For each job that is a reminder its gate.
    """
    job, shared = draft.jobs[name], _shared(draft, name, gates)
    variants = () if name not in draft.repeats else draft.repeats[name].variants
    match draft.kinds[name]:
        case "container":
            return _container_node(draft, name, rank, commands or Commands((), (), {}), shared)
        case "gate":
            return gate_node(job, {**shared, "variants": variants})
        case "wait":
            return wait_node(job, {**shared, "variants": variants})
        case "choice":
            return choice_node(job, shared)
        case "call":
            timed = {"timeout": _timeout(job, finalizer=name in draft.graph.final)}
            return call_node(job, {**shared, **timed, "variants": variants, "retry": _retry(job.retry)})
        case "workflow":
            whole = {**shared, "variants": variants, "retry": _retry(job.retry)}
            return workflow_node(job, draft.children[name].path, whole)


def _shared(draft: Draft, name: str, gates: Mapping[str, str]) -> dict[str, Any]:
    """What nodes of all kinds have."""
    job, graph, repeats = draft.jobs[name], draft.graph, draft.repeats.get(name)
    computed = job.outputs if isinstance(job.outputs, dict) else {}
    triggers = dict.fromkeys(Trigger(job=way.job, on=way.on) for way in graph.ways.get(name, ()))
    return {
        "name": name,
        "requires": tuple(_requirement(edge.job, edge.condition) for edge in graph.edges[name]),
        "finalizer": name in graph.final,
        "on_complete": job.completion or "success",
        "condition": _stripped(job.if_),
        "unless": _stripped(job.unless),
        "triggers": tuple(triggers),
        "on_error": job.on_error or "stop",
        "idempotent": job.idempotent is not False,
        "publish": dict(job.publish),
        "reminds": gates.get(name, ""),
        "outputs": dict(computed),
        "required_outputs": () if isinstance(job.outputs, dict) else job.outputs,
        "title": job.name,
        "strategy": None if repeats is None else repeats.strategy,
    }


def _container_node(
    draft: Draft, name: str, rank: Mapping[str, int], commands: Commands, shared: Mapping[str, Any]
) -> ContainerNode:
    job, services, repeats = draft.jobs[name], draft.services.of(name), draft.repeats.get(name)
    return ContainerNode(
        **shared,
        timeout=_timeout(job, finalizer=name in draft.graph.final),
        retry=_retry(job.retry),
        variants=() if repeats is None else _variants(repeats.variants, commands),
        image=job.image or "",
        commands=commands.commands,
        titles=commands.titles,
        env={**job.env, **commands.env},
        artifacts=job.artifacts,
        artifacts_from=_artifact_sources(draft, name, rank),
        workspace=draft.spec.workspace is not None,
        working_dir=job.working_dir,
        shell=job.shell or DEFAULT_SHELL,
        user=job.user,
        entrypoint=job.entrypoint,
        pull=job.pull or "missing",
        stop_grace=DEFAULT_STOP_GRACE if job.stop_grace is None else job.stop_grace,
        resources=resources(job.resources),
        services=tuple(written.service for written in services.own),
        shared_services=tuple(named.name for named in services.shared),
        network=job.network or "default",
    )


@lru_cache(maxsize=4096)
def _requirement(job: str, condition: Condition) -> Requirement:
    """One object for all that ask the same, as jobs that require many do again and again."""
    return Requirement(job=job, condition=condition)


def _timeout(job: JobShape, *, finalizer: bool) -> float:
    if job.timeout is not None:
        return job.timeout
    return DEFAULT_FINALIZER_TIMEOUT if finalizer else DEFAULT_JOB_TIMEOUT


def _variants(variants: tuple[Variant, ...], commands: Commands) -> tuple[Variant, ...]:
    """The variants with their own commands, where they have any."""
    if not commands.of_variants:
        return variants
    pairs = zip(variants, commands.of_variants, strict=True)
    return tuple(variant.model_copy(update={"commands": own}) for variant, own in pairs)


def param_of(name: str, shape: ParamShape) -> Param:
    """The plan's form of a declared param."""
    return Param(
        name=name,
        type=shape.type,
        required=shape.required,
        default=shape.default,
        has_default=shape.has_default,
        enum=shape.enum,
        pattern=shape.pattern,
        description=shape.description,
    )


def _stripped(condition: str | None) -> str | None:
    """A condition without white space around it: beside `${{ }}` even that would count as text."""
    return None if condition is None else condition.strip()


def _artifact_sources(draft: Draft, name: str, rank: Mapping[str, int]) -> tuple[str, ...]:
    """In topological order, so that where two jobs left the same path the later one wins."""
    required = [
        edge.job
        for edge in draft.graph.edges[name]
        if edge.origin == "requires" and draft.kinds[edge.job] == "container"
    ]
    named = draft.jobs[name].artifacts_from
    return tuple(sorted(dict.fromkeys((*required, *named)), key=lambda one: rank[one]))


def _retry(shape: RetryShape | None) -> RetryPolicy:
    if shape is None:
        return RetryPolicy()
    return RetryPolicy(
        max_attempts=shape.max_attempts,
        delay=shape.delay,
        backoff=shape.backoff,
        multiplier=shape.multiplier,
        max_delay=shape.max_delay,
        on=shape.on,
        exit_codes=shape.exit_codes,
    )
