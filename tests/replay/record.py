"""Records the histories that `test_replay.py` replays: `python -m tests.replay.record [NAME …]`.

Record a new one when the interpreter gains a kind of event. Never record an old one anew to make a red test green: a
history stands for the runs that are under way somewhere.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from orchestrator.client.connect import connect
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.mocks import Mock, Mocks
from orchestrator.contract.names import WORKFLOW_TYPE
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from orchestrator.interpreter.workflow import RunWorkflow
from orchestrator.plan.model import Matrix, Param, Plan, Strategy
from orchestrator.plan.parts import Requirement
from orchestrator.store.store import open_store
from tests.support.kinds import answer, call, choice, gate, nested, pause, repair, wait, ways
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import for_each, job, matrix, plan, request
from tests.support.workshop import until
from workers.activities.calls import CallActivities
from workers.activities.container import ContainerActivities
from workers.activities.jobs import JobActivities
from workers.calling.caller import Caller
from workers.settings import Calls
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
    "gate": lambda: plan(
        gate("go", form=[{"name": "n", "type": "number"}], limit=3600),
        gate("both", items=["a", "b"], min_approvals=2),
        gate("late", limit=0.7, on_timeout="reject", remind_every=0.3, reminder="tell", on_error="continue"),
        job("tell", reminds="late"),
        job(
            "after",
            "go",
            "both",
            Requirement(job="late", condition="failure"),
            publish={"n": "${{ jobs.go.outputs.n }}"},
        ),
        gate("open", "after"),
        job("end", finalizer=True, on_complete="always"),
        vars={"n": "${{ 0 }}"},
    ),
    "wait": lambda: plan(
        wait("nap", duration="${{ '300ms' }}"),
        wait("past", until="2020-01-01T00:00:00Z"),
        job("after", "nap", "past"),
    ),
    "ways": lambda: plan(
        choice("route", ("git.ref == 'x'", "left"), ("git.ref == 'refs/heads/dev'", "right"), (None, "left")),
        job("left", triggers=ways("route chosen")),
        job("right", triggers=ways("route chosen"), entrypoint=("fail",), on_error="continue"),
        job("heal", triggers=ways("left failure", "right failure")),
        job("join", "left", "right", "heal"),
        job("none", triggers=ways("heal failure")),
        job("behind", "none"),
    ),
    "hold": lambda: plan(
        job("again", entrypoint=("fail",), on_error="hold", retry={"max_attempts": 2, "delay": 0.1}),
        for_each("each", ["fail", "nothing"], entrypoint=("${{ item }}",), on_error="hold"),
        job("after", "again", "each"),
    ),
    "call": lambda: plan(
        call("good", "json:loads", given={"s": '{"n": ${{ length(git.ref) }}}'}),
        call(
            "bad",
            "json:loads",
            given={"s": "{"},
            retry={"max_attempts": 2, "delay": 0.1},
            on_error="continue",
        ),
        call("unknown", "os:getcwd", retry={"max_attempts": 3}, on_error="continue"),
        call("each", "json:loads", "good", items=["a", "b"], given={"s": '{"n": "${{ item }}"}'}),
        outputs={"all": "${{ join(jobs.each.matrix[*].outputs.n) }}${{ jobs.good.outputs.n }}"},
    ),
    "nested": lambda: plan(
        nested("sub", "p", items=[1, 2], given={"n": "${{ item }}"}),
        nested("fails", "f", retry={"max_attempts": 2, "delay": 0.1}, on_error="continue"),
        nested("unfit", "p", given={"n": "many"}, on_error="continue"),
        nested("late", "g", "sub", limit=0.5),
        workflows={
            "p": plan(
                nested("down", "f", on_error="continue"),
                job("a"),
                params=(Param(name="n", type="integer"),),
                outputs={"n": "${{ params.n }}"},
            ),
            "f": plan(job("a", entrypoint=("fail",))),
            "g": plan(gate("open")),
        },
    ),
    "dry-run": lambda: plan(
        job("a", retry={"max_attempts": 3, "delay": 60}),
        gate("go", "a", limit=60, min_approvals=2),
        wait("nap", "go", duration=60),
        choice("route", ("jobs.a.outputs.n == 1", "left"), (None, "right"), requires=("nap",)),
        call("left", "json:loads", triggers=ways("route chosen")),
        for_each("right", [1, 2], triggers=ways("route chosen")),
        nested("sub", "p", "left", "right"),
        workflows={"p": plan(job("inner"))},
    ),
    "pause": lambda: plan(gate("go"), job("a", "go"), for_each("b", [1, 2], "go", max_parallel=1)),
}


MOCKS = {
    "dry-run": Mocks(
        jobs={"a": Mock(tries=(Mock(status="failed"), Mock(outputs={"n": 1})), outputs={"n": 1})}
    )
}
"""Of those that are dry runs."""


async def _answer_gates(client: Client, run: str) -> None:
    await until(client, run, lambda found: found.jobs["late"].status == "failed")
    for name in ("both (a)", "both (b)"):
        await answer(client, run, name)
        await answer(client, run, name, by="bob")
    handle: WorkflowHandle[RunWorkflow, RunRecord] = client.get_workflow_handle(run)
    await handle.signal("approve", "nonsense")
    await handle.signal("approve", {"gate": "go", "by": "ann", "fields": {"n": 7}})
    await until(client, run, lambda found: found.jobs["open"].gate is not None)
    await handle.cancel()


async def _repair(client: Client, run: str) -> None:
    await until(client, run, lambda found: found.jobs["again"].status == "held")
    await until(client, run, lambda found: found.jobs["each"].status == "held")
    await repair(client, run, "again", "retry")
    await until(
        client, run, lambda found: found.jobs["again"].tries == 4 and found.jobs["again"].status == "held"
    )
    await repair(client, run, "again", "set_outputs", outputs={"n": 1})
    await repair(client, run, "each (fail)", "skip")


async def _pause(client: Client, run: str) -> None:
    await until(client, run, lambda found: found.jobs["go"].gate is not None)
    await pause(client, run)
    await answer(client, run, "go")
    await until(client, run, lambda found: found.jobs["go"].status == "success")
    await pause(client, run, paused=False)


async def _cancel(client: Client, run: str) -> None:
    await until(client, run, lambda found: found.jobs["nap"].status == "running")
    await client.get_workflow_handle(run).cancel()


DRIVES: dict[str, Callable[[Client, str], Awaitable[None]]] = {
    "cancel": _cancel,
    "gate": _answer_gates,
    "hold": _repair,
    "pause": _pause,
}
"""What people do to a run while it goes."""


def _nap(box: Running) -> int:
    box.sleep(60, until_stopped=True)
    return 143


def _out(box: Running) -> int:
    box.write("/orca/output", box.env["TEXT"].encode())
    return 0


async def record(client: Client, folder: Path, name: str) -> None:
    """Run one plan and write its history."""
    queue = uuid4().hex
    engine = MemoryEngine(programs={"fail": lambda _: 3, "nap": _nap, "out": _out})
    with ThreadPoolExecutor(32) as threads:
        store = open_store(str(folder))
        supervisor = Supervisor(engine=engine, store=store, host="host", threads=threads)
        caller = Caller(store=store, name="host", calls=Calls(modules=("json",)))
        activities = JobActivities(ContainerActivities(client, supervisor), CallActivities(client, caller))
        async with Worker(
            client,
            task_queue=queue,
            workflows=[RunWorkflow],
            activities=[activities.run],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_heartbeat_throttle_interval=timedelta(milliseconds=100),
            default_heartbeat_throttle_interval=timedelta(milliseconds=100),
        ):
            run = f"replay-{name}-{uuid4().hex[:8]}"
            wanted = request(
                PLANS[name](),
                run_id=run,
                task_queue=queue,
                git={"ref": "refs/heads/dev"},
                file_hashes={"a\n!b": "12", "c": "34", "nothing": ""},
                mocks=MOCKS.get(name),
            )
            handle = await client.start_workflow(WORKFLOW_TYPE, wanted, id=run, task_queue=queue)
            if name in DRIVES:
                await DRIVES[name](client, run)
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
