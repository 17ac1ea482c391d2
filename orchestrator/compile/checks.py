"""The rules of a spec that are not about expressions. Each is a function from a draft to its findings.

A rule reports what it sees and assumes nothing of the others: all of them run, also on specs with errors.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from orchestrator.compile.ancestry import ancestor_pairs
from orchestrator.compile.conditions import constant_value, never_runs
from orchestrator.compile.draft import Draft
from orchestrator.compile.edges import Edge, unknown_jobs
from orchestrator.compile.gate_checks import frequent_reminders, gate_reminders, gates
from orchestrator.compile.image_references import image_problem
from orchestrator.compile.input_checks import inputs, json_values, nested_specs
from orchestrator.compile.kind_checks import choices, kinds, targets
from orchestrator.compile.kinds import KIND_WORDS, said_kinds
from orchestrator.compile.nodes import param_of
from orchestrator.compile.reach import possible_ends
from orchestrator.compile.service_checks import (
    dollars_of_compose,
    hidden_variables,
    host_ports,
    host_ports_at_a_time,
    log_patterns,
    names_of_jobs,
    networks,
    same_names,
    service_names,
    unknown_services,
    unused_services,
)
from orchestrator.compile.strategy import changed_numbers, misplaced
from orchestrator.compile.variables import publishing
from orchestrator.plan import patterns
from orchestrator.plan.params import declaration_problems
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.model import JOB_KINDS
from orchestrator.spec.places import Path
from orchestrator.spec.shapes import one_of_words

Rule = Callable[[Draft], Iterator[Diagnostic]]

_ARTICLES: Final = {
    "job": "a job", "param": "a param", "output": "an output", "variable": "a variable", "field": "a field",
}  # fmt: skip
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


def names(draft: Draft) -> Iterator[Diagnostic]:
    """Names of jobs, params and outputs are words, and no two of a kind differ only in case."""
    spec = draft.spec
    yield from _names_of(draft, "job", tuple(spec.jobs), ("jobs",))
    yield from _names_of(draft, "param", tuple(spec.params), ("params",))
    yield from _names_of(draft, "output", tuple(spec.outputs), ("outputs",))
    yield from _names_of(draft, "variable", tuple(spec.vars), ("vars",))
    for name, job in spec.jobs.items():
        yield from _names_of(draft, "output", tuple(job.outputs), ("jobs", name, "outputs"))
        if job.gate is not None:
            yield from _names_of(draft, "field", tuple(job.gate.fields_), ("jobs", name, "gate", "fields"))


def _names_of(draft: Draft, what: str, found: tuple[str, ...], owner: Path) -> Iterator[Diagnostic]:
    seen: dict[str, str] = {}
    listed = what == "output" and isinstance(draft.source.mark(owner).inside, list)
    for index, name in enumerate(found):
        path: Path = (*owner, index if listed else name)
        where = draft.at_value if listed else draft.at_key
        if not is_name(name):
            shown = name if len(name) <= 60 else name[:60] + "…"
            wish = "a name has letters, digits, '_' and '-', at most 100, and begins with a letter or '_'"
            yield where("E109", path, f"'{shown}' cannot be the name of {_ARTICLES[what]}: {wish}")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield where("E109", path, f"the {what} names '{other}' and '{name}' differ only in case")


def is_name(text: str) -> bool:
    """Whether `text` can be the name of a job, a param or an output."""
    return _NAME.fullmatch(text) is not None


def images(draft: Draft) -> Iterator[Diagnostic]:
    """Every container job has an image; a job that says nothing of what it is is told what it could be."""
    for name, job in draft.jobs.items():
        if draft.kinds[name] != "container" or job.image is not None:
            continue
        message = f"job '{name}' has no 'image', which must be there"
        if not said_kinds(job):
            others = one_of_words(JOB_KINDS)
            message = f"job '{name}' does not say what it is: give it an 'image' with 'commands', or one of {others}"
        yield draft.at_key("E104", ("jobs", name), message)


def image_names(draft: Draft) -> Iterator[Diagnostic]:
    """What is written as an image, and known before a run, can be the name of one."""
    places: list[tuple[Path, str | None]] = [(("defaults", "image"), draft.spec.defaults.image)]
    places += [(("jobs", name, "image"), job.image) for name, job in draft.spec.jobs.items()]
    for written in draft.services.written:
        path = written.path if written.listed else (*written.path, "image")
        places.append((path, written.shape.image))
    for path, image in places:
        if image is None or not image.strip() or "${{" in image:
            continue
        if (problem := image_problem(image.strip())) is not None:
            shown = image if len(image) <= 60 else f"{image[:60]}…"
            yield draft.at_value("E133", path, f"image '{shown}' {problem}")


def job_references(draft: Draft) -> Iterator[Diagnostic]:
    """Every job that is named exists."""
    for unknown in unknown_jobs(draft.spec, draft.suggester):
        where = draft.at_key if unknown.at_key else draft.at_value
        yield where("E103", unknown.path, unknown.message, suggestion=unknown.suggestion)


def cycles(draft: Draft) -> Iterator[Diagnostic]:
    """No job waits for itself."""
    for cycle in draft.graph.cycles:
        first, following = cycle[0], cycle[1 % len(cycle)]
        edge = next((edge for edge in draft.graph.edges[first] if edge.job == following), None)
        way = next((way for way in draft.graph.ways.get(first, ()) if way.job == following), None)
        step = edge or way
        if step is None:
            continue
        if len(cycle) == 1:
            key = step.origin if isinstance(step, Edge) else step.key
            message = f"job '{first}' waits for itself; remove it from its own '{key}'"
        else:
            shown = " -> ".join(f"'{name}'" for name in (*cycle, first))
            each = "each waits for the next" + (", or is started by it" if _is_started(draft, cycle) else "")
            message = f"jobs wait for each other in a cycle: {shown} ({each}); remove one of these steps"
        yield draft.at_value("E105", step.path, message)


def _is_started(draft: Draft, cycle: list[str]) -> bool:
    """Whether a step of a cycle is nothing but a transition."""
    pairs = zip(cycle, (*cycle[1:], cycle[0]), strict=True)
    return any(all(edge.job != other for edge in draft.graph.edges[name]) for name, other in pairs)


def parallel(draft: Draft) -> Iterator[Diagnostic]:
    """Jobs that are to run in parallel can."""
    for pair in draft.bad_pairs:
        yield draft.at_value(pair.code, pair.path, pair.message)


def reach(draft: Draft) -> Iterator[Diagnostic]:
    """Every job can start; one that is always skipped is worth a word."""
    _, stuck = possible_ends(draft.jobs, draft.graph)
    for job in stuck:
        path = (*job.path, "job") if "requires" in job.path[2:3] else job.path
        yield draft.at_value("E106", path, job.message)
    for name, job in draft.jobs.items():
        if never_runs(job.if_, job.unless):
            key = "if" if constant_value(job.if_) is False else "unless"
            message = f"the condition of job '{name}' is constant: the job will always be skipped"
            yield draft.at_value("W102", ("jobs", name, key), message, severity="warning")


def artifact_sources(draft: Draft) -> Iterator[Diagnostic]:
    """Artifacts come from jobs that have ended: those upstream, or for a finalizer all normal ones."""
    graph = draft.graph
    wishes = [
        (name, other, ("jobs", name, "artifacts_from", index))
        for name, job in draft.spec.jobs.items()
        for index, other in enumerate(job.artifacts_from)
        if other in draft.spec.jobs
    ]
    known = set(graph.order)
    upstream = ancestor_pairs(graph.order, graph.waits_for, [(name, other) for name, other, _ in wishes])
    for name, other, path in wishes:
        kind = draft.kinds[other]
        if kind != "container":
            message = (
                f"job '{name}' takes artifacts from '{other}', which is {KIND_WORDS[kind]} and keeps none"
            )
            yield draft.at_value("E110", path, message)
            continue
        after_all = name in graph.final and other not in graph.final
        if (name, other) in upstream or after_all or name not in known:
            continue
        message = f"job '{name}' takes artifacts from '{other}', but does not wait for it; add it to 'after'"
        yield draft.at_value("E110", path, message)


def params(draft: Draft) -> Iterator[Diagnostic]:
    """Declared params do not contradict themselves."""
    left = patterns.MAX_TOTAL_WEIGHT
    for name, shape in draft.spec.params.items():
        if shape.pattern is not None:
            left -= patterns.BASE_WEIGHT + patterns.weight(shape.pattern)
            if left < 0:
                message = "the patterns of this spec are too large, all of them together"
                yield draft.at_value("E111", ("params", name, "pattern"), message)
                return
        for key, message in declaration_problems(param_of(name, shape)):
            yield draft.at_value("E111", ("params", name, key), message)


def reserved_env(draft: Draft) -> Iterator[Diagnostic]:
    """Names that begin with `ORCA_` are orca's own."""
    spec = draft.spec
    places: list[tuple[Path, dict[str, str]]] = [
        (("env",), spec.env),
        (("defaults", "env"), spec.defaults.env),
    ]
    places += [(("jobs", name, "env"), job.env) for name, job in spec.jobs.items()]
    for owner, values in places:
        for name in values:
            if name.startswith("ORCA_"):
                message = f"'{name}' may be replaced: names that begin with 'ORCA_' are set by orca itself"
                yield draft.at_key("W103", (*owner, name), message, severity="warning")


