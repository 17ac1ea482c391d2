"""Acting on a live run: `cancel`."""

import asyncio

from orchestrator.cli import output
from orchestrator.cli.options import AddressOption, NamespaceOption, Output, OutputOption, RunArgument


def cancel(
    run: RunArgument,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Stop a run: containers get their stop signal and a grace period, finalizers still run."""
    from orchestrator.cli.target import connected
    from orchestrator.client import runs

    async def act() -> None:
        client = await connected(address, namespace=namespace)
        await runs.cancel(client, run)

    asyncio.run(act())
    if out is Output.JSON:
        output.data_json({"run_id": run, "cancel": "requested"})
    else:
        output.data(f"asked run '{run}' to stop; follow it with 'orca watch {run}'")
