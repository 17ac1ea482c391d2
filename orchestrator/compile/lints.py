"""What a spec may say and hardly means: warnings only, each certain. Each rule is a function from a draft to findings.

They look at one place each, and are true whatever else is wrong.
"""

from collections.abc import Callable, Iterator
from typing import Final

from orchestrator.compile import extent
from orchestrator.compile.artifact_clashes import artifact_clashes
from orchestrator.compile.certain import Mismatch, decided, mismatches
from orchestrator.compile.conditions import constant_value
from orchestrator.compile.draft import Draft
from orchestrator.compile.edges import implied_condition
from orchestrator.compile.templates import expressions_of, places
from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, segments
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
            whole = None if text is None else whole_expression(text)
            if text is None or whole is None:
                continue
            source, offset = whole
            try:
                found = decided(source)
            except ExpressionError:
                continue  # E201 tells
            if found is not None:
                yield from tell_idle(draft, ("jobs", name, key), text, source, offset, found)


def tell_idle(
    draft: Draft, path: Path, text: str, source: str, offset: int, found: tuple[bool, Node], why: str = ""
) -> Iterator[Diagnostic]:
    """Warn of a condition that is always true or false: `found` is what it is, and the part that decides it.

    Args:
        draft: The spec.
        path: Leads to the condition.
        text: All of it.
        source: Its expression.
        offset: Where that begins in it.
        found: What `decided` says of it.
        why: Why that part is what it is, as a clause that goes on after it.
    """
    truth, node = found
    key = path[-1]
    idle = truth is (key == "if")
    message = f"'{key}' of job '{path[1]}' is always {_word(truth)}"
    if constant_value(text) is not None:
        if idle:  # W102 tells of the others
            yield draft.at_value("W105", path, f"{message} and does nothing; remove it", severity="warning")
        return
    part = source[node.offset : node.end]
    message += f" because of {_short(part)}{why}"
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
        for source, offset in expressions_of(place):
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
            ("on_success", job.on_success),
            ("on_failure", job.on_failure),
            ("on_complete", job.on_completion),
        ):
            seen = {}
            for index, other in enumerate(others):
                at = ("jobs", name, key, index)
                if key in ("after", "artifacts_from") and other in required:
                    what = (
                        "waits for it anyway" if key == "after" else "gets the artifacts of what it requires"
                    )
                    message = (
                        f"'{key}' of job '{name}' names '{other}', which it requires; a job {what}; remove it"
                    )
                    yield draft.at_value("W108", at, message, severity="warning")
                else:
                    yield from _again(draft, other, other, at, seen)


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


def whole_expression(text: str) -> tuple[str, int] | None:
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


def _word(truth: bool) -> str:
    return "true" if truth else "false"


def _short(text: str) -> str:
    """A part of an expression in a message; texts bring their own quotes."""
    shown = " ".join(text.split())
    shown = shown if len(shown) <= _MAX_PART else f"{shown[:_MAX_PART]}…"
    return shown if shown.startswith("'") else f"`{shown}`"


LINTS: Final[tuple[Rule, ...]] = (idle_conditions, comparisons, repeated_jobs, artifact_clashes)
