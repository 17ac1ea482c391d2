"""Where a value in a shell's commands would be run as code, although it is quoted rightly. Pure.

Quotes keep a value one word. They do not help where the command takes that word for code: `eval`, `sh -c`, `python -c`,
arithmetic, a text that is piped into a shell. A value that a variable of the shell was given is followed from there; so
is one that a function prints, and one that is written into a file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from orchestrator.compile.shell_builtins import CALCULATES, TESTS, assignments, builtin_risks, integers
from orchestrator.compile.shell_files import (
    begins_function,
    file_of,
    function_of,
    goes_through,
    is_file,
    script_language,
)
from orchestrator.compile.shell_programs import SHELL, Language
from orchestrator.compile.shell_reading import STANDARD_INPUT, Reading, program_name, read_command
from orchestrator.compile.shell_words import (
    HOLE,
    OTHER,
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

_PLAIN_NUMBERS: Final = ("dash", "ash", "busybox")
"""Shells in which a variable's value is a number or an error where they calculate."""
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
_TEES: Final = ("tee", "sponge")
"""Commands that write what they read into the files that they name."""


Origin = int | str
"""Where a value comes from: the number of a hole, or the name of a variable, a function (`f()`) or a file (`<path`)."""


@dataclass(frozen=True, slots=True)
class Risk:
    """A value that would be run; `how` says where a variable `{name}` is read instead."""

    origin: Origin
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
    found: "dict[frozenset[str], _Judge]" = field(default_factory=dict[frozenset[str], "_Judge"])
    """What was found in it, by the integers that all commands of the job declare."""


def risks(
    trees: Sequence[Tree], shell: str, judged: dict[int, Judged] | None = None
) -> Iterator[tuple[int, int, Risk]]:
    """Every risk in the commands of one job, behind the number of the tree and that of the hole whose value it is.

    `judged` has what is known of trees from before, by their identity, and gets what is found now.
    """
    known = {} if judged is None else judged
    for tree in trees:
        if id(tree) not in known:
            known[id(tree)] = Judged(tree, integers(_all_commands(tree)))
    integer = frozenset[str]().union(*(known[id(tree)].integer for tree in trees))
    judges: list[_Judge] = []
    for tree in trees:
        found = known[id(tree)].found
        if integer not in found:
            judge = _Judge(shell, integer)
            judge.tree(tree)
            found[integer] = judge
        judges.append(found[integer])
    holders = _holders(judges)
    for number, judge in enumerate(judges):
        for risk in judge.found:
            if isinstance(risk.origin, int):
                yield number, risk.origin, risk
            elif risk.origin in holders:
                tree_number, hole, doubtful = holders[risk.origin]
                why = f"{goes_through(risk.origin)} {risk.why}"
                yield tree_number, hole, replace(risk, why=why, harmless=risk.harmless or doubtful)


def _holders(judges: Sequence["_Judge"]) -> dict[str, tuple[int, int, bool]]:
    """The names that hold the value of a hole, with its tree and number; also those that were given another's.

    And whether a file is on the way: what is in one when it is read is not certain.
    """
    holders: dict[str, tuple[int, int, bool]] = {}
    copies: dict[str, list[str]] = {}
    for number, judge in enumerate(judges):
        for name, origin in judge.assigned:
            if isinstance(origin, int):
                holders.setdefault(name, (number, origin, is_file(name)))
            else:
                copies.setdefault(origin, []).append(name)
    waiting = list(holders)
    while waiting:
        name = waiting.pop()
        for copy in copies.get(name, ()):
            if copy not in holders:
                holders[copy] = (*holders[name][:2], holders[name][2] or is_file(copy))
                waiting.append(copy)
    return holders


@dataclass(slots=True)
class _Flow:
    """What an element of a pipeline may print, and what it does with what it reads."""

    prints: list[Origin]
    runs: tuple[Language, str] | None = None
    passes: bool = True
    """Whether it may print what it reads."""


