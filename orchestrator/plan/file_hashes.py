"""The calls of `hashFiles` in a plan. Whoever submits a run computes them, as replayed code reads no files. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, HostFunctions, Value, host_calls, segments, to_text
from orchestrator.plan.file_patterns import call_key, read_patterns
from orchestrator.plan.model import Node, Plan
from orchestrator.plan.parts import Json

HASH_FILES: Final = "hashFiles"


def calls_of(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """The arguments of every call in `plan`, each once, in the order of the plan.

    Those of a static matrix or list are asked for each variant.

    Raises:
        ExpressionError: an argument depends on the run. The compiler refuses such a plan.
    """
    found: dict[tuple[str, ...], None] = {}
    for source, scopes in _sources(plan):
        for contexts in scopes:
            for arguments in _arguments(source, contexts):
                found[arguments] = None
    return tuple(found)


def argument_texts(arguments: tuple[Value, ...]) -> tuple[str, ...]:
    """The patterns of one call, checked. Raises ExpressionError where they are none."""
    texts = tuple(to_text(argument) for argument in arguments)
    read_patterns(texts)
    return texts


def host_functions(look_up: Callable[[tuple[str, ...]], str]) -> HostFunctions:
    """`hashFiles` for an evaluation, with `look_up` from a call's patterns to its hash."""

    def hash_files(*arguments: Value) -> Value:
        return look_up(argument_texts(arguments))

    return {HASH_FILES: hash_files}


def known_hashes(hashes: Mapping[str, str]) -> HostFunctions:
    """`hashFiles` that answers from `hashes`, which has the hash of each call by its `call_key`."""

    def look_up(arguments: tuple[str, ...]) -> str:
        found = hashes.get(call_key(arguments))
        if found is None:
            patterns = ", ".join(f"'{argument}'" for argument in arguments)
            raise ExpressionError(f"hashFiles({patterns}) was not computed when the run was submitted")
        return found

    return host_functions(look_up)


def _sources(plan: Plan) -> Iterator[tuple[str, tuple[Mapping[str, Value], ...]]]:
    """Each expression that may call it, and the contexts that its arguments can read: one for each variant."""
    for source in _holes(
        [plan.env, plan.vars, plan.outputs, *(shared.model_dump() for shared in plan.services)]
    ):
        yield source, ({},)
    for node in plan.jobs.values():
        scopes = _scopes(node)
        for condition in (node.condition, node.unless):
            if condition is not None and _may_call(condition):
                for source in list(_holes(condition)) or [condition.strip()]:
                    yield source, ({},)
        # Titles are only shown, and what a variant holds beside its commands is data.
        shown = {"condition", "unless", "titles", "variants"}
        for source in _holes(node.model_dump(mode="python", exclude=shown)):
            yield source, scopes
        for variant, contexts in zip(node.variants, scopes, strict=False):
            for source in _holes(variant.commands or ()):
                yield source, (contexts,)


def _scopes(node: Node) -> tuple[Mapping[str, Value], ...]:
    if node.strategy is None or node.strategy.dynamic:
        return ({},)
    return tuple({"matrix": variant.values, "item": variant.item} for variant in node.variants)


def _holes(value: Json) -> Iterator[str]:
    """The expression of every `${{ }}` in `value` that may call it."""
    waiting: list[Json] = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if _may_call(part):
                yield from (hole.source for hole in segments(part) if isinstance(hole, Hole))
        elif isinstance(part, Mapping):
            waiting += reversed(list(cast("Mapping[str, Json]", part).values()))
        elif isinstance(part, list | tuple):
            waiting += reversed(cast("list[Json]", part))


def _may_call(text: str) -> bool:
    return HASH_FILES.lower() in text.lower()


def _arguments(source: str, contexts: Mapping[str, Value]) -> Iterator[tuple[str, ...]]:
    for call in host_calls(source, HASH_FILES, contexts):
        if call.arguments is None:
            raise ExpressionError(f"the patterns of {HASH_FILES} in '{source}' are known only when it runs")
        yield argument_texts(call.arguments)
