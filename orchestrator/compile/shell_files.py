"""How values go on through a job's files and functions, as far as their names are known. Only reads words.

Both are told by a name, as the shell's variables are: `<path` is what is in a file, `f()` what a function prints.
"""

from pathlib import PurePosixPath
from typing import Final

from orchestrator.compile.shell_programs import PROGRAMS, SHELL, Language
from orchestrator.compile.shell_words import Command, Group, Pipeline, Word

_ENDINGS: Final = {
    "py": "python", "rb": "ruby", "pl": "perl", "js": "node", "mjs": "node", "cjs": "node", "ts": "node", "php": "php",
    "lua": "lua", "R": "Rscript", "r": "Rscript", "ps1": "pwsh", "awk": "awk", "tcl": "tclsh", "groovy": "groovy",
}  # fmt: skip
"""Endings of names of scripts, and what runs these."""
_SHELL_ENDINGS: Final = ("sh", "bash", "zsh", "ksh", "dash", "fish")


def script_language(name: str) -> Language | None:
    """What a file of that name is a script of; None: it is none by its name."""
    ending = PurePosixPath(name).suffix.removeprefix(".") if "." in name else ""
    if ending in _SHELL_ENDINGS:
        return SHELL
    return PROGRAMS[_ENDINGS[ending]].language if ending in _ENDINGS else None


def file_of(word: Word) -> list[str]:
    """The name of what is in the file that `word` names; nothing where only a run knows which file that is."""
    path = word.plain
    if not path or path.startswith(("-", "/dev/", "&")) or path.isdigit():
        return []
    return [f"<{PurePosixPath(path)}"]


def is_file(name: str) -> bool:
    """Whether a name stands for what is in a file."""
    return name.startswith("<")


def goes_through(name: str) -> str:
    """The way of a value that has such a name, for a message."""
    if is_file(name):
        return f"it goes into the file '{name.removeprefix('<')}', and"
    if name.endswith("()"):
        return f"the function '{name.removesuffix('()')}' prints it, and there"
    return f"it goes into the variable '{name}', and there"


def begins_function(pipeline: Pipeline) -> str | None:
    """The name before a `()` that would come next."""
    words = pipeline[0].words if len(pipeline) == 1 and isinstance(pipeline[0], Command) else []
    texts = [word.plain for word in words]
    if len(texts) == 2 and texts[0] == "function":
        return texts[1]
    return texts[0] if len(texts) == 1 else None


def function_of(pipeline: Pipeline, named: str | None) -> str | None:
    """The function that `pipeline` is the body of, where `named` stood before it."""
    first = pipeline[0]
    if named is not None and len(pipeline) > 1 and isinstance(first, Group) and not first.body:
        return named
    if len(pipeline) > 1 and isinstance(first, Command) and isinstance(pipeline[1], Group):
        words = [word.plain for word in first.words]
        return words[1] if len(words) == 2 and words[0] == "function" else None
    return None
