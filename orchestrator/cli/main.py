"""The `orca` command: its subcommands, and the one place where an error becomes an exit code."""

from typing import NoReturn

import typer

from orchestrator.cli import act, before, graph, look, schema, start, validate
from orchestrator.cli.output import INTERRUPTED, fail
from orchestrator.client.leave import leave
from orchestrator.errors import OrcaError

app = typer.Typer(
    name="orca",
    help="Durable container workflows on Temporal. Exit codes: 0 success, 1 the run failed, 2 the spec or the call is "
    "wrong, 3 Temporal or Docker cannot be reached, 4 the run was cancelled, 5 partial.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

START = "Start"
LOOK = "Look"
ACT = "Act on a live run"
BEFORE = "Before a run"

app.command("run", rich_help_panel=START)(start.run)
app.command("up", rich_help_panel=START)(start.up)
app.command("worker", rich_help_panel=START)(start.worker)
app.command("submit", rich_help_panel=START)(start.submit)
app.command("status", rich_help_panel=LOOK)(look.status)
app.command("list", rich_help_panel=LOOK)(look.list_)
app.command("logs", rich_help_panel=LOOK)(look.logs)
app.command("watch", rich_help_panel=LOOK)(look.watch)
app.command("graph", rich_help_panel=LOOK)(graph.graph)
app.command("artifacts", rich_help_panel=LOOK)(look.artifacts)
app.command("cancel", rich_help_panel=ACT)(act.cancel)
app.command("validate", rich_help_panel=BEFORE)(validate.validate)
app.command("plan", rich_help_panel=BEFORE)(before.plan)
app.command("eval", rich_help_panel=BEFORE)(before.eval_)
app.command("schema", rich_help_panel=BEFORE)(schema.schema)


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and end."),
) -> None:
    """Durable container workflows on Temporal."""
    if version:
        from orchestrator import __version__

        typer.echo(f"orca {__version__}")
        raise typer.Exit


def main() -> NoReturn:
    """Run the command line; ends the process with one of the exit codes above."""
    leave(_run())


def _run() -> int:
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except OrcaError as error:
        fail(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has gone: not an error, and nothing more can be printed.
        return 0
    return 0
