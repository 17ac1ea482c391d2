"""`commands` with `${{ }}`: what is known now becomes text, the rest reaches the shell as environment variables.

How a value is put into a shell's text without becoming code is `shell.py`'s; this says what is known now.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.compile.conditions import STATUS_FUNCTIONS
from orchestrator.compile.draft import Draft
from orchestrator.compile.shell import Bound, ShellBindingError, bind_values
from orchestrator.errors import ExpressionError
from orchestrator.expressions import called_functions, evaluate, references, to_text
from orchestrator.plan.model import Template
from orchestrator.spec.diagnostics import Diagnostic

DEFAULT_SHELL = "sh"
MAX_TITLE = 160
"""Characters of a command that people are shown."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands without `${{ }}`, and the variables that they use in its place."""

    commands: tuple[str, ...]
    titles: tuple[str, ...]
    """The spec's own lines, where binding has changed any."""
    env: Mapping[str, Template]


def bind_commands(draft: Draft, name: str) -> Commands | tuple[Diagnostic, ...]:
    """The commands of a job, or why they cannot be bound. Their expressions must have been checked."""
    job = draft.jobs[name]
    if not any("${{" in command for command in job.commands):
        return Commands(job.commands, (), {})
    known = _Known(job.env)
    try:
        bound: Bound = bind_values(
            job.commands,
            shell=job.shell or DEFAULT_SHELL,
            is_constant=known.is_constant,
            constant=known.value,
        )
    except ShellBindingError as error:
        return tuple(_diagnostic(draft, name, one) for one in error.every)
    except ExpressionError as error:
        path = ("jobs", name, "commands")
        message = f"a constant expression in 'commands' of job '{name}' fails: {error}"
        return (draft.at_value("E210", path, message),)
    changed = tuple(bound.commands) != tuple(job.commands)
    titles = tuple(_title(command) for command in job.commands) if changed else ()
    return Commands(tuple(bound.commands), titles, dict(bound.env))


def _title(command: str) -> str:
    """The first line that says something, short: a long script is not repeated in the plan."""
    lines = command.strip().splitlines()
    more = " …" if len(lines) > 1 else ""
    return f"{lines[0][:MAX_TITLE]}{more}" if lines else ""


def _diagnostic(draft: Draft, name: str, error: ShellBindingError) -> Diagnostic:
    spot = draft.source.inside(("jobs", name, "commands", error.command), error.offset or 0)
    message = f"command {error.command + 1} of job '{name}': {error}"
    return draft.source.diagnostic("E209", message, at=spot)


class _Known:
    """What can be computed before a run: literals, pure functions of them, and `env` values without `${{ }}`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._by_lower = {name.lower(): name for name in reversed(list(env))}
        self._literal = {name: value for name, value in env.items() if "${{" not in value}

    def is_constant(self, source: str) -> bool:
        """Whether `value` can tell."""
        asking = {*STATUS_FUNCTIONS, "hashfiles"}
        if any(call.name.lower() in asking for call in called_functions(source)):
            return False
        return all(self._is_literal_env(reference.path) for reference in references(source))

    def value(self, source: str) -> str:
        """The text of a constant expression.

        Raises:
            ExpressionError: it fails with the values that it has.
        """
        return to_text(evaluate(source, {"env": self._literal}))

    def _is_literal_env(self, path: tuple[str | None, ...]) -> bool:
        if len(path) != 2 or str(path[0]).lower() != "env" or path[1] is None:
            return False
        name = path[1] if path[1] in self._env else self._by_lower.get(path[1].lower())
        return name in self._literal
