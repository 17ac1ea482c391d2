"""Variants of one job that leave the same artifact for another one, so that one replaces the other's. Warnings only.

A path is the same for two variants where all that it reads of `matrix` or `item` is. Patterns are left alone: the
names that they find may well differ.
"""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from orchestrator.compile.draft import Draft
from orchestrator.compile.strategy import Repeats
from orchestrator.errors import ExpressionError
from orchestrator.expressions import WILDCARD, Hole, Reference, evaluate, references, segments
from orchestrator.ids import variant_key
from orchestrator.plan.model import Variant
from orchestrator.plan.parts import Json
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.model import JobShape

_MAX_SOURCES: Final = 5
"""Axes that a message names."""


def artifact_clashes(draft: Draft) -> Iterator[Diagnostic]:
    """Artifacts that variants of one job keep at one path, where a job gets the artifacts of them all."""
    readers = _readers(draft)
    for name, repeats in draft.repeats.items():
        if repeats.broken or name not in readers:
            continue
        job = draft.jobs[name]
        for index, path in enumerate(job.artifacts):
            told = _clash(name, job, path, repeats)
            if told is not None:
                who, mend = told
                what = f"in job '{readers[name]}' the last variant's replaces the others'"
                message = f"{who} at '{path}', and {what}; {mend}"
                yield draft.at_value("W114", ("jobs", name, "artifacts", index), message, severity="warning")


def _readers(draft: Draft) -> dict[str, str]:
    """For each job whose artifacts are restored the first job that gets them."""
    found: dict[str, str] = {}
    for name, job in draft.spec.jobs.items():
        required = (edge.job for edge in draft.graph.edges[name] if edge.origin == "requires")
        for source in (*required, *job.artifacts_from):
            found.setdefault(source, name)
    return found


def _clash(name: str, job: JobShape, path: str, repeats: Repeats) -> tuple[str, str] | None:
    """Who keeps a file at `path`, and what to do; None where each variant has a path of its own, or may have."""
    whole = path if path.startswith("/") or job.working_dir is None else f"{job.working_dir}/{path}"
    try:
        read = _variant_references(whole, job.env)
    except ExpressionError:
        return None  # E201 tells
    if read is None or any(sign in part for part in _texts(path) for sign in "*?["):
        return None
    if not repeats.variants:
        return None if read else (f"each variant of job '{name}' keeps a file", _mend(*_axes(repeats)))
    together: dict[str, list[Variant]] = {}
    for variant in repeats.variants:
        together.setdefault(_identity(read, variant), []).append(variant)
    for first, *others in together.values():
        if others:
            both = f"'{variant_key(name, first.name)}' and '{variant_key(name, others[-1].name)}'"
            return f"variants {both} both keep a file", _mend(*_differences(first, others[-1]))
    return None


def _texts(template: str) -> Iterator[str]:
    """`template` without its expressions."""
    yield from (part.text for part in segments(template) if not isinstance(part, Hole))


def _variant_references(template: str, env: Mapping[str, str]) -> tuple[tuple[str, Reference], ...] | None:
    """What `template` reads of its variant, with the source that it stands in; None where that cannot be followed.

    Raises:
        ExpressionError: an expression in it is broken.
    """
    found: list[tuple[str, Reference]] = []
    for part in segments(template):
        for read in references(part.source) if isinstance(part, Hole) else ():
            context = str(read.path[0]).lower()
            if context == "env" and any(
                "matrix" in text.lower() or "item" in text.lower() for text in env.values()
            ):
                return None
            if context in ("matrix", "item"):
                if None in read.path or WILDCARD in read.path:
                    return None
                found.append((cast("Hole", part).source[read.offset : read.end], read))
    return tuple(found)


def _identity(read: tuple[tuple[str, Reference], ...], variant: Variant) -> str:
    """A text that two variants share where they agree on all that is read."""
    contexts: dict[str, Json] = {"matrix": variant.values, "item": variant.item}
    return repr([evaluate(source, contexts) for source, _ in read])


def _axes(repeats: Repeats) -> tuple[str, ...]:
    """What tells variants apart that only a run knows."""
    matrix = repeats.strategy.matrix
    if matrix is None:
        return ("item",)
    return tuple(_below("matrix", axis) for axis in matrix.axes) if isinstance(matrix.axes, dict) else ()


def _differences(one: Variant, other: Variant) -> tuple[str, ...]:
    """What to read to tell two variants apart: all axes of a matrix, one part of an item."""
    if not one.values and not other.values:
        found = (_apart("item", one.item, other.item),)
    else:
        found = tuple(
            _apart(_below("matrix", key), one.values.get(key), other.values.get(key))
            for key in {**one.values, **other.values}
        )
    return tuple(source for source in found if source is not None)


def _apart(source: str, one: Json, other: Json) -> str | None:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        ones, others = cast("Mapping[str, Json]", one), cast("Mapping[str, Json]", other)
        parts = (_apart(_below(source, key), ones.get(key), others.get(key)) for key in {**ones, **others})
        return next((part for part in parts if part is not None), None)
    return source if one != other and not isinstance(one, list | dict) else None


def _below(source: str, key: str) -> str:
    plain = key.replace("-", "_").isidentifier() and key.isascii() and not key.startswith("-")
    quoted = key.replace("'", "''")
    return f"{source}.{key}" if plain else f"{source}['{quoted}']"


def _mend(*sources: str) -> str:
    if not sources:
        return "give each variant a path of its own"
    told = " and ".join(f"'${{{{ {source} }}}}'" for source in sources[:_MAX_SOURCES])
    return f"put {told} into the path"
