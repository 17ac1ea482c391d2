"""From a job of the spec, with its defaults, to a node of the plan. One function for each kind. No checks here."""

from collections.abc import Mapping
from functools import lru_cache

from orchestrator.compile.commands import DEFAULT_SHELL, Commands
from orchestrator.compile.edges import Edge
from orchestrator.compile.graph import Graph
from orchestrator.compile.services import JobServices, resources
from orchestrator.compile.strategy import Repeats
from orchestrator.plan.base import Condition, Requirement, RetryPolicy
from orchestrator.plan.model import (
    DEFAULT_FINALIZER_TIMEOUT,
    DEFAULT_JOB_TIMEOUT,
    DEFAULT_STOP_GRACE,
    ContainerNode,
    Param,
    Variant,
)
from orchestrator.spec.model import JobShape, ParamShape, RetryShape


def container_node(
    name: str,
    job: JobShape,
    *,
    graph: Graph,
    rank: Mapping[str, int],
    commands: Commands,
    repeats: Repeats | None,
    services: JobServices,
    workspace: bool,
) -> ContainerNode:
    """The node of a container job.

    Args:
        name: The job's name.
        job: The job, defaults filled in.
        graph: All edges.
        rank: For each job its place in the topological order.
        commands: The job's commands, bound.
        repeats: The job's matrix or list.
        services: The job's services.
        workspace: Whether the spec ships one.
    """
    edges = graph.edges[name]
    computed = job.outputs if isinstance(job.outputs, dict) else {}
    return ContainerNode(
        name=name,
        requires=tuple(_requirement(edge.job, edge.condition) for edge in edges),
        finalizer=name in graph.final,
        on_complete=job.on_complete or "success",
        condition=_stripped(job.if_),
        unless=_stripped(job.unless),
        on_error=job.on_error or "stop",
        timeout=_timeout(job, finalizer=name in graph.final),
        retry=_retry(job.retry),
        outputs=dict(computed),
        required_outputs=() if isinstance(job.outputs, dict) else job.outputs,
        title=job.name,
        strategy=None if repeats is None else repeats.strategy,
        variants=() if repeats is None else _variants(repeats.variants, commands),
        image=job.image or "",
        commands=commands.commands,
        titles=commands.titles,
        env={**job.env, **commands.env},
        artifacts=job.artifacts,
        artifacts_from=_artifact_sources(job, edges, rank),
        workspace=workspace,
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


def _artifact_sources(job: JobShape, edges: tuple[Edge, ...], rank: Mapping[str, int]) -> tuple[str, ...]:
    """In topological order, so that where two jobs left the same path the later one wins."""
    required = [edge.job for edge in edges if edge.origin == "requires"]
    return tuple(sorted(dict.fromkeys((*required, *job.artifacts_from)), key=lambda name: rank[name]))


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
