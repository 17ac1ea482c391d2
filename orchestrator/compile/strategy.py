"""`matrix` and `for_each`: what is known of a job's variants before a run, and what is wrong with them.

Where all of it is known, the variants are made here, by the same code as in a run (`plan.variants`). Where not, the
templates go into the plan, and what can be told of them is checked.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from orchestrator.compile.conditions import is_literal
from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, check, look_up, render, segments, to_text
from orchestrator.plan.model import Matrix, Strategy, Variant
from orchestrator.plan.parts import Json, Template
from orchestrator.plan.variants import Effort, Fault, VariantsError, check_matrix, expand
from orchestrator.spec.model import JobShape, MatrixShape, Spec
from orchestrator.spec.places import Path, Source
from orchestrator.spec.wording import Finding

_CODES: Final[Mapping[Fault, str]] = {"shape": "E102", "axis": "E115", "count": "E116", "empty": "E117"}
_BELONG: Final = {
    "include": ("matrix",),
    "exclude": ("matrix",),
    "batch_size": ("for_each",),
    "max_parallel": ("matrix", "for_each"),
    "fail_fast": ("matrix", "for_each"),
}
"""Keys that say more of a matrix or a list, and which of them they belong to."""


@dataclass(frozen=True, slots=True)
class Problem(Finding):
    """What is wrong with a matrix or a list, and where."""

    word: str | None = None
    known: tuple[str, ...] = ()
    """The word that is wrong, and those among which the right one may be."""
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Repeats:
    """How a job is repeated.

    With variants, these are all. Without, they are known when the job starts; or, where `broken`, nobody can say.
    """

    key: Literal["matrix", "for_each"]
    strategy: Strategy
    variants: tuple[Variant, ...] = ()
    broken: bool = False
    problems: tuple[Problem, ...] = ()
    _members: dict[tuple[str, ...], dict[str, str] | None] = field(
        default_factory=dict[tuple[str, ...], "dict[str, str] | None"], repr=False, compare=False
    )

    def members(self, path: tuple[str, ...]) -> Mapping[str, str] | None:
        """What can be read below `path` of `matrix` or `item` in at least one variant; None where nobody can say.

        The names as they are written, by the same in lower case.
        """
        if path not in self._members:
            found = self._find_members(path)
            self._members[path] = None if found is None else {name.lower(): name for name in found}
        return self._members[path]

    def _find_members(self, path: tuple[str, ...]) -> dict[str, None] | None:
        if self.broken or (path and self.strategy.dynamic):
            return None
        if self.strategy.dynamic:
            return self._axes()
        found: dict[str, None] = {}
        for variant in self.variants:
            value: Json = variant.values if self.key == "matrix" else variant.item
            for step in path:
                value = look_up(cast("dict[str, Json]", value), step)[1] if isinstance(value, dict) else None
            if isinstance(value, list):
                return None
            found |= dict.fromkeys(cast("dict[str, Json]", value) if isinstance(value, dict) else ())
        return found

    def _axes(self) -> dict[str, None] | None:
        """The keys that a matrix will have whose values are not known, where at least these are."""
        matrix = self.strategy.matrix
        if matrix is None or isinstance(matrix.axes, str) or isinstance(matrix.include, str):
            return None
        found = dict[str, None].fromkeys(matrix.axes)
        for entry in matrix.include:
            if not isinstance(entry, dict):
                return None
            found |= dict.fromkeys(cast("dict[str, Json]", entry))
        return found


def repeats_of(spec: Spec) -> dict[str, Repeats]:
    """How those jobs are repeated that are."""
    effort = Effort()
    return {
        name: _of_job(spec, name, job, effort)
        for name, job in spec.jobs.items()
        if job.matrix is not None or job.for_each is not None
    }


def written_values(name: str, job: JobShape) -> Iterator[tuple[Path, Json]]:
    """Every single value in a job's matrix or list, with where it stands."""
    at: Path = ("jobs", name)
    if isinstance(job.matrix, MatrixShape):
        for axis, values in job.matrix.axes.items():
            yield from _leaves(values, (*at, "matrix", axis))
        for option in ("include", "exclude"):
            yield from _leaves(getattr(job.matrix, option), (*at, "matrix", option))
    else:
        yield (*at, "matrix"), job.matrix
    for key in ("for_each", "include", "exclude"):
        yield from _leaves(getattr(job, key), (*at, key))


