"""How parts of a plan read, in few words; the text, the Markdown and the graphs share them. Pure.

Everything is one line. What has no natural end (names, lists, expressions) is bounded by its caller.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from orchestrator.plan.kinds import MAX_EXPRESSION, MAX_NAMES, particulars, started_by, what_runs
from orchestrator.plan.model import Node, Plan
from orchestrator.plan.parts import Condition, Requirement
from orchestrator.plan.phrases import bare, count, listed, shortened
from orchestrator.plan.reading import (
    Reading,
    asked_jobs,
    read_condition,
    read_conditions,
    read_strategy,
    strategy_templates,
)


class ConditionWords(NamedTuple):
    """How the condition of a requirement is told."""

    behind_name: str
    """Behind the name of the job that is waited for."""
    at_edge: str
    """At an arrow, where there is less room."""


CONDITION_WORDS: Final[Mapping[Condition, ConditionWords]] = {
    "success": ConditionWords("", ""),
    "failure": ConditionWords(" (if it fails)", "if failed"),
    "skipped": ConditionWords(" (if it is skipped)", "if skipped"),
    "always": ConditionWords(" (however it ends)", "always"),
}
_STATUS_ALONE: Final[Mapping[str, Literal["success", "failure"]]] = {
    "success()": "success",
    "failure()": "failure",
}
_IF_FAILED: Final = ConditionWords("", "if failed")
_IF_ANY_FAILED: Final = ConditionWords("", "if any failed")
_ASKED: Final = ConditionWords("", "asked")


def condition_words(node: Node, edge: Requirement) -> ConditionWords:
    """How one of a job's requirements is told.

    Where the job itself asks how that ended, "however it ends" would say the opposite of what happens: the job waits
    for it to end, and what it asks, which stands beside, decides.
    """
    if edge.condition != "always":
        return CONDITION_WORDS[edge.condition]
    if node.on_complete == "failure":
        return _IF_ANY_FAILED
    if node.on_complete == "always" or not read_conditions(node).asks_ends:
        return CONDITION_WORDS["always"]
    match _asked(node):
        case "success":
            return CONDITION_WORDS["success"]
        case "failure":
            return _IF_FAILED if len(asked_jobs(node)) == 1 else _IF_ANY_FAILED
        case None:
            return _ASKED


def _asked(node: Node) -> Literal["success", "failure"] | None:
    """Which of `success()` and `failure()` is all that a job's conditions say, if that is so."""
    if node.condition is None or node.unless is not None:
        return None
    return _STATUS_ALONE.get(bare(node.condition).lower())


def requirement(node: Node, edge: Requirement) -> str:
    """`build`, or `build (if it fails)`."""
    return edge.job + condition_words(node, edge).behind_name


def when_finalizing(node: Node) -> str:
    """For a finalizer that requires nothing: how the run must stand."""
    how = {
        "always": "however the run ends",
        "success": "if the run succeeded",
        "failure": "if the run failed",
    }
    return how[node.on_complete]


def conditions(node: Node, *, names: int = 6) -> tuple[str, ...]:
    """`if …` and `unless …`, each with what it depends on: `if github.ref == 'x'  (reads git.ref)`."""
    found: list[str] = []
    for key, text in (("if", node.condition), ("unless", node.unless)):
        if text is not None:
            depends = _depends(node, read_condition(text), names)
            found.append(
                f"{key} {shortened(bare(text), MAX_EXPRESSION)}" + (f"  ({depends})" if depends else "")
            )
    return tuple(found)


def _depends(node: Node, reading: Reading, names: int) -> str:
    parts = [f"reads {listed(reading.references, names)}"] if reading.references else []
    if reading.asks_ends:
        if asked := asked_jobs(node):
            parts.append(_ends_asked(node, asked, names))
        elif node.finalizer:
            parts.append("asks how the whole run stands")
        else:
            parts.append("asks over nothing: the job requires none")
    if "cancelled" in reading.status:
        parts.append("asks whether the run was cancelled")
    return "; ".join(parts)


