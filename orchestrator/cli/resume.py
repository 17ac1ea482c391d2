"""`resume`: a new attempt of a run that has ended, and what it will do, told before it begins."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from orchestrator.cli import output
from orchestrator.cli.options import (
    AddressOption,
    NamespaceOption,
    Output,
    OutputOption,
    ParamOption,
    QueueOption,
    RunArgument,
    StoreOption,
)

if TYPE_CHECKING:
    from orchestrator.client.resume import Action, Expected, Resumption

_WORDS: Final = {
    "reuse": "reused",
    "run": "runs",
    "ask": "asks again",
    "skip": "skipped",
    "hold": "is held",
    "open": "decided when it is its turn",
}


def resume(
    run: RunArgument,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="JOB", help="Run JOB again, and all that comes after it.")
    ] = None,
    only_failed: Annotated[
        bool,
        typer.Option(
            "--only-failed",
            help="Take over every success, also where what it ran with, or a job before it, has changed.",
        ),
    ] = False,
    rerun: Annotated[
        list[str] | None,
        typer.Option(
            metavar="JOB",
            help="Run this job or variant again, and what comes after it. May be repeated.",
        ),
    ] = None,
    param: ParamOption = None,
    spec: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An edited spec of the same name. Default: the plan as it was."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be reused.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow the run; end with its exit code.")
    ] = False,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
    task_queue: QueueOption = None,
    store: StoreOption = None,
) -> None:
    """Start a new attempt of a run that has ended: what succeeded and has not changed is reused.

    Says before it starts which jobs it takes over, which run, and why.
    """
    from orchestrator.cli.following import follow_to_end
    from orchestrator.cli.target import connected, opened_store
    from orchestrator.client.people import whoami
    from orchestrator.client.resume import Wish, plan_attempt, start_attempt
    from orchestrator.client.takers import why_nobody_takes

    wish = Wish(begin, tuple(rerun or ()), only_failed, tuple(param or ()), spec)

    async def start() -> int:
        client = await connected(address, namespace=namespace)
        kept = opened_store(store)
        found = await plan_attempt(
            client, run, wish, store=kept, submitted_by=whoami(), task_queue=task_queue
        )
        for warning in found.warnings:
            output.note(f"warning: {warning}")
        # With --follow the data is the run's record.
        _print(found, out=out, as_note=follow and out is Output.JSON, started=not dry_run)
        if dry_run:
            return 0
        await start_attempt(client, found)
        if (why := await why_nobody_takes(client, found.request.task_queue)) is not None:
            output.note(why)
        if not follow:
            output.note(f"started; 'orca watch {run}' follows it")
            return 0
        return await follow_to_end(client, run, store=kept, out=out)

    raise typer.Exit(asyncio.run(start()))


def _print(found: "Resumption", *, out: Output, as_note: bool, started: bool) -> None:
    request = found.request
    if out is Output.JSON and not as_note:
        jobs = [
            {"name": one.name, "action": one.action, "why": one.why}
            | ({} if one.attempt is None else {"attempt": one.attempt})
            for one in found.expected
        ]
        output.data_json(
            {"run_id": request.run_id, "attempt": request.attempt, "started": started, "jobs": jobs}
        )
        return
    show = output.note if as_note else output.data
    show(output.table(["job", "what happens", "why"], [_row(one) for one in found.expected]))
    show(f"attempt {request.attempt} of run {request.run_id}: {summary(found.expected)}")


def _row(one: "Expected") -> list[str]:
    from orchestrator.cli import words

    what = _WORDS[one.action]
    if one.attempt is not None:
        what = f"{what} from attempt {one.attempt}"
    return [one.name, what, words.first_line(one.why)]


def summary(expected: "tuple[Expected, ...]") -> str:
    """`59 of 100 jobs are reused, 41 run`."""
    from orchestrator.client.resume import counts

    found = counts(list(expected))
    parts = [f"{found.get('reuse', 0)} of {len(expected)} are reused"]
    others: dict[Action, str] = {
        "run": "run",
        "ask": "ask people again",
        "skip": "are skipped",
        "hold": "are held for a person",
        "open": "are decided later",
    }
    parts += [f"{found[action]} {words}" for action, words in others.items() if action in found]
    return ", ".join(parts)
