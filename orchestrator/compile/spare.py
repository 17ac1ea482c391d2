"""What a spec could do without: params that nothing reads, dependencies that others imply. Warnings only, each certain.

These are about what is missing elsewhere, so each rule is also told the errors: what a spec lacks because of one is
not held against it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from orchestrator.compile.checks import is_name
from orchestrator.compile.conditions import asks_for_status
from orchestrator.compile.draft import Draft
from orchestrator.compile.edges import Edge, is_finalizer
from orchestrator.compile.needless import implied_edges
from orchestrator.compile.reach import may_be_passed_by
from orchestrator.compile.templates import paths_read, places, places_of
from orchestrator.expressions import WILDCARD
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.kind_shapes import BUILT_IN
from orchestrator.spec.places import Path

Rule = Callable[[Draft, Sequence[Diagnostic]], Iterator[Diagnostic]]

MAX_NEEDLESS: Final = 500
"""Needless dependencies that one spec is told of; more of them are not looked for."""
_ELSEWHERE: Final = (
    "E104", "E108", "E109", "E110", "E111", "E114", "E115", "E116", "E117",
    "E125", "E129", "E130", "E131", "E202", "E203", "E205", "E206", "E208", "E209", "E210", "E211", "E212",
    "E213", "E214",
)  # fmt: skip
"""Errors of the compiler after which the graph of the jobs is still the one that is meant."""
_READ: Final = re.compile(
    r"""\b(?:params|inputs)\b\s*(?:\.\s*([\w-]+)|\[\s*'+([\w-]+)'+\s*\]|(["']?\s*:))?""", re.IGNORECASE
)
"""Where a text may read a param: its name is in one of two groups. The third: it is the key `params`."""


def unused_params(draft: Draft, errors: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """A param that no expression reads. A function is given all of them, and nobody knows what it reads."""
    if _calls_functions(draft):
        return
    unread = {name.lower(): name for name in draft.spec.params}
    for place in places(draft) if unread else ():
        for path in paths_read(place, "params"):
            name = path[1] if len(path) > 1 else None
            if name is None or name == WILDCARD:
                return  # all of them are read at once
            unread.pop(name.lower(), None)
        if not unread:
            return
    if errors:
        # What is wrong may stand where nothing is looked for, in an expression that nobody can read, or be the name
        # of a param that is read: the text is asked instead.
        for found in _READ.finditer(draft.source.text):
            name = found[1] or found[2]
            if name is None and found[3] is None:
                return
            unread.pop((name or "").lower(), None)
        for error in errors:
            if error.code == "E206" and error.suggestion is not None:
                unread.pop(error.suggestion.lower(), None)
    for name in filter(is_name, unread.values()):  # of others E109 tells
        message = f"param '{name}' is never read; use it as '${{{{ params.{name} }}}}', or remove it"
        yield draft.at_key("W106", ("params", name), message, severity="warning")


def unused_vars(draft: Draft, errors: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """A variable that no expression reads. A function is given all of them, and nobody knows what it reads."""
    if errors or _calls_functions(draft):
        return
    unread = {name.lower(): name for name in draft.spec.vars}
    for place in places(draft) if unread else ():
        for path in paths_read(place, "vars"):
            name = path[1] if len(path) > 1 else None
            if name is None or name == WILDCARD:
                return
            unread.pop(name.lower(), None)
    for name in unread.values():
        message = f"variable '{name}' is never read; use it as '${{{{ vars.{name} }}}}', or remove it"
        yield draft.at_key("W117", ("vars", name), message, severity="warning")


def _calls_functions(draft: Draft) -> bool:
    """Whether a job calls a function of somebody's own."""
    return any(job.call not in (None, *BUILT_IN) for job in draft.spec.jobs.values())


def graph_is_right(errors: Sequence[Diagnostic]) -> bool:
    """Whether no error leaves open who waits for whom, under which condition, and what is read."""
    return all(error.code in _ELSEWHERE for error in errors)


def needless_edges(draft: Draft, errors: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """A `requires` or `after` that changes nothing, as what else the job waits for implies it."""
    if not graph_is_right(errors):
        return
    found = list(islice(_needless(draft), MAX_NEEDLESS + 1))
    for number, (path, message) in enumerate(found[:MAX_NEEDLESS], start=1):
        more = (
            f"; there are more such entries than the {MAX_NEEDLESS} shown"
            if number == MAX_NEEDLESS < len(found)
            else ""
        )
        yield draft.at_value("W107", path, message + more, severity="warning")


def _needless(draft: Draft) -> Iterator[tuple[Path, str]]:
    """Where a needless entry stands, and what there is to say of it."""
    graph, shared = draft.graph, _shared_starts(draft)
    passed_by = may_be_passed_by(draft.jobs, graph)
    asked: list[tuple[str, Edge]] = []
    for name in graph.order:
        at_the_end = tuple(_after_normal_jobs(draft, name)) if name not in shared else ()
        for path, other in at_the_end:
            yield (
                path,
                f"'after' of job '{name}' names '{other}' needlessly: the job runs after all normal jobs",
            )
        # Beside a job that may lie on a path not taken, an edge also says that this one's path is another.
        alone = not any(edge.job in passed_by for edge in graph.edges[name])
        if name not in shared and alone and not _asks_over_its_edges(draft, name):
            told = {path for path, _ in at_the_end}
            asked += [(name, edge) for edge in _only_order(draft, name) if edge.path not in told]
    reads: dict[str, dict[str, None]] = {}
    for name, edge, witness in implied_edges(graph.order, graph.edges, asked, passed_by=passed_by):
        if name not in reads:
            reads[name] = _read_jobs(draft, name)
        if WILDCARD in reads[name] or edge.job.lower() in reads[name]:
            continue  # whoever reads a job may name it, to say so
        if witness == edge.job:
            why = f"another entry asks more of '{edge.job}'"
        elif witness is None:
            why = "other jobs that it waits for already wait for that"
        else:
            why = f"'{witness}', which it waits for too, already waits for that"
        path = (*edge.path, "job") if edge.origin == "requires" else edge.path
        yield path, f"'{edge.origin}' of job '{name}' names '{edge.job}' needlessly: {why}"


def _after_normal_jobs(draft: Draft, name: str) -> Iterator[tuple[Path, str]]:
    """Entries of `after` that name normal jobs, in a job that starts when these are all done."""
    job, final = draft.spec.jobs[name], draft.graph.final
    if name not in final or (not is_finalizer(job) and _asks_over_its_edges(draft, name)):
        return
    for index, other in enumerate(job.after):
        if other in draft.spec.jobs and other not in final:
            yield ("jobs", name, "after", index), other


def _only_order(draft: Draft, name: str) -> Iterator[Edge]:
    """The edges of a job that bring it nothing: they only make it wait, or keep it from running."""
    edges = draft.graph.edges[name]
    taken = Counter(edge.job for edge in edges if edge.origin == "requires")
    taken.update(draft.spec.jobs[name].artifacts_from)
    for edge in edges if len(edges) > 1 else ():
        brings = edge.origin == "requires" and bool(draft.jobs[edge.job].artifacts)
        if not brings or taken[edge.job] > 1:
            yield edge


def _read_jobs(draft: Draft, reader: str) -> dict[str, None]:
    """The jobs that the expressions of `reader` read, in lower case; `WILDCARD` for all of them."""
    found: dict[str, None] = {}
    for place in places_of(draft, reader):
        for path in paths_read(place, "jobs"):
            name = path[1] if len(path) > 1 else None
            found[WILDCARD if name is None else name.lower()] = None
    return found


def _asks_over_its_edges(draft: Draft, name: str) -> bool:
    """Whether `success()`, `failure()` or `on_complete` look at the jobs that this one names."""
    job = draft.spec.jobs[name]
    return job.completion is not None or asks_for_status(job.if_) or asks_for_status(job.unless)


def _shared_starts(draft: Draft) -> frozenset[str]:
    """Jobs whose edges `parallel_with` shares with others, or brings from them."""
    found: dict[str, None] = {}
    for name, job in draft.spec.jobs.items():
        if job.parallel_with:
            found |= dict.fromkeys((name, *job.parallel_with))
    return frozenset(found)


SPARE: Final[tuple[Rule, ...]] = (unused_params, unused_vars, needless_edges)
