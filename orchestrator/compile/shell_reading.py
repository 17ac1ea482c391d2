"""How one shell command uses its words: which of them is code, which names a file that is run. Pure.

Reads options as the programs of `shell_programs` do. `… sh -c text` is found wherever it stands, since any program may
run the rest of its words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from orchestrator.compile.shell_programs import (
    BEHIND,
    CONTAINERS,
    FIRST_VALUES,
    PRINTS,
    PROGRAMS,
    SAME,
    SHELL,
    SHELL_WORDS,
    SHELLS,
    SUBCOMMANDS,
    WRAPPERS,
    Language,
    Program,
)
from orchestrator.compile.shell_settings import settings
from orchestrator.compile.shell_words import HOLE, OTHER, Word

STANDARD_INPUT = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "-")
_MAX_ENTRIES = 5
_MAX_STEPS = 50
"""Programs that run one another in one command; what lies behind more of them is taken for code."""


@dataclass(slots=True)
class Reading:
    """How a command uses its words. Numbers are places among them."""

    program: str = ""
    """What the words come down to, behind `sudo`, `env` and the like."""
    at: int = 0
    """Where that stands."""
    code: list[tuple[int, Language, str]] = field(default_factory=list[tuple[int, Language, str]])
    """Words that are code, of what, and which program runs it."""
    scripts: list[tuple[int, Language, str]] = field(default_factory=list[tuple[int, Language, str]])
    """Words that name a file which is run."""
    steps: int = 0
    """How many programs that run another one have been gone through."""
    hands_input: bool = False
    """One of these hands what it reads to the command among its words."""
    stdin: tuple[Language, str] | None = None
    """What the command reads is code."""


def read_command(words: Sequence[Word]) -> Reading:
    """How a command uses `words`; assignments may stand before it."""
    at = 0
    while at < len(words) and words[at].assigns is not None:
        at += 1
    reading = Reading(at=at)
    _read(words, at, reading, wrapped=False)
    if not reading.code and reading.program not in PRINTS:
        _among(words, reading.at, reading, hands_input=reading.hands_input)
    return reading


def program_name(word: Word) -> str | None:
    """The bare name of the program that a word starts: `python` for `/usr/bin/python3.11`; None if only a run knows."""
    text = word.plain
    if text is None:
        return None
    name = PurePosixPath(text).name if "/" in text else text
    if name not in PROGRAMS and name not in WRAPPERS and name not in SAME and name not in SUBCOMMANDS:
        name = re.sub(r"[-\d.]+$", "", name) or name
    return SAME.get(name, name)


def _read(words: Sequence[Word], at: int, reading: Reading, *, wrapped: bool) -> None:
    if at >= len(words):
        return
    reading.steps += 1
    if reading.steps > _MAX_STEPS:
        reading.code += [(here, BEHIND, "sh -c") for here in range(at, len(words))]
        return
    name = program_name(words[at])
    reading.at, reading.program = at, name or ""
    if name is not None and name in WRAPPERS:
        _wrapper(name, words, at, reading)
    elif name in SHELLS or name is None:
        _shell(words, at, reading, certain=name is not None)
    elif name == "find":
        _find(words, at, reading)
    elif name == "parallel":
        _parallel(words, at, reading)
    elif name in PROGRAMS and not (wrapped and name in SHELL_WORDS):
        _program(PROGRAMS[name], words, at, reading)
    if name is None and not reading.code:
        # `$SUDO sh …`, in which the first word may well be empty
        known = (here for here in range(at + 1, len(words)) if program_name(words[here]) is not None)
        _read(words, next(known, len(words)), reading, wrapped=False)
        return
    if name is not None:
        _subcommand(name, words, at, reading)
        reading.code += settings(name, words, at)
    if name == "git":
        _foreach(words, at, reading)
    if name == "ssh":
        _remote(words, at, reading)
    reading.hands_input = reading.hands_input or name in CONTAINERS


def _wrapper(name: str, words: Sequence[Word], at: int, reading: Reading) -> None:
    reading.hands_input = True
    values, operands = WRAPPERS[name]
    here = at + 1
    replaced: str | None = None
    while here < len(words):
        text = words[here].text
        if name == "env" and (text.startswith("-S") or text.startswith("--split-string")):
            reading.code.append((here + (text in ("-S", "--split-string")), SHELL, "env -S"))
            return
        if name == "flock" and text in ("-c", "--command"):
            reading.code.append((here + 1, SHELL, "flock -c"))
            return
        if name == "xargs" and (text.startswith("-I") or text.startswith("--replace") or text == "-i"):
            replaced = _placeholder(words, here)
        if text.startswith("-") and len(text) > 1:
            here += 2 if not text.startswith("--") and _takes_next(text, values) else 1
        elif name in ("env", "sudo", "doas") and words[here].assigns is not None:
            here += 1
        elif operands:
            operands -= 1
            here += 1
        else:
            break
    if name == "flock" and here < len(words) and words[here].text in ("-c", "--command"):
        reading.code.append((here + 1, SHELL, "flock -c"))
        return
    _read(words, here, reading, wrapped=name not in ("command", "builtin"))
    if name == "xargs":
        for place, language, program in reading.code:
            fills = replaced is not None and place < len(words) and replaced in words[place].text
            if place >= len(words) or fills:
                reading.stdin = (language, program)


def _takes_next(text: str, values: str) -> bool:
    """Whether the value of the options in `text` is the next word: it is, where the last letter takes one."""
    return all(letter not in values for letter in text[1:-1]) and text[-1] in values


def _placeholder(words: Sequence[Word], at: int) -> str:
    text = words[at].text
    if text == "-I":
        return words[at + 1].text if at + 1 < len(words) else "{}"
    return text.partition("=")[2] or (text[2:] if text.startswith("-I") else "") or "{}"


def _shell(words: Sequence[Word], at: int, reading: Reading, *, certain: bool) -> None:
    """A shell, or (not `certain`) something that may be one. Its code is the first operand, where there is a `-c`."""
    given, here, reads = False, at + 1, False
    while here < len(words):
        text = words[here].text
        if text in ("--", "-"):
            here += 1
            break
        if text.startswith("--"):
            given = given or text == "--command"
            here += 2 if text in ("--rcfile", "--init-file") else 1
        elif text[:1] in ("-", "+") and len(text) > 1:
            given = given or (text[0] == "-" and "c" in text)
            reads = reads or (text[0] == "-" and "s" in text)
            here += 2 if text[-1] in "oO" else 1
        else:
            break
    program = words[at].plain or "sh"
    program = program.rpartition("/")[2]
    if given:
        reading.code.append((here, SHELL, f"{program} -c"))
    elif not certain:
        return
    elif reads or here >= len(words):
        reading.stdin = (SHELL, program)
    else:
        reading.scripts.append((here, SHELL, program))


def _subcommand(name: str, words: Sequence[Word], at: int, reading: Reading) -> None:
    here, values = at + 1, FIRST_VALUES.get(name, "")
    while name in SUBCOMMANDS and here < len(words):
        text = words[here].text
        if not text.startswith("-"):
            program = SUBCOMMANDS[name].get(text)
            if program is not None:
                _program(program, words, here, reading, prefix=f"{name} ")
            return
        here += 2 if not text.startswith("--") and _takes_next(text, values) else 1


def _program(program: Program, words: Sequence[Word], at: int, reading: Reading, *, prefix: str = "") -> None:
    name = prefix + (words[at].plain or "").rpartition("/")[2]
    if any(word.text in program.safe for word in words[at + 1 :]):
        return
    given = False
    operands: list[int] = []
    here = at + 1
    while here < len(words):
        text = words[here].text
        enough = not program.permutes and len(operands) > (program.operand or 0)
        if enough or text == "--":
            operands += range(here if enough else here + 1, len(words))
            break
        if text == "-" or not text.startswith("-"):
            operands.append(here)
        else:
            found, here = _option(program, words, here)
            given = given or found is not None
            if found is not None and found >= 0:
                reading.code.append((found, program.language, f"{name} {_flag(text)}"))
            elif found is not None:
                _file(program, name, words, min(here, len(words) - 1), reading)
        here += 1
    if not given:
        _operands(program, name, words, operands, reading)


def _operands(
    program: Program, name: str, words: Sequence[Word], operands: Sequence[int], reading: Reading
) -> None:
    """What a program runs where no option told it."""
    if program.operand is not None:
        rest = operands[program.operand :]
        reading.code += [
            (place, program.language, name) for place in (rest if program.all_operands else rest[:1])
        ]
        if not rest and program.stdin:
            reading.stdin = (program.language, name)
    elif program.script and operands and words[operands[0]].text != "-":
        reading.scripts.append((operands[0], program.language, name))
    elif program.stdin:
        reading.stdin = (program.language, name)


def _file(program: Program, name: str, words: Sequence[Word], at: int, reading: Reading) -> None:
    """Word number `at` names a file that is run, or ends with its name."""
    text = words[at].text
    if text.startswith("-") and text.rpartition("=")[2].endswith(STANDARD_INPUT) and text != "-":
        reading.stdin = (program.language, name)
    else:
        reading.scripts.append((at, program.language, name))


def _flag(text: str) -> str:
    return re.split(f"[={HOLE}{OTHER}]", text)[0] if text.startswith("--") else text[:2]


def _option(program: Program, words: Sequence[Word], here: int) -> tuple[int | None, int]:
    """Where the code is that an option gives (-1: a file that is run), and the option's last word."""
    text = words[here].text
    name, equals, _ = text.partition("=")
    if name in (*program.long, *program.long_file):
        last = here if equals else here + 1
        return (last if name in program.long else -1), last
    if text.startswith("--"):
        return None, here + program.long_values.get(text, 0)
    for index, letter in enumerate(text[1:], start=1):
        rest = text[index + 1 :]
        if letter in program.code:
            alone = not rest or set(rest) <= set(program.code)
            return (here + 1, here + 1) if alone else (here, here)
        if letter in program.file:
            return -1, here if rest else here + 1
        if letter in program.values:
            return None, here if rest else here + 1
        if letter in program.attached or letter in (HOLE, OTHER):
            break
    return None, here


