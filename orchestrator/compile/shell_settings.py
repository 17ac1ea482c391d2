"""Programs that take a setting, an address or a text for another program among their words, and run it. Pure.

What `shell_programs` says of options and operands is not enough for these: which word is code depends on its text.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.compile.shell_programs import ADDRESS, BEHIND, SHELL, TYPED, Language
from orchestrator.compile.shell_words import HOLE, Word

Code = tuple[int, Language, str]
"""The place of a word that is code, of what, and which program runs it."""

_RUN_BY_GIT: Final = re.compile(
    r"core\.(?:sshcommand|editor|pager|fsmonitor|askpass|gitproxy|alternaterefscommand)|sequence\.editor"
    r"|(?:alias|pager)\..*|credential\.(?:.*\.)?helper|diff\.external|interactive\.difffilter|submodule\..*\.update"
    r"|(?:diff|merge|filter|difftool|mergetool|browser|man|trailer|gpg)\..*"
    r"\.(?:command|textconv|driver|clean|smudge|process|cmd|program)"
    r"|gpg\.program|sendemail\..*cmd|uploadpack\.packobjectshook|remote\..*\.(?:uploadpack|receivepack|vcs)",
    re.DOTALL,
)
"""Settings of git whose value is a command."""
_RUN_BY_SSH: Final = ("proxycommand", "localcommand", "knownhostscommand", "remotecommand", "match")


def settings(name: str, words: Sequence[Word], at: int) -> Iterator[Code]:
    """The code among the words of `name`, which is word number `at`."""
    match name:
        case "git":
            yield from _git(words, at)
        case "ssh" | "scp" | "sftp":
            yield from _ssh(name, words, at)
        case "socat":  # in any address a value may begin another one: `TCP:a:1!!SYSTEM:text`
            yield from ((here, ADDRESS, name) for here in range(at + 1, len(words)))
        case "screen":
            texts = [word.text for word in words]
            start = texts.index("-X") if "-X" in texts else len(words)
            yield from ((here, TYPED, "screen -X") for here in range(start + 1, len(words)))
        case "entr":
            yield from _entr(words, at)
        case _:
            return


def _git(words: Sequence[Word], at: int) -> Iterator[Code]:
    """`git -c name=value` and `git config name value`, where git runs that value."""
    here, command = at + 1, ""
    while here < len(words):
        text = words[here].text
        if text in ("-c", "-C", "--config") and command in ("", "clone"):
            here += 1
            name = words[here].text.partition("=")[0] if text != "-C" and here < len(words) else ""
            if HOLE in name or _RUN_BY_GIT.fullmatch(name.lower()):
                yield here, SHELL, f"git -c {name.replace(HOLE, '…')}"
        elif command == "config" and _RUN_BY_GIT.fullmatch(text.lower()):
            yield from ((place, SHELL, f"git config {text}") for place in range(here + 1, len(words)))
            return
        elif not command and not text.startswith("-"):
            command = text
        here += 1


def _ssh(program: str, words: Sequence[Word], at: int) -> Iterator[Code]:
    """`ssh -o name=value` and `ssh -oname=value`, where ssh runs that value."""
    for here in range(at + 1, len(words)):
        text = words[here].text
        if words[here - 1].text == "-o":
            setting = text
        elif text.startswith("-o") and len(text) > len("-o"):
            setting = text.removeprefix("-o")
        else:
            continue
        name = re.split(r"[=\s]", setting.strip(), maxsplit=1)[0]
        if HOLE in name or name.lower() in _RUN_BY_SSH:
            language = BEHIND if name.lower() == "remotecommand" else SHELL
            yield here, language, f"{program} -o {name.replace(HOLE, '…')}"


def _entr(words: Sequence[Word], at: int) -> Iterator[Code]:
    """`entr -s text`; without the option it runs the rest of its words."""
    here, told = at + 1, False
    while here < len(words) and words[here].text.startswith("-"):
        told = told or "s" in words[here].text
        here += 1
    if told and here < len(words):
        yield here, SHELL, "entr -s"
