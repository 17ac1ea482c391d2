"""The rules about `${{ }}`: everything that can be told of an expression before a run.

What the language itself says (syntax, names of contexts and functions) comes from the expression room; here is what
only the spec knows: which jobs, params and env names there are, and what may be read where.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from orchestrator.compile import extent
from orchestrator.compile.ancestry import ancestor_pairs
from orchestrator.compile.conditions import STATUS_FUNCTIONS, is_literal
from orchestrator.compile.draft import Draft
from orchestrator.compile.hash_checks import hash_problems
from orchestrator.compile.service_references import not_in_expressions, service_slips, variables
from orchestrator.compile.slips import Slip, listed
from orchestrator.compile.templates import Place, places
from orchestrator.compile.variant_references import entry_slips, output_slips, variant_slips
from orchestrator.compile.ways import reminders
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

LATER_CONTEXTS: Final = ("secrets",)
"""Contexts of the language that have no values in this version."""
RUN_KEYS: Final = ("id", "attempt", "spec", "status", "created_at", "started_at", "try")
GIT_KEYS: Final = ("ref", "ref_name", "ref_type", "branch", "sha", "repository", "actor")
JOB_KEYS: Final = (
    "status", "result", "outputs", "reason", "exit_code", "tries", "matrix", "summary",
)  # fmt: skip
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
        self._vars_lower = {name.lower() for name in draft.spec.vars}
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
            if name in STATUS_FUNCTIONS and found.place.part != "condition":
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
        elif found.place.part == "vars" and context in ("env", "vars", "jobs", "services"):
            message = (
                f"the first value of a variable cannot read '{context}': it is set when the run begins, from 'params', "
                "'run' and 'git'; let a job publish it"
            )
            yield self._at("E208", found, reference.offset, message)
        elif context in ("matrix", "item"):
            yield from self._slips(
                found, reference, variant_slips(self._draft, found.place, reference, context)
            )
        elif context in KNOWN_CONTEXTS and found.place.part == "title":
            message = f"'name' of {found.place.owner} can read only 'matrix' and 'item', as it names the job's variants"
            yield self._at("E208", found, reference.offset, message)
        elif context == "services":
            yield from self._slips(found, reference, service_slips(self._draft, found.place, reference))
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
        elif context == "vars":
            if name.lower() not in self._vars_lower:
                declared = tuple(self._draft.spec.vars)
                yield self._unknown(
                    "E214", found, reference, f"variable '{name}' is not declared", name, declared
                )
        elif context in _PROPERTIES:
            has = _PROPERTIES[context]
            if name.lower() not in has:
                message = f"'{reference.path[0]}' has no '{name}'; it has {listed(has)}"
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
            yield from self._slips(found, reference, entry_slips(self._draft, reference, target))
        elif (
            key.lower() == "outputs"
            and output not in (None, WILDCARD)
            and (target != found.place.job or found.place.part == "publish")
        ):
            yield from self._slips(found, reference, output_slips(self._draft, target, str(output)))

    def order(self) -> Iterator[Diagnostic]:
        """What is read must have ended: asked for all readers at once."""
        graph = self._draft.graph
        known = set(graph.order)
        # A reminder runs while its gate is open: what that can read has ended.
        stands_for = reminders(self._draft.spec)
        pairs = [(stands_for.get(reader, reader), target) for reader, target, _, _ in self._reads]
        upstream = ancestor_pairs(graph.order, graph.waits_for, pairs)
        for reader, target, found, reference in self._reads:
            after_all = reader in graph.final and target not in graph.final
            if (
                (stands_for.get(reader, reader), target) in upstream
                or after_all
                or reader not in known
                or target not in known
            ):
                continue
            if reader == target:
                message = f"job '{reader}' reads itself in '{_key(found.place)}', before it has run"
            else:
                message = (
                    f"job '{reader}' reads job '{target}', but does not wait for it; "
                    f"add '{target}' to its 'requires' or 'after'"
                )
            yield self._at("E203", found, reference.offset, message)

    def _slips(self, found: Expression, reference: Reference, slips: Iterable[Slip]) -> Iterator[Diagnostic]:
        for slip in slips:
            yield self._unknown(slip.code, found, reference, slip.message, slip.word, slip.known)

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


def _lower(message: str) -> str:
    """A sentence of the expression room as the beginning of one here."""
    return message[:1].lower() + message[1:]
