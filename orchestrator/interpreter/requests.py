"""From a node and the values of this run to an activity request: every `${{ }}` is evaluated here, once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast

from orchestrator.contract.messages import NO_NETWORK, ArtifactRef, ContainerRequest, RunRequest
from orchestrator.errors import ExpressionError
from orchestrator.expressions import HostFunctions, condition, explain, render, to_text
from orchestrator.ids import VALUE_PREFIX
from orchestrator.interpreter.contexts import contexts_for, status_for
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.state import RunState
from orchestrator.plan.file_hashes import known_hashes
from orchestrator.plan.model import ContainerNode, Node
from orchestrator.plan.parts import Json, Template
from orchestrator.plan.variants import VariantsError
from orchestrator.plan.variants.values import filled

MAX_SHOWN = 120
"""Characters of a value that a reason quotes."""
MAX_PARTS = 3
"""Parts of a list or an object in it."""


@dataclass(frozen=True)
class Admission:
    """Whether a job's own `if` and `unless` let it run, and why, with the values they saw."""

    admitted: bool
    reason: str | None = None
    """None where it has neither."""


def scope(
    request: RunRequest, state: RunState, *, leaf: JobState | None = None, try_number: int | None = None
) -> dict[str, Json]:
    """All contexts with the run's own `env` evaluated, as `leaf` sees them where one asks.

    Raises ExpressionError with the place in its message.
    """
    contexts = contexts_for(request, state, leaf=leaf)
    if try_number is not None:
        contexts["run"]["try"] = try_number
    functions = known_hashes(request.file_hashes)
    contexts["env"] = evaluate_env(
        state.plan.env, {}, contexts, functions, where=lambda name: f"{name} in top-level `env`"
    )
    return contexts


def admit(node: Node, request: RunRequest, state: RunState) -> Admission:
    """Evaluate `if` and `unless`. Raises ExpressionError with the place in its message."""
    if node.condition is None and node.unless is None:
        return Admission(admitted=True)
    contexts = scope(request, state)
    status = status_for(node, state)
    functions = known_hashes(request.file_hashes)
    told: list[str] = []
    for key, source, wanted in (("if", node.condition, True), ("unless", node.unless, False)):
        if source is None:
            continue
        with place(f"`{key}` of job '{node.name}'"):
            verdict = condition(source, contexts, status=status, functions=functions)
            saw = f"`{key}: {source}` is {'true' if verdict else 'false'}{seen(explain(source, contexts))}"
            if verdict is not wanted:
                return Admission(admitted=False, reason=f"skipped: {saw}")
            told.append(saw)
    return Admission(admitted=True, reason="; ".join(told))


def container_request(
    node: ContainerNode, leaf: JobState, request: RunRequest, state: RunState, *, try_number: int
) -> ContainerRequest:
    """The request for one try of a job or variant, in the values of this moment.

    Raises ExpressionError with the place in its message.
    """
    contexts = scope(request, state, leaf=leaf, try_number=try_number)
    functions = known_hashes(request.file_hashes)
    own = leaf.variant
    commands = own.commands if own and own.commands is not None else node.commands
    env = evaluate_env(
        node.env, state.plan.env, contexts, functions, where=lambda name: _source(name, commands, leaf.key)
    )
    contexts["env"] = env

    def text(key: str, template: Template) -> str:
        with place(f"`{key}` of job '{leaf.key}'"):
            return to_text(render(template, contexts, functions=functions))

    def optional(key: str, template: Template | None) -> str | None:
        return None if template is None else text(key, template)

    return ContainerRequest(
        run_id=state.run_id,
        attempt=state.attempt,
        job=node.name,
        variant=own.name if own else None,
        try_number=try_number,
        plan_digest=request.plan_digest,
        image=text("image", node.image),
        commands=tuple(text("commands", command) for command in commands),
        titles=node.titles,
        env=env,
        shell=node.shell,
        working_dir=optional("working_dir", node.working_dir),
        user=optional("user", node.user),
        entrypoint=None
        if node.entrypoint is None
        else tuple(text("entrypoint", part) for part in node.entrypoint),
        pull=node.pull,
        resources=node.resources,
        timeout=node.timeout,
        stop_grace=node.stop_grace,
        workspace=request.workspace if node.workspace else None,
        artifacts=tuple(text("artifacts", path) for path in node.artifacts),
        restore=_artifacts(node, state),
        cleanup=state.plan.cleanup_policy,
        networks=(NO_NETWORK,) if node.network == "none" else (),
    )


