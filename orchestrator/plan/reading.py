"""What a condition or a matrix depends on, read from its text before a run. Pure.

Names are given as orca writes them: `github.ref` is `git.ref`, `needs.build` is `jobs.build`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from orchestrator.errors import ExpressionError
from orchestrator.expressions import (
    ALIASES,
    WILDCARD,
    Hole,
    Reference,
    called_functions,
    references,
    segments,
)
from orchestrator.plan.model import Node, Strategy
from orchestrator.plan.parts import Json

_ASKING: Final = ("success", "failure", "cancelled")
"""Status functions whose answer depends on something; `always()` asks nobody."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one or more expressions name, each once, in the order of the text."""

    references: tuple[str, ...] = ()
    """Such as `git.ref`, `jobs.build.outputs.*`; a part that only a run can tell is `[…]`."""
    status: tuple[str, ...] = ()
    """Status functions that are called, of success, failure and cancelled."""

    @property
    def asks_ends(self) -> bool:
        """Whether `success()` or `failure()` ask how jobs ended."""
        return "success" in self.status or "failure" in self.status

    @property
    def jobs(self) -> tuple[str, ...]:
        """Contexts `jobs` apart: the jobs that are read, by name."""
        parts = (name.split(".", 2) for name in self.references)
        return tuple(dict.fromkeys(part[1] for part in parts if part[0] == "jobs" and len(part) > 1))


def read_condition(text: str | None) -> Reading:
    """What an `if` or `unless` names; it may stand without `${{ }}`."""
    return _reading([] if text is None else _sources(text) or [text.strip()])


def read_conditions(node: Node) -> Reading:
    """What the `if` and the `unless` of a job name, together."""
    both = [read_condition(node.condition), read_condition(node.unless)]
    return Reading(
        tuple(dict.fromkeys(name for one in both for name in one.references)),
        tuple(dict.fromkeys(name for one in both for name in one.status)),
    )


def read_strategy(strategy: Strategy) -> Reading:
    """What the templates of a dynamic matrix or list name."""
    return _reading([source for text in strategy_templates(strategy) for source in _sources(text)])


def strategy_templates(strategy: Strategy) -> tuple[str, ...]:
    """The texts with `${{ }}` in a dynamic matrix or list, each once, in order."""
    matrix = strategy.matrix
    parts: Json = [matrix.axes, matrix.include, matrix.exclude] if matrix else strategy.items
    return tuple(dict.fromkeys(text for text in _texts(parts) if _sources(text)))


def asked_jobs(node: Node) -> tuple[str, ...]:
    """The jobs over which `success()` and `failure()` of this job ask; a finalizer without any asks over the run."""
    return tuple(dict.fromkeys(edge.job for edge in (*node.requires, *node.triggers)))


def _reading(sources: Sequence[str]) -> Reading:
    names: dict[str, None] = {}
    status: dict[str, None] = {}
    for source in sources:
        try:
            names.update((_name(reference), None) for reference in references(source))
            called = [call.name.lower() for call in called_functions(source)]
        except ExpressionError:
            continue  # A compiled plan has none; one from elsewhere is shown as it is.
        status.update((name, None) for name in called if name in _ASKING)
    return Reading(tuple(names), tuple(status))


def _name(reference: Reference) -> str:
    context = str(reference.path[0]).lower()
    name = ALIASES.get(context, context)
    for part in reference.path[1:]:
        name += "[…]" if part is None else ".*" if part == WILDCARD else f".{part}"
    return name


def _sources(text: str) -> list[str]:
    if "${{" not in text:
        return []
    try:
        return [part.source for part in segments(text) if isinstance(part, Hole)]
    except ExpressionError:
        return []  # As above.


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in cast("Mapping[str, Json]", value).values():
            yield from _texts(part)
    elif isinstance(value, Sequence):
        for part in cast("Sequence[Json]", value):
            yield from _texts(part)