def _find(words: Sequence[Word], at: int, reading: Reading) -> None:
    for here in range(at + 1, len(words)):
        if reading.steps <= _MAX_STEPS and words[here].text in ("-exec", "-execdir", "-ok", "-okdir"):
            _read(words, here + 1, reading, wrapped=True)
    reading.program, reading.at = "find", at


def _parallel(words: Sequence[Word], at: int, reading: Reading) -> None:
    """GNU parallel runs its words through a shell; what follows `:::` is quoted by it."""
    ends = (here for here in range(at + 1, len(words)) if words[here].text.startswith(":::"))
    command = range(at + 1, next(ends, len(words)))
    reading.code += [(here, SHELL, "parallel") for here in command]
    if not any(not words[here].text.startswith("-") for here in command):
        reading.stdin = (SHELL, "parallel")


def _remote(words: Sequence[Word], at: int, reading: Reading) -> None:
    """`ssh host bash -s` hands what it reads to the shell there; `ssh host 'bash -s'` too."""
    split = [Word([part], len(part)) for word in words[at:] for part in (word.plain or HOLE).split()]
    inner = Reading()
    _among(split, 0, inner, hands_input=True)
    reading.stdin = reading.stdin or inner.stdin


def _foreach(words: Sequence[Word], at: int, reading: Reading) -> None:
    """`git submodule foreach` runs the rest of its words as one text."""
    texts = [word.text for word in words]
    if "submodule" in texts[at:] and "foreach" in texts[at:]:
        start = texts.index("foreach") + 1
        reading.code += [(here, SHELL, "git submodule foreach") for here in range(start, len(words))]


