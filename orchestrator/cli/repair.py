"""Repairs of a live run: `retry`, `skip`, `set-output`, `fail` of a held job; `pause` and `unpause`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.options import (
    AddressOption,
    ByOption,
    CommentOption,
    NamespaceOption,
    Output,
    OutputOption,
    RunArgument,
    read_values,
)
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.contract.people import Pause, Repair

HeldArgument = Annotated[
    str,
    typer.Argument(
        metavar="JOB", help="The held job; of a variant its full name: 'test (3.11)'.", show_default=False
    ),
]


def retry(
    run: RunArgument,
    job: HeldArgument,
    comment: CommentOption = "",
    by: ByOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Give a held job another round of tries."""
    from orchestrator.contract.people import Repair

    wanted = Repair(job=job, action="retry", by=_who(by), comment=comment)
    _repair(run, wanted, out, address, namespace)


def skip(
    run: RunArgument,
    job: HeldArgument,
    comment: CommentOption = "",
    by: ByOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Leave a held job out: the run goes on as if its own condition had said no."""
    from orchestrator.contract.people import Repair

    _repair(run, Repair(job=job, action="skip", by=_who(by), comment=comment), out, address, namespace)


def set_output(
    run: RunArgument,
    job: HeldArgument,
    value: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE…", help="The job's outputs, as text.", show_default=False),
    ] = None,
    outputs_json: Annotated[
        Path | None,
        typer.Option("--outputs-json", metavar="FILE", help="Outputs as a JSON object; '-' reads stdin."),
    ] = None,
    comment: CommentOption = "",
    by: ByOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Count a held job as a success with these outputs."""
    from orchestrator.contract.people import Repair

    outputs = read_values(outputs_json)
    for word in value or []:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise UsageError(f"an output is given as name=value, and '{word}' is not")
        outputs[name] = text
    if not outputs:
        raise UsageError("name at least one output as name=value; 'orca skip' goes on without any")
    wanted = Repair(job=job, action="set_outputs", outputs=outputs, by=_who(by), comment=comment)
    _repair(run, wanted, out, address, namespace)


def fail(
    run: RunArgument,
    job: HeldArgument,
    comment: CommentOption = "",
    by: ByOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Give a held job up: it has failed, and the run goes on as after any failure."""
    from orchestrator.contract.people import Repair

    _repair(run, Repair(job=job, action="fail", by=_who(by), comment=comment), out, address, namespace)


def pause(
    run: RunArgument,
    comment: CommentOption = "",
    by: ByOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Pause a run: nothing new starts, finalizers included; what runs goes on.

    Gates can be answered and timers run out meanwhile, but what follows them waits. 'orca cancel' works.
    """
    from orchestrator.contract.people import Pause

    _pause(run, Pause(paused=True, by=_who(by), comment=comment), out, address, namespace)


def unpause(
    run: RunArgument,
    comment: CommentOption = "",
    by: ByOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Let a paused run go on."""
    from orchestrator.contract.people import Pause

    _pause(run, Pause(paused=False, by=_who(by), comment=comment), out, address, namespace)


def _who(by: str | None) -> str:
    from orchestrator.client.people import whoami

    return by or whoami()


def _repair(run: str, wanted: "Repair", out: Output, address: str | None, namespace: str | None) -> None:
    from orchestrator.cli.target import connected
    from orchestrator.client import people

    async def act() -> str:
        return (await people.repair(await connected(address, namespace=namespace), run, wanted)).message

    message = asyncio.run(act())
    if out is Output.JSON:
        output.data_json({"run_id": run, "job": wanted.job, "action": wanted.action, "message": message})
    else:
        output.data(message)


def _pause(run: str, wanted: "Pause", out: Output, address: str | None, namespace: str | None) -> None:
    from orchestrator.cli.target import connected
    from orchestrator.client import people

    async def act() -> str:
        return (await people.pause(await connected(address, namespace=namespace), run, wanted)).message

    message = asyncio.run(act())
    if out is Output.JSON:
        output.data_json({"run_id": run, "paused": wanted.paused, "message": message})
    else:
        output.data(message)
