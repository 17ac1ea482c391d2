"""A value never becomes code: what only a run knows reaches a command as an environment variable.

What is known when compiling is written into the commands as text. Each other `${{ }}` becomes a reference to a
variable, with the quotes put right for the place it stands in (`quoting` finds them). Where no quotes make it safe,
in the shell itself or in a program that it starts (`shell_risks`), it is an error that shows the `env:` to write
instead. Nothing is evaluated here.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from orchestrator.compile.quoting import Walk
from orchestrator.compile.shell_cursor import ARITHMETIC, TooDeep
from orchestrator.compile.shell_risks import CHECK_NUMBER, Judged, risks
from orchestrator.compile.shell_words import Tree
from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, Text, references, segments
from orchestrator.ids import VALUE_PREFIX

POSIX_SHELLS: Final = ("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox")

_READS: Final[Mapping[str, str]] = {
    "python": 'os.environ["{}"]',
    "node": "process.env.{}",
    "deno": 'Deno.env.get("{}")',
    "bun": "process.env.{}",
    "ruby": 'ENV["{}"]',
    "perl": "$ENV{{{}}}",
    "php": 'getenv("{}")',
    "pwsh": "$env:{}",
    "powershell": "$env:{}",
    "fish": "${}",
    "tcsh": "$" + "{}:q",
    "csh": "$" + "{}:q",
    "lua": 'os.getenv("{}")',
    "Rscript": 'Sys.getenv("{}")',
}


class ShellBindingError(ExpressionError):
    """An expression stands where its value cannot reach the shell safely.

    Attributes:
        expression: the expression, without its braces.
        command: which of the commands, from 0.
        offset: where the expression's `${{` stands in that command.
        every: this error and all others of the same commands, in order.
    """

    def __init__(self, message: str, expression: str, *, command: int, offset: int) -> None:
        super().__init__(message, offset)
        self.expression = expression
        self.command = command
        self.every: tuple[ShellBindingError, ...] = (self,)


@dataclass(frozen=True, slots=True)
class Bound:
    """Commands that hold no expression any more, and the variables they read: `{name: "${{ expression }}"}`."""

    commands: tuple[str, ...]
    env: Mapping[str, str]
    doubtful: tuple[ShellBindingError, ...] = ()
    """Where a value is part of a text in a language that runs no programs: worth a warning."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What earlier calls found, so that many variants of one script cost little more than one."""

    commands: dict[tuple[object, ...], tuple[str, Tree, tuple[int, ...]]] = field(
        default_factory=dict[tuple[object, ...], tuple[str, Tree, tuple[int, ...]]]
    )
    """What became of each command, its tree, and the holes that a variable has."""
    judged: dict[int, Judged] = field(default_factory=dict[int, Judged])


def bind_values(
    commands: Sequence[str],
    *,
    shell: str,
    is_constant: Callable[[str], bool],
    constant: Callable[[str], str],
    is_number: Callable[[str], bool] | None = None,
    prefix: str = VALUE_PREFIX,
    names: Mapping[str, str] | None = None,
    walked: Walked | None = None,
) -> Bound:
    """Write constants into `commands`, and put a variable in the place of every other expression.

    Args:
        commands: templates; each starts outside of all quotes.
        shell: what runs them, as the spec says it: `sh`, `/bin/bash -e`, `busybox sh`, `python`.
        is_constant: whether an expression's value is known now.
        constant: the text of such an expression.
        is_number: whether an expression can only be a number, so that its value carries no code; None: none is.
        prefix: how the variables' names begin; a number follows, from 1. The same expression has one variable.
        names: the variable of each expression, where its name must not depend on what the constants are.
        walked: what earlier calls with the same commands, shell and names found; this one adds what it finds.

    Raises:
        ShellBindingError: a value cannot be made safe where it stands.
        ExpressionError: a `${{` is not closed.
    """
    binding = _Binding(shell, prefix, dict(names or {}), walked or Walked())
    if is_number is not None:
        binding.is_number_text = is_number
    bound = tuple(
        binding.bind(index, command, is_constant, constant) for index, command in enumerate(commands)
    )
    binding.judge()
    if binding.errors:
        first = binding.errors[0]
        first.every = tuple(binding.errors)
        raise first
    return Bound(bound, binding.env, tuple(binding.doubtful))


def shell_name(shell: str) -> str:
    """The bare name of what `shell` starts: `bash` for `/usr/bin/env bash -e`, `busybox` for `busybox sh`."""
    try:
        words = shlex.split(shell)
    except ValueError:
        words = shell.split()
    for word in words:
        name = PurePosixPath(word).name
        if name != "env" and not word.startswith("-") and "=" not in word:
            return name
    return shell


