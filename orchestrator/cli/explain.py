"""`explain`: why each job of a run ran, waits, was skipped or left out."""

import asyncio
from typing import Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.options import AddressOption, NamespaceOption, Output, OutputOption, RunArgument


def explain(
    run: RunArgument,
    job: Annotated[
        str | None,
        typer.Argument(help="Only this job, or one variant: 'test (3.11, alpine)'.", show_default=False),
    ] = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Explain why each job of a run ran, waits, was skipped or was left out, with what its conditions saw.

    ✓ is a requirement that is met or a transition that fired, ✗ one that is not or did not, · one of which that is not
    known yet, and ○ a requirement on a path that was not taken, which is as if it were not there.
    """
    from orchestrator.cli import notable, words
    from orchestrator.cli.target import connected
    from orchestrator.client import runs
    from orchestrator.client.explain import explain_run, explanation_json, explanation_lines
    from orchestrator.client.plans import plan_of_run

    async def look() -> None:
        client = await connected(address, namespace=namespace)
        record = await runs.record(client, run)
        found = explain_run(record, await plan_of_run(client, run), job)
        if out is Output.JSON:
            output.data_json(explanation_json(found))
            return
        output.data(words.headline(record))
        if record.error and job is None:
            output.data(f"error: {words.first_line(record.error)}")
        for name, one in found.jobs.items():
            output.data(f"\n{words.SIGNS[one.status][0]} {name}: {one.status}")
            for line in explanation_lines(one, all_variants=job is not None):
                output.data(f"    {line}")
        steps = list(notable.next_steps(record, of=job))
        for line in ["", *steps] if steps else []:
            output.data(line)

    asyncio.run(look())
