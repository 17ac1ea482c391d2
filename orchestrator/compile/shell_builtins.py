"""What a shell's own commands do with a value beside taking it as text: calculate with it, or take it for a name.

In bash, ksh and zsh both run code: a subscript may hold `$(…)`, and a number may be such a name. Only reads words.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from orchestrator.compile.shell_words import HOLE, Command, Word

CALCULATES: Final = "the shell calculates there, and runs code that a value carries"
TESTS: Final = "'[[' calculates with the operands of such a test, and runs code that a value carries"
NAMES: Final = "the shell takes it for a variable's name there, and runs code that a subscript carries"
PROMPTS: Final = "the shell runs code that such a variable's value carries"

DECLARATIONS: Final = ("declare", "typeset", "local", "readonly", "export", "integer", "float")
_NUMERIC: Final = ("-eq", "-ne", "-lt", "-le", "-gt", "-ge")
_OF_NAMES: Final = ("-v", "-R")
_CODE_VARIABLES: Final = (
    "PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT", "PROMPT_COMMAND", "BASH_ENV", "GIT_SSH_COMMAND", "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR", "GIT_PAGER", "EDITOR", "VISUAL", "PAGER", "MANPAGER", "LESSOPEN", "LESSCLOSE", "PERL5OPT",
    "PERL5DB", "MAKEFLAGS",
)  # fmt: skip
"""Variables whose value the shell, or a program through a shell, runs."""
_LOOSE: Final = ("ksh", "mksh", "zsh")
"""Shells that calculate wherever they take a number."""
_OF_NUMBERS: Final = ("exit", "return", "shift", "break", "continue", "ulimit", "umask", "print", "printf")
_NAMED: Final = ("unset", "read", "mapfile", "readarray", "getopts", "nameref")
_SUBSCRIPT: Final = re.compile(r"[A-Za-z_]\w*\[[^\]]*")

Risk = tuple[int | str, str]
"""The number of a hole or the name of a variable, and why its value is not safe there."""


def integers(commands: Iterable[Command]) -> frozenset[str]:
    """The variables that are declared to be integers: an assignment to one calculates."""
    names: list[str] = []
    for command in commands:
        texts = [word.text for word in command.words]
        if texts and (texts[0] == "integer" or (texts[0] in DECLARATIONS and _declares_integer(texts))):
            names += [re.split(r"[\[+=]", text)[0] for text in texts[1:] if not text.startswith(("-", "+"))]
    return frozenset(names)


def assignments(command: Command, at: int) -> Iterator[tuple[str, Sequence[Word]]]:
    """The variables that `command` gives a value, with the words that it is made of. Its name is word number `at`."""
    words = command.words
    name = words[at].text if at < len(words) else ""
    for word in [*words[:at], *(words[at + 1 :] if name in DECLARATIONS else ())]:
        if word.assigns is not None:
            yield re.split(r"[\[+=]", word.assigns)[0], [word, *command.items]
    if name in ("for", "select") and at + 1 < len(words):
        yield words[at + 1].text, words[at + 2 :]
    if name in _NAMED:
        for word in words[at + 1 :]:
            yield word.text, command.data


def builtin_risks(command: Command, at: int, *, shell: str, integer: frozenset[str]) -> Iterator[Risk]:
    """What is not safe in `command`, whose name is word number `at`. It stands in `shell`."""
    words = command.words
    yield from _assignments(words[:at], integer)
    for item in command.items:
        if item.text.startswith("["):
            yield from _holes(item, CALCULATES, end=_end_of_subscript(item.text))
    if at >= len(words):
        return
    name, rest = words[at].text, words[at + 1 :]
    yield from _subscript(words[at:])
    if name == "let" or (shell in _LOOSE and name in _OF_NUMBERS):
        for word in rest:
            yield from _holes(word, CALCULATES)
    yield from _of_names(name, rest, shell, integer)


def _of_names(name: str, rest: Sequence[Word], shell: str, integer: frozenset[str]) -> Iterator[Risk]:
    """What is not safe in a command that takes names of variables or tests them."""
    if name in DECLARATIONS:
        yield from _declaration(name, rest, integer)
    elif name == "[[":
        yield from _double_brackets(rest)
    elif name in ("[", "test"):
        yield from _test(rest, shell)
    elif name in _NAMED:
        yield from _named(name, rest)
    elif name in ("printf", "wait", "bind", "complete", "compgen"):
        yield from _options_of(name, rest)


def _assignments(words: Sequence[Word], integer: frozenset[str]) -> Iterator[Risk]:
    for word in words:
        target = word.assigns or ""
        name = re.split(r"[\[+=]", target)[0]
        yield from _holes(word, CALCULATES, end=len(target))
        if name in _CODE_VARIABLES:
            yield from _holes(word, PROMPTS)
        if name in integer:
            yield from _holes(word, CALCULATES)


def _subscript(words: Sequence[Word]) -> Iterator[Risk]:
    """`a[ value ]=1`, in which some shells allow white space, and what is left of a subscript with brackets in it."""
    if not _SUBSCRIPT.match(words[0].text):
        return
    for word in words:
        yield from _holes(word, CALCULATES)
        if "]=" in word.text or "]+=" in word.text:
            return


def _declares_integer(texts: Sequence[str]) -> bool:
    return any(re.fullmatch(r"-[A-Za-z]*[iEF][A-Za-z]*", text) for text in texts)


def _declaration(name: str, words: Sequence[Word], integer: frozenset[str]) -> Iterator[Risk]:
    calculates = name in ("integer", "float") or _declares_integer([word.text for word in words])
    for word in words:
        target = word.assigns
        if target is None:
            yield from _holes(word, NAMES)
            continue
        if calculates:
            yield from _holes(word, CALCULATES)
        yield from _holes(word, NAMES, end=len(target))
        yield from _assignments([word], integer)


def _double_brackets(words: Sequence[Word]) -> Iterator[Risk]:
    """Each test between the operators of `[[ … ]]` by itself."""
    test: list[Word] = []
    for word in [*words, Word(["&"], 1)]:
        if not word.quoted and word.text in ("&", "|", "&&", "||", "(", ")", "]]", "!"):
            if any(part.text in (*_NUMERIC, *_OF_NAMES) for part in test):
                for part in test:
                    yield from _holes(part, TESTS)
            test = []
        else:
            test.append(word)


def _test(words: Sequence[Word], shell: str) -> Iterator[Risk]:
    for word, after in pairwise(words):
        if word.text in _OF_NAMES or (word.text == HOLE and after.holes):
            yield from _holes(after, NAMES)
    if shell in _LOOSE and any(word.text in _NUMERIC for word in words):
        for word in words:
            yield from _holes(word, CALCULATES)


def _named(name: str, words: Sequence[Word]) -> Iterator[Risk]:
    takes = {"read": "dinNptu", "mapfile": "dnOsuc", "readarray": "dnOsuc"}.get(name, "")
    skip = False
    for word in words:
        text = word.text
        if skip:
            skip = False
        elif takes and text.startswith("-") and len(text) > 1:
            last = next((index for index, letter in enumerate(text) if index and letter in takes), None)
            skip = last == len(text) - 1
            if text[1] in "Ca":
                yield from _holes(word, NAMES)
        else:
            yield from _holes(word, NAMES)


def _options_of(name: str, words: Sequence[Word]) -> Iterator[Risk]:
    flags, why = {
        "printf": (("-v",), NAMES),
        "wait": (("-p",), NAMES),
        "bind": (("-x",), PROMPTS),
        "complete": (("-C", "-W"), PROMPTS),
        "compgen": (("-C", "-W"), PROMPTS),
    }[name]
    for index, word in enumerate(words):
        if word.text in flags and index + 1 < len(words):
            yield from _holes(words[index + 1], why)
        elif word.text.startswith(flags):
            yield from _holes(word, why)


def _holes(word: Word, why: str, *, end: int | None = None) -> Iterator[Risk]:
    """The holes and the variables of `word` before `end`."""
    for place, found in (*word.holes, *word.variables):
        if end is None or place < end:
            yield found, why


def _end_of_subscript(text: str) -> int:
    end = text.find("]=")
    return len(text) if end < 0 else end
