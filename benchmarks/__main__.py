"""`make bench`: runs every measure several times, floor and orca by turns, and prints the medians as ratios."""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from temporalio.client import Client

from benchmarks import bare_docker, bare_services, bare_temporal, language
from benchmarks.measure import Measure
from benchmarks.processes import module, peak_memory
from orchestrator.client import runs
from orchestrator.client.connect import connect
from orchestrator.client.prepare import Checked, Prepared, prepare
from orchestrator.compile import compile_text
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from orchestrator.store.store import Store, open_store

CHAIN, WIDTH, PARALLEL, STEPS, IN_FLIGHT = 10, 50, 8, 200, 100


def chain_spec() -> str:
    """Ten jobs, each requiring the one before."""
    jobs = "\n".join(
        f"  job{number}: {{image: 'alpine:latest', commands: ['true']{_requires(number)}}}"
        for number in range(CHAIN)
    )
    return f"name: chain\njobs:\n{jobs}\n"


def _requires(number: int) -> str:
    return f", requires: [job{number - 1}]" if number else ""


def fan_spec() -> str:
    """One job, fifty beside one another, one. The worker's ORCA_MAX_JOBS keeps them to eight at a time."""
    middle = [f"m{number}" for number in range(WIDTH)]
    lines = [
        f"  {name}: {{image: 'alpine:latest', commands: ['true'], requires: [first]}}" for name in middle
    ]
    ends = "  first: {image: 'alpine:latest', commands: ['true']}\n"
    last = f"  last: {{image: 'alpine:latest', commands: ['true'], requires: [{', '.join(middle)}]}}\n"
    return f"name: fan-out\njobs:\n{ends}" + "\n".join(lines) + f"\n{last}"


def steps_spec() -> str:
    """Two hundred independent jobs."""
    jobs = "\n".join(
        f"  s{number}: {{image: 'alpine:latest', commands: ['true']}}" for number in range(STEPS)
    )
    return f"name: steps\nmax_parallel: {IN_FLIGHT}\njobs:\n{jobs}\n"


def services_spec() -> str:
    """A no-op job beside a PostgreSQL and a Redis, checked by the commands that the floor runs."""
    checks = {"postgres": bare_services.CHECK, "redis": bare_services.PING}
    images = {"postgres": bare_services.POSTGRES, "redis": bare_services.REDIS}
    services = "\n".join(
        f"      {name}: {{image: '{images[name]}', env: {{POSTGRES_PASSWORD: secret}}, "
        f"health_check: {{test: {json.dumps(['CMD', *check])}}}}}"
        for name, check in checks.items()
    )
    job = f"    image: '{bare_services.IMAGE}'\n    commands: ['true']\n    services:\n{services}\n"
    return f"name: with-services\njobs:\n  job:\n{job}"


async def _prepared(store: Store, text: str) -> Prepared:
    return await prepare(
        Checked(Path("bench.yaml"), compile_text(text.encode(), "bench.yaml"), {}), store=store
    )


async def start(client: Client, store: Store, text: str, queue: str) -> str:
    """Submit a run and return its id."""
    return await runs.submit(client, await _prepared(store, text), task_queue=queue)


async def run_once(client: Client, store: Store, text: str, queue: str) -> float:
    """Seconds from submitting a run to its end."""
    prepared = await _prepared(store, text)
    begin = time.perf_counter()
    run = await runs.submit(client, prepared, task_queue=queue)
    record = await runs.wait(client, run)
    spent = time.perf_counter() - begin
    if record.status != "success":
        raise RuntimeError(f"run {run} ended as {record.status}: {record.error}")
    return spent


async def bare_steps(client: Client, queue: str) -> float:
    """Seconds for the same number of bare activities."""
    begin = time.perf_counter()
    await client.execute_workflow(
        bare_temporal.WORKFLOW, args=[STEPS, IN_FLIGHT], id=f"bare-{time.time_ns()}", task_queue=queue
    )
    return time.perf_counter() - begin


