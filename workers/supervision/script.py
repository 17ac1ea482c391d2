"""The shell script that a job's commands become, and how the container is told to run it. Pure.

One shell runs all commands, so `cd`, variables and functions carry over. Before each command the script prints a
mark; at its end one that says whether outputs were written, whether it came behind its last command, and its exit code.
`transcript` turns marks into readable lines.
"""

import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.contract.messages import ContainerRequest
from orchestrator.contract.names import SCRIPT_MARK
from orchestrator.ids import short_hash
from workers.supervision.identity import name_of

ORCA_DIR: Final = "/orca"
OUTPUT_FILE: Final = "/orca/output"
SCRIPT_FILE: Final = "/orca/script"
MAX_INLINE: Final = 100_000
"""Bytes of a script that is passed as an argument; the kernel ends at 128 KiB."""
_POSIX_SHELLS: Final = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"})
_PLACE: Final = "{0}"
_WHOLE: Final = "__orca"
"""The script's own variable, set behind its last command."""
_CODE: Final = "__orca_code"
"""Another, for the exit code with which it ends."""


@dataclass(frozen=True)
class Launch:
    """How a container is started."""

    entrypoint: tuple[str, ...] | None
    """None: the image's own."""
    command: tuple[str, ...] | None
    """None: the image's own."""
    script: str | None
    """To be put at `SCRIPT_FILE` before the start; None when there is nothing to put."""
    marked: bool
    """The script prints marks."""
    makes_folder: bool
    """The script makes `ORCA_DIR` and the output file by itself."""

    @property
    def needs_folder(self) -> bool:
        """Whether `ORCA_DIR` must be put into the container before the start."""
        return self.script is not None or not self.makes_folder


def mark_prefix(request: ContainerRequest) -> str:
    """How the marks of this try begin. The hash keeps a printed log of another job from being taken for marks."""
    return f"{SCRIPT_MARK}{short_hash(name_of(request))}:"


def launch(request: ContainerRequest, *, as_root: bool) -> Launch:
    """How to start the container of `request`, whose user is root or not."""
    if not request.commands:
        return Launch(request.entrypoint, None, None, marked=False, makes_folder=False)
    words = shlex.split(request.shell) or ["sh"]
    marked = posixpath.basename(words[0]) in _POSIX_SHELLS
    if marked:
        text = _marked_script(
            request.commands,
            mark=mark_prefix(request),
            pipefail=posixpath.basename(words[0]) == "bash",
            makes_folder=as_root,
        )
    else:
        text = "\n".join(request.commands) + "\n"
    in_file = not marked or _PLACE in request.shell or len(text.encode()) > MAX_INLINE
    if not in_file:
        words += ["-c", text]
    elif _PLACE in request.shell:
        words = [word.replace(_PLACE, SCRIPT_FILE) for word in words]
    else:
        words.append(SCRIPT_FILE)
    return Launch(
        entrypoint=request.entrypoint or tuple(words),
        command=tuple(words) if request.entrypoint else None,
        script=text if in_file else None,
        marked=marked,
        makes_folder=marked and as_root,
    )


def is_root(user: str | None) -> bool:
    """Whether a container user, as Docker writes it, is root."""
    return (user or "").split(":")[0] in ("", "0", "root")


def _end(mark: str, outputs: int) -> str:
    # A script that is told to stop ends here too, and with 0 where its own trap says so.
    return f'echo "{mark}end:{outputs}${{{_WHOLE}-}}:${_CODE}"'


def _marked_script(commands: Sequence[str], *, mark: str, pipefail: bool, makes_folder: bool) -> str:
    # One stream instead of two, so that the order in which lines were printed is the order in the log.
    lines = ["exec 2>&1"]
    if makes_folder:
        # `true` and not `:`, since a failing redirection of a special builtin ends the shell.
        lines.append(f"(umask 0; mkdir -p {ORCA_DIR} && true >>{OUTPUT_FILE}) 2>/dev/null || true")
    lines += [
        f"trap '{_CODE}=$?; if [ -s {OUTPUT_FILE} ]; then {_end(mark, 1)}; else {_end(mark, 0)}; fi' EXIT",
        # A trap that does nothing but end: the shell runs it when the command, which gets the signal too, is done.
        "trap 'exit 143' TERM",
        "set -e",
    ]
    if pipefail:
        lines.append("set -o pipefail")
    for index, command in enumerate(commands):
        # `eval` keeps a syntax error inside its own command; the check holds after a `set +e` too.
        lines += [
            f'echo "{mark}begin:{index}"',
            f"eval {shlex.quote(command)}",
            "case $? in 0) ;; *) exit ;; esac",
        ]
    lines.append(f"{_WHOLE}=:whole")
    return "\n".join(lines) + "\n"