def changed_numbers(spec: Spec, source: Source) -> Iterator[Problem]:
    """Numbers that will not read as they are written: `3.10` is 3.1."""
    for name, job in spec.jobs.items():
        if job.matrix is None and job.for_each is None:
            continue
        for path, value in written_values(name, job):
            written = source.mark(path).inside
            if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(written, str):
                continue
            if math.isfinite(value) and to_text(value) != written.lstrip("+"):
                message = f'{written} is the number {to_text(value)}; write "{written}" in quotes to keep it as it is'
                yield Problem("W112", path, message, severity="warning")


def misplaced(spec: Spec) -> Iterator[Problem]:
    """Keys of a matrix or a list that stand where there is none, or twice."""
    for name, job in spec.jobs.items():
        given = [key for key in _BELONG if getattr(job, key) is not None]
        if job.matrix is not None and job.for_each is not None:
            message = f"job '{name}' has both 'matrix' and 'for_each'; use one of them"
            yield Problem("E114", ("jobs", name, "for_each"), message, at_key=True)
        for key in given:
            if all(getattr(job, owner) is None for owner in _BELONG[key]):
                owners = " or ".join(f"'{owner}'" for owner in _BELONG[key])
                message = f"'{key}' of job '{name}' belongs to {owners}, which the job does not have"
                yield Problem("E114", ("jobs", name, key), message, at_key=True)
        if not isinstance(job.matrix, MatrixShape):
            continue
        for key in ("max_parallel", "fail_fast"):
            if key in given and getattr(job.matrix, key) is not None:
                message = f"'{key}' of job '{name}' is given twice, inside 'matrix' and beside it; keep one"
                yield Problem("E114", ("jobs", name, key), message, at_key=True)
        for key in ("include", "exclude"):
            inside, beside = getattr(job.matrix, key), getattr(job, key)
            if inside is not None and beside is not None and str in (type(inside), type(beside)):
                message = (
                    f"'{key}' of job '{name}' stands inside 'matrix' and beside it, and one of them is an expression; "
                    "write all of it in one place"
                )
                yield Problem("E114", ("jobs", name, key), message, at_key=True)


def _of_job(spec: Spec, name: str, job: JobShape, effort: Effort) -> Repeats:
    matrix = job.matrix
    inside = matrix if isinstance(matrix, MatrixShape) else MatrixShape()
    options: dict[str, Any] = {"max_variants": spec.max_variants, "batch_size": job.batch_size}
    for key in ("max_parallel", "fail_fast"):
        value = getattr(job, key) if getattr(inside, key) is None else getattr(inside, key)
        if value is not None:
            options[key] = value
    if matrix is None:
        strategy = Strategy(items=job.for_each, **options)
        return _expanded(strategy, "for_each", name, job, effort)
    try:
        include, exclude = _all_of(inside.include, job.include), _all_of(inside.exclude, job.exclude)
    except TypeError:
        return Repeats("matrix", Strategy(**options), broken=True)  # `misplaced` says why
    axes = matrix if isinstance(matrix, str) else inside.axes
    strategy = Strategy(matrix=Matrix(axes=axes, include=include, exclude=exclude), **options)
    return _expanded(strategy, "matrix", name, job, effort)


def _all_of(
    inside: tuple[Any, ...] | str | None, beside: tuple[Any, ...] | str | None
) -> tuple[Any, ...] | str:
    """The entries inside the matrix, then those beside it. TypeError where one of two is an expression."""
    if inside is None or beside is None:
        return (inside if beside is None else beside) or ()
    if isinstance(inside, str) or isinstance(beside, str):
        raise TypeError
    return (*inside, *beside)


