"""Jobs with variants on a real server: what a failure, a cancel and a worker that goes away reach."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, CancelledError

from orchestrator.client import runs
from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ContainerRequest, Heartbeat, JobOutcome
from orchestrator.contract.names import DETACHED_ERROR
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.plans import for_each, job, plan
from tests.support.serving import HOST, worker_of
from tests.support.workshop import ITEM, LETTERS, Workshop, states, until
from tests.workflow.conftest import Serve


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


async def test_cancel_in_the_middle_reaches_every_variant(client: Client, serve: Serve) -> None:
    shop = Workshop(naps=("b", "c"), lasts=0)
    node = for_each("test", LETTERS, batch_size=4, max_parallel=2, **ITEM)
    end = for_each("end", ["a", "d"], finalizer=True, on_complete="always", **ITEM)
    async with serve(client, shop.programs) as runner:
        handle = await runner.start(plan(node, job("after", "test"), end))
        await until(client, handle.id, lambda record: states(record, "test").get("test (c)") == "running")
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
        await until(client, handle.id, lambda _: sorted(tries) == ["a", "b"])
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
        await until(client, handle.id, lambda _: leaving.seen)
        if by == "a cancel":
            await asyncio.sleep(0.3)
            await runs.cancel(client, handle.id)
        record = await runs.wait(client, handle.id)
    found = record.jobs["test"].variants["test (a)"]
    why = "variant 'test (b)' failed (fail_fast)" if by == "a failure" else "the run was cancelled"
    assert (found.status, found.reason, found.tries) == ("cancelled", f"cancelled: {why}", 1)
    assert engine.list_labelled({}) == []
