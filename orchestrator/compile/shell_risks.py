"""Where a value in a shell's commands would be run as code, although it is quoted rightly. Pure.

Quotes keep a value one word. They do not help where the command takes that word for code: `eval`, `sh -c`, `python -c`,
arithmetic, a text that is piped into a shell. What the shell's variables hold is not followed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from orchestrator.compile.shell_builtins import CALCULATES, TESTS, builtin_risks, integers
from orchestrator.compile.shell_programs import Language
from orchestrator.compile.shell_reading import Reading, program_name, read_command
from orchestrator.compile.shell_words import (
    Command,
    Element,
    Group,
    Pipeline,
    Tree,
    Word,
    every_command,
    every_part,
)

CHECK_NUMBER: Final = (
    """, and let it in only if it is a number: case "${name}" in ''|*[!0-9]*) exit 1;; esac"""
)
"""How a value gets into arithmetic: quotes do not help there."""

_STANDARD_INPUT: Final = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "-")
_FETCHES: Final = (
    "curl", "wget", "fetch", "git", "gh", "glab", "aws", "gsutil", "az", "kubectl", "helm", "ls", "true", "test", "[",
    "docker", "podman", "cd", "rm", "mkdir", "cp", "mv", "chmod", "tar", "unzip", "sleep",
)  # fmt: skip
"""Commands that print what they were asked for, neither their words nor what they read."""
_READS_FILES: Final = (
    "cat",
    "zcat",
    "gunzip",
    "gzip",
    "xz",
    "bzip2",
    "zstd",
    "head",
    "tail",
    "base64",
    "sort",
)
"""Commands whose words are names of files: those are not printed, what they read is."""


@dataclass(frozen=True, slots=True)
class Risk:
    """A hole whose value would be run; `how` says where a variable `{name}` is read instead."""

    hole: int
    why: str
    how: str | None = None
    harmless: bool = False
    """It is code of a language that cannot run programs."""


@dataclass(slots=True)
class Judged:
    """A tree that was judged before."""

    tree: Tree
    integer: frozenset[str]
    """The integers that its commands declare."""
    found: dict[frozenset[str], tuple[Risk, ...]] = field(
        default_factory=dict[frozenset[str], "tuple[Risk, ...]"]
    )
    """Its risks, by the integers that all commands of the job declare."""


def risks(
    trees: Sequence[Tree], shell: str, judged: dict[int, Judged] | None = None
) -> Iterator[tuple[int, Risk]]:
    """Every risk in the commands of one job, with the number of the tree that it is in.

    `judged` has what is known of trees from before, by their identity, and gets what is found now.
    """
    known = {} if judged is None else judged
    for tree in trees:
        if id(tree) not in known:
            known[id(tree)] = Judged(tree, integers(_all_commands(tree)))
    integer = frozenset[str]().union(*(known[id(tree)].integer for tree in trees))
    for number, tree in enumerate(trees):
        found = known[id(tree)].found
        if integer not in found:
            judge = _Judge(shell, integer)
            judge.tree(tree)
            found[integer] = tuple(judge.found)
        for risk in found[integer]:
            yield number, risk


@dataclass(slots=True)
class _Flow:
    """What an element of a pipeline may print, and what it does with what it reads."""

    prints: list[int]
    runs: tuple[Language, str] | None = None
    passes: bool = True
    """Whether it may print what it reads."""


class _Judge:
    """Goes through a tree once; each substitution is judged where it stands."""

    def __init__(self, shell: str, integer: frozenset[str]) -> None:
        self.found: list[Risk] = []
        self._shell = shell
        self._integer = integer

    def tree(self, tree: Tree) -> _Flow:
        """Judge pipelines. Gives them as if they were one element."""
        whole = _Flow([])
        for pipeline in tree:
            flow = self._pipeline(pipeline)
            whole.prints += flow.prints
            whole.runs = whole.runs or flow.runs
        return whole

    def _pipeline(self, pipeline: Pipeline) -> _Flow:
        reads: list[int] = []
        runs = None
        for index, element in enumerate(pipeline):
            flow, given, feeds = self._element(element)
            given = [*reads, *given]
            if index == 0 and not element.data:
                runs = flow.runs
            if flow.runs is not None:
                self._runs_input(given, flow.runs)
            reads = [*flow.prints, *(given if flow.passes else ())]
            for language in feeds:
                self._runs_input([*reads, *given], language)
        return _Flow(reads, runs)

    def _element(self, element: Element) -> tuple[_Flow, list[int], list[tuple[Language, str]]]:
        """How an element flows, what it is given to read, and what `>( … )` among its words runs."""
        printed: dict[int, list[int]] = {}
        feeds: list[tuple[Language, str]] = []
        for part in every_part(element):
            outer = printed[id(part)] = [hole for _, hole in part.holes]
            for _, opening, tree in part.nested:
                flow = self.tree(tree)
                if opening == ">(":
                    feeds += [flow.runs] if flow.runs is not None else []
                else:
                    outer += flow.prints
        given = [hole for part in element.data for hole in printed[id(part)]]
        for target in element.targets:
            if any(opening == "<(" for _, opening, _ in target.nested):
                given += printed[id(target)]
        if isinstance(element, Group):
            return self.tree(element.body), given, feeds
        return self._command(element, printed), given, feeds

    def _command(self, command: Command, printed: dict[int, list[int]]) -> _Flow:
        if command.is_pattern:
            return _Flow([])
        words = command.words
        reading = read_command(words)
        at = min(reading.at, len(words))
        for hole, why in builtin_risks(command, at, shell=self._shell, integer=self._integer):
            how = (
                CHECK_NUMBER
                if why in (CALCULATES, TESTS)
                else ', and check there that "${name}" is what you expect'
            )
            self.found.append(Risk(hole, why, how))
        runs = reading.stdin
        for place, language, program in reading.code:
            if place < len(words):
                self._is_code(printed[id(words[place])], language, program)
        for place, language, program in reading.scripts:
            if words[place].text in _STANDARD_INPUT:
                runs = (language, program)
            elif words[place].nested:
                self._is_code([*_printed_by_files(words[place], printed)], language, program)
        return _Flow(_prints(words, reading, printed), runs, passes=reading.program not in _FETCHES)

    def _is_code(self, holes: Iterable[int], language: Language, program: str) -> None:
        for hole in holes:
            how = language.how.replace("{program}", program)
            does = "takes" if language.harmless else "runs"
            self.found.append(Risk(hole, f"'{program}' {does} that text as code", how, language.harmless))

    def _runs_input(self, holes: Iterable[int], runs: tuple[Language, str]) -> None:
        language, program = runs
        for hole in holes:
            how = (language.piped or language.how).replace("{program}", program)
            does = "takes" if language.harmless else "runs"
            self.found.append(Risk(hole, f"'{program}' {does} what it reads as code", how, language.harmless))


def _prints(words: Sequence[Word], reading: Reading, printed: dict[int, list[int]]) -> list[int]:
    name = reading.program or (program_name(words[reading.at]) if reading.at < len(words) else "")
    if name in _FETCHES or name in _READS_FILES or reading.at >= len(words):
        return []
    return [hole for word in words for hole in printed[id(word)]]


def _printed_by_files(word: Word, printed: dict[int, list[int]]) -> Iterator[int]:
    """What is in the file that `word` names, where it is `<( … )`. A hole in a plain name is no code."""
    plain = {hole for _, hole in word.holes}
    if any(opening == "<(" for _, opening, _ in word.nested):
        yield from (hole for hole in printed[id(word)] if hole not in plain)


def _all_commands(tree: Tree) -> Iterator[Command]:
    """Each command in `tree`, also in substitutions."""
    waiting: list[Tree] = [tree]
    while waiting:
        found = waiting.pop()
        for command in every_command(found):
            yield command
            for part in every_part(command):
                waiting += [inner for _, _, inner in part.nested]
