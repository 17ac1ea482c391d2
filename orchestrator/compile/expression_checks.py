"""The rules about `${{ }}`: everything that can be told of an expression before a run.

What the language itself says (syntax, names of contexts and functions) comes from the expression room; here is what
only the spec knows: which jobs, params and env names there are, and what may be read where.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from orchestrator.compile import extent
from orchestrator.compile.ancestry import ancestor_pairs
from orchestrator.compile.conditions import STATUS_FUNCTIONS, is_literal
from orchestrator.compile.draft import Draft
from orchestrator.compile.hash_checks import hash_problems
from orchestrator.compile.service_references import not_in_expressions, service_slips, variables
from orchestrator.compile.strategy import Repeats
from orchestrator.compile.templates import Place, places
from orchestrator.errors import ExpressionError
from orchestrator.expressions import (
    ALIASES,
    KNOWN_CONTEXTS,
    WILDCARD,
    Hole,
    ParseError,
    Reference,
    called_functions,
    check,
    evaluate,
    references,
    segments,
)
from orchestrator.expressions.limits import MAX_TEXT
from orchestrator.spec.diagnostics import Diagnostic, Severity

LATER_CONTEXTS: Final = ("vars", "secrets")
"""Contexts of the language that have no values in this version."""
RUN_KEYS: Final = ("id", "attempt", "spec", "status", "created_at", "started_at", "try")
GIT_KEYS: Final = ("ref", "ref_name", "ref_type", "branch", "sha", "repository", "actor")
JOB_KEYS: Final = (
    "status", "result", "outputs", "reason", "exit_code", "tries", "matrix", "summary",
)  # fmt: skip
VARIANT_KEYS: Final = (
    "name", "matrix", "item", "status", "result", "outputs", "reason", "exit_code", "tries",
)  # fmt: skip
"""What an entry of `jobs.x.matrix` has."""
INJECTED_ENV: Final = (
    "CI",
    "ORCA_RUN_ID",
    "ORCA_JOB",
    "ORCA_TRY",
    "ORCA_ATTEMPT",
    "ORCA_OUTPUT",
    "GITHUB_OUTPUT",
)
"""Set in every container: reading them as `env.NAME` gives nothing, but is no slip of the pen."""
_PROPERTIES: Final = {"run": RUN_KEYS, "git": GIT_KEYS}
_CODES: Final = {"syntax": "E201", "context": "E202", "function": "E204", "arity": "E205"}


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression at its place; `offset` is where it begins in the place's text."""

    place: Place
    source: str
    offset: int


def expressions(draft: Draft) -> Iterator[Diagnostic]:
    """Every rule about expressions, over every text that may hold one."""
    checker = _Checker(draft)
    for place in places(draft):
        yield from checker.place(place)
    yield from checker.order()


