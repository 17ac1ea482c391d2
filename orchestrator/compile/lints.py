"""What a spec may say and hardly means: warnings only, each certain. Each rule is a function from a draft to findings.

`LOCAL` rules look at one place and are true whatever else is wrong. `WHOLE` rules are about what is missing elsewhere,
so they are asked only of a spec without errors: half of one would make every param seem unused.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from orchestrator.compile import extent
from orchestrator.compile.artifact_clashes import artifact_clashes
from orchestrator.compile.certain import Mismatch, decided, mismatches
from orchestrator.compile.conditions import asks_for_status, constant_value
from orchestrator.compile.draft import Draft
from orchestrator.compile.edges import Edge, implied_condition, is_finalizer
from orchestrator.compile.needless import implied_edges
from orchestrator.compile.templates import Place, places
from orchestrator.errors import ExpressionError
from orchestrator.expressions import ALIASES, WILDCARD, Hole, references, segments
from orchestrator.expressions.syntax import Literal, Node
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.places import Path

Rule = Callable[[Draft], Iterator[Diagnostic]]

_MAX_PART: Final = 60
"""Characters of an expression that a message quotes."""


def idle_conditions(draft: Draft) -> Iterator[Diagnostic]:
    """A condition that comes out the same in every run: it never stops the job, or always does."""
    for name, job in draft.spec.jobs.items():
        for key, text in (("if", job.if_), ("unless", job.unless)):
            whole = None if text is None else _whole(text)
            if text is None or whole is None:
                continue
            source, offset = whole
            try:
                found = decided(source)
            except ExpressionError:
                continue  # E201 tells
            if found is not None:
                yield from _idle(draft, ("jobs", name, key), text, source, offset, found)


def _idle(
    draft: Draft, path: Path, text: str, source: str, offset: int, found: tuple[bool, Node]
) -> Iterator[Diagnostic]:
    truth, node = found
    key = path[-1]
    idle = truth is (key == "if")
    message = f"'{key}' of job '{path[1]}' is always {_word(truth)}"
    if constant_value(text) is not None:
        if idle:  # W102 tells of the others
            yield draft.at_value("W105", path, f"{message} and does nothing; remove it", severity="warning")
        return
    part = source[node.offset : node.end]
    message += f" because of {_short(part)}"
    if isinstance(node, Literal) and isinstance(node.value, str) and node.value:
        message += ", as any text counts as true; compare it with something"
    if not idle:
        message += "; the job will always be skipped"
    spot = draft.source.inside(path, offset + node.offset, len(part))
    yield draft.source.diagnostic("W105" if idle else "W102", message, at=spot, severity="warning")


def comparisons(draft: Draft) -> Iterator[Diagnostic]:
    """A comparison with a value that the other side never has."""
    declared = {name.lower(): shape for name, shape in draft.spec.params.items()}
    for place in places(draft):
        if "==" not in place.text and "!=" not in place.text:
            continue
        own = place.job if place.reads == "upstream and itself" else None
        for source, offset in _expressions(place):
            try:
                found = list(mismatches(source, declared, own=own))
            except ExpressionError:
                continue  # E201 tells
            for mismatch in found:
                literal = mismatch.literal
                message, suggestion = _mismatch(draft, mismatch, source[literal.offset : literal.end])
                spot = draft.source.inside(
                    place.path, offset + literal.offset, extent.of_token(source, literal.offset)
                )
                yield draft.source.diagnostic(
                    "W109", message, at=spot, severity="warning", suggestion=suggestion
                )


def repeated_jobs(draft: Draft) -> Iterator[Diagnostic]:
    """A job that is named twice where once says all."""
    for name, job in draft.spec.jobs.items():
        required = {entry.job for entry in job.requires}
        seen: dict[str, Path] = {}
        for index, entry in enumerate(job.requires):
            condition = entry.condition or implied_condition(job)
            at: Path = ("jobs", name, "requires", index, "job")
            yield from _again(draft, f"{entry.job}\0{condition}", entry.job, at, seen)
        for key, others in (
            ("after", job.after),
            ("parallel_with", job.parallel_with),
            ("artifacts_from", job.artifacts_from),
        ):
            seen = {}
            for index, other in enumerate(others):
                at = ("jobs", name, key, index)
                if key != "parallel_with" and other in required:
                    what = (
                        "waits for it anyway" if key == "after" else "gets the artifacts of what it requires"
                    )
                    message = (
                        f"'{key}' of job '{name}' names '{other}', which it requires; a job {what}; remove it"
                    )
                    yield draft.at_value("W108", at, message, severity="warning")
                else:
                    yield from _again(draft, other, other, at, seen)


def unused_params(draft: Draft) -> Iterator[Diagnostic]:
    """A param that no expression reads."""
    unread = {name.lower(): name for name in draft.spec.params}
    for place in places(draft) if unread else ():
        for path in _paths(place, "params"):
            name = path[1] if len(path) > 1 else None
            if name is None or name == WILDCARD:
                return  # all of them are read at once
            unread.pop(name.lower(), None)
        if not unread:
            return
    for name in unread.values():
        message = f"param '{name}' is never read; use it as '${{{{ params.{name} }}}}', or remove it"
        yield draft.at_key("W106", ("params", name), message, severity="warning")


def needless_edges(draft: Draft) -> Iterator[Diagnostic]:
    """A `requires` or `after` that changes nothing, as what else the job waits for implies it."""
    graph, shared = draft.graph, _shared_starts(draft)
    asked: list[tuple[str, Edge]] = []
    for name in graph.order:
        at_the_end = tuple(_after_normal_jobs(draft, name)) if name not in shared else ()
        for path, other in at_the_end:
            message = (
                f"'after' of job '{name}' names '{other}' needlessly: the job runs after all normal jobs"
            )
            yield draft.at_value("W107", path, message, severity="warning")
        if name not in shared and not _asks_over_its_edges(draft, name):
            told = {path for path, _ in at_the_end}
            asked += [(name, edge) for edge in _only_order(draft, name) if edge.path not in told]
    implied = implied_edges(graph.order, graph.edges, asked)
    reads = _read_jobs(draft, {name: None for name, _ in implied})
    for (name, edge), witness in implied.items():
        if WILDCARD in reads[name] or edge.job.lower() in reads[name]:
            continue  # whoever reads a job may name it, to say so
        if witness == edge.job:
            why = f"another entry asks more of '{edge.job}'"
        elif witness is None:
            why = "other jobs that it waits for already wait for that"
        else:
            why = f"'{witness}', which it waits for too, already waits for that"
        message = f"'{edge.origin}' of job '{name}' names '{edge.job}' needlessly: {why}"
        path = (*edge.path, "job") if edge.origin == "requires" else edge.path
        yield draft.at_value("W107", path, message, severity="warning")


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


def _read_jobs(draft: Draft, readers: Mapping[str, None]) -> dict[str, dict[str, None]]:
    """For each of `readers` the jobs that its expressions read, in lower case; `WILDCARD` for all of them."""
    found: dict[str, dict[str, None]] = {name: {} for name in readers}
    for place in places(draft) if readers else ():
        if place.job not in found:
            continue
        for path in _paths(place, "jobs"):
            name = path[1] if len(path) > 1 else None
            found[place.job][WILDCARD if name is None else name.lower()] = None
    return found


def _asks_over_its_edges(draft: Draft, name: str) -> bool:
    """Whether `success()`, `failure()` or `on_complete` look at the jobs that this one names."""
    job = draft.spec.jobs[name]
    return job.on_complete is not None or asks_for_status(job.if_) or asks_for_status(job.unless)


def _shared_starts(draft: Draft) -> frozenset[str]:
    """Jobs whose edges `parallel_with` shares with others, or brings from them."""
    found: dict[str, None] = {}
    for name, job in draft.spec.jobs.items():
        if job.parallel_with:
            found |= dict.fromkeys((name, *job.parallel_with))
    return frozenset(found)


def _again(draft: Draft, key: str, other: str, at: Path, seen: dict[str, Path]) -> Iterator[Diagnostic]:
    if seen.setdefault(key, at) is not at:
        message = (
            f"'{at[2]}' of job '{at[1]}' names '{other}' twice; remove one, or name the job that is meant"
        )
        yield draft.at_value("W108", at, message, severity="warning")


def _mismatch(draft: Draft, found: Mismatch, literal: str) -> tuple[str, str | None]:
    """The sentence, and the word that was probably meant."""
    never = _word(found.comparison.operator == "!=")
    message = (
        f"{_short(found.written)} is {found.range.what} and never {_short(literal)}, "
        f"so the comparison is always {never}"
    )
    value = found.literal.value
    if not isinstance(value, str):
        return message, None
    if value.lower() in ("true", "false") and True in found.range.values:
        return f"{message}; write {value.lower()} without quotes", None
    words = tuple(word for word in found.range.values if isinstance(word, str))
    return message, draft.suggester.closest(value, words)


def _whole(text: str) -> tuple[str, int] | None:
    """The expression that is all of a condition, and where it begins; None with text beside it or in a broken one."""
    stripped = text.strip()
    try:
        holes = [part for part in segments(text) if isinstance(part, Hole)]
    except ExpressionError:
        return None
    if not holes:
        return stripped, text.index(stripped)
    hole = holes[0]
    return (hole.source, hole.offset) if hole.end - hole.start == len(stripped) else None


def _expressions(place: Place) -> Iterator[tuple[str, int]]:
    """The expressions of a text, each with where it begins; none where they are broken."""
    try:
        holes = [part for part in segments(place.text) if isinstance(part, Hole)]
    except ExpressionError:
        return
    if place.is_condition and not holes:
        source = place.text.strip()
        yield source, place.text.index(source)
    for hole in holes:
        yield hole.source, hole.offset


def _paths(place: Place, context: str) -> Iterator[tuple[str | None, ...]]:
    """What the sound expressions of a text read of a context, under each of its names."""
    names = (context, *(alias for alias, own in ALIASES.items() if own == context))
    if all(name not in place.text.lower() for name in names):
        return  # most texts; parsing is what costs
    for source, _ in _expressions(place):
        try:
            found = references(source)
        except ExpressionError:
            continue  # E201 tells
        yield from (item.path for item in found if str(item.path[0]).lower() in names)


def _word(truth: bool) -> str:
    return "true" if truth else "false"


def _short(text: str) -> str:
    """A part of an expression in a message; texts bring their own quotes."""
    shown = " ".join(text.split())
    shown = shown if len(shown) <= _MAX_PART else f"{shown[:_MAX_PART]}…"
    return shown if shown.startswith("'") else f"`{shown}`"


LOCAL: Final[tuple[Rule, ...]] = (idle_conditions, comparisons, repeated_jobs, artifact_clashes)
WHOLE: Final[tuple[Rule, ...]] = (unused_params, needless_edges)
