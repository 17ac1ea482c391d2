"""`commands` with `${{ }}`: what is known now becomes text, the rest reaches the shell as environment variables.

How a value is put into a shell's text without becoming code is `shell.py`'s; this says what is known now. The values
of variants that are known now are part of that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.compile import extent
from orchestrator.compile.conditions import STATUS_FUNCTIONS
from orchestrator.compile.draft import Draft
from orchestrator.compile.shell import Bound, ShellBindingError, Walked, bind_values
from orchestrator.errors import ExpressionError
from orchestrator.expressions import (
    WILDCARD,
    Hole,
    Text,
    called_functions,
    evaluate,
    references,
    segments,
    to_text,
)
from orchestrator.ids import VALUE_PREFIX
from orchestrator.plan.model import Variant
from orchestrator.plan.parts import Json, Template
from orchestrator.spec.diagnostics import Diagnostic, Severity

DEFAULT_SHELL = "sh"
MAX_TITLE = 160
"""Characters of a command that people are shown."""
MAX_WRITTEN: Final = 500_000
"""Characters of a job's commands, written out for each variant: more than half a second's work."""
_NUMBERS: Final = ("integer", "number", "boolean")
"""Types of params whose values hold no code, whatever reads them."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Bound commands, and the variables that they use in place of the values that only a run knows.

    What `${{ }}` is left in them reads the variant alone, at a place where nothing else is written in.
    """

    commands: tuple[Template, ...]
    titles: tuple[str, ...]
    """The spec's own lines, where binding has changed any."""
    env: Mapping[str, Template]
    of_variants: tuple[tuple[Template, ...], ...] = ()
    """For each variant its own commands, where one text cannot serve them all."""
    warnings: tuple[Diagnostic, ...] = ()


def bind_commands(draft: Draft, name: str) -> Commands | tuple[Diagnostic, ...]:
    """The commands of a job, or why they cannot be bound. Their expressions must have been checked."""
    job = draft.jobs[name]
    if not any("${{" in command for command in job.commands):
        return Commands(job.commands, (), {})
    repeats = draft.repeats.get(name)
    variants = () if repeats is None else repeats.variants
    numbers = frozenset(key.lower() for key, param in draft.spec.params.items() if param.type in _NUMBERS)
    known = _Known(job.env, known=bool(variants), numbers=numbers)
    binder = _Binder(job.commands, job.shell or DEFAULT_SHELL, known)
    written = binder.written(variants)
    if written > MAX_WRITTEN:
        message = (
            f"'commands' of job '{name}' have {written:,} characters once written out for {len(variants):,} variants; "
            f"at most {MAX_WRITTEN:,} are possible where a value of the variant and one that only a run knows "
            "stand in one command: give the variant's values to the job as 'env'"
        )
        return (draft.at_key("E116", ("jobs", name, "commands"), message),)
    try:
        bound = binder.bind(variants)
    except ShellBindingError as error:
        where = "" if binder.blamed is None else f" (in variant '{binder.blamed}')"
        return tuple(_diagnostic("E209", draft, name, one, where) for one in error.every)
    except ExpressionError as error:
        path = ("jobs", name, "commands")
        message = f"a constant expression in 'commands' of job '{name}' fails: {error}"
        return (draft.at_value("E210", path, message),)
    changed = bound.commands != job.commands
    return replace(
        bound,
        titles=tuple(_title(command) for command in job.commands) if changed else (),
        warnings=tuple(_diagnostic("W113", draft, name, one) for one in binder.doubtful.values()),
    )


def _title(command: str) -> str:
    """The first line that says something, short: a long script is not repeated in the plan."""
    lines = command.strip().splitlines()
    more = " …" if len(lines) > 1 else ""
    return f"{lines[0][:MAX_TITLE]}{more}" if lines else ""


def _diagnostic(code: str, draft: Draft, name: str, error: ShellBindingError, where: str = "") -> Diagnostic:
    offset = error.offset or 0
    length = extent.of_hole(draft.jobs[name].commands[error.command], offset)
    spot = draft.source.inside(("jobs", name, "commands", error.command), offset, length)
    message = f"command {error.command + 1} of job '{name}'{where}: {error}"
    severity: Severity = "warning" if code.startswith("W") else "error"
    return draft.source.diagnostic(code, message, at=spot, severity=severity)


