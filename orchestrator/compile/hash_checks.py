"""The rules about `hashFiles`: what it hashes must be known, and there, when a run is submitted."""

from collections.abc import Iterator, Mapping
from typing import Final

from orchestrator.compile.draft import Draft
from orchestrator.compile.templates import Place
from orchestrator.errors import ExpressionError
from orchestrator.expressions import Value, host_calls
from orchestrator.plan.file_hashes import HASH_FILES, argument_texts

_UNKNOWN: Final = (
    f"the patterns of '{HASH_FILES}' must be known before the run: write them as texts, or take them from 'matrix' or "
    "'item' where those are written out"
)


def hash_problems(draft: Draft, place: Place, source: str) -> Iterator[tuple[int, str]]:
    """What is wrong with the calls of `hashFiles` in the expression `source`: where in it, and why.

    It must be one that can be parsed.
    """
    if HASH_FILES.lower() not in source.lower():
        return
    seen: dict[tuple[int, str], None] = {}
    for contexts in _scopes(draft, place):
        try:
            calls = host_calls(source, HASH_FILES, contexts)
        except ExpressionError as error:
            seen[error.offset or 0, f"a pattern of '{HASH_FILES}' cannot be computed: {error}"] = None
            continue
        for call in calls:
            message = _problem(draft, place, call.arguments)
            if message is not None:
                seen[call.offset, message] = None
    yield from seen


def _scopes(draft: Draft, place: Place) -> tuple[Mapping[str, Value], ...]:
    """What patterns may be made of: for a variant that is known, its values."""
    repeats = draft.repeats.get(place.job) if place.job is not None else None
    if repeats is None or not repeats.variants or place.part not in ("other", "service", "image", "inputs"):
        return ({},)
    return tuple({"matrix": variant.values, "item": variant.item} for variant in repeats.variants)


def _problem(draft: Draft, place: Place, arguments: tuple[Value, ...] | None) -> str | None:
    if place.part == "title":
        return f"'name' of {place.owner} cannot call '{HASH_FILES}'"
    if draft.spec.workspace is None:
        return (
            f"'{HASH_FILES}' reads the files that are shipped with the spec, and this one ships none; "
            "add 'workspace: .' at its top level"
        )
    if arguments is None:
        return _UNKNOWN
    try:
        argument_texts(arguments)
    except ExpressionError as error:
        return str(error)
    return None
