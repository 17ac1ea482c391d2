"""Looking at runs: `status`, `list`, `logs`, `watch`, `artifacts`."""

import asyncio
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.options import (
    AddressOption,
    AttemptOption,
    NamespaceOption,
    Output,
    OutputOption,
    RunArgument,
    StoreOption,
)
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.client.listing import RunSummary
    from orchestrator.client.logs import LogEntry


def status(
    run: RunArgument,
    attempt: AttemptOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Show a run: each job's state, reason, exit code, tries and times."""
    from orchestrator.cli.following import print_record
    from orchestrator.cli.target import connected
    from orchestrator.client import runs
    from orchestrator.client.attempts import execution_of

    async def look() -> None:
        client = await connected(address, namespace=namespace)
        execution = await execution_of(client, run, attempt)
        print_record(await runs.record(client, run, execution=execution), out)

    asyncio.run(look())


def list_(
    spec: Annotated[str | None, typer.Option(help="Only runs of this spec.")] = None,
    status: Annotated[str | None, typer.Option(help="Only runs in this state, such as 'failed'.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the newest first.")] = 50,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """List runs, the newest first."""
    from orchestrator.cli import words
    from orchestrator.cli.target import connected
    from orchestrator.client.listing import list_runs

    async def look() -> None:
        client = await connected(address, namespace=namespace)
        found = await list_runs(client, spec=spec, status=status, limit=limit)
        if out is Output.JSON:
            output.data_json([asdict(item) for item in found])
            return
        rows = [
            [
                item.run_id,
                f"{words.SIGNS.get(item.status, (' ', ''))[0]} {item.status}{_which(item)}",
                words.local_time(item.created_at),
                words.duration(item.created_at, item.finished_at),
            ]
            for item in found
        ]
        output.data(output.table(["run", "state", "created", "time"], rows))

    asyncio.run(look())


def _which(item: "RunSummary") -> str:
    """` (attempt 2)`, ` (dry run)`; nothing of most runs."""
    return " (dry run)" if item.dry_run else f" (attempt {item.attempt})" if item.attempt > 1 else ""


def logs(
    run: RunArgument,
    job: Annotated[
        str | None,
        typer.Argument(
            help=(
                "Only this job, one variant ('test (3.11, alpine)'), or one of its services ('test/postgres'; "
                "'services/db' for one that jobs share)."
            ),
            show_default=False,
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    try_number: Annotated[int | None, typer.Option("--try", min=1, help="Only this try of JOB.")] = None,
    services: Annotated[
        bool, typer.Option("--services", help="Beside the jobs' own logs those of their services.")
    ] = False,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Begin each line with its time.")
    ] = False,
    attempt: AttemptOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
    store: StoreOption = None,
) -> None:
    """Print a run's logs, job by job; with -f as they come, from all jobs at once.

    A job's services are left out: name one, or ask for --services. Their logs are there once they have been stopped.
    So are jobs that a resumed run has taken over: name one, and the log of the attempt in which it ran is shown.
    """
    from orchestrator.cli.target import connected, opened_store
    from orchestrator.client import follow as following
    from orchestrator.client import logs as stored
    from orchestrator.client import runs
    from orchestrator.client.attempts import execution_of
    from orchestrator.client.plans import plan_of_run

    if try_number is not None and job is None:
        raise UsageError("--try needs a job: 'orca logs RUN JOB --try 2'")
    if follow and try_number is not None:
        raise UsageError("--follow shows every try as it comes; leave out --try")
    if follow and attempt is not None:
        raise UsageError("--follow shows the latest attempt as it goes; leave out --attempt")

    async def look() -> None:
        client = await connected(address, namespace=namespace)
        kept = opened_store(store)
        show = _LogPrinter(out, only=job, timestamps=timestamps)
        execution = await execution_of(client, run, attempt)
        record = await runs.record(client, run, execution=execution)
        wanted = stored.selection(record, job, try_number=try_number, services=services)
        has_services = wanted.services or wanted.service
        plan = await plan_of_run(client, run, execution=execution) if has_services else None
        found = stored.sources(record, wanted, plan)
        for sentence in stored.silent(record, wanted):
            output.note(sentence)
        if not follow:
            async for entry in stored.read(kept, found):
                show(entry)
            for sentence in stored.still_running(found):
                output.note(sentence)
            return
        pick = partial(stored.sources, wanted=wanted, plan=plan)
        async for event in following.follow(client, run, store=kept, pick=pick):
            if isinstance(event, stored.LogEntry):
                show(event)
            elif isinstance(event, following.Trouble):
                output.note(f"! {event.message}")

    asyncio.run(look())


class _LogPrinter:
    def __init__(self, out: Output, *, only: str | None, timestamps: bool) -> None:
        self._out, self._only, self._timestamps = out, only, timestamps

    def __call__(self, entry: "LogEntry") -> None:
        if self._out is Output.JSON:
            import json

            fields = {name: value for name, value in entry._asdict().items() if value is not None}
            output.data(json.dumps(fields, ensure_ascii=False))
            return
        again = f" #{entry.try_number}" if entry.try_number > 1 else ""
        # The lines of a job's variants are named although only that job was asked for.
        name = "" if entry.whose == self._only else f"{entry.whose}{again} | "
        moment = f"{entry.timestamp} " if self._timestamps else ""
        output.data(f"{moment}{name}{output.harmless(entry.text)}")


def watch(
    run: RunArgument,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
    store: StoreOption = None,
) -> None:
    """Follow a run to its end; Ctrl-C only stops watching. Ends with the run's exit code."""
    from orchestrator.cli.following import watch_to_end
    from orchestrator.cli.target import connected, opened_store

    async def look() -> int:
        client = await connected(address, namespace=namespace)
        return await watch_to_end(client, run, store=opened_store(store), out=out)

    raise typer.Exit(asyncio.run(look()))


def artifacts(
    run: RunArgument,
    job: Annotated[
        str | None,
        typer.Argument(help="Only this job's, or one variant's: 'test (3.11, alpine)'.", show_default=False),
    ] = None,
    download: Annotated[
        Path | None, typer.Option("--download", "-d", help="Copy them into this folder, as tar archives.")
    ] = None,
    attempt: AttemptOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
    store: StoreOption = None,
) -> None:
    """List a run's artifacts, or copy them."""
    from orchestrator.cli.target import connected, opened_store
    from orchestrator.client import artifacts as stored
    from orchestrator.client import runs
    from orchestrator.client.attempts import execution_of

    async def look() -> None:
        client = await connected(address, namespace=namespace)
        execution = await execution_of(client, run, attempt)
        found = stored.artifacts_of(await runs.record(client, run, execution=execution), job=job)
        files = {}
        if download is not None:
            kept = opened_store(store)
            files = {item.ref.key: str(await stored.download(kept, item, download)) for item in found}
        if out is Output.JSON:
            output.data_json(
                [
                    {"job": item.job}
                    | ({"variant": item.variant} if item.variant else {})
                    | item.ref.model_dump(mode="json")
                    | ({"file": files[item.ref.key]} if files else {})
                    for item in found
                ]
            )
            return
        rows = [
            [
                item.variant or item.job,
                item.ref.path,
                f"{item.ref.size:,}",
                item.ref.sha256[:12],
                files.get(item.ref.key, ""),
            ]
            for item in found
        ]
        output.data(output.table(["job", "path", "bytes", "sha256", "file" if files else ""], rows))

    asyncio.run(look())