class _Binder:
    """Binds the commands of one job."""

    def __init__(self, commands: tuple[str, ...], shell: str, known: "_Known") -> None:
        self._commands = commands
        self._shell = shell
        self._known = known
        holes = [part for command in commands for part in segments(command) if isinstance(part, Hole)]
        sources = tuple(dict.fromkeys(hole.source for hole in holes))
        self._varying = tuple(source for source in sources if known.varies(source))
        waiting = [source for source in sources if not known.is_constant(source)]
        # What a constant is can change the order in which a shell would come by the others; names must not follow it.
        self._names = {source: f"{VALUE_PREFIX}{number}" for number, source in enumerate(waiting, start=1)}
        self._walked = Walked()
        self.doubtful: dict[tuple[int, int | None], ShellBindingError] = {}
        """Values in the text of another language, by command and place; known once all is bound."""
        self.blamed: str | None = None
        """The variant whose own values make a place unsafe, where binding failed for that."""

    def bind(self, variants: Sequence[Variant]) -> Commands:
        """The commands for these variants; with none, for the job alone.

        Raises:
            ShellBindingError: a value cannot be made safe where it stands.
            ExpressionError: a constant expression fails.
        """
        if not self._varying:
            bound = self._bound(self._known.value)
            self._note_doubts(bound)
            return Commands(tuple(map(_literal, bound.commands)), (), self._used(bound.env))
        values = [self._values_of(variant) for variant in variants]
        if not self._names:
            return Commands(tuple(map(self._template, self._commands)), (), {})
        by_values: dict[tuple[str, ...], Bound] = {}
        for variant, own in zip(variants, values, strict=True):
            if own not in by_values:
                by_values[own] = self._bound_for(variant, own)
                self._note_doubts(by_values[own])
        used = self._used({name: "" for bound in by_values.values() for name in bound.env})
        shared = self._one_for_all(by_values)
        if shared is not None:
            return Commands(shared, (), used)
        texts = {own: tuple(map(_literal, bound.commands)) for own, bound in by_values.items()}
        return Commands(texts[values[0]], (), used, tuple(texts[own] for own in values))

    def written(self, variants: Sequence[Variant]) -> int:
        """How many characters are looked at anew for each variant."""
        if not self._varying or not self._names:
            return 0
        return len(variants) * sum(
            len(command)
            for command in self._commands
            if any(isinstance(part, Hole) and part.source in self._varying for part in segments(command))
        )

    def _values_of(self, variant: Variant) -> tuple[str, ...]:
        """The texts of the expressions that read the variant, in order."""
        if not self._names and not any(map(called_functions, self._varying)):
            return ()  # they are left to the run, and reading alone cannot fail
        try:
            return tuple(self._known.value(source, variant) for source in self._varying)
        except ExpressionError as error:
            raise ExpressionError(f"{error} (in variant '{variant.name}')", error.offset) from error

    def _bound_for(self, variant: Variant, values: tuple[str, ...]) -> Bound:
        try:
            return self._bound_with(values)
        except ShellBindingError:
            try:
                self._bound_with(("word",) * len(values))
            except ShellBindingError:
                self.blamed = None  # it is so whatever the values are
            else:
                self.blamed = variant.name
            raise

    def _note_doubts(self, bound: Bound) -> None:
        self.doubtful |= {(error.command, error.offset): error for error in bound.doubtful}

    def _bound_with(self, values: tuple[str, ...]) -> Bound:
        texts = dict(zip(self._varying, values, strict=True))
        return self._bound(lambda source: texts[source] if source in texts else self._known.value(source))

    def _bound(self, constant: Callable[[str], str]) -> Bound:
        return bind_values(
            self._commands,
            shell=self._shell,
            is_constant=self._known.is_constant,
            constant=constant,
            is_number=self._known.is_number,
            prefix=VALUE_PREFIX,
            names=self._names,
            walked=self._walked,
        )

    def _used(self, names: Mapping[str, str]) -> dict[str, Template]:
        """The variables among `names`, with their expressions, in order."""
        return {name: f"${{{{ {source} }}}}" for source, name in self._names.items() if name in names}

    def _template(self, command: str) -> Template:
        """A command in which nothing waits for the run but the variant's own values."""
        parts: list[str] = [""]
        for part in segments(command):
            if isinstance(part, Text):
                parts[-1] += part.text
            elif part.source in self._varying:
                parts += [f"${{{{ {part.source} }}}}", ""]
            else:
                parts[-1] += self._known.value(part.source)
        return "".join(_literal(part) if number % 2 == 0 else part for number, part in enumerate(parts))

    def _one_for_all(self, by_values: Mapping[tuple[str, ...], Bound]) -> tuple[Template, ...] | None:
        """Commands that the values of each variant complete to its own, where there are such.

        They are found with a plain word in the place of each value, and taken only where they do give every bound
        text: a value that holds quotes, say, may change what stands around it.
        """
        mark = "orcavalue"
        while any(mark in text for text in (*self._commands, *self._used_texts(by_values))):
            mark += "x"
        words = tuple(f"{mark}{number}end" for number in range(len(self._varying)))
        try:
            general = self._bound_with(words).commands
        except ShellBindingError:
            return None
        for values, bound in by_values.items():
            for text, own in zip(general, bound.commands, strict=True):
                if _completed(text, words, values) != own:
                    return None
        holes = tuple(f"${{{{ {source} }}}}" for source in self._varying)
        return tuple(_completed(_literal(text), words, holes) for text in general)

    def _used_texts(self, by_values: Mapping[tuple[str, ...], Bound]) -> Iterator[str]:
        for values in by_values:
            yield from values


