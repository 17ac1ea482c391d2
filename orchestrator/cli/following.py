"""Following a run to its end from the terminal: Ctrl-C asks it to cancel, twice detaches."""

import asyncio
import signal
from collections.abc import Callable, Mapping

from temporalio.client import Client

from orchestrator.cli import output, words
from orchestrator.cli.notable import next_steps, notable
from orchestrator.cli.options import Output
from orchestrator.cli.progress import Progress, progress
from orchestrator.client import runs
from orchestrator.client.follow import Trouble, follow
from orchestrator.contract.messages import RunRecord, ServiceRecord
from orchestrator.contract.services import SHARED
from orchestrator.errors import OrcaError, UsageError
from orchestrator.store.store import Store


async def follow_to_end(
    client: Client,
    run: str,
    *,
    store: Store | None,
    out: Output,
    watch_over: Callable[[], str | None] = lambda: None,
) -> int:
    """Show the run until it has ended, print its record, and return the exit code.

    `watch_over` says why following makes no more sense (the command's own worker died), or None.
    """
    with progress() as shown:
        interrupts = _Interrupts(client, run, shown)
        task = asyncio.create_task(_show(client, run, store, shown))
        with interrupts.handled(task):
            final = await _supervise(task, watch_over)
    if final is None:
        output.note(f"detached from run '{run}'; it goes on as long as a worker runs: 'orca watch {run}'")
        return output.INTERRUPTED
    print_record(final, out)
    return words.EXIT_CODES[final.status]


async def watch_to_end(client: Client, run: str, *, store: Store | None, out: Output) -> int:
    """Show a run until it has ended and return its exit code. Ctrl-C ends the watching and leaves the run alone."""
    with progress() as shown:
        task = asyncio.create_task(_show(client, run, store, shown))
        with _Handlers(task.cancel):
            await asyncio.wait([task])
    if task.cancelled():
        return output.INTERRUPTED
    final = task.result()
    print_record(final, out)
    return words.EXIT_CODES[final.status]


async def _show(client: Client, run: str, store: Store | None, shown: Progress) -> RunRecord:
    final: RunRecord | None = None
    async for event in follow(client, run, store=store):
        shown.show(event)
        final = event if isinstance(event, RunRecord) else final
    if final is None:
        raise OrcaError(f"run '{run}' ended without a record; look at it in the Web UI")
    return final


async def _supervise(task: asyncio.Task[RunRecord], watch_over: Callable[[], str | None]) -> RunRecord | None:
    while not task.done():
        await asyncio.wait([task], timeout=0.5)
        trouble = watch_over()
        if trouble and not task.done():
            task.cancel()
            raise OrcaError(trouble)
    return None if task.cancelled() else task.result()


class _Interrupts:
    def __init__(self, client: Client, run: str, shown: Progress) -> None:
        self._client, self._run, self._shown = client, run, shown
        self._asking: asyncio.Task[None] | None = None

    def handled(self, following: asyncio.Task[RunRecord]) -> "_Handlers":
        return _Handlers(lambda: self._interrupt(following))

    def _interrupt(self, following: asyncio.Task[RunRecord]) -> None:
        if self._asking is None:
            self._shown.say(
                "asking the run to cancel and waiting for its clean-up; press Ctrl-C again to detach"
            )
            self._asking = asyncio.create_task(self._ask())
        else:
            following.cancel()

    async def _ask(self) -> None:
        try:
            await runs.cancel(self._client, self._run)
        except UsageError:
            return  # It has ended by itself meanwhile; following shows how.
        except OrcaError as error:
            self._shown.show(Trouble(f"the run could not be asked to cancel: {error}"))
            self._asking = None


class _Handlers:
    """Ctrl-C and SIGTERM go to `callback` inside the block."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback = callback

    def __enter__(self) -> None:
        for sign in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(sign, self._callback)

    def __exit__(self, *_: object) -> None:
        for sign in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(sign)


def print_record(record: RunRecord, out: Output) -> None:
    """A run's record on stdout, as JSON or as a table."""
    if out is Output.JSON:
        output.data_json(record.model_dump(mode="json"))
        return
    output.data(words.headline(record))
    output.data(output.table(["  job", "state", "tries", "exit", "time", "note"], _rows(record)))
    for job in record.jobs.values():
        for warning in job.warnings:
            output.data(f"warning: {warning}")
        for variant, state in job.variants.items():
            for warning in state.warnings:
                output.data(f"warning: {variant}: {warning}")
    for name, value in record.outputs.items():
        output.data(f"output {name} = {words.value(value)}")
    for line in notable(record):
        output.data(line)
    if record.error:
        # What a service printed last stands in the table.
        output.data(f"error: {words.first_line(record.error)}")
    for line in next_steps(record):
        output.data(line)


def _rows(record: RunRecord) -> list[list[str]]:
    """A row for each job, with its services and its variants below it; then the services that jobs share."""
    rows: list[list[str]] = []
    for name, job in record.jobs.items():
        rows.append(words.job_line(name, job))
        rows += _service_rows(job.services)
        for variant, state in job.variants.items():
            sign, *cells = words.job_line(variant, state)
            rows.append([f"  {sign}", *cells])
            rows += [[f"  {first}", *rest] for first, *rest in _service_rows(state.services)]
    if record.services:
        rows.append([f"  {SHARED}", "shared", "", "", "", ""])
        rows += _service_rows(record.services)
    return rows


def _service_rows(services: Mapping[str, ServiceRecord]) -> list[list[str]]:
    lines = (words.service_line(name, service) for name, service in services.items())
    return [[f"  {first}", *rest] for first, *rest in lines]
