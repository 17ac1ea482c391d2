"""What `orca --help` prints, without a single import of a library: it is there at once. `app.py` has the commands.

A summary is the first line of its command's docstring; a test holds the two together.
"""

import os
import sys
from collections.abc import Iterator

ABOUT = "Durable container workflows on Temporal."
EXIT_CODES = (
    "Exit codes: 0 success, 1 the run failed, 2 the spec or the call is wrong, 3 Temporal or Docker cannot be reached, "
    "4 the run was cancelled, 5 partial."
)
START, LOOK, ACT, BEFORE = "Start", "Look", "Act on a run", "Before a run"
OVERVIEW = {
    START: {
        "run": (
            "Run a workflow on this machine: starts Temporal and a worker, submits, follows, "
            "ends with the run's exit code."
        ),
        "up": (
            "Start the embedded Temporal server with its Web UI, and a worker, until Ctrl-C. "
            "State is kept in a file."
        ),
        "worker": (
            "Run a worker against any Temporal: takes jobs from the task queue and runs "
            "their containers on this host."
        ),
        "submit": "Start a run and print its id.",
    },
    LOOK: {
        "status": "Show a run: each job's state, reason, exit code, tries and times.",
        "list": "List runs, the newest first.",
        "logs": "Print a run's logs, job by job; with -f as they come, from all jobs at once.",
        "watch": "Follow a run to its end; Ctrl-C only stops watching. Ends with the run's exit code.",
        "explain": (
            "Explain why each job of a run ran, waits, was skipped or was left out, with what its conditions saw."
        ),
        "graph": (
            "Draw a workflow as Mermaid, DOT or SVG, or a run with its jobs in the colours of their states."
        ),
        "artifacts": "List a run's artifacts, or copy them.",
    },
    ACT: {
        "gates": "List the gates that wait: what they ask whom, since and until when, and how to answer.",
        "approve": "Approve a gate; on a terminal, asks for the fields that are needed and not given.",
        "reject": "Reject a gate: its job fails, and what is for that case runs.",
        "cancel": "Stop a run: containers get their stop signal and a grace period, finalizers still run.",
        "resume": (
            "Start a new attempt of a run that has ended: what succeeded and has not changed is reused."
        ),
        "pause": "Pause a run: nothing new starts, finalizers included; what runs goes on.",
        "unpause": "Let a paused run go on.",
        "retry": "Give a held job another round of tries.",
        "skip": "Leave a held job out: the run goes on as if its own condition had said no.",
        "set-output": "Count a held job as a success with these outputs.",
        "fail": "Give a held job up: it has failed, and the run goes on as after any failure.",
    },
    BEFORE: {
        "validate": "Check workflow files and print everything that is wrong with them.",
        "plan": (
            "Show what a workflow would do: levels, the longest chain, variants, and what "
            "each condition depends on."
        ),
        "test": (
            "Run test cases: dry runs with mocks, compared with what is expected. Ends with 1 where one differs."
        ),
        "eval": "Evaluate one expression and print its value as JSON.",
        "schema": "Print the JSON Schema of workflow files, which editors check and complete with.",
        "doctor": "Check that all is there that runs need, and show what is left over on this host.",
    },
}
OPTIONS = {
    "-h, --help": "Show this, or behind a command what it takes.",
    "--version": "Print the version and end.",
}
MAX_WIDTH = 110


def show(code: int) -> int:
    """Print the overview on stdout and give `code` back; a reader that has gone is no error."""
    bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    try:
        sys.stdout.write("\n".join(lines(_width(), bold=bold)) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Or Python complains as it ends.
        return 0
    return code


def lines(width: int, *, bold: bool = False) -> Iterator[str]:
    """The overview in `width` columns."""
    yield "Usage: orca COMMAND [ARGUMENTS]   (orca COMMAND --help says more)"
    yield ""
    yield from _wrapped(ABOUT, width)
    for panel, rows in {**OVERVIEW, "Options": OPTIONS}.items():
        yield ""
        yield f"\x1b[1m{panel}\x1b[0m" if bold else panel
        for name, summary in rows.items():
            first, *rest = _wrapped(summary, width - 14)
            yield f"  {name:<10}  {first}"
            yield from (f"{'':14}{line}" for line in rest)
    yield ""
    yield from _wrapped(EXIT_CODES, width)


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal():
        found = int(columns)
    else:
        found = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 80
    return max(40, min(found, MAX_WIDTH))