def _completed(text: str, words: Sequence[str], values: Sequence[str]) -> str:
    """`text` with each word replaced by its value."""
    for word, value in zip(words, values, strict=True):
        text = text.replace(word, value)
    return text


def _literal(text: str) -> Template:
    """A template that is `text`: a `${{` that a constant brought is not evaluated once more."""
    return text.replace("${{", "${{ '${{' }}")


class _Known:
    """What can be computed before a run: literals, pure functions of them, and `env` values without `${{ }}`.

    Where the variants are known, so is what reads them.
    """

    def __init__(self, env: Mapping[str, str], *, known: bool, numbers: frozenset[str]) -> None:
        self._env = env
        self._numbers = numbers
        self._by_lower = {name.lower(): name for name in reversed(list(env))}
        self._literal = {name: value for name, value in env.items() if "${{" not in value}
        self._variants = known

    def is_constant(self, source: str) -> bool:
        """Whether `value` can tell, for a variant where there are any."""
        asking = {*STATUS_FUNCTIONS, "hashfiles"}
        if any(call.name.lower() in asking for call in called_functions(source)):
            return False
        return all(
            self._is_literal_env(reference.path) or (self._variants and _of_variant(reference.path))
            for reference in references(source)
        )

    def is_number(self, source: str) -> bool:
        """Whether it is nothing but a value that can only be a number or a boolean, or null."""
        found = references(source)
        if len(found) != 1 or called_functions(source) or (found[0].offset, found[0].end) != (0, len(source)):
            return False
        match [str(part).lower() for part in found[0].path]:
            case ["params" | "inputs", name]:
                return name in self._numbers
            case ["run", "attempt" | "try"]:
                return True
            case ["jobs" | "needs", job, "tries" | "exit_code"]:
                return job != WILDCARD
            case _:
                return False

    def varies(self, source: str) -> bool:
        """Whether it is a constant of each variant and not of the job."""
        return (
            self._variants
            and self.is_constant(source)
            and any(_of_variant(reference.path) for reference in references(source))
        )

    def value(self, source: str, variant: Variant | None = None) -> str:
        """The text of a constant expression.

        Raises:
            ExpressionError: it fails with the values that it has.
        """
        contexts: dict[str, Json] = {"env": self._literal}
        if variant is not None:
            contexts |= {"matrix": variant.values, "item": variant.item}
        return to_text(evaluate(source, contexts))

    def _is_literal_env(self, path: tuple[str | None, ...]) -> bool:
        if len(path) != 2 or str(path[0]).lower() != "env" or path[1] is None:
            return False
        name = path[1] if path[1] in self._env else self._by_lower.get(path[1].lower())
        return name in self._literal


def _of_variant(path: tuple[str | None, ...]) -> bool:
    return str(path[0]).lower() in ("matrix", "item")
