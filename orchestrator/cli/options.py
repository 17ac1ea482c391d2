"""Options that several commands share, as annotated types."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from orchestrator.errors import ExpressionError, UsageError


class Output(StrEnum):
    """How data is printed."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="'json' prints data for programs, on stdout alone.")
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="Temporal's host:port. Default: TEMPORAL_ADDRESS, the running 'orca up', localhost:7233.",
    ),
]
NamespaceOption = Annotated[str | None, typer.Option("--namespace", "-n", help="Temporal namespace.")]
StoreOption = Annotated[
    str | None,
    typer.Option("--store", help="Where logs and artifacts are: a folder or s3://… . Default: ORCA_STORE."),
]
QueueOption = Annotated[
    str | None, typer.Option("--task-queue", help="Default: ORCA_TASK_QUEUE, else 'orca'.")
]
SpecArgument = Annotated[
    Path, typer.Argument(metavar="SPEC", help="The workflow's YAML file.", show_default=False)
]
ParamOption = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", help="A parameter of the run, as name=value. May be repeated."),
]
RefOption = Annotated[
    str | None,
    typer.Option("--ref", help="git.ref of the run. Default: what the spec's folder has checked out."),
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.", show_default=False)]
AttemptOption = Annotated[
    int | None, typer.Option("--attempt", min=1, help="Of this attempt of the run. Default: the latest.")
]
AllowCallsOption = Annotated[
    str | None,
    typer.Option(
        "--allow-calls",
        metavar="MODULES",
        help="Modules whose functions jobs may call: travel.tools,checks.* . Default: ORCA_CALL_MODULES, else none.",
    ),
]
AllowHostsOption = Annotated[
    str | None,
    typer.Option(
        "--allow-hosts",
        metavar="HOSTS",
        help="Hosts that 'call: http' may ask: api.example.com,localhost:8080 . Default: ORCA_HTTP_HOSTS, else none.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Walk the workflow on Temporal with every job answered by a mock: no container, no waiting, no people.",
    ),
]
MocksOption = Annotated[
    Path | None,
    typer.Option(
        "--mocks",
        metavar="FILE",
        help="YAML that says how the jobs of a dry run end. Default: each succeeds.",
    ),
]
ByOption = Annotated[
    str | None, typer.Option("--by", help="Who you are. Default: ORCA_USER, else your login name.")
]
CommentOption = Annotated[str, typer.Option("--comment", "-m", help="Why; it is kept in the run's record.")]


def read_values(path: Path | None) -> dict[str, Any]:
    """The JSON object in a file; `-` is the standard input. Nothing without a file. Raises UsageError."""
    from orchestrator.expressions.json_text import read_json

    if path is None:
        return {}
    name = "standard input" if str(path) == "-" else f"'{path}'"
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        found = read_json(text, refusal=f"{name} is not JSON")
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror or error}") from error
    except ExpressionError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        raise UsageError(f"{name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{name} must hold a JSON object of names to values")
    return cast("dict[str, Any]", found)  # JSON's objects have no other keys than texts.
