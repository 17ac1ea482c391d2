"""`test`: dry runs of workflows, compared with what is expected of them."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.options import Output, OutputOption
from orchestrator.errors import OrcaError, UsageError

if TYPE_CHECKING:
    from temporalio.client import Client

    from orchestrator.client.cases import Case, Verdict
    from orchestrator.embedded.worker import WorkerProcess

AT_ONCE = 8
"""Cases that run at the same time."""


def run_cases(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="CASES", help="YAML files with lists of cases.", show_default=False),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option("--only", "-k", help="Only cases with this in their name. May be repeated."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one case may take.")] = 120.0,
    junit: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", help="Write the verdicts there as JUnit's XML too."),
    ] = None,
    out: OutputOption = Output.TEXT,
) -> None:
    """Run test cases: dry runs with mocks, compared with what is expected. Ends with 1 where one differs.

    They run on the embedded Temporal server; no Docker is needed, and nobody is asked.
    """
    from orchestrator.client.cases import read_cases
    from orchestrator.client.junit import junit_xml

    cases = [case for file in files for case in read_cases(file)]
    cases = [case for case in cases if not only or any(part in case.name for part in only)]
    if not cases:
        raise UsageError("no case has such a name: 'orca test CASES' without --only runs all")
    found = asyncio.run(_run_all(cases, timeout))
    if junit is not None:
        try:
            junit.write_text(junit_xml(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write '{junit}': {error.strerror or error}") from error
    failed = sum(not verdict.passed for verdict in found)
    if out is Output.JSON:
        output.data_json([_json(verdict) for verdict in found])
    else:
        for verdict in found:
            _show(verdict)
        cases_word = "1 case" if len(found) == 1 else f"{len(found)} cases"
        output.data(f"{cases_word}: {len(found) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


def _json(verdict: "Verdict") -> dict[str, object]:
    return {
        "file": str(verdict.case.file),
        "name": verdict.case.name,
        "spec": verdict.case.checked.compiled.plan.spec,
        "passed": verdict.passed,
        "run_id": verdict.run_id,
        "seconds": round(verdict.seconds, 3),
        "differences": list(verdict.differences),
    }


def _show(verdict: "Verdict") -> None:
    sign = "✓" if verdict.passed else "✗"
    output.data(f"{sign} {verdict.case.name} ({verdict.seconds:.1f} s)")
    for line in verdict.differences:
        output.data(f"    {line}")
    if verdict.run_id and not verdict.passed:
        output.data(f"    its run: {verdict.run_id}")


async def _run_all(cases: Sequence["Case"], limit: float) -> list["Verdict"]:
    from orchestrator.client.connect import connect_embedded
    from orchestrator.embedded.home import find_home
    from orchestrator.embedded.server import use_server
    from orchestrator.embedded.worker import WorkerProcess

    home = find_home()
    turn = asyncio.Semaphore(AT_ONCE)
    with use_server(home) as server:
        worker = WorkerProcess(home, address=server.address)
        try:
            client = await connect_embedded(server.address)

            async def one(case: "Case") -> "Verdict":
                async with turn:
                    return await _verdict(client, case, limit, worker)

            return list(await asyncio.gather(*(one(case) for case in cases)))
        finally:
            worker.stop()


async def _verdict(client: "Client", case: "Case", limit: float, worker: "WorkerProcess") -> "Verdict":
    from orchestrator.client.cases import not_run

    if worker.failed:
        raise OrcaError(worker.failed)
    try:
        return await _carry_out(client, case, limit)
    except OrcaError as error:
        return not_run(case, error)


async def _carry_out(client: "Client", case: "Case", limit: float) -> "Verdict":
    from orchestrator.cli.target import opened_store, queue_of
    from orchestrator.client import runs
    from orchestrator.client.cases import Verdict, differences
    from orchestrator.client.people import whoami
    from orchestrator.client.prepare import prepare

    began = time.monotonic()
    prepared = await prepare(case.checked, store=opened_store(None), dry=True)
    run = await runs.submit(
        client, prepared, task_queue=queue_of(None), submitted_by=whoami(), mocks=case.mocks
    )
    try:
        async with asyncio.timeout(limit):
            record = await runs.wait(client, run)
    except TimeoutError:
        await runs.cancel(client, run)
        told: tuple[str, ...] = (f"it has not ended within {limit:g} s, and was cancelled",)
    else:
        told = tuple(differences(case.expect, record))
    return Verdict(case, run, time.monotonic() - began, told)
