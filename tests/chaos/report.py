"""What a number of rounds came to, as Markdown and as JSON. Pure."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.chaos.faults import MANNERS, PARTS
from tests.chaos.one_round import Result


def as_json(results: Sequence[Result], *, command: str) -> dict[str, Any]:
    """The counts, and each round that broke an invariant."""
    done = Counter(f"{one.manner} {one.part}" for result in results for one in result.done)
    times = sorted(result.seconds for result in results)
    return {
        "command": command,
        "rounds": len(results),
        "broken": [_told(result) for result in results if result.breaches],
        "live_restore": sum(result.schedule.live_restore for result in results),
        "faults": {f"{manner} {part}": done[f"{manner} {part}"] for part in PARTS for manner in MANNERS},
        "starts": sum(result.starts for result in results),
        "idle": sum(result.idle for result in results),
        "adoptions": sum(result.adoptions for result in results),
        "lost_tries": {
            "engine": sum(result.lost for result in results if not result.schedule.live_restore),
            "live_restore": sum(result.lost for result in results if result.schedule.live_restore),
            "worker": sum(result.lost_functions for result in results),
        },
        "torn_lines": sum(result.torn for result in results),
        "unremovable": sum(result.unremovable for result in results),
        "worker_ended_by_itself": sum(result.ended_by_itself for result in results),
        "seconds": {
            "median": round(statistics.median(times), 1) if times else 0.0,
            "longest": round(times[-1], 1) if times else 0.0,
        },
    }


def as_markdown(report: dict[str, Any]) -> str:
    """The same as two tables, and a list of what was broken."""
    faults: dict[str, int] = report["faults"]
    lost: dict[str, int] = report["lost_tries"]
    lines = [
        f"`{report['command']}`",
        "",
        "| | |",
        "| --- | --- |",
        f"| rounds | {report['rounds']} |",
        f"| rounds that broke an invariant | {len(report['broken'])} |",
        f"| rounds whose engine kept containers alive (`--live-restore`) | {report['live_restore']} |",
        f"| containers started | {report['starts']} |",
        f"| of these ended by their engine before they had begun anything, and started again | {report['idle']} |",
        f"| adoptions | {report['adoptions']} |",
        f"| tries whose container went with its engine | {lost['engine']} |",
        f"| tries that an engine with `--live-restore` lost sight of | {lost['live_restore']} |",
        f"| tries whose function went with its worker | {lost['worker']} |",
        f"| log lines that nobody wrote down, as the engine was away | {report['torn_lines']} |",
        f"| containers that their engine could not remove (`dead`) | {report['unremovable']} |",
        f"| workers that ended as their server did not answer | {report['worker_ended_by_itself']} |",
        f"| median time of a run | {report['seconds']['median']} s |",
        f"| longest | {report['seconds']['longest']} s |",
        "",
        f"| | {' | '.join(MANNERS)} |",
        f"| --- |{' --- |' * len(MANNERS)}",
        *(
            f"| {part} | {' | '.join(str(faults[f'{manner} {part}']) for manner in MANNERS)} |"
            for part in PARTS
        ),
    ]
    for one in report["broken"]:
        lines += [
            "",
            f"Round {one['round']} of seed {one['seed']}, run `{one['run']}`; evidence in `{one['evidence']}`:",
            "",
            *(f"- {breach}" for breach in one["breaches"]),
            f"- schedule: {'; '.join(one['schedule'])}",
        ]
    return "\n".join(lines) + "\n"


def _told(result: Result) -> dict[str, Any]:
    return {
        "seed": result.schedule.seed,
        "round": result.schedule.number,
        "live_restore": result.schedule.live_restore,
        "run": result.run,
        "breaches": list(result.breaches),
        "schedule": [str(fault) for fault in result.schedule.faults],
        "evidence": str(result.evidence),
    }