def _expanded(
    strategy: Strategy, key: Literal["matrix", "for_each"], name: str, job: JobShape, effort: Effort
) -> Repeats:
    at: Path = ("jobs", name)
    matrix = strategy.matrix
    written: Json = strategy.items if matrix is None else (matrix.axes, matrix.include, matrix.exclude)
    odd = tuple(_odd_values(name, job))
    spent = effort.left < 0  # which is said where it happened
    if odd or spent or (job.matrix is not None and job.for_each is not None):
        return Repeats(key, strategy, broken=True, problems=odd)
    problems: tuple[Problem, ...] = ()
    try:
        if not all(is_literal(source) for source in _holes(written)):
            if matrix is not None:
                check_matrix(matrix.axes, matrix.include, matrix.exclude, templates=True)
            return Repeats(key, strategy)
        try:
            variants = expand(strategy, _constant, title=_sound(job.name), effort=effort)
        except ExpressionError as error:
            variants = expand(
                strategy, _constant, effort=effort
            )  # where this fails too it is not for the title
            problems = (
                Problem("E210", (*at, "name"), f"'name' of job '{name}' fails for a variant: {error}"),
            )
    except ExpressionError:
        return Repeats(key, strategy, broken=True)  # the checks of expressions say why
    except VariantsError as error:
        return Repeats(key, strategy, broken=True, problems=(_problem(error, at, key, job),))
    plain = strategy.model_copy(update={"matrix": None, "items": None})
    if not variants:
        problem = Problem("E117", (*at, key), f"'for_each' of job '{name}' has no items")
        return Repeats(key, plain, broken=True, problems=(problem,))
    return Repeats(key, plain, variants, problems=problems)


def _constant(template: Template) -> Json:
    return render(template, {})


def _sound(title: Template | None) -> Template | None:
    """A title whose expressions have nothing wrong that is found elsewhere."""
    try:
        return None if any(check(source) for source in _holes(title)) else title
    except ExpressionError:
        return None


def _holes(value: Json) -> Iterator[str]:
    """Every expression in `value`. Raises ExpressionError where one is not closed."""
    for _, text in _leaves(value, ()):
        if isinstance(text, str) and "${{" in text:
            yield from (part.source for part in segments(text) if isinstance(part, Hole))


def _leaves(value: Json, path: Path) -> Iterator[tuple[Path, Json]]:
    """Every value in `value` that is neither list nor mapping, with where it stands."""
    if isinstance(value, dict):
        for key, part in cast("dict[str, Json]", value).items():
            yield from _leaves(part, (*path, key))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(cast("list[Json]", value)):
            yield from _leaves(part, (*path, number))
    else:
        yield path, value


def _odd_values(name: str, job: JobShape) -> Iterator[Problem]:
    """What YAML can say and a matrix cannot have."""
    for path, value in written_values(name, job):
        if isinstance(value, float) and not math.isfinite(value):
            yield Problem(
                "E102", path, f"a value of '{path[2]}' of job '{name}' must be a finite number, not {value}"
            )
        for length, step in enumerate(path[3:], start=4):
            if isinstance(step, str) and "${{" in step:
                message = f"'{step}' is a key, and '${{{{ }}}}' is not evaluated in keys"
                yield Problem("E102", path[:length], message, at_key=True)


def _problem(error: VariantsError, at: Path, key: str, job: JobShape) -> Problem:
    """The finding for what is wrong, at the place in the spec that says it."""
    path = _place(error.path, at, key, job)
    axes = tuple(job.matrix.axes) if isinstance(job.matrix, MatrixShape) else ()
    word = str(path[-1]) if error.fault == "axis" else None
    at_key = error.at_key or (not error.path and error.fault != "shape")
    return Problem(_CODES[error.fault], path, f"job '{at[1]}': {error}", at_key=at_key, word=word, known=axes)


def _place(path: tuple[str | int, ...], at: Path, key: str, job: JobShape) -> Path:
    """Where `path` stands, which counts the entries inside the matrix and those beside it as one list."""
    if path[:1] not in (("include",), ("exclude",)):
        return (*at, key, *path)
    option = str(path[0])
    inside = getattr(job.matrix, option) if isinstance(job.matrix, MatrixShape) else None
    if getattr(job, option) is None:
        return (*at, "matrix", *path)
    count = len(cast("tuple[Json, ...]", inside)) if isinstance(inside, tuple) else 0
    number = cast("int", path[1]) if len(path) > 1 else 0
    return (*at, "matrix", *path) if number < count else (*at, option, number - count, *path[2:])