class _Binding:
    """The variables and the errors of one `bind_values`; a `Places` for the command at hand."""

    def __init__(self, shell: str, prefix: str, names: dict[str, str], walked: Walked) -> None:
        self.env: dict[str, str] = {}
        self.errors: list[ShellBindingError] = []
        self.doubtful: list[ShellBindingError] = []
        self.is_number_text: Callable[[str], bool] = lambda _: False
        self._shell = shell_name(shell)
        self._prefix = prefix
        self._names = names
        self._walked = walked
        self._named: list[int] = []
        self._holes: list[Hole] = []
        self._command = 0
        self._trees: list[tuple[int, list[Hole], Tree]] = []
        self._plain: list[tuple[int, str]] = []
        """The commands without a hole."""
        self._texts: list[str] = []
        """All commands."""
        self._refused: set[tuple[int, int]] = set()

    def judge(self) -> None:
        """Note every value that is quoted rightly and would be run all the same."""
        self._walk_plain()
        trees = [tree for _, _, tree in self._trees]
        for number, hole, risk in risks(trees, self._shell, self._walked.judged):
            self._command, self._holes, _ = self._trees[number]
            if not self.is_number(hole):
                self._note(hole, risk.why, risk.how, into=self.doubtful if risk.harmless else self.errors)
        for found in (self.errors, self.doubtful):
            found.sort(key=lambda error: (error.command, error.offset or 0))

    def _walk_plain(self) -> None:
        """Walk through the other commands too: they may run what a variable was given."""
        carries = any(sign in text for text in self._texts for sign in (">", "tee", "()", "function"))
        for index, text in self._plain if self._trees else ():
            if not carries and not any(sign in text for sign in ("$", "((", "let")):
                continue
            key = (index, text, ())
            if key not in self._walked.commands:
                walk = Walk(text, {}, self, shell=self._shell)
                try:
                    self._walked.commands[key] = (walk.run(), walk.tree, ())
                except TooDeep:
                    continue
            self._trees.append((index, [], self._walked.commands[key][1]))

    def bind(
        self, index: int, command: str, is_constant: Callable[[str], bool], constant: Callable[[str], str]
    ) -> str:
        self._command, self._holes = index, []
        parts: list[str] = []
        places: dict[int, int] = {}
        length = 0
        for segment in segments(command):
            if isinstance(segment, Text):
                parts.append(segment.text)
            elif is_constant(segment.source):
                parts.append(constant(segment.source))
            else:
                places[length] = len(self._holes)
                self._holes.append(segment)
                parts.append("\0")
            length += len(parts[-1])
        text = "".join(parts)
        self._texts.append(text)
        if not places:
            self._plain.append((index, text))
            return text
        if self._shell not in POSIX_SHELLS:
            for hole in range(len(self._holes)):
                self.refuse(hole, f"shell '{self._shell}' is not one whose quotes orca knows")
            return text
        key = (index, text, tuple(places))
        if key not in self._walked.commands:
            refused, self._named = len(self.errors), []
            walk = Walk(text, places, self, shell=self._shell)
            try:
                bound = walk.run()
            except TooDeep:
                self.refuse(0, "the command's substitutions are nested too deep")
                return text
            self._trees.append((index, self._holes, walk.tree))
            if len(self.errors) == refused:
                self._walked.commands[key] = (bound, walk.tree, tuple(self._named))
            return bound
        bound, tree, named = self._walked.commands[key]
        for hole in named:
            self.name(hole)
        self._trees.append((index, self._holes, tree))
        return bound

    def name(self, hole: int) -> str:
        """The variable of hole number `hole` of the command at hand."""
        source = self._holes[hole].source
        self._named.append(hole)
        name = self._names.setdefault(source, f"{self._prefix}{len(self._names) + 1}")
        self.env[name] = f"${{{{ {source} }}}}"
        return name

    def is_number(self, hole: int) -> bool:
        """Whether hole number `hole` of the command at hand can only be a number."""
        return self.is_number_text(self._holes[hole].source)

    def refuse(self, hole: int, why: str) -> None:
        """Note that hole number `hole` of the command at hand cannot be written, because of `why`."""
        self._note(hole, why, CHECK_NUMBER if why == ARITHMETIC else None, into=self.errors)

    def _note(self, hole: int, why: str, how: str | None, *, into: list[ShellBindingError]) -> None:
        """Note a hole once. `how` is what to do with the variable `{name}`; None: as the shell reads it."""
        if (self._command, hole) in self._refused:
            return
        self._refused.add((self._command, hole))
        source, start = self._holes[hole].source, self._holes[hole].start
        name = _suggested_name(source)
        scalar = f'"${{{{ {source} }}}}"' if '"' not in source else f"${{{{ {source} }}}}"
        if how is not None:
            typed = "; or give the param 'type: integer'" if how == CHECK_NUMBER and _is_param(source) else ""
            how = how.replace("{name}", name) + typed
        elif self._shell in POSIX_SHELLS:
            how = f' and use "${name}" there'
        else:
            reading = _READS.get(re.sub(r"[\d.]+$", "", self._shell))
            there = reading.format(name) if reading is not None else f"the environment variable {name}"
            how = f" and read {there} there"
        joint = why if why.endswith(" or") else f"{why};"
        message = (
            f"'${{{{ {source} }}}}' cannot be passed safely: {joint} write 'env: {{{name}: {scalar}}}'{how}"
        )
        into.append(ShellBindingError(message, source, command=self._command, offset=start))


def _is_param(source: str) -> bool:
    return re.fullmatch(r"(?:params|inputs)\.[\w-]+", source, re.IGNORECASE) is not None


def _suggested_name(source: str) -> str:
    """A variable's name for `source`: the last word of the first thing it reads."""
    try:
        found = references(source)
    except ExpressionError:
        found = ()
    words = [part for part in found[0].path if part] if found else []
    name = re.sub(r"\W", "_", words[-1] if words else "", flags=re.ASCII).upper().strip("_")
    return name if name and not name[0].isdigit() else "VALUE"
