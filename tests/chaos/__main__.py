"""`make chaos`: rounds of runs whose parts are killed, stopped and frozen, and a report of what held.

    python -m tests.chaos --rounds 200 --seed 1

Takes root, and an engine that has the image. Ends with 1 where an invariant was broken.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from temporalio.runtime import Runtime, TelemetryConfig

from tests.chaos.faults import schedule
from tests.chaos.lab import Lab, short_folder
from tests.chaos.one_round import Result, run_round
from tests.chaos.report import as_json, as_markdown


def main() -> int:
    """Play what the arguments say; the exit code. Told to stop (SIGTERM), it reports what it has played."""
    words = _arguments()
    # Its own log goes to stdout, and that a server does not answer is no news here.
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))
    folder = words.folder or short_folder()
    numbers = [words.round] if words.round else list(range(1, words.rounds + 1))
    results: list[Result] = []
    stopped = False
    try:
        asyncio.run(_play(words, numbers, results, folder=folder))
    except asyncio.CancelledError:
        stopped = True
    results.sort(key=lambda result: result.schedule.number)
    last = results[-1].schedule.number if stopped and results else words.rounds
    report = as_json(results, command=repeated_by(words, last=last))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=1))
    (folder / "report.md").write_text(as_markdown(report))
    sys.stdout.write(as_markdown(report))
    sys.stderr.write(f"the report is in '{folder}'\n")
    return 1 if report["broken"] else 128 + signal.SIGTERM if stopped else 0


def repeated_by(words: argparse.Namespace, *, last: int) -> str:
    """The command that plays the same rounds again, up to the `last` one."""
    which = f"--round {words.round}" if words.round else f"--rounds {last}"
    beside = f" --parallel {words.parallel}" if words.parallel > 1 else ""
    return f"python -m tests.chaos {which} --seed {words.seed}{beside}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how many; default 10")
    parser.add_argument("--seed", type=int, default=1, help="what all chance comes from; default 1")
    parser.add_argument("--round", type=int, default=0, help="play only this round of the seed")
    parser.add_argument("--parallel", type=int, default=1, help="rounds at a time, each on a host of its own")
    parser.add_argument(
        "--folder", type=Path, help="where evidence and report go; default: a new one in /tmp"
    )
    parser.add_argument("--keep", action="store_true", help="keep the evidence of rounds that held, too")
    return parser.parse_args()


async def _play(
    words: argparse.Namespace, numbers: list[int], results: list[Result], *, folder: Path
) -> None:
    labs = [Lab(f"chaos{number}") for number in range(1, min(words.parallel, len(numbers)) + 1)]
    waiting = iter(numbers)
    playing = asyncio.current_task()
    assert playing is not None
    # What was started is ended, as with Ctrl-C.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    try:
        # In this thread, which lives as long as they do.
        for lab in labs:
            lab.open()
        await asyncio.gather(
            *(_rounds(lab, words.seed, waiting, results, folder=folder, keep=words.keep) for lab in labs)
        )
    finally:
        for lab in labs:
            lab.close()


async def _rounds(
    lab: Lab, seed: int, waiting: Iterator[int], results: list[Result], *, folder: Path, keep: bool
) -> None:
    for number in waiting:
        place = folder / f"round-{number:03}"
        result = await run_round(lab, schedule(seed, number), folder=place, keep=keep)
        results.append(result)
        held = "broken: " + "; ".join(result.breaches) if result.breaches else "held"
        sys.stderr.write(f"round {number}: {result.seconds:.1f} s, {len(result.done)} faults, {held}\n")


if __name__ == "__main__":
    sys.exit(main())
