"""The subcommands of `orca`. `overview.py` tells of each what `orca --help` shows."""

import typer

from orchestrator.cli import (
    act,
    answer,
    before,
    cases,
    doctor,
    explain,
    graph,
    look,
    repair,
    resume,
    schema,
    start,
    validate,
)
from orchestrator.cli.overview import ABOUT, ACT, BEFORE, EXIT_CODES, LOOK, START

app = typer.Typer(
    name="orca",
    help=f"{ABOUT} {EXIT_CODES}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run", rich_help_panel=START)(start.run)
app.command("up", rich_help_panel=START)(start.up)
app.command("worker", rich_help_panel=START)(start.worker)
app.command("submit", rich_help_panel=START)(start.submit)
app.command("status", rich_help_panel=LOOK)(look.status)
app.command("list", rich_help_panel=LOOK)(look.list_)
app.command("logs", rich_help_panel=LOOK)(look.logs)
app.command("watch", rich_help_panel=LOOK)(look.watch)
app.command("explain", rich_help_panel=LOOK)(explain.explain)
app.command("graph", rich_help_panel=LOOK)(graph.graph)
app.command("artifacts", rich_help_panel=LOOK)(look.artifacts)
app.command("gates", rich_help_panel=ACT)(answer.gates)
app.command("approve", rich_help_panel=ACT)(answer.approve)
app.command("reject", rich_help_panel=ACT)(answer.reject)
app.command("cancel", rich_help_panel=ACT)(act.cancel)
app.command("resume", rich_help_panel=ACT)(resume.resume)
app.command("pause", rich_help_panel=ACT)(repair.pause)
app.command("unpause", rich_help_panel=ACT)(repair.unpause)
app.command("retry", rich_help_panel=ACT)(repair.retry)
app.command("skip", rich_help_panel=ACT)(repair.skip)
app.command("set-output", rich_help_panel=ACT)(repair.set_output)
app.command("fail", rich_help_panel=ACT)(repair.fail)
app.command("validate", rich_help_panel=BEFORE)(validate.validate)
app.command("plan", rich_help_panel=BEFORE)(before.plan)
app.command("test", rich_help_panel=BEFORE)(cases.run_cases)
app.command("eval", rich_help_panel=BEFORE)(before.eval_)
app.command("schema", rich_help_panel=BEFORE)(schema.schema)
app.command("doctor", rich_help_panel=BEFORE)(doctor.doctor)


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and end."),
) -> None:
    """Durable container workflows on Temporal."""
    if version:
        from orchestrator import __version__

        typer.echo(f"orca {__version__}")
        raise typer.Exit