def _ends_asked(node: Node, jobs: Sequence[str], names: int) -> str:
    who = listed(jobs, names)
    match _asked(node):
        case "success":
            return f"only if {who} ended well" if len(jobs) == 1 else f"only if all of {who} ended well"
        case "failure":
            return f"only if {who} failed" if len(jobs) == 1 else f"only if one of {who} failed"
        case None:
            return f"asks how {who} ended"


def variants_count(node: Node) -> str | None:
    """`6 variants`; `variants when it starts` for a dynamic job; None for a job without any."""
    if node.variants:
        return count(len(node.variants), "variant")
    return "variants when it starts" if node.strategy else None


def strategy_options(node: Node) -> tuple[str, ...]:
    """How many at a time, and what a failure does: only what is not the default."""
    strategy = node.strategy
    if strategy is None:
        return ()
    options: list[str] = []
    if strategy.batch_size is not None:
        options.append(f"in batches of {strategy.batch_size}")
    if strategy.max_parallel is not None:
        options.append(f"{strategy.max_parallel} at a time")
    if not strategy.fail_fast:
        options.append("a failure leaves the others running (fail_fast: false)")
    return tuple(options)


def dynamic_source(node: Node, *, names: int = 6) -> str | None:
    """For a dynamic job: the expressions that its variants come from, and when their values are known."""
    strategy = node.strategy
    if strategy is None or not strategy.dynamic:
        return None
    templates = [shortened(bare(text), MAX_EXPRESSION) for text in strategy_templates(strategy)]
    source = listed(templates, 3, between=" and ") or "its matrix"
    reading = read_strategy(strategy)
    if reading.jobs:
        known = (
            f"known when {listed(reading.jobs, names)} {'has' if len(reading.jobs) == 1 else 'have'} ended"
        )
    elif any(name.split(".")[0].split("[")[0] not in ("params", "git") for name in reading.references):
        known = "known when the job starts"
    else:
        known = "known when the run is submitted"
    return f"from {source}, {known}"


def facts(node: Node, nested: Mapping[str, Plan] = MappingProxyType({})) -> Iterator[str]:
    """All that is worth telling of a job, each fact in one line; the first says what it runs.

    Args:
        node: the job.
        nested: the plans of nested workflows, by their key.
    """
    yield what_runs(node) + _repeated(node)
    if node.variants:
        names = [f"({variant.name})" for variant in node.variants]
        yield f"{count(len(names), 'variant')}: {listed(names, MAX_NAMES)}"
    elif (source := dynamic_source(node)) is not None:
        yield f"variants {source}"
    if options := strategy_options(node):
        yield ", ".join(options)
    yield from particulars(node, nested)
    if node.requires:
        names = [requirement(node, edge) for edge in node.requires]
        yield f"waits for {listed(names, MAX_NAMES)}"
        if node.on_complete == "failure":
            yield f"only if one of {listed([edge.job for edge in node.requires], MAX_NAMES)} failed"
    elif node.finalizer and not node.triggers:
        yield when_finalizing(node)
    if node.reminds:
        yield f"runs for nothing but to remind of {node.reminds}"
    yield from started_by(node.triggers)
    yield from conditions(node)
    if node.publish:
        yield f"sets {listed([f'vars.{name}' for name in node.publish], MAX_NAMES)}"


def _repeated(node: Node) -> str:
    """What is said behind the image: a title, tries, and whether a failure is tolerated."""
    parts = [f"named {bare(node.title)}"] if node.title is not None else []
    if node.retry.max_attempts > 1:
        parts.append(f"up to {node.retry.max_attempts} tries")
    if node.on_error == "continue":
        parts.append("may fail")
    elif node.on_error == "hold":
        parts.append("held for a person if it fails")
    if not node.idempotent and node.on_error != "hold":
        parts.append("held for a person if a try is lost")
    return "".join(f"; {part}" for part in parts)
