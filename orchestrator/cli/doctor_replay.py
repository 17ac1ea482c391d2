"""`orca doctor --replay`: would the runs that are under way go on with the orca that is installed here?"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.options import Output

if TYPE_CHECKING:
    from temporalio.client import Client

    from orchestrator.client.replaying import Replayed

DEFAULT_LIMIT = 100
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, help="With --replay: at most so many runs, the newest first.")
]
QueryOption = Annotated[
    str | None,
    typer.Option(
        "--query",
        metavar="FILTER",
        help=(
            "With --replay: which runs, in Temporal's list filter, such as \"OrcaSpec = 'ci'\"; "
            "default: those that have not ended."
        ),
    ),
]
ReplayOption = Annotated[
    bool, typer.Option("--replay", help="Would runs that are under way go on with the orca installed here?")
]


async def replay_runs(client: "Client", *, query: str | None, limit: int, out: Output) -> int:
    """Replay runs, print what became of each, and give the exit code: 1 where one could not go on.

    Raises UsageError for a filter that the server refuses, TemporalUnreachable where it does not answer.
    """
    import logging

    from orchestrator import __version__
    from orchestrator.client.replaying import replay

    # The SDK logs each failure with its stack, and the table says it in words.
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    found = [one async for one in replay(client, query=query, limit=limit)]
    broken = [one for one in found if one.breaks]
    if out is Output.JSON:
        output.data_json(
            {
                "version": __version__,
                "replayed": len(found),
                "broken": len(broken),
                "runs": [asdict(one) | {"breaks": one.breaks} for one in found],
            }
        )
    else:
        _print(found, broken, client.namespace, limit)
    return 1 if broken else 0


def _print(found: "list[Replayed]", broken: "list[Replayed]", namespace: str, limit: int) -> None:
    if not found:
        output.data(f"no run in namespace '{namespace}' to replay")
        return
    rows = [[one.run_id, str(one.events), *_told(one)] for one in found]
    output.data(output.table(["run", "events", "goes on", "note"], rows))
    many = "1 run" if len(found) == 1 else f"{len(found)} runs"
    more = f" (--limit {limit}: there may be more)" if len(found) == limit else ""
    if not broken:
        output.data(f"{many} replayed{more}: workers with this orca can carry on all of them")
        return
    output.data(
        f"{many} replayed{more}: {len(broken)} could not go on with this orca, and would wait for a worker of the "
        "version that they began with. Leave such workers running until those have ended, or switch worker "
        "versioning on (docs/upgrading.md)"
    )


def _told(one: "Replayed") -> tuple[str, str]:
    """Whether it goes on, and what is said of that."""
    where = f"{one.where}: " if one.where else ""
    problem = f"{where}{one.problem}" if one.problem else ""
    if one.pinned_to:
        stays = f"pinned to version '{one.pinned_to}', whose workers end it"
        return "as pinned", f"{stays}; with this orca: {problem}" if problem else stays
    return ("NO", problem) if problem else ("yes", "")
