"""`python -m benchmarks.services`: a job with two services by the worker's supervision alone, against the bare engine.

Without Temporal and without the command line: what remains is what supervision itself costs. `make bench` measures a
whole run.
"""

import argparse
import asyncio
import secrets
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import bare_services
from orchestrator.contract.messages import ContainerRequest
from orchestrator.contract.services import ServiceRequest, ServiceScope, StartServices, StopServices
from orchestrator.plan.service_model import HealthCheck
from orchestrator.store.store import open_store
from workers.engine.docker_engine import DockerEngine
from workers.supervision.container_try import Supervisor
from workers.supervision.services.identity import container_of, network_of

SERVICES = (
    ServiceRequest(
        name="postgres",
        image=bare_services.POSTGRES,
        generated=("POSTGRES_PASSWORD",),
        health_check=HealthCheck(test=("CMD", *bare_services.CHECK)),
        start_timeout=60,
    ),
    ServiceRequest(
        name="redis",
        image=bare_services.REDIS,
        health_check=HealthCheck(test=("CMD", *bare_services.PING)),
        start_timeout=60,
    ),
)


async def job_with_services(supervisor: Supervisor, times: dict[str, list[float]]) -> float:
    """Seconds for start, job and stop; `times` gets the parts."""
    scope = ServiceScope(run_id=f"bench-{secrets.token_hex(4)}", attempt=1, job="job")
    request = ContainerRequest(
        run_id=scope.run_id,
        attempt=1,
        job="job",
        image=bare_services.IMAGE,
        commands=("true",),
        timeout=60,
        stop_grace=10,
        networks=(network_of(scope),),
        services=tuple(container_of(scope, service.name) for service in SERVICES),
    )
    begin = time.perf_counter()
    started = await supervisor.services.start(
        StartServices(scope=scope, services=SERVICES), lambda beat: None, lambda: "cancel"
    )
    healthy = time.perf_counter()
    outcome = await supervisor.run_try(request, lambda beat: None, lambda: "cancel")
    done = time.perf_counter()
    stop = StopServices(scope=scope, services=SERVICES, stop_grace=bare_services.GRACE)
    stopped = await supervisor.services.stop(stop, lambda beat: None)
    end = time.perf_counter()
    if (started.status, outcome.status, stopped.warnings) != ("success", "success", ()):
        raise RuntimeError(f"{started.reason} {outcome.reason} {stopped.warnings}")
    for part, spent in (("start", healthy - begin), ("job", done - healthy), ("stop", end - done)):
        times.setdefault(part, []).append(spent)
    return end - begin


async def bench(rounds: int) -> None:
    """Measure by turns and print."""
    engine = DockerEngine()
    floor, ours, times = list[float](), list[float](), dict[str, list[float]]()
    with tempfile.TemporaryDirectory(prefix="orca-bench-") as folder, ThreadPoolExecutor(16) as threads:
        supervisor = Supervisor(
            engine=engine, store=open_store(str(Path(folder) / "store")), host="bench", threads=threads
        )
        for turn in range(rounds + 1):
            bare = await asyncio.to_thread(
                bare_services.job_with_services, f"orca-bench-{secrets.token_hex(4)}"
            )
            spent = await job_with_services(supervisor, times if turn else {})
            if turn:
                floor.append(bare)
                ours.append(spent)
        await supervisor.drain()
    engine.close()
    ratio = statistics.median(ours) / statistics.median(floor)
    print(f"job with two services, supervision alone: floor {statistics.median(floor):.2f} s,", end=" ")
    print(f"orca {statistics.median(ours):.2f} s, ratio {ratio:.2f} (medians of {rounds})")
    print(", ".join(f"{part} {statistics.median(spent):.2f} s" for part, spent in times.items()))


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.services", description=__doc__)
    options.add_argument("--rounds", type=int, default=7, help="measures of each kind; the median counts")
    asyncio.run(bench(options.parse_args().rounds))


if __name__ == "__main__":
    main()