def _among(words: Sequence[Word], at: int, reading: Reading, *, hands_input: bool) -> None:
    """`sh -c text` and its like among the words of a program that may run them."""
    entries = 0
    for here in range(at + 1, len(words)):
        text = words[here].text
        name = program_name(words[here])
        inner = Reading()
        if text.startswith("--entrypoint=") or words[here - 1].text == "--entrypoint":
            _entrypoint(words, here, inner)
            entries += 1
            if entries > _MAX_ENTRIES:
                return
        elif name in SHELLS:
            _shell(words, here, inner, certain=True)
        elif name is not None and _is_told(name):
            _program(PROGRAMS[name], words, here, inner)
        reading.code += [
            (place, BEHIND if language is SHELL else language, run) for place, language, run in inner.code
        ]
        if hands_input:
            reading.stdin = reading.stdin or inner.stdin
        if inner.code or (hands_input and inner.stdin is not None):
            return


def _is_told(name: str) -> bool:
    """Whether `name` is an interpreter that an option gives its code: such an option is not there by chance."""
    program = PROGRAMS.get(name)
    return program is not None and program.script and program.code != ""


def _entrypoint(words: Sequence[Word], at: int, reading: Reading) -> None:
    """`docker run --entrypoint sh image -c text`."""
    name = words[at].text.rpartition("=")[2].rpartition("/")[2]
    for here in range(at + 1, len(words)):
        text = words[here].text
        if re.fullmatch(r"-[a-z]*c", text) and name in SHELLS:
            reading.code.append((here + 1, SHELL, f"{name} -c"))
            return
