"""`python -m benchmarks.waiting`: what waiting costs, and how soon a run goes on once a gate is answered.

The engine does nothing, so that what is measured is the interpreter, the worker and the server.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from temporalio.client import Client

from benchmarks.__main__ import start
from benchmarks.processes import module
from orchestrator.client import people, runs
from orchestrator.client.connect import connect
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.people import Answer
from orchestrator.contract.times import parse_rfc3339
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from orchestrator.store.store import Store, open_store

GATES, RUNS, QUEUE = 990, 1000, "waiting"
"""A run holds a thousand jobs at most, and some of them follow the gates."""
WATCHED = 10.0
"""Seconds for which processors are looked at."""


def gates_spec() -> str:
    """Many gates, and ten jobs that follow one of them each."""
    gates = "\n".join(f"  gate{number}: {{gate: Go on?}}" for number in range(GATES))
    after = "\n".join(
        f"  next{number}: {{image: 'alpine:latest', commands: ['true'], requires: [gate{number}]}}"
        for number in range(10)
    )
    return f"name: gates\njobs:\n{gates}\n{after}\n"


WAITING = "name: waiting\njobs:\n  pause: {wait: 12h}\n"


async def until(
    client: Client, run: str, reached: Callable[[RunRecord], bool], *, pause: float = 0.2
) -> RunRecord:
    """The run's record once it is as wanted."""
    while True:
        found = await runs.record(client, run)
        if reached(found):
            return found
        await asyncio.sleep(pause)


async def answers(client: Client, run: str) -> list[float]:
    """Seconds from an answer's return to the start of the job behind the gate, ten times."""
    spent: list[float] = []
    for number in range(10):
        await people.answer(client, run, Answer(gate=f"gate{number}", by="bench"))
        returned = time.time()
        found = await until(
            client, run, lambda record, name=f"next{number}": record.jobs[name].status == "success"
        )
        begun = parse_rfc3339(found.jobs[f"next{number}"].history[0].started_at or "")
        spent.append(begun.timestamp() - returned)
    return spent


def processor_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def used(pid: int, during: Callable[[], Awaitable[None]]) -> float:
    """Processor seconds of a process while something goes on."""
    before = processor_seconds(pid)
    await during()
    return processor_seconds(pid) - before


async def _watch() -> None:
    await asyncio.sleep(WATCHED)


async def bench(home: Home) -> None:
    """Measure and print."""
    with use_server(home) as server:
        client = await connect(server.address)
        store = open_store(str(home.store))
        env = {"TEMPORAL_ADDRESS": server.address, "ORCA_HOME": str(home.root), "ORCA_TASK_QUEUE": QUEUE}
        with module("benchmarks.idle_worker", env=env) as worker:
            await _settled(worker.pid)
            alone = await used(worker.pid, _watch)
            run = await start(client, store, gates_spec(), QUEUE)
            await until(
                client,
                run,
                lambda record: sum(job.status == "waiting" for job in record.jobs.values()) == GATES,
            )
            await _settled(worker.pid)
            open_gates = await used(worker.pid, _watch)
            moved = await answers(client, run)
            await runs.cancel(client, run)
            await runs.wait(client, run)
            await _many(client, store)
            await _settled(worker.pid)
            waiting = await used(worker.pid, _watch)
    print(f"worker's processor time in {WATCHED:g} s: alone {alone:.2f} s,", end=" ")
    print(f"with {GATES} open gates {open_gates:.2f} s, with {RUNS} runs that wait {waiting:.2f} s")
    print(
        f"from an answer's return to the next job's start: median {statistics.median(moved) * 1000:.0f} ms,",
        end=" ",
    )
    print(f"at most {max(moved) * 1000:.0f} ms (negative: the job began before the answer had returned)")


async def _many(client: Client, store: Store) -> None:
    """Start many runs that wait, fifty at a time."""
    for _ in range(RUNS // 50):
        await asyncio.gather(*(start(client, store, WAITING, QUEUE) for _ in range(50)))


async def _settled(pid: int) -> float:
    """Seconds until a process has taken in what has just been started; a minute at most."""
    begin = time.monotonic()
    for _ in range(20):
        before = processor_seconds(pid)
        await asyncio.sleep(3)
        if processor_seconds(pid) - before <= 0.02:
            break
    return time.monotonic() - begin


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(prog="python -m benchmarks.waiting", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="orca-bench-") as folder:
        asyncio.run(bench(Home(Path(folder))))


if __name__ == "__main__":
    main()