def unevaluated(draft: Draft) -> Iterator[Diagnostic]:
    """`${{ }}` does not stand where nothing evaluates it."""
    spec = draft.spec
    texts: list[tuple[Path, str | None]] = [(("workspace",), spec.workspace), (("name",), spec.name)]
    texts += [(("labels", name), value) for name, value in spec.labels.items()]
    texts += [(("defaults", "shell"), spec.defaults.shell)]
    texts += [(("jobs", name, "shell"), job.shell) for name, job in spec.jobs.items()]
    for path, text in texts:
        if text is not None and "${{" in text:
            owner = f" of job '{path[1]}'" if path[0] == "jobs" else ""
            message = f"'{path[-1]}'{owner} must be known before a run; '${{{{ }}}}' is not evaluated here"
            yield draft.at_value("E102", path, message)


def repeats(draft: Draft) -> Iterator[Diagnostic]:
    """A matrix or a list has what it must have, and can be expanded where all of it is known."""
    found = [problem for one in draft.repeats.values() for problem in one.problems]
    for problem in (*misplaced(draft.spec), *found, *changed_numbers(draft.spec, draft.source)):
        where = draft.at_key if problem.at_key else draft.at_value
        suggestion = draft.suggester.closest(problem.word, problem.known) if problem.word else None
        yield where(
            problem.code, problem.path, problem.message, severity=problem.severity, suggestion=suggestion
        )


RULES: Final[tuple[Rule, ...]] = (
    names,
    images,
    image_names,
    job_references,
    cycles,
    parallel,
    reach,
    artifact_sources,
    params,
    reserved_env,
    unevaluated,
    repeats,
    service_names,
    unknown_services,
    same_names,
    names_of_jobs,
    host_ports,
    host_ports_at_a_time,
    dollars_of_compose,
    log_patterns,
    networks,
    unused_services,
    hidden_variables,
    kinds,
    targets,
    choices,
    gates,
    gate_reminders,
    frequent_reminders,
    inputs,
    json_values,
    nested_specs,
    publishing,
)
