"""Whether what runs need is there: `doctor`."""

import asyncio
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.doctor_replay import (
    DEFAULT_LIMIT,
    LimitOption,
    QueryOption,
    ReplayOption,
    replay_runs,
)
from orchestrator.cli.options import (
    AddressOption,
    NamespaceOption,
    Output,
    OutputOption,
    QueueOption,
    StoreOption,
)
from orchestrator.errors import OrcaError, UsageError

if TYPE_CHECKING:
    from orchestrator.client.doctor.checks import Check
    from orchestrator.client.doctor.facts import Facts, ServerFacts
    from orchestrator.contract.doctor import HostReport, LeftOver

MISSING = 3
"""Exit code where something is missing that runs need."""
_SIGNS = {"ok": "✓", "warning": "!", "wrong": "✗"}


def doctor(
    reap: Annotated[
        bool, typer.Option("--reap", help="Remove now what nobody needs any more on this host.")
    ] = False,
    replay: ReplayOption = False,
    limit: LimitOption = DEFAULT_LIMIT,
    query: QueryOption = None,
    out: OutputOption = Output.TEXT,
    store: StoreOption = None,
    task_queue: QueueOption = None,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Check that all is there that runs need, and show what is left over on this host.

    --replay looks at runs alone: whether they would go on with this orca. It ends with 1 where one would not.
    """
    from orchestrator.client.doctor.checks import checks

    if replay and reap:
        raise UsageError("--replay looks at runs and --reap at this host; ask for one of them")
    if replay:
        raise typer.Exit(asyncio.run(_replay(address, namespace, query=query, limit=limit, out=out)))
    if query is not None:
        raise UsageError("--query says which runs --replay looks at; add --replay")

    facts = asyncio.run(_look(address, namespace, store, task_queue, reap=reap))
    found = checks(facts)
    wrong = any(check.level == "wrong" for check in found)
    left = facts.host.found if facts.host is not None else ()
    if out is Output.JSON:
        output.data_json(
            {
                "ok": not wrong,
                "checks": [asdict(check) for check in found],
                "leftovers": [one.model_dump() for one in left],
            }
        )
    else:
        for check in found:
            output.data(_line(check))
        _print_leftovers(left)
    if wrong:
        raise typer.Exit(MISSING)


async def _replay(
    address: str | None, namespace: str | None, *, query: str | None, limit: int, out: Output
) -> int:
    from orchestrator.cli.target import connected

    return await replay_runs(await connected(address, namespace=namespace), query=query, limit=limit, out=out)


async def _look(
    address: str | None, namespace: str | None, store: str | None, task_queue: str | None, *, reap: bool
) -> "Facts":
    """All facts, asked for side by side."""
    from orchestrator.cli.target import queue_of, store_url
    from orchestrator.client.doctor.facts import Facts
    from orchestrator.client.doctor.storing import store_facts
    from orchestrator.embedded.home import find_home
    from orchestrator.plan.model import PLAN_VERSION

    home, home_error, queue = "", "", queue_of(task_queue)
    url = store or os.environ.get("ORCA_STORE") or ""
    try:
        home = str(find_home().root)
        url = store_url(store)
    except UsageError as error:
        home_error = str(error)
    server, stored, host = await asyncio.gather(
        _server(address, namespace, queue), store_facts(url), _host(address, namespace, url, reap=reap)
    )
    report, host_error = (None, host) if isinstance(host, str) else (host, "")
    return Facts(
        task_queue=queue,
        plan_version=PLAN_VERSION,
        home=home,
        home_error=home_error,
        server=server,
        store=stored,
        host=report,
        host_error=host_error,
    )


async def _server(address: str | None, namespace: str | None, queue: str) -> "ServerFacts":
    from orchestrator.cli.target import connected
    from orchestrator.client.doctor.facts import ServerFacts
    from orchestrator.client.doctor.server import server_facts

    try:
        client = await connected(address, namespace=namespace)
    except OrcaError as error:
        return ServerFacts(address or "", namespace or "", error=str(error))
    return await server_facts(client, queue)


async def _host(address: str | None, namespace: str | None, store: str, *, reap: bool) -> "HostReport | str":
    """What a worker would see of this host, or why nobody could look."""
    from orchestrator.cli.target import surroundings
    from orchestrator.embedded.host_report import host_report

    try:
        led = surroundings(address, namespace=namespace)
        return await host_report({**led, "ORCA_STORE": store}, reap=reap)
    except OrcaError as error:
        return str(error)


def _line(check: "Check") -> str:
    sign = _SIGNS[check.level]
    advice = f"\n{'':14}{check.advice}" if check.advice else ""
    return f"{sign} {check.name:<10}  {check.text}{advice}"


def _print_leftovers(found: "tuple[LeftOver, ...]") -> None:
    """What goes and what stays, with why; what is in use is only counted."""
    shown = [one for one in found if one.fate != "live"]
    if shown:
        rows = [[f"{one.kind} {one.name}", one.run, one.of, _fate(one), one.why] for one in shown]
        output.data("")
        output.data(output.table(["LEFT ON THIS HOST", "RUN", "OF", "WHAT BECOMES OF IT", "WHY"], rows))
    used = len(found) - len(shown)
    if used:
        output.data(f"\n{used} more {'is' if used == 1 else 'are'} in use by runs that go on")


def _fate(one: "LeftOver") -> str:
    from orchestrator.plan.phrases import lasting

    if one.failed:
        return f"still there: {one.failed}"
    if one.done:
        return "removed" if one.fate == "remove" else "stopped"
    if one.fate not in ("remove", "stop"):
        return "kept" if one.fate == "kept" else "left alone"
    what = "goes" if one.fate == "remove" else "is stopped"
    if one.wait is None:
        return f"{what} with --reap"
    return f"{what} in {lasting(round(one.wait))}" if one.wait >= 1 else f"{what} at the next look"