class _Checker:
    """Checks places one by one and remembers which jobs read which, to ask once whether those are upstream."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._jobs_by_lower = {name.lower(): name for name in reversed(list(draft.spec.jobs))}
        self._params_lower = {name.lower() for name in draft.spec.params}
        self._reads: list[tuple[str, str, Expression, Reference]] = []

    def place(self, place: Place) -> Iterator[Diagnostic]:
        if len(place.text) > MAX_TEXT:
            message = f"{_where(place)} has more than {MAX_TEXT:,} characters, too many for a text with '${{{{ }}}}'"
            yield self._found("E102", place, 0, message)
            return
        try:
            holes = [part for part in segments(place.text) if isinstance(part, Hole)]
        except ExpressionError as error:
            message = error.reason if isinstance(error, ParseError) else str(error)
            yield self._found("E201", place, error.offset or 0, f"{_lower(message)} ({_where(place)})")
            return
        if place.is_condition:
            if not holes:
                source = place.text.strip()
                yield from self._expression(Expression(place, source, place.text.index(source)))
                return
            stripped = place.text.strip()
            if len(holes) > 1 or holes[0].end - holes[0].start != len(stripped):
                key = place.path[-1]
                message = (
                    f"'{key}' of {place.owner} is always true, as text stands beside '${{{{ }}}}'; "
                    "write the whole condition inside one '${{ }}'"
                )
                yield self._found("E207", place, place.text.index(stripped), message, length=len(stripped))
        for hole in holes:
            yield from self._expression(Expression(place, hole.source, hole.offset))

    def _expression(self, found: Expression) -> Iterator[Diagnostic]:
        problems = check(found.source)
        for problem in problems:
            message = f"{_lower(problem.message)} in the expression of {_where(found.place)}"
            yield self._at(
                _CODES[problem.kind], found, problem.offset, message, suggestion=problem.suggestion
            )
        if any(problem.kind == "syntax" for problem in problems):
            return
        for reference in references(found.source):
            yield from self._reference(found, reference)
        for call in called_functions(found.source):
            name = call.name.lower()
            if name in STATUS_FUNCTIONS and not found.place.is_condition:
                message = f"'{call.name}()' has no meaning in {_where(found.place)}: only 'if' and 'unless' can ask it"
                yield self._at("E208", found, call.offset, message)
        if not problems:
            for offset, message in hash_problems(self._draft, found.place, found.source):
                yield self._at("E213", found, offset, message)
        if not problems and is_literal(found.source):
            try:
                evaluate(found.source, {})
            except ExpressionError as error:
                message = f"the constant expression of {_where(found.place)} fails: {error}"
                yield self._at("E210", found, error.offset or 0, message)

    def _reference(self, found: Expression, reference: Reference) -> Iterator[Diagnostic]:
        written = str(reference.path[0])
        context = ALIASES.get(written.lower(), written.lower())
        name = reference.path[1] if len(reference.path) > 1 else None
        if context in LATER_CONTEXTS:
            message = f"this version of orca does not know the context '{context}' yet"
            yield self._at("E108", found, reference.offset, message)
        elif context in ("matrix", "item"):
            yield from self._variant_reference(found, reference, context)
        elif context in KNOWN_CONTEXTS and found.place.part == "title":
            message = f"'name' of {found.place.owner} can read only 'matrix' and 'item', as it names the job's variants"
            yield self._at("E208", found, reference.offset, message)
        elif context == "services":
            for slip in service_slips(self._draft, found.place, reference):
                yield self._unknown(slip.code, found, reference, slip.message, slip.word, slip.known)
        elif context in KNOWN_CONTEXTS and name is not None and name != WILDCARD:
            yield from self._named_reference(found, reference, context, name)

    def _named_reference(
        self, found: Expression, reference: Reference, context: str, name: str
    ) -> Iterator[Diagnostic]:
        """What is read of a context by its name."""
        if context == "params":
            if name.lower() not in self._params_lower:
                declared = tuple(self._draft.spec.params)
                yield self._unknown(
                    "E206", found, reference, f"param '{name}' is not declared", name, declared
                )
        elif context == "env":
            yield from self._env_reference(found, reference, name)
        elif context in _PROPERTIES:
            has = _PROPERTIES[context]
            if name.lower() not in has:
                message = f"'{reference.path[0]}' has no '{name}'; it has {_listed(has)}"
                yield self._unknown("W104", found, reference, message, name, has)
        elif context == "jobs":
            yield from self._job_reference(found, reference, name)

    def _env_reference(self, found: Expression, reference: Reference, name: str) -> Iterator[Diagnostic]:
        place = found.place
        if name.lower() in {other.lower() for other in (*place.env, *INJECTED_ENV)}:
            return
        given = variables(self._draft, place)
        variable = next((other for other in given if other.lower() == name.lower()), None)
        if variable is None:
            message = f"env '{name}' is not set for {_where(place)}"
            yield self._unknown("W101", found, reference, message, name, (*place.env, *given))
        else:
            message = not_in_expressions(variable, given[variable])
            yield self._at("E208", found, reference.offset, message)

    def _variant_reference(
        self, found: Expression, reference: Reference, context: str
    ) -> Iterator[Diagnostic]:
        place = found.place
        repeats = None if place.job is None else self._draft.repeats.get(place.job)
        key = {"matrix": "matrix", "item": "for_each"}[context]
        other = {"matrix": "item", "item": "matrix"}[context]
        message = None
        if place.job is None:
            message = f"{place.owner} cannot read '{context}': it belongs to the variants of a job; read it in that job"
        elif place.part == "condition":
            message = (
                f"'{place.path[-1]}' of {place.owner} cannot read '{context}': "
                f"it is asked once for the job, before its variants; use 'exclude' to leave variants out"
                if context == "matrix"
                else f"'{place.path[-1]}' of {place.owner} cannot read 'item': "
                "it is asked once for the job, before its variants; leave items out of 'for_each' instead"
            )
        elif place.part == "strategy":
            message = (
                f"'{place.path[2]}' of {place.owner} cannot read '{context}': it says what its values are"
            )
        elif repeats is None:
            wish = "matrix: {python: ['3.11', '3.12']}" if context == "matrix" else "for_each: [a, b]"
            message = (
                f"{place.owner} has no '{key}', so it cannot read '{context}'; add one, such as '{wish}'"
            )
        elif repeats.key != key:
            message = (
                f"{place.owner} has a '{repeats.key}', so its variants read '{other}' and not '{context}'"
            )
        if message is not None:
            yield self._at("E211", found, reference.offset, message)
        elif repeats is not None:
            yield from self._variant_value(found, reference, repeats)

    def _variant_value(
        self, found: Expression, reference: Reference, repeats: Repeats
    ) -> Iterator[Diagnostic]:
        """Whether any variant has what is read."""
        known = repeats.members(())
        for length, step in enumerate(reference.path[1:]):
            if step is None or step == WILDCARD or known is None:
                return
            if step.lower() not in known:
                owner = ".".join(str(part) for part in reference.path[: length + 1])
                names = tuple(known.values())
                there = f"they have {_listed(names)}" if names else "it has no parts"
                message = f"no variant of {found.place.owner} has a value '{step}' in '{owner}'; {there}"
                yield self._unknown("E212", found, reference, message, step, names)
                return
            known = repeats.members(tuple(str(part) for part in reference.path[1 : length + 2]))

    def _job_reference(self, found: Expression, reference: Reference, name: str) -> Iterator[Diagnostic]:
        place, jobs = found.place, self._draft.spec.jobs
        target = name if name in jobs else self._jobs_by_lower.get(name.lower())
        if place.reads == "no jobs":
            instead = (
                "give the job a service of its own"
                if place.part == "service"
                else "set it in the job's own 'env'"
            )
            message = f"{place.owner} cannot read jobs: it is the same for all of them; {instead}"
            yield self._at("E208", found, reference.offset, message)
        elif target is None:
            message = f"the expression of {_where(place)} reads job '{name}', which does not exist"
            yield self._unknown("E103", found, reference, message, name, tuple(jobs))
        else:
            if place.job is not None and not (place.reads == "upstream and itself" and target == place.job):
                self._reads.append((place.job, target, found, reference))
            yield from self._job_property(found, reference, target)

    def _job_property(self, found: Expression, reference: Reference, target: str) -> Iterator[Diagnostic]:
        key = reference.path[2] if len(reference.path) > 2 else None
        output = reference.path[3] if len(reference.path) > 3 else None
        if key is None or key == WILDCARD:
            return
        if key.lower() not in JOB_KEYS:
            yield self._unknown("W104", found, reference, f"a job has no '{key}'", key, JOB_KEYS)
        elif key.lower() == "matrix":
            yield from self._entry_of_matrix(found, reference, target)
        elif key.lower() == "outputs" and output not in (None, WILDCARD) and target != found.place.job:
            listed = tuple(self._draft.spec.jobs[target].outputs)
            if listed and str(output).lower() not in {name.lower() for name in listed}:
                message = f"job '{target}' does not list '{output}' among its 'outputs'"
                yield self._unknown("W104", found, reference, message, str(output), listed)

    def _entry_of_matrix(self, found: Expression, reference: Reference, target: str) -> Iterator[Diagnostic]:
        """What is read of `jobs.x.matrix`, the list of a job's variants."""
        if target not in self._draft.repeats:
            message = (
                f"job '{target}' has neither 'matrix' nor 'for_each', so 'jobs.{target}.matrix' is empty"
            )
            yield self._at("W104", found, reference.offset, message, severity="warning")
            return
        entry, key, output = (*reference.path[3:6], None, None, None)[:3]
        variants = self._draft.repeats[target].variants
        if entry is not None and re.fullmatch(r"-?\d{1,15}(\.\d+)?", entry):
            if variants and not 0 <= float(entry) < len(variants):
                message = (
                    f"'jobs.{target}.matrix' has no entry {entry}: job '{target}' has {len(variants):,} "
                    f"variant{'s' if len(variants) > 1 else ''}, and the first is number 0"
                )
                yield self._at("W104", found, reference.offset, message, severity="warning")
                return
        elif entry not in (None, WILDCARD):
            message = (
                f"'jobs.{target}.matrix' lists the variants and has no '{entry}'; "
                f"'jobs.{target}.matrix[*].{entry}' reads it of all of them"
            )
            yield self._at("W104", found, reference.offset, message, severity="warning")
            return
        if key in (None, WILDCARD):
            return
        if key.lower() not in VARIANT_KEYS:
            yield self._unknown(
                "W104", found, reference, f"a variant of job '{target}' has no '{key}'", key, VARIANT_KEYS
            )
        elif key.lower() == "outputs" and output not in (None, WILDCARD):
            listed = tuple(self._draft.spec.jobs[target].outputs)
            if listed and output.lower() not in {name.lower() for name in listed}:
                message = f"job '{target}' does not list '{output}' among its 'outputs'"
                yield self._unknown("W104", found, reference, message, output, listed)

    def order(self) -> Iterator[Diagnostic]:
        """What is read must have ended: asked for all readers at once."""
        graph = self._draft.graph
        known = set(graph.order)
        pairs = [(reader, target) for reader, target, _, _ in self._reads]
        upstream = ancestor_pairs(graph.order, graph.waits_for, pairs)
        for reader, target, found, reference in self._reads:
            after_all = reader in graph.final and target not in graph.final
            if (reader, target) in upstream or after_all or reader not in known or target not in known:
                continue
            if reader == target:
                message = f"job '{reader}' reads itself in '{_key(found.place)}', before it has run"
            else:
                message = (
                    f"job '{reader}' reads job '{target}', but does not wait for it; "
                    f"add '{target}' to its 'requires' or 'after'"
                )
            yield self._at("E203", found, reference.offset, message)

    def _unknown(
        self,
        code: str,
        found: Expression,
        reference: Reference,
        message: str,
        word: str,
        known: tuple[str, ...],
    ) -> Diagnostic:
        severity: Severity = "warning" if code.startswith("W") else "error"
        suggestion = self._draft.suggester.closest(word, known)
        return self._at(code, found, reference.offset, message, severity=severity, suggestion=suggestion)

    def _at(
        self,
        code: str,
        found: Expression,
        offset: int,
        message: str,
        *,
        severity: Severity = "error",
        suggestion: str | None = None,
    ) -> Diagnostic:
        of = extent.of_token if code in _CODES.values() else extent.of_reference
        return self._found(
            code,
            found.place,
            found.offset + offset,
            message,
            severity=severity,
            suggestion=suggestion,
            length=of(found.source, offset),
        )

    def _found(
        self,
        code: str,
        place: Place,
        offset: int,
        message: str,
        *,
        severity: Severity = "error",
        suggestion: str | None = None,
        length: int | None = None,
    ) -> Diagnostic:
        source = self._draft.source
        if length is None:
            length = extent.of_token(place.text, offset)
        spot = source.inside(place.path, offset, length)
        return source.diagnostic(code, message, at=spot, severity=severity, suggestion=suggestion)


def _key(place: Place) -> str:
    return next((str(step) for step in reversed(place.path) if isinstance(step, str)), "")


def _where(place: Place) -> str:
    """`'if' of job 'deploy'`, `the workflow's 'env'`."""
    if place.job is None and place.path[0] not in ("defaults", "services"):
        return f"'{place.path[-1]}' in {place.owner}"
    inner = place.path[1:] if place.path[0] == "defaults" else place.path[2:]
    keys = [f"'{step}'" for step in inner if isinstance(step, str)]
    return " of ".join([*reversed(keys), place.owner])


def _listed(words: tuple[str, ...]) -> str:
    shown = ", ".join(f"'{word}'" for word in words[:10])
    return shown if len(words) <= 10 else f"{shown} and {len(words) - 10} more"


def _lower(message: str) -> str:
    """A sentence of the expression room as the beginning of one here."""
    return message[:1].lower() + message[1:]