def evaluate_outputs(
    templates: Mapping[str, Template],
    request: RunRequest,
    state: RunState,
    *,
    owner: str,
    leaf: JobState | None = None,
    what: str = "output",
) -> dict[str, Json]:
    """Evaluate an `outputs` or `publish` map of a job (`leaf`) or of the run, to plain JSON values.

    Raises ExpressionError with the place in its message.
    """
    if not templates:
        return {}
    contexts = scope(request, state, leaf=leaf)
    functions = known_hashes(request.file_hashes)
    values: dict[str, Json] = {}
    for name, template in templates.items():
        with place(f"{what} '{name}' of {owner}"):
            values[name] = plain(render(template, contexts, functions=functions))
    return values


def evaluate_json(
    value: Json, request: RunRequest, state: RunState, *, where: str, leaf: JobState | None = None
) -> Json:
    """`value` with all the templates in it evaluated, to plain JSON. Raises ExpressionError, `where` in its message."""
    contexts = scope(request, state, leaf=leaf)
    functions = known_hashes(request.file_hashes)

    def evaluate(template: Template) -> Json:
        return plain(render(template, contexts, functions=functions))

    with place(where):
        return filled(value, evaluate)


def plain(value: Json) -> Json:
    """`value` as what JSON has: contexts are views, and a view is no value to keep."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in cast("Mapping[str, Json]", value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(part) for part in cast("Sequence[Json]", value)]
    return value


def _artifacts(node: ContainerNode, state: RunState) -> tuple[ArtifactRef, ...]:
    """Later jobs' artifacts come last, so that where paths overlap the nearer job wins."""
    return tuple(ref for source in node.artifacts_from for ref in state.jobs[source].artifacts)


def evaluate_env(
    templates: Mapping[str, Template],
    inherited: Mapping[str, Template],
    contexts: Mapping[str, Json],
    functions: HostFunctions,
    *,
    where: Callable[[str], str],
) -> dict[str, str]:
    """Evaluate `env` in order; each value may read those before it, and those inherited, as `env.NAME`.

    A value that stands unchanged from `inherited` is already evaluated in `contexts["env"]` and is taken from there.
    `where` says for a name where the spec has its expression.
    """
    known: dict[str, str] = dict(contexts["env"])
    scope = dict(contexts)
    result: dict[str, str] = {}
    for name, template in templates.items():
        if name in known and inherited.get(name) == template:
            result[name] = known[name]
            continue
        scope["env"] = known
        with place(lambda name=name: where(name)):
            result[name] = known[name] = to_text(render(template, scope, functions=functions))
    return result


def _source(name: str, commands: Sequence[Template], job: str) -> str:
    """Where the spec has the expression of variable `name`: those that binding made up are from a command."""
    if name.startswith(VALUE_PREFIX):
        for number, command in enumerate(commands, start=1):
            if f"${{{name}}}" in command:
                return f"command {number} of job '{job}'"
    return f"{name} in `env` of job '{job}'"


def seen(values: Sequence[tuple[str, Json]]) -> str:
    """What an expression saw, in brackets: ` (params.x = 'a')`; empty where it read nothing."""
    found = ", ".join(f"{name} = {_shown(value)}" for name, value in values)
    return f" ({found})" if found else ""


def _shown(value: Json, *, depth: int = 2) -> str:
    """A value in a few words: of a list or an object, which may be as large as outputs are, the first parts."""
    if isinstance(value, str):
        text = f"'{value}'"
    elif value is None:
        text = "null"
    elif isinstance(value, Mapping):
        found = cast("Mapping[str, Json]", value)
        pairs = islice(found.items(), MAX_PARTS)
        shown = [f"{key}: {_shown(part, depth=depth - 1)}" for key, part in pairs] if depth else ["…"]
        text = f"{{{', '.join(shown)}{_more(len(found), depth)}}}"
    elif isinstance(value, Sequence):
        parts = cast("Sequence[Json]", value)
        shown = [_shown(part, depth=depth - 1) for part in islice(parts, MAX_PARTS)] if depth else ["…"]
        text = f"[{', '.join(shown)}{_more(len(parts), depth)}]"
    else:
        text = to_text(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _more(count: int, depth: int) -> str:
    return f" and {count - MAX_PARTS} more" if depth and count > MAX_PARTS else ""


class place:  # noqa: N801 - reads as a statement
    """Puts the place of an expression before its error's message."""

    def __init__(self, where: str | Callable[[], str]) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, ExpressionError | VariantsError):
            return
        message = f"{self._where if isinstance(self._where, str) else self._where()}: {error}"
        if isinstance(error, ExpressionError):
            raise ExpressionError(message, error.offset) from error
        raise VariantsError(message, error.path, fault=error.fault) from error
