"""Printing: data on stdout, everything else on stderr, JSON on request, colour on a terminal only."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from orchestrator.errors import OrcaError, SpecError

INTERRUPTED: Final = 130
"""Exit code of a command that was left by Ctrl-C: the run goes on, so none of the run's own codes fits."""

BELOW: Final = " " * 6
"""Before a table's lines that belong to the row above."""

_CONTROL = {code: None for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if code != 0x09}


def data(text: str) -> None:
    """A line of what was asked for, on stdout."""
    sys.stdout.write(harmless(text, keep="\n") + "\n")
    sys.stdout.flush()


def data_json(value: Any) -> None:
    """What was asked for, as JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line about what is going on, on stderr."""
    sys.stderr.write(harmless(text, keep="\n") + "\n")
    sys.stderr.flush()


def fail(error: OrcaError) -> None:
    """Why the command ends, on stderr."""
    if isinstance(error, SpecError):
        diagnostics(error.diagnostics)
    else:
        _coloured(f"{paint('error:', '1;31', sys.stderr.isatty())} {harmless(str(error), keep=chr(10))}")


def diagnostics(found: Sequence[Any]) -> None:
    """Findings in a spec, each with its line and a caret, on stderr."""
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    for item in found:
        _coloured(item.pretty(colour=coloured))


def paint(text: str, code: str, coloured: bool) -> str:
    """`text` in an ANSI colour where the stream is a terminal."""
    return f"\x1b[{code}m{text}\x1b[0m" if coloured and not os.environ.get("NO_COLOR") else text


def _coloured(text: str) -> None:
    """A line with colours of our own; what is quoted in it must be harmless already."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def harmless(text: str, *, keep: str = "") -> str:
    """`text` without control characters but `keep`: what containers print must not drive the reader's terminal."""
    return text.translate({code: None for code in _CONTROL if chr(code) not in keep})


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell. More lines in a row's last cell stand below the row, indented."""
    split = [(*row[:-1], *row[-1].split("\n")) for row in [header, *rows]]
    count = len(header)
    widths = [max(len(row[index]) for row in split) for index in range(count)]
    lines: list[str] = []
    for row in split:
        cells = zip(row[:count], widths, strict=True)
        lines.append("  ".join(cell.ljust(width) for cell, width in cells))
        lines += [f"{BELOW}{line}" for line in row[count:]]
    return "\n".join(line.rstrip() for line in lines)