async def by_turns(
    measure: Measure, rounds: int, floor: Callable[[], Awaitable[float]], orca: Callable[[], Awaitable[float]]
) -> None:
    """Warm both up once, then measure them in turn."""
    await floor()
    await orca()
    for _ in range(rounds):
        measure.floor.append(await floor())
        measure.orca.append(await orca())


async def bench(home: Home, rounds: int) -> tuple[list[Measure], dict[str, int]]:
    """All measures, and the workers' peak memory in bytes."""
    chain = Measure("chain of 10 containers", 1.10)
    fan = Measure("fan-out 1-50-1, 8 at a time", 1.05)
    steps = Measure("200 steps, idle engine", 1.5)
    beside = Measure("job with PostgreSQL and Redis", 1.15)
    memory: dict[str, int] = {}
    with use_server(home) as server:
        client = await connect(server.address)
        store = open_store(str(home.store))
        env = {"TEMPORAL_ADDRESS": server.address, "ORCA_HOME": str(home.root)}
        with module(
            "workers", env={**env, "ORCA_TASK_QUEUE": "docker", "ORCA_MAX_JOBS": str(PARALLEL)}
        ) as worker:
            await by_turns(
                chain,
                rounds,
                lambda: asyncio.to_thread(bare_docker.chain, CHAIN),
                lambda: run_once(client, store, chain_spec(), "docker"),
            )
            await by_turns(
                fan,
                rounds,
                lambda: asyncio.to_thread(bare_docker.fan_out, WIDTH, PARALLEL),
                lambda: run_once(client, store, fan_spec(), "docker"),
            )
            await by_turns(
                beside,
                rounds,
                lambda: asyncio.to_thread(bare_services.job_with_services, f"orca-bench-{time.time_ns()}"),
                lambda: run_once(client, store, services_spec(), "docker"),
            )
            memory["container worker"] = peak_memory(worker.pid)
        idle = {**env, "ORCA_TASK_QUEUE": "idle", "ORCA_MAX_JOBS": str(IN_FLIGHT)}
        with (
            module("benchmarks.idle_worker", env=idle) as worker,
            module("benchmarks.bare_temporal", "bare", env=env),
        ):
            await by_turns(
                steps,
                rounds,
                lambda: bare_steps(client, "bare"),
                lambda: run_once(client, store, steps_spec(), "idle"),
            )
            memory["idle worker"] = peak_memory(worker.pid)
    return [chain, fan, steps, beside], memory


def main() -> None:
    """Measure, print, and keep the figures in `benchmarks/results/`."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument(
        "what",
        nargs="?",
        choices=["all", "engine", "language"],
        default="all",
        help="which measures; default all",
    )
    options.add_argument("--rounds", type=int, default=5, help="measures of each kind; the median counts")
    chosen = options.parse_args()
    measures: list[Measure] = []
    notes: list[str] = []
    memory: dict[str, int] = {}
    if chosen.what in ("all", "language"):
        measures, notes = language.bench(chosen.rounds)
    if chosen.what in ("all", "engine"):
        with tempfile.TemporaryDirectory(prefix="orca-bench-") as folder:
            more, memory = asyncio.run(bench(Home(Path(folder)), chosen.rounds))
        measures += more
    print(f"{'':<34} {'floor':>10} {'orca':>10} {'ratio':>7} {'goal':>7}   (medians of {chosen.rounds})")
    for measure in measures:
        print(measure.line())
    for note in notes:
        print(note)
    for name, size in memory.items():
        print(f"peak memory of the {name}: {size / 1024 / 1024:.0f} MiB")
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    kept = {item.name: {"floor": item.floor, "orca": item.orca, "ratio": item.ratio} for item in measures}
    (results / f"{int(time.time())}.json").write_text(
        json.dumps({"measures": kept, "memory": memory}, indent=2)
    )


if __name__ == "__main__":
    main()
