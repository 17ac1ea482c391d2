"""Spec to plan: all rules first, then, where none found an error, the plan. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from orchestrator.compile.checks import RULES
from orchestrator.compile.collector import collector_waits
from orchestrator.compile.commands import Commands, bind_commands
from orchestrator.compile.draft import Draft, make_draft
from orchestrator.compile.estimate import estimated_events, events_of, leaves
from orchestrator.compile.expression_checks import expressions
from orchestrator.compile.lints import LINTS
from orchestrator.compile.nested import Family, Outcome, ReadSpec, SpecFile, children_of
from orchestrator.compile.nodes import node_of, param_of
from orchestrator.compile.spare import SPARE
from orchestrator.compile.status_conditions import idle_status
from orchestrator.compile.ways import reminders
from orchestrator.errors import SpecError
from orchestrator.expressions import shared_work
from orchestrator.plan.model import Plan
from orchestrator.spec import parse
from orchestrator.spec.diagnostics import Diagnostic, has_errors, in_order
from orchestrator.spec.model import Spec
from orchestrator.spec.places import Source


@dataclass(frozen=True)
class Compiled:
    """A plan, and what is worth a warning. Its diagnostics hold no errors."""

    plan: Plan
    diagnostics: tuple[Diagnostic, ...] = ()


def compile_text(text: str | bytes, file: str, *, read: ReadSpec | None = None) -> Compiled:
    """Compiles a spec, and those that are nested in it.

    Args:
        text: The file's content.
        file: How diagnostics name the file.
        read: Reads nested specs; without it a job that nests one is an error.

    Raises:
        SpecError: with every finding, warnings too, in source order, those of nested specs last.
    """
    with collector_waits(), shared_work():
        family = Family(PurePath(file).name, read)
        outcome = _compiled(SpecFile(file, text if isinstance(text, bytes) else text.encode()), (), family)
        diagnostics = (*outcome.diagnostics, *family.diagnostics)
        if outcome.plan is None or has_errors(diagnostics):
            raise SpecError(diagnostics)
        return Compiled(outcome.plan.model_copy(update={"workflows": family.plans}), diagnostics)


def _compiled(given: SpecFile, chain: tuple[str, ...], family: Family) -> Outcome:
    """What one spec of a family comes to. `chain` leads to it: empty for the root."""
    parsed = parse.read(given.text, given.file)
    if parsed.spec is None or parsed.source is None:
        return Outcome(None, None, parsed.diagnostics)
    chain = chain or (family.root,)
    children = children_of(parsed.spec, chain, family, lambda found, way: _compiled(found, way, family))
    draft = make_draft(
        parsed.spec,
        parsed.source,
        children=children,
    )
    plan, diagnostics = _judged(draft, parsed.diagnostics)
    whole = all(child.plan is not None for child in children.values())
    return Outcome(parsed.spec, plan if whole else None, diagnostics)


def compile_spec(spec: Spec, source: Source, *, before: Iterable[Diagnostic] = ()) -> Compiled:
    """Compiles a parsed spec that nests no others.

    Args:
        spec: The spec.
        source: What it was parsed from, to say where things stand.
        before: What parsing found; with an error among it there is no plan, but all rules still run.

    Raises:
        SpecError: with every finding, warnings too, in source order.
    """
    plan, diagnostics = _judged(make_draft(spec, source), before)
    if plan is None:
        raise SpecError(diagnostics)
    return Compiled(plan, diagnostics)


def _judged(draft: Draft, before: Iterable[Diagnostic]) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """All findings about a spec, and its plan where there is no error among them."""
    found = [*before, *(diagnostic for rule in RULES for diagnostic in rule(draft))]
    about_expressions = list(expressions(draft))
    found += about_expressions
    found += (diagnostic for lint in LINTS for diagnostic in lint(draft))
    commands: dict[str, Commands] = {}
    if not has_errors(about_expressions):
        for name in draft.jobs:
            if draft.kinds[name] != "container" or (name in draft.repeats and draft.repeats[name].broken):
                continue
            bound = bind_commands(draft, name)
            if isinstance(bound, Commands):
                commands[name] = bound
                found += bound.warnings
            else:
                found += bound
    errors = [diagnostic for diagnostic in found if diagnostic.severity == "error"]
    found += (diagnostic for rule in (*SPARE, idle_status) for diagnostic in rule(draft, errors))
    diagnostics = in_order(found)
    return (None if has_errors(diagnostics) else _plan(draft, commands)), diagnostics


def _plan(draft: Draft, commands: dict[str, Commands]) -> Plan:
    spec, graph = draft.spec, draft.graph
    named = {one.name for found in draft.services.of_jobs.values() for one in found.shared}
    gates = reminders(spec)
    rank = {name: number for number, name in enumerate(graph.order)}
    return Plan(
        spec=spec.name,
        description=spec.description,
        spec_version=spec.version,
        labels=spec.labels,
        params=tuple(param_of(name, shape) for name, shape in spec.params.items()),
        env=spec.env,
        workspace=spec.workspace,
        timeout=spec.timeout,
        max_parallel=spec.max_parallel,
        cleanup_policy=spec.cleanup_policy,
        services=tuple(written.service for written in draft.services.shared if written.name in named),
        vars=spec.vars,
        jobs={
            name: node_of(draft, name, rank=rank, commands=commands.get(name), gates=gates)
            for name in draft.jobs
        },
        outputs=spec.outputs,
        order=graph.order,
        levels=graph.levels,
        critical_path=graph.critical_path,
        estimated_events=estimated_events(
            sum(
                leaves([_known_variants(draft, name)]) * events_of(draft.kinds[name], draft.jobs[name])
                for name in draft.jobs
            ),
            scopes=leaves(_known_variants(draft, name) for name in draft.jobs if _has_scope(draft, name))
            + bool(named),
            run_timeout=spec.timeout is not None,
        ),
    )


def _has_scope(draft: Draft, name: str) -> bool:
    """Whether each variant of a job needs a network of its own, with or without services in it."""
    return bool(draft.services.of(name).own) or draft.spec.jobs[name].network == "internal"


def _known_variants(draft: Draft, name: str) -> int:
    return len(draft.repeats[name].variants) if name in draft.repeats else 0
