"""`graph`: a plan, or a run of it, as a picture."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from orchestrator.cli import output
from orchestrator.cli.options import AddressOption, NamespaceOption
from orchestrator.errors import RunNotFound, TemporalUnreachable, UsageError

if TYPE_CHECKING:
    from orchestrator.plan.graph import Graph


class Format(StrEnum):
    """What the graph is written in."""

    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"


_SUFFIXES: Final = {
    ".svg": Format.SVG,
    ".dot": Format.DOT,
    ".gv": Format.DOT,
    ".mmd": Format.MERMAID,
    ".mermaid": Format.MERMAID,
}


def graph(
    target: Annotated[
        str, typer.Argument(metavar="SPEC|RUN", help="A workflow file, or a run's id.", show_default=False)
    ],
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            help="Default: as FILE's ending says, else mermaid. An svg needs no other tool; dot is for Graphviz.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write into FILE and not on stdout.")
    ] = None,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Draw a workflow as Mermaid, DOT or SVG, or a run with its jobs in the colours of their states."""
    form = form or (_SUFFIXES.get(file.suffix.lower()) if file else None) or Format.MERMAID
    drawn = _of_spec(Path(target)) if _is_spec(target) else asyncio.run(_of_run(target, address, namespace))
    text = _written(drawn, form)
    if file is None:
        output.data(text.rstrip("\n"))
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write '{file}': {error.strerror or error}") from error
    output.note(f"wrote {file}")


def _is_spec(target: str) -> bool:
    """Whether `target` means a file: it is there, or no run could be called so."""
    return Path(target).exists() or "/" in target or target.lower().endswith((".yaml", ".yml"))


def _of_spec(path: Path) -> "Graph":
    from orchestrator.client.prepare import compile_file
    from orchestrator.plan.graph import graph_of

    compiled = compile_file(path)
    output.diagnostics(compiled.diagnostics)
    return graph_of(compiled.plan)


async def _of_run(run: str, address: str | None, namespace: str | None) -> "Graph":
    from orchestrator.cli.target import connected
    from orchestrator.client import runs
    from orchestrator.client.plans import plan_of_run
    from orchestrator.plan.graph import Standing, graph_of

    neither = f"there is no file '{run}'"
    try:
        client = await connected(address, namespace=namespace)
        plan = await plan_of_run(client, run)
    except RunNotFound as error:
        raise RunNotFound(f"{neither}, and {error}") from error
    except TemporalUnreachable as error:
        raise TemporalUnreachable(f"{neither}, and to look for a run of that name: {error}") from error
    record = await runs.record(client, run)
    standings = {name: Standing(job.status, job.summary) for name, job in record.jobs.items()}
    return graph_of(plan, run=record.run_id, run_status=record.status, standings=standings)


def _written(drawn: "Graph", form: Format) -> str:
    from orchestrator.plan.graph import dot, mermaid, svg
    from orchestrator.plan.graph.mermaid import MAX_CHARACTERS, MAX_EDGES, too_large

    match form:
        case Format.DOT:
            return dot(drawn)
        case Format.SVG:
            return svg(drawn)
        case Format.MERMAID:
            text = mermaid(drawn)
            if too_large(drawn, text):
                output.note(
                    f"note: Mermaid draws at most {MAX_EDGES} edges and {MAX_CHARACTERS:,} characters unless its own "
                    "configuration (maxEdges, maxTextSize) allows more; '--format svg' needs no other tool"
                )
            return text
