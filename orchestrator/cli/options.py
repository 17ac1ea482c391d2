"""Options that several commands share, as annotated types."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
