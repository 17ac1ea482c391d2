"""Before a run: `plan`, `eval`. None of these needs Temporal or Docker."""

import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer

from orchestrator.cli import output
from orchestrator.cli.options import Output, OutputOption, SpecArgument
from orchestrator.errors import ExpressionError, UsageError

_NOT_PRINTED: Final = re.compile("[\x7f-\x9f\ud800-\udfff]")
"""What JSON may hold as it is, and a terminal obeys or cannot show."""
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
    out: Annotated[
        Output,
        typer.Option(
            "--output",
            "-o",
            help="'json' is always JSON: the same, but NaN and Infinity, for which JSON has no numbers, are texts.",
        ),
    ] = Output.TEXT,
) -> None:
    """Evaluate one expression and print its value as JSON.

    The value is one line on stdout; NaN and Infinity are printed as toJSON() prints them. The status functions answer
    as in a job whose requirements all succeeded: success() and always() are true, failure() and cancelled() are false.
    hashFiles() reads below the current folder. A context that is not given is null.
    """
    from orchestrator.client.hash_files import functions_over
    from orchestrator.expressions import Status, evaluate

    contexts = _read_contexts(context)
    functions = functions_over(Path.cwd())
    status = Status(success=True, failure=False, cancelled=False)
    value = evaluate(expression, contexts, status=status, functions=functions)
    output.data(_line(_strict(value) if out is Output.JSON else value))


def _line(value: Any) -> str:
    """`value` as one line of JSON that changes nothing in the terminal, and loses nothing on the way there."""
    text = json.dumps(value, ensure_ascii=False)
    return _NOT_PRINTED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _strict(value: Any) -> Any:
    """`value` without numbers that JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    if isinstance(value, dict):
        return {key: _strict(part) for key, part in cast("dict[str, Any]", value).items()}
    return [_strict(part) for part in cast("list[Any]", value)] if isinstance(value, list) else value


def _read_contexts(path: Path | None) -> dict[str, Any]:
    from orchestrator.expressions.json_text import read_json

    if path is None:
        return {}
    try:
        found = read_json(path.read_text(encoding="utf-8"), refusal=f"'{path}' is not JSON")
    except OSError as error:
        raise UsageError(f"cannot read the contexts in '{path}': {error.strerror}") from error
    except ExpressionError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        raise UsageError(f"'{path}' is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(
            f"'{path}' must hold a JSON object whose keys are contexts, such as {{\"matrix\": {{}}}}"
        )
    return cast("dict[str, Any]", found)  # JSON's objects have no other keys than texts.