class _Judge:
    """Goes through a tree once; each substitution is judged where it stands."""

    def __init__(self, shell: str, integer: frozenset[str]) -> None:
        self.found: list[Risk] = []
        self.assigned: list[tuple[str, Origin]] = []
        """Variables of the shell, and what each was given."""
        self._shell = shell
        self._integer = integer
        self._functions: dict[str, tuple[Language, str] | None] = {}
        """What the functions so far do with what they read."""

    def tree(self, tree: Tree) -> _Flow:
        """Judge pipelines. Gives them as if they were one element."""
        whole = _Flow([])
        named: str | None = None
        for pipeline in tree:
            function, named = function_of(pipeline, named), begins_function(pipeline)
            flow = self._pipeline(pipeline if function is None else pipeline[1:])
            if function is not None:
                self.assigned += [(f"{function}()", origin) for origin in flow.prints]
                self._functions[function] = flow.runs
                continue
            whole.prints += flow.prints
            whole.runs = whole.runs or flow.runs
        return whole

    def _pipeline(self, pipeline: Pipeline) -> _Flow:
        reads: list[Origin] = []
        runs = None
        for index, element in enumerate(pipeline):
            flow, given, feeds = self._element(element)
            given = [*reads, *given]
            if index == 0 and not element.data:
                runs = flow.runs
            if flow.runs is not None:
                self._runs_input(given, flow.runs)
            reads = [*flow.prints, *(given if flow.passes else ())]
            self._writes(
                [*(target for target in element.targets if target.written), *_operands_of_tee(element)], reads
            )
            for language in feeds:
                self._runs_input([*reads, *given], language)
        return _Flow(reads, runs)

    def _element(self, element: Element) -> tuple[_Flow, list[Origin], list[tuple[Language, str]]]:
        """How an element flows, what it is given to read, and what `>( … )` among its words runs."""
        printed: dict[int, list[Origin]] = {}
        feeds: list[tuple[Language, str]] = []
        for part in every_part(element):
            outer = printed[id(part)] = [origin for _, origin in (*part.holes, *part.variables)]
            if self._shell not in _PLAIN_NUMBERS:
                self.found += [Risk(name, CALCULATES, CHECK_NUMBER) for name in part.calculated]
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
            elif not target.written:
                given += file_of(target)
        if isinstance(element, Group):
            return self.tree(element.body), given, feeds
        return self._command(element, printed), given, feeds

    def _command(self, command: Command, printed: dict[int, list[Origin]]) -> _Flow:
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
        for name, given in assignments(command, at):
            self.assigned += [(name, origin) for word in given for origin in printed[id(word)]]
        runs = reading.stdin or self._functions.get(reading.program)
        for place, language, program in reading.code:
            if place < len(words):
                self._is_code(printed[id(words[place])], language, program)
        for place, language, program in reading.scripts:
            if words[place].text in STANDARD_INPUT:
                runs = (language, program)
            else:
                self._is_code([*_printed_by_files(words[place], printed)], language, program)
                self._runs_file(words[place], language, program)
        if at < len(words) and "/" in words[at].text:
            self._runs_file(words[at], script_language(words[at].text) or SHELL, words[at].text)
        return _Flow(_prints(words, reading, printed), runs, passes=reading.program not in _FETCHES)

    def _is_code(self, holes: Iterable[Origin], language: Language, program: str) -> None:
        for hole in holes:
            how = language.how.replace("{program}", program)
            does = "takes" if language.harmless else "runs"
            self.found.append(Risk(hole, f"'{program}' {does} that text as code", how, language.harmless))

    def _runs_file(self, word: Word, language: Language, program: str) -> None:
        how = (language.piped or language.how).replace("{program}", program)
        self.found += [
            Risk(file, f"'{program}' runs that file", how, harmless=True) for file in file_of(word)
        ]

    def _writes(self, targets: Iterable[Word], prints: Sequence[Origin]) -> None:
        """Take down what is written into files, and tell of those that are scripts by their names."""
        for target in targets:
            for file in file_of(target):
                self.assigned += [(file, origin) for origin in prints]
            language = script_language(target.text)
            if language is not None:
                name = target.text.replace(HOLE, "…").replace(OTHER, "…")
                why = f"it is written into '{name}', and whoever runs that script runs the value too"
                how = language.piped or language.how
                self.found += [Risk(origin, why, how, harmless=True) for origin in prints]

    def _runs_input(self, holes: Iterable[Origin], runs: tuple[Language, str]) -> None:
        language, program = runs
        for hole in holes:
            how = (language.piped or language.how).replace("{program}", program)
            does = "takes" if language.harmless else "runs"
            self.found.append(Risk(hole, f"'{program}' {does} what it reads as code", how, language.harmless))


def _prints(words: Sequence[Word], reading: Reading, printed: dict[int, list[Origin]]) -> list[Origin]:
    name = reading.program or (program_name(words[reading.at]) if reading.at < len(words) else "")
    if name in _READS_FILES:
        return [file for word in words[reading.at + 1 :] for file in file_of(word)]
    if name in _FETCHES or reading.at >= len(words):
        return []
    return [*(hole for word in words for hole in printed[id(word)]), f"{name}()"]


def _operands_of_tee(element: Element) -> Sequence[Word]:
    words = element.words if isinstance(element, Command) else []
    if not any(word.text.endswith(_TEES) for word in words):
        return []
    at = read_command(words).at
    return words[at + 1 :] if at < len(words) and program_name(words[at]) in _TEES else []


def _printed_by_files(word: Word, printed: dict[int, list[Origin]]) -> Iterator[Origin]:
    """What is in the file that `word` names, where it is `<( … )`. A hole in a plain name is no code."""
    plain = {origin for _, origin in (*word.holes, *word.variables)}
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
