"""Jobs with variants on a real server: how many at a time, in what batches, what a failure and a cancel reach."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, CancelledError

from orchestrator.client import runs
from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome, RunRecord
from orchestrator.contract.names import DETACHED_ERROR
from orchestrator.plan.model import Matrix, Requirement, Strategy
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import for_each, job, matrix, plan
from tests.workflow.conftest import HOST, Serve, worker_of


class Workshop:
    """What containers do, by the environment that their variant gave them; and when each ran."""

    def __init__(
        self, *, fails: tuple[str, ...] = (), naps: tuple[str, ...] = (), lasts: float = 0.2
    ) -> None:
        self.fails, self.naps, self.lasts = fails, naps, lasts
        self.spans: dict[str, tuple[float, float]] = {}
        self.tries: Counter[str] = Counter()
        self.begun: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def work(self, box: Running) -> int:
        name = box.env["NAME"]
        with self._lock:
            self.tries[name] += 1
            self.begun.setdefault(name, threading.Event()).set()
        begin = time.monotonic()
        stopped = box.sleep(60 if name in self.naps else self.lasts, until_stopped=True)
        self.spans[name] = begin, time.monotonic()
        if stopped:
            return 143
        return 3 if name in self.fails else 0

    @property
    def programs(self) -> dict[str, Any]:
        return {"work": self.work, "out": _out}

    @property
    def most_at_once(self) -> int:
        spans = list(self.spans.values())
        return max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)


def _out(box: Running) -> int:
    """Writes what `TEXT` says as its outputs."""
    box.write("/orca/output", box.env["TEXT"].encode())
    return 0


WORK: dict[str, Any] = {"entrypoint": ("work",), "env": {"NAME": "${{ matrix.n }}"}}
ITEM: dict[str, Any] = {"entrypoint": ("work",), "env": {"NAME": "${{ item }}"}}
OUT: dict[str, Any] = {"entrypoint": ("out",)}
LETTERS = ["a", "b", "c", "d", "e", "f"]


def states(record: RunRecord, name: str) -> dict[str, str]:
    return {key: found.status for key, found in record.jobs[name].variants.items()}


async def test_each_variant_has_its_own_record_and_the_job_theirs(client: Client, serve: Serve) -> None:
    shop = Workshop(fails=("b",), lasts=0)
    node = matrix("test", {"n": ["a", "b"], "os": ["x", "y"]}, fail_fast=False, **WORK)
    async with serve(client, shop.programs) as runner:
        handle = await runner.start(plan(node, job("after", "test")))
        record = await runs.wait(client, handle.id)
        history = await handle.fetch_history()
    test = record.jobs["test"]
    assert {key: (found.status, found.exit_code, found.tries) for key, found in test.variants.items()} == {
        "test (a, x)": ("success", 0, 1),
        "test (a, y)": ("success", 0, 1),
        "test (b, x)": ("failed", 3, 1),
        "test (b, y)": ("failed", 3, 1),
    }
    assert (test.status, test.summary, test.exit_code, test.tries) == ("failed", "2/4 passed", 3, 4)
    said = "the container ended with exit code 3"
    assert test.reason == f"exit: 2 of 4 variants failed: test (b, x): {said}; also test (b, y)"
    assert (record.status, record.jobs["after"].status) == ("failed", "omitted")
    assert record.error == f"job 'test' failed: {test.reason}"
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert [(each.activity_type.name, each.activity_id) for each in scheduled] == [
        (key, key) for key in test.variants
    ]


async def test_max_parallel_bounds_one_job_s_variants_and_no_other_s(client: Client, serve: Serve) -> None:
    shop = Workshop()
    node = for_each("test", LETTERS, max_parallel=2, **ITEM)
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(node, job("other")))
    assert (record.status, record.jobs["test"].summary) == ("success", "6/6 passed")
    assert shop.most_at_once == 2


async def test_the_run_s_max_parallel_bounds_variants_too(client: Client, serve: Serve) -> None:
    shop = Workshop()
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(for_each("test", LETTERS, max_parallel=4, **ITEM), max_parallel=3))
    assert record.status == "success"
    assert shop.most_at_once == 3


async def test_a_batch_waits_for_the_whole_one_before_it(client: Client, serve: Serve) -> None:
    shop = Workshop(lasts=0.1)
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(for_each("test", LETTERS, batch_size=4, **ITEM)))
    assert record.status == "success"
    first_batch_ended = max(shop.spans[name][1] for name in LETTERS[:4])
    assert all(shop.spans[name][0] >= first_batch_ended for name in LETTERS[4:])
    assert shop.most_at_once > 2


async def test_fail_fast_stops_what_runs_and_what_has_not_begun(client: Client, serve: Serve) -> None:
    shop = Workshop(fails=("b",), naps=("a", "c"), lasts=0.5)
    node = for_each("test", LETTERS, batch_size=4, max_parallel=3, **ITEM)
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(node))
    test = record.jobs["test"]
    assert states(record, "test") == {
        "test (a)": "cancelled",
        "test (b)": "failed",
        "test (c)": "cancelled",
        "test (d)": "cancelled",
        "test (e)": "cancelled",
        "test (f)": "cancelled",
    }
    assert {found.reason for key, found in test.variants.items() if key != "test (b)"} == {
        "cancelled: variant 'test (b)' failed (fail_fast)"
    }
    assert test.reason == (
        "exit: 1 of 6 variants failed and 5 were cancelled: test (b): the container ended with exit code 3"
    )
    assert sorted(shop.tries) == ["a", "b", "c"]
    assert [found.tries for found in test.variants.values()] == [1, 1, 1, 0, 0, 0]


async def test_without_fail_fast_all_variants_run(client: Client, serve: Serve) -> None:
    shop = Workshop(fails=("b",))
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(for_each("test", LETTERS, batch_size=2, fail_fast=False, **ITEM)))
    assert (record.status, record.jobs["test"].summary) == ("failed", "5/6 passed")
    assert sorted(shop.tries) == LETTERS


async def test_failures_that_may_continue_stop_nothing(client: Client, serve: Serve) -> None:
    shop = Workshop(fails=("b", "d"))
    node = for_each("test", LETTERS, max_parallel=2, on_error="continue", **ITEM)
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(node, job("after", "test")))
    test = record.jobs["test"]
    assert (record.status, test.status, test.summary) == ("partial", "failed", "4/6 passed")
    assert record.jobs["after"].status == "success"


async def test_each_variant_has_its_own_tries(client: Client, serve: Serve) -> None:
    tries: Counter[str] = Counter()

    def third_time(box: Running) -> int:
        tries[box.env["NAME"]] += 1
        return int(box.env["NAME"] == "b" and tries["b"] < 3)

    retry = {"max_attempts": 3, "delay": 0.05}
    async with serve(client, {"work": third_time}) as runner:
        record = await runner.run(plan(for_each("test", ["a", "b"], retry=retry, **ITEM)))
    test = record.jobs["test"]
    assert (test.status, test.summary, test.tries) == ("success", "2/2 passed", 4)
    assert {key: found.tries for key, found in test.variants.items()} == {"test (a)": 1, "test (b)": 3}


async def test_a_matrix_from_an_output_and_outputs_from_a_matrix(client: Client, serve: Serve) -> None:
    listing = job("list", env={"TEXT": 'all=["3.11","3.12"]'}, **OUT)
    node = job(
        "test",
        "list",
        strategy=Strategy(
            matrix=Matrix(
                axes={"python": "${{ fromJSON(jobs.list.outputs.all) }}", "n": [1]},
                exclude="${{ fromJSON('[]') }}",
                include=({"python": "${{ jobs.list.status }}", "n": 2},),
            )
        ),
        env={"TEXT": "python=${{ matrix.python }}\nkind=${{ matrix.n == 1 && 'old' || 'old' }}"},
        outputs={"tag": "v${{ jobs.test.outputs.python }}"},
        **OUT,
    )
    outputs = {
        "pythons": "${{ join(jobs.test.matrix[*].outputs.python) }}",
        "tags": "${{ jobs.test.matrix[*].outputs.tag }}",
        "names": "${{ jobs.test.matrix[*].name }}",
        "values": "${{ jobs.test.matrix[1].matrix }}",
        "kind": "${{ jobs.test.outputs.kind }}",
        "summary": "${{ jobs.test.summary }}",
    }
    async with serve(client, Workshop().programs) as runner:
        record = await runner.run(plan(listing, node, outputs=outputs))
    assert record.error is None
    assert record.outputs == {
        "pythons": "3.11,3.12,success",
        "tags": ["v3.11", "v3.12", "vsuccess"],
        "names": ["test (3.11, 1)", "test (3.12, 1)", "test (success, 2)"],
        "values": {"python": "3.12", "n": 1},
        "kind": "old",
        "summary": "3/3 passed",
    }
    assert record.jobs["test"].outputs == {"kind": "old"}


@pytest.mark.parametrize(
    "reader", ["${{ jobs.test.outputs.n }}", "${{ toJSON(jobs.test.outputs) }}", "${{ jobs.test.outputs.* }}"]
)
async def test_reading_an_output_on_which_variants_differ_is_an_error(
    client: Client, serve: Serve, reader: str
) -> None:
    node = for_each("test", [1, "1", 1], env={"TEXT": "n=${{ item }}"}, outputs=_TYPED, **OUT)
    async with serve(client, Workshop().programs) as runner:
        record = await runner.run(plan(node, job("use", "test", env={"N": reader})))
    use = record.jobs["use"]
    assert use.status == "failed"
    assert use.reason == (
        "expression: N in `env` of job 'use': the variants of job 'test' do not agree on the output 'n': "
        "it is 1 in 'test (1)' and \"1\" in 'test (1 #2)'; read jobs.test.matrix[*].outputs.n for all of them"
    )


_TYPED = {"n": "${{ item }}"}


async def test_an_empty_list_skips_the_job_and_satisfies_its_dependents(client: Client, serve: Serve) -> None:
    node = job("test", strategy=Strategy(items="${{ fromJSON('[]') }}"))
    async with serve(client) as runner:
        record = await runner.run(plan(node, job("after", "test")))
    assert (record.status, record.jobs["after"].status) == ("success", "success")
    assert (record.jobs["test"].status, record.jobs["test"].reason, record.jobs["test"].variants) == (
        "skipped",
        "skipped: `for_each` has no items",
        {},
    )


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        (
            Strategy(matrix=Matrix(axes={"n": "${{ params.none }}"})),
            "expression: `matrix` of job 'test': axis 'n' of the matrix must be a list of values, not nothing",
        ),
        (
            Strategy(items="${{ fromJSON('{') }}"),
            "expression: `for_each` of job 'test': Error parsing fromJSON: Expecting property name enclosed in "
            "double quotes: line 1 column 2 (char 1)",
        ),
        (
            Strategy(items="${{ range(0, 300) }}"),
            "expression: `for_each` of job 'test': there are 300 variants, and this spec allows 256; raise "
            "'max_variants' at its top level",
        ),
        (
            Strategy(items="${{ range(0, 1200) }}", max_variants=5000),
            "expression: with the 1,200 variants of 'test' the run would hold more than 1,000 jobs and variants; "
            "split the spec, or let one variant do more",
        ),
    ],
)
async def test_a_strategy_that_cannot_be_expanded_fails_the_job(
    client: Client, serve: Serve, strategy: Strategy, reason: str
) -> None:
    shape = plan(job("test", strategy=strategy), job("heal", Requirement(job="test", condition="failure")))
    async with serve(client) as runner:
        record = await runner.run(shape)
    assert (record.jobs["test"].status, record.jobs["test"].reason) == ("failed", reason)
    assert record.jobs["heal"].status == "success"


async def test_cancel_in_the_middle_reaches_every_variant(client: Client, serve: Serve) -> None:
    shop = Workshop(naps=("b", "c"), lasts=0)
    node = for_each("test", LETTERS, batch_size=4, max_parallel=2, **ITEM)
    end = for_each("end", ["a", "d"], finalizer=True, on_complete="always", **ITEM)
    async with serve(client, shop.programs) as runner:
        handle = await runner.start(plan(node, job("after", "test"), end))
        await _until(client, handle.id, lambda record: states(record, "test").get("test (c)") == "running")
        await runs.cancel(client, handle.id)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    record = await runs.record(client, handle.id)
    assert (record.status, record.jobs["test"].status, record.jobs["after"].status) == (
        "cancelled",
        "cancelled",
        "cancelled",
    )
    assert states(record, "test") == {
        "test (a)": "success",
        "test (b)": "cancelled",
        "test (c)": "cancelled",
        "test (d)": "cancelled",
        "test (e)": "cancelled",
        "test (f)": "cancelled",
    }
    assert record.jobs["test"].reason == "cancelled: the run was cancelled"
    assert (record.jobs["end"].status, record.jobs["end"].summary) == ("success", "2/2 passed")


async def test_the_run_s_timeout_reaches_every_variant(client: Client, serve: Serve) -> None:
    shop = Workshop(naps=("a", "b"))
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(for_each("test", ["a", "b", "c"], max_parallel=2, **ITEM), timeout=1))
    assert (record.status, set(states(record, "test").values())) == ("failed", {"cancelled"})
    assert record.jobs["test"].reason == "cancelled: the run's timeout of 1 s passed"


async def test_artifacts_of_all_variants_reach_the_job_that_requires_them(
    client: Client, serve: Serve
) -> None:
    def make(box: Running) -> int:
        name = box.env["NAME"]
        box.write(f"/out/{name}.txt", name.encode())
        return 0

    found: list[bytes] = []

    def read(box: Running) -> int:
        found.extend(box.read(f"/out/{name}.txt") for name in ("a", "b"))
        return 0

    node = for_each(
        "test", ["a", "b"], **{**ITEM, "entrypoint": ("make",)}, artifacts=("/out/${{ item }}.txt",)
    )
    use = job("use", "test", entrypoint=("read",), artifacts_from=("test",))
    async with serve(client, {"make": make, "read": read}) as runner:
        record = await runner.run(plan(node, use))
    assert (record.status, found) == ("success", [b"a", b"b"])
    assert [ref.path for leaf in record.jobs["test"].variants.values() for ref in leaf.artifacts] == [
        "/out/a.txt",
        "/out/b.txt",
    ]


async def test_a_thousand_variants(client: Client, serve: Serve) -> None:
    node = for_each("test", [f"item-{number}" for number in range(1000)])
    async with serve(client) as runner:
        handle = await runner.start(plan(node))
        record = await runs.wait(client, handle.id)
        found = await handle.describe()
    assert (record.status, record.jobs["test"].summary) == ("success", "1000/1000 passed")
    assert found.raw_description.workflow_execution_info.history_length < 1000 * 6


async def test_the_record_of_a_thousand_failures_fits(client: Client, serve: Serve) -> None:
    node = for_each(
        "test",
        [f"a rather long name of an item, as they are in tests: {n}" for n in range(1000)],
        entrypoint=("${{ item }} is no program " + "x" * 3000,),
        image="nowhere.example/${{ item }}",
        fail_fast=False,
        outputs={"x": "y" * 400},
    )
    async with serve(client) as runner:
        record = await runner.run(plan(node))
    assert record.jobs["test"].summary == "0/1000 passed"
    assert len(record.model_dump_json().encode()) < 1_500_000


async def test_the_next_worker_adopts_the_variants_that_run(client: Client, serve: Serve) -> None:
    release = threading.Event()
    tries: Counter[str] = Counter()

    def work(box: Running) -> int:
        tries[box.env["NAME"]] += 1
        while not release.is_set():
            box.sleep(0.05)
        return 0

    engine = MemoryEngine(programs={"work": work})
    async with serve(client, engine=engine) as runner:
        handle = await runner.start(plan(for_each("test", ["a", "b", "c"], max_parallel=2, **ITEM)))
        await _until(client, handle.id, lambda _: sorted(tries) == ["a", "b"])
    release.set()
    async with serve(client, engine=engine, queue=runner.task_queue):
        record = await runs.wait(client, handle.id)
    assert (record.status, record.jobs["test"].summary) == ("success", "3/3 passed")
    assert tries == {"a": 1, "b": 1, "c": 1}
    assert record.jobs["test"].tries == 3


@dataclass
class Leaving:
    """A worker that is told to stop at the very moment in which it is told to cancel: it gives the try back."""

    seen: list[ContainerRequest] = field(default_factory=list[ContainerRequest])

    @activity.defn(dynamic=True)
    async def run(self, arguments: Sequence[RawValue]) -> JobOutcome:
        wanted = activity.payload_converter().from_payload(arguments[0].payload, ContainerRequest)
        self.seen.append(wanted)
        if wanted.env.get("NAME") == "b":
            reason = FailureReason(kind=FailureKind.EXIT, message="command 1 exited with 3")
            raise ApplicationError("no", JobOutcome(status="failed", reason=reason), non_retryable=True)
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            raise ApplicationError("stopped", Heartbeat(host=HOST), type=DETACHED_ERROR) from None


@pytest.mark.parametrize("by", ["a failure", "a cancel"])
async def test_a_stop_that_a_leaving_worker_took_with_it_is_told_again(
    client: Client, serve: Serve, by: str
) -> None:
    queue, leaving = uuid4().hex, Leaving()
    engine = MemoryEngine()
    # The one that takes over is a real one, on the host that the leaving worker names.
    async with (
        worker_of(client, queue, leaving.run),
        serve(client, engine=engine, queue=queue, shared=False) as runner,
    ):
        items = ["a", "b"] if by == "a failure" else ["a"]
        handle = await runner.start(plan(for_each("test", items, **ITEM)))
        await _until(client, handle.id, lambda _: leaving.seen)
        if by == "a cancel":
            await asyncio.sleep(0.3)
            await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    found = record.jobs["test"].variants["test (a)"]
    why = "variant 'test (b)' failed (fail_fast)" if by == "a failure" else "the run was cancelled"
    assert (found.status, found.reason, found.tries) == ("cancelled", f"cancelled: {why}", 1)
    assert engine.list_labelled({}) == []


async def _until(client: Client, run: str, condition: Callable[[RunRecord], object]) -> None:
    async with asyncio.timeout(30):
        while not condition(await runs.record(client, run)):
            await asyncio.sleep(0.05)
