"""Starting things: `run`, `up`, `worker`, `submit`."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.options import (
    AddressOption,
    AllowCallsOption,
    AllowHostsOption,
    DryRunOption,
    MocksOption,
    NamespaceOption,
    Output,
    OutputOption,
    ParamOption,
    QueueOption,
    RefOption,
    SpecArgument,
    StoreOption,
)
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.client.prepare import Checked
    from orchestrator.contract.mocks import Mocks
    from orchestrator.embedded.home import Home


def run(
    spec: SpecArgument,
    param: ParamOption = None,
    ref: RefOption = None,
    dry_run: DryRunOption = False,
    mocks: MocksOption = None,
    allow_calls: AllowCallsOption = None,
    allow_hosts: AllowHostsOption = None,
    out: OutputOption = Output.TEXT,
) -> None:
    """Run a workflow on this machine: starts Temporal and a worker, submits, follows, ends with the run's exit code.

    Ctrl-C asks the run to cancel and waits for its clean-up; twice detaches.
    """
    from orchestrator.client.prepare import check
    from orchestrator.embedded.home import find_home

    # Nothing is started for a spec that is wrong.
    checked = check(spec, param or [])
    ends = _mocks(checked, dry_run=dry_run, mocks=mocks)
    settings = _allowed(allow_calls, allow_hosts, folder=spec.resolve().parent)
    raise typer.Exit(asyncio.run(_run(checked, find_home(), ref=ref, mocks=ends, settings=settings, out=out)))


def _allowed(calls: str | None, hosts: str | None, *, folder: Path) -> dict[str, str]:
    """What a worker is told of functions that jobs may call; modules are found in `folder` unless it is told where.

    A folder alone allows nothing.
    """
    settings = {"ORCA_CALL_PATH": os.environ.get("ORCA_CALL_PATH") or str(folder)}
    settings |= {} if calls is None else {"ORCA_CALL_MODULES": calls}
    return settings | ({} if hosts is None else {"ORCA_HTTP_HOSTS": hosts})


def _mocks(checked: "Checked", *, dry_run: bool, mocks: Path | None) -> "Mocks | None":
    """How the jobs of a dry run end; None for a run that is meant. Raises UsageError and SpecError."""
    from orchestrator.client.mocks import read_mocks
    from orchestrator.contract.mocks import Mocks

    if mocks is not None and not dry_run:
        raise UsageError("--mocks says how the jobs of a dry run end; add --dry-run, or leave it out")
    if not dry_run:
        return None
    return read_mocks(mocks, checked.compiled.plan) if mocks else Mocks()


async def _run(
    checked: "Checked",
    home: "Home",
    *,
    ref: str | None,
    mocks: "Mocks | None",
    settings: dict[str, str],
    out: Output,
) -> int:
    from orchestrator.cli.following import follow_to_end
    from orchestrator.cli.target import opened_store, queue_of
    from orchestrator.client import runs
    from orchestrator.client.connect import connect_embedded
    from orchestrator.client.people import whoami
    from orchestrator.client.prepare import prepare
    from orchestrator.embedded.server import use_server
    from orchestrator.embedded.worker import WorkerProcess

    store = opened_store(None)
    with use_server(home) as server:
        worker = WorkerProcess(home, address=server.address, settings=settings)
        try:
            client = await connect_embedded(server.address)
            prepared = await prepare(checked, store=store, ref=ref, dry=mocks is not None)
            _warn(prepared.warnings)
            run_id = await runs.submit(
                client, prepared, task_queue=queue_of(None), submitted_by=whoami(), mocks=mocks
            )
            output.note(f"{_what(mocks)} {run_id}: {server.ui}/namespaces/default/workflows/{run_id}")
            code = await follow_to_end(client, run_id, store=store, out=out, watch_over=lambda: worker.failed)
            output.note(
                f"Web UI: {server.ui} while 'orca up' runs; the run's page is /namespaces/default/workflows/{run_id}"
            )
            return code
        finally:
            worker.stop()


def up(
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Start the server alone.")] = False,
    port: Annotated[int | None, typer.Option(help="Temporal's port. Default: 7233, or a free one.")] = None,
    ui_port: Annotated[
        int | None, typer.Option(help="The Web UI's port. Default: 8233, or a free one.")
    ] = None,
    allow_calls: AllowCallsOption = None,
    allow_hosts: AllowHostsOption = None,
    out: OutputOption = Output.TEXT,
) -> None:
    """Start the embedded Temporal server with its Web UI, and a worker, until Ctrl-C. State is kept in a file."""
    settings = _allowed(allow_calls, allow_hosts, folder=Path.cwd())
    asyncio.run(_up(no_worker=no_worker, port=port, ui_port=ui_port, settings=settings, out=out))


async def _up(
    *, no_worker: bool, port: int | None, ui_port: int | None, settings: dict[str, str], out: Output
) -> None:
    from orchestrator.embedded.home import find_home
    from orchestrator.embedded.server import use_server
    from orchestrator.embedded.worker import WorkerProcess
    from orchestrator.errors import OrcaError, TemporalUnreachable

    home = find_home()
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    with use_server(home, port=port, ui_port=ui_port) as server:
        worker = None if no_worker else WorkerProcess(home, address=server.address, settings=settings)
        try:
            if out is Output.JSON:
                output.data_json({"address": server.address, "ui": server.ui, "home": str(home.root)})
            else:
                output.data(f"Temporal: {server.address}   Web UI: {server.ui}   state: {home.root}")
                output.note("submit with 'orca submit SPEC' from another terminal; Ctrl-C stops")
            while not stop.is_set():
                if worker and worker.failed:
                    raise OrcaError(worker.failed)
                if not server.alive:
                    raise TemporalUnreachable(
                        f"the embedded Temporal server has stopped; see '{home.log('temporal')}'"
                    )
                try:
                    await asyncio.wait_for(stop.wait(), 0.5)
                except TimeoutError:
                    continue
        finally:
            if worker:
                output.note("stopping; containers that run are left running for the next worker")
                worker.stop()


def worker(
    address: AddressOption = None,
    namespace: NamespaceOption = None,
    task_queue: QueueOption = None,
    store: StoreOption = None,
    max_jobs: Annotated[
        int | None, typer.Option(min=1, help="Jobs at a time. Default: ORCA_MAX_JOBS, else 4 for each CPU.")
    ] = None,
    allow_calls: AllowCallsOption = None,
    allow_hosts: AllowHostsOption = None,
) -> None:
    """Run a worker against any Temporal: takes jobs from the task queue and runs their containers on this host."""
    from orchestrator.cli.target import address_of

    env = dict(os.environ)
    wanted = {
        "TEMPORAL_ADDRESS": address_of(address),
        "TEMPORAL_NAMESPACE": namespace,
        "ORCA_TASK_QUEUE": task_queue,
        "ORCA_STORE": store,
        "ORCA_MAX_JOBS": None if max_jobs is None else str(max_jobs),
    }
    env |= {name: value for name, value in wanted.items() if value is not None}
    env |= _allowed(allow_calls, allow_hosts, folder=Path.cwd())
    sys.stdout.flush()
    # In this process's place: signals and the exit code need no forwarding. Not a package of that name in this folder.
    os.execve(sys.executable, [sys.executable, "-P", "-m", "workers"], env)


def submit(
    spec: SpecArgument,
    param: ParamOption = None,
    ref: RefOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow the run; end with its exit code.")
    ] = False,
    dry_run: DryRunOption = False,
    mocks: MocksOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
    task_queue: QueueOption = None,
    store: StoreOption = None,
) -> None:
    """Start a run and print its id."""
    from orchestrator.cli.following import follow_to_end
    from orchestrator.cli.target import connected, opened_store, queue_of
    from orchestrator.client import runs
    from orchestrator.client.people import whoami
    from orchestrator.client.prepare import check, prepare
    from orchestrator.client.takers import why_nobody_takes

    async def start() -> int:
        # Before anything is connected: a wrong spec is exit 2, with or without a server.
        checked = check(spec, param or [])
        ends = _mocks(checked, dry_run=dry_run, mocks=mocks)
        client = await connected(address, namespace=namespace)
        kept = opened_store(store)
        prepared = await prepare(checked, store=kept, ref=ref, dry=ends is not None)
        _warn(prepared.warnings)
        queue = queue_of(task_queue)
        run_id = await runs.submit(client, prepared, task_queue=queue, submitted_by=whoami(), mocks=ends)
        if (why := await why_nobody_takes(client, queue)) is not None:
            output.note(why)
        if not follow:
            output.data_json({"run_id": run_id}) if out is Output.JSON else output.data(run_id)
            return 0
        output.note(f"{_what(ends)} {run_id}")
        return await follow_to_end(client, run_id, store=kept, out=out)

    raise typer.Exit(asyncio.run(start()))


def _what(mocks: "Mocks | None") -> str:
    return "run" if mocks is None else "dry run"


def _warn(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        output.note(f"warning: {warning}")
