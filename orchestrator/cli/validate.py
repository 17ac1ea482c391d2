"""`orca validate`: what is wrong with spec files, for people, programs and code review tools; and what a code means."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.errors import SpecError, UsageError

if TYPE_CHECKING:
    from orchestrator.client.validation import Explained, Verdict


class Report(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def validate(
    specs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Workflow files; folders, for all .yaml and .yml files below them; '-' for the standard input.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Report,
        typer.Option(
            "--output",
            "-o",
            help="'json' prints data for programs, 'sarif' what code review tools read, on stdout alone.",
        ),
    ] = Report.TEXT,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain", metavar="CODE", help="Say what a code such as E103 means, and how to mend it."
        ),
    ] = None,
) -> None:
    """Check workflow files and print everything that is wrong with them."""
    if explain is not None:
        if specs or out is Report.SARIF:
            raise UsageError("--explain takes a code alone: no files, and no SARIF")
        _explain(explain, as_json=out is Report.JSON)
        return
    if not specs:
        raise UsageError(
            "name at least one workflow file or folder, '-' for the standard input, or a code with --explain"
        )
    from orchestrator.client.validation import as_sarif, verdicts

    found = verdicts(specs, read_stdin=_read_stdin)
    if out is Report.TEXT:
        told = _tell(found)
    else:
        told = list(found)
        output.data_json(_as_json(told) if out is Report.JSON else as_sarif(told, base=Path.cwd()))
    if not all(verdict.valid for verdict in told):
        raise typer.Exit(SpecError.exit_code)


def _tell(found: "Iterable[Verdict]") -> "list[Verdict]":
    told: list[Verdict] = []
    for verdict in found:
        told.append(verdict)
        output.diagnostics(verdict.diagnostics)
        if verdict.valid:
            output.data(f"{verdict.file}: valid")
    if len(told) > 1:
        findings = [finding for verdict in told for finding in verdict.diagnostics]
        errors = sum(finding.severity == "error" for finding in findings)
        counts = f"{_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}"
        output.note(f"{len(told)} files: {counts}")
    return told


def _as_json(told: "list[Verdict]") -> dict[str, object]:
    return {
        "valid": all(verdict.valid for verdict in told),
        "files": [{"file": verdict.file, "valid": verdict.valid} for verdict in told],
        "diagnostics": [finding.to_json() for verdict in told for finding in verdict.diagnostics],
    }


def _explain(word: str, *, as_json: bool) -> None:
    from orchestrator.client.validation import explained

    found = explained(word)
    explanation = found.explanation
    if as_json:
        output.data_json(
            {
                "code": explanation.code,
                "name": explanation.slug,
                "severity": explanation.severity,
                "title": explanation.title,
                "text": explanation.text,
                "wrong": explanation.shown,
                "diagnostics": [finding.to_json() for finding in found.findings],
                "mended": explanation.mended,
            }
        )
    else:
        output.data(_page(found))


def _page(found: "Explained") -> str:
    """What `--explain` shows to a person."""
    import textwrap

    explanation, coloured = found.explanation, sys.stdout.isatty()
    colour = "1;31" if explanation.severity == "error" else "1;33"
    headline = output.paint(f"{explanation.severity}[{explanation.code}]", colour, coloured)
    said = "\n".join(finding.pretty() for finding in found.findings)
    return "\n".join(
        [
            f"{headline}: {explanation.title} ({explanation.slug})",
            "",
            textwrap.fill(explanation.text, 80, break_long_words=False, break_on_hyphens=False),
            "",
            output.paint("Wrong:", "1", coloured),
            "",
            textwrap.indent(explanation.shown, "    "),
            textwrap.indent(said, "    "),
            "",
            output.paint("Mended:", "1", coloured),
            "",
            textwrap.indent(explanation.mended, "    ").rstrip("\n"),
        ]
    )


def _read_stdin() -> bytes:
    from orchestrator.spec.text import MAX_BYTES

    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
