"""Acting on a live run: `cancel`."""

import asyncio
from enum import StrEnum
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
)

if TYPE_CHECKING:
    from orchestrator.client.cancelling import Cancelled


class Mode(StrEnum):
    """How a run ends before its time."""

    DRAIN = "drain"
    GRACEFUL = "graceful"
    FORCE = "force"


ModeOption = Annotated[
    Mode,
    typer.Option(
        "--mode",
        help="'drain': what runs comes to its end, nothing new starts, finalizers run. 'graceful': stop signal, grace, "
        "kill; finalizers run. 'force': kill, no finalizers, ends the run without a worker too.",
    ),
]


def cancel(
    run: RunArgument,
    mode: ModeOption = Mode.GRACEFUL,
    comment: CommentOption = "",
    by: ByOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Stop a run: containers get their stop signal and a grace period, finalizers still run.

    A cancel can be raised while the run ends: from drain to graceful, by a second graceful one, which cancels the
    finalizers too, to force.
    """
    from orchestrator.cli.target import connected
    from orchestrator.client import cancelling
    from orchestrator.client.people import whoami
    from orchestrator.contract.people import Cancel

    wanted = Cancel(mode=mode.value, by=by or whoami(), comment=comment)

    async def act() -> "Cancelled":
        client = await connected(address, namespace=namespace)
        return await cancelling.cancel(client, run, wanted, say=output.note)

    done = asyncio.run(act())
    if out is Output.JSON:
        output.data_json({"run_id": run, "cancel": done.how, "mode": mode.value, "message": done.message})
        return
    output.data(done.message)
    if done.how == "requested":
        output.note(f"follow it with 'orca watch {run}'")
