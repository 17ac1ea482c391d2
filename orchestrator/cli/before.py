"""Before a run: `plan`, `eval`. None of these needs Temporal or Docker."""

import json
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer

from orchestrator.cli import output
from orchestrator.cli.options import Output, OutputOption, SpecArgument
from orchestrator.errors import UsageError

MAX_COLUMNS: Final = 120
"""Of a plan's text: longer lines are hard to read, however wide the terminal."""


def plan(spec: SpecArgument, out: OutputOption = Output.TEXT) -> None:
    """Show what a workflow would do: levels, the longest chain, variants, and what each condition depends on."""
    import shutil

    from orchestrator.client.prepare import compile_file
    from orchestrator.plan.render import WIDTH, plan_json, plan_text

    compiled = compile_file(spec)
    output.diagnostics(compiled.diagnostics)
    if out is Output.JSON:
        output.data_json(plan_json(compiled.plan))
    else:
        columns = shutil.get_terminal_size((WIDTH, 24)).columns
        output.data(plan_text(compiled.plan, width=min(columns, MAX_COLUMNS)).rstrip("\n"))


def eval_(
    expression: Annotated[
        str, typer.Argument(help="An expression, with or without ${{ }}.", show_default=False)
    ],
    context: Annotated[
        Path | None,
        typer.Option("--context", "-c", help='A JSON file: an object of contexts, such as {"matrix": {…}}.'),
    ] = None,
) -> None:
    """Evaluate one expression and print its value as JSON."""
    from orchestrator.client.hash_files import functions_over
    from orchestrator.expressions import Status, evaluate

    contexts = _read_contexts(context)
    functions = functions_over(Path.cwd())
    status = Status(success=True, failure=False, cancelled=False)
    output.data(
        json.dumps(evaluate(expression, contexts, status=status, functions=functions), ensure_ascii=False)
    )


def _read_contexts(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the contexts in '{path}': {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"'{path}' is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(
            f"'{path}' must hold a JSON object whose keys are contexts, such as {{\"matrix\": {{}}}}"
        )
    return cast("dict[str, Any]", found)  # JSON's objects have no other keys than texts.
