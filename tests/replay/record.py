"""Records the histories that `test_replay.py` replays: `python -m tests.replay.record [NAME …]`.

Record a new one when the interpreter gains a kind of event. Never record an old one anew to make a red test green: a
history stands for the runs that are under way somewhere.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from orchestrator.client import runs
from orchestrator.client.connect import connect
from orchestrator.contract.messages import JobRecord
from orchestrator.contract.names import WORKFLOW_TYPE, host_queue
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from orchestrator.interpreter.workflow import RunWorkflow
from orchestrator.plan.model import Matrix, Plan, Requirement, Strategy
from orchestrator.store.store import open_store
from tests.support.house import service, with_services
from tests.support.memory_engine import MemoryEngine, Program, Running
from tests.support.plans import for_each, job, matrix, plan, request
from workers.activities.container import ContainerActivities
from workers.activities.services import ServiceActivities
from workers.supervision.container_try import Supervisor

HISTORIES = Path(__file__).with_name("histories")

PLANS: dict[str, Callable[[], Plan]] = {
    "diamond": lambda: plan(
        job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c"), outputs={"end": "${{ jobs.d.status }}"}
    ),
    "conditions": lambda: plan(
        job("a", condition="${{ git.ref == 'refs/heads/main' }}"),
        job("b", "a"),
        job("bad", entrypoint=("fail",), on_error="continue"),
        job("heal", Requirement(job="bad", condition="failure")),
        job("error", env={"N": "${{ fromJSON('{') }}"}, on_error="continue"),
        job("left", Requirement(job="a", condition="failure")),
        job("end", finalizer=True, on_complete="always"),
        job("alert", finalizer=True, on_complete="failure"),
    ),
    "retries": lambda: plan(job("a", entrypoint=("fail",), retry={"max_attempts": 3, "delay": 0.1})),
    "limits": lambda: plan(*(job(f"job{number}") for number in range(12)), max_parallel=3),
    "timeout": lambda: plan(
        job("nap", entrypoint=("nap",)),
        job("b", "nap"),
        job("end", finalizer=True, on_complete="always"),
        timeout=1,
    ),
    "matrix": lambda: plan(
        matrix(
            "test",
            {"python": ["3.11", "3.12"], "does": ["nothing", "fail"]},
            entrypoint=("${{ matrix.does }}",),
            max_parallel=3,
            fail_fast=False,
            retry={"max_attempts": 2, "delay": 0.1},
        ),
        job("after", Requirement(job="test", condition="failure")),
        matrix("end", {"n": [1, 2]}, finalizer=True, on_complete="always"),
    ),
    "dynamic-matrix": lambda: plan(
        job("list", env={"TEXT": 'all=["a","b"]'}, entrypoint=("out",)),
        job(
            "test",
            "list",
            strategy=Strategy(matrix=Matrix(axes={"n": "${{ fromJSON(jobs.list.outputs.all) }}"})),
            env={"TEXT": "n=${{ matrix.n }}"},
            entrypoint=("out",),
        ),
        job("use", "test", env={"ALL": "${{ join(jobs.test.matrix[*].outputs.n) }}"}),
        job("none", strategy=Strategy(items="${{ fromJSON('[]') }}")),
        outputs={"all": "${{ join(jobs.test.matrix[*].outputs.n) }}"},
    ),
    "batches": lambda: plan(for_each("test", ["a", "b", "c", "d", "e"], batch_size=2)),
    "fail-fast": lambda: plan(
        for_each("test", ["nap", "fail", "nothing"], max_parallel=2, entrypoint=("${{ item }}",)),
        job("after", "test"),
    ),
    "hashes": lambda: plan(
        job(
            "a",
            condition="hashFiles('a', '!b') == '12'",
            env={"TEXT": "n=${{ hashFiles('c') }}"},
            entrypoint=("${{ hashFiles('nothing') || 'out' }}",),
        ),
        job("unknown", env={"N": "${{ hashFiles('not computed') }}"}, on_error="continue"),
        outputs={"all": "${{ jobs.a.outputs.n }}${{ hashFiles('a', '!b') }}"},
    ),
    "cancel": lambda: plan(
        job("nap", entrypoint=("nap",)), job("b", "nap"), job("end", finalizer=True, on_complete="always")
    ),
    "services": lambda: plan(
        job("before"),
        with_services(
            "test", "before", service("db"), service("cache"), env={"AT": "${{ services.db.host }}"}
        ),
        for_each("each", ["a", "b"], "test", services=(service(),), entrypoint=("${{ item }}",)),
        job("after", "each"),
    ),
    "service-failure": lambda: plan(
        with_services(
            "test", service(), service("bad", does="early"), retry={"max_attempts": 2, "delay": 0.1}
        ),
        with_services("other", service("bad", does="early", required=False)),
    ),
    "services-cancel": lambda: plan(
        with_services("nap", service(), does="nap", shared_services=("shared",)),
        job("b", "nap"),
        job("end", finalizer=True, on_complete="always"),
        services=(service("shared"),),
    ),
    "services-start-cancel": lambda: plan(with_services("nap", service(does="mute", start_timeout=600))),
    "shared-services": lambda: plan(
        job("before"),
        with_services("one", "before", shared_services=("db",)),
        with_services("two", "one", service("own"), shared_services=("db",)),
        job("after", "two"),
        services=(service("db"), service("unused")),
    ),
    "shared-service-failure": lambda: plan(
        with_services("one", shared_services=("db",), retry={"max_attempts": 2, "delay": 0.1}),
        with_services("two", shared_services=("db",)),
        services=(service("db", does="early"),),
    ),
    "networks": lambda: plan(
        job("inside", network="internal"), job("alone", network="none"), job("after", "inside", "alone")
    ),
}
CANCELLED: dict[str, Callable[[JobRecord], bool]] = {
    "cancel": lambda nap: nap.status == "running",
    "services-cancel": lambda nap: nap.status == "running" and nap.reason is None,
    "services-start-cancel": lambda nap: nap.reason == "starting db",
}
"""Plans whose run is cancelled, and what its job `nap` is like by then."""


def _nap(box: Running) -> int:
    box.sleep(60, until_stopped=True)
    return 143


def _serve(box: Running) -> int:
    box.out("ready")
    box.sleep(600, until_stopped=True)
    return 143


def _mute(box: Running) -> int:
    box.sleep(600, until_stopped=True)
    return 143


def _early(box: Running) -> int:
    box.out("no password given")
    return 1


def _out(box: Running) -> int:
    box.write("/orca/output", box.env["TEXT"].encode())
    return 0


PROGRAMS: dict[str, Program] = {
    "fail": lambda _: 3,
    "nap": _nap,
    "out": _out,
    "serve": _serve,
    "mute": _mute,
    "early": _early,
}


async def record(client: Client, folder: Path, name: str) -> None:
    """Run one plan and write its history."""
    queue = uuid4().hex
    engine = MemoryEngine(programs=PROGRAMS)
    with ThreadPoolExecutor(32) as threads:
        supervisor = Supervisor(engine=engine, store=open_store(str(folder)), host="host", threads=threads)
        services = ServiceActivities(client, supervisor.services, "host")
        activities = (ContainerActivities(client, supervisor).run, services.start, services.stop)
        async with (
            Worker(
                client,
                task_queue=queue,
                workflows=[RunWorkflow],
                activities=activities,
                workflow_runner=UnsandboxedWorkflowRunner(),
                max_heartbeat_throttle_interval=timedelta(milliseconds=100),
                default_heartbeat_throttle_interval=timedelta(milliseconds=100),
            ),
            Worker(client, task_queue=host_queue(queue, "host"), activities=activities),
        ):
            run = f"replay-{name}-{uuid4().hex[:8]}"
            wanted = request(
                PLANS[name](),
                run_id=run,
                task_queue=queue,
                git={"ref": "refs/heads/dev"},
                file_hashes={"a\n!b": "12", "c": "34", "nothing": ""},
            )
            handle = await client.start_workflow(WORKFLOW_TYPE, wanted, id=run, task_queue=queue)
            if (ready := CANCELLED.get(name)) is not None:
                while not ready((await runs.record(client, handle.id)).jobs["nap"]):
                    await asyncio.sleep(0.1)
                await handle.cancel()
            try:
                await handle.result()
            except WorkflowFailureError as error:
                print(f"{name}: {error.cause}")
            history = await handle.fetch_history()
        await supervisor.drain()
    (HISTORIES / f"{name}.json").write_text(history.to_json() + "\n")


async def main(names: list[str]) -> None:
    """Record the named histories, or those that are not there yet."""
    missing = [name for name in PLANS if not (HISTORIES / f"{name}.json").exists()]
    with tempfile.TemporaryDirectory() as folder, use_server(Home(Path(folder))) as server:
        client = await connect(server.address)
        for name in names or missing:
            await record(client, Path(folder) / "store", name)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
