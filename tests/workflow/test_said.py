"""What people and programs may send that a run cannot use: it is refused or taken down, and the run goes on."""

import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import UPDATE_ANSWER
from orchestrator.interpreter.workflow import RunWorkflow
from tests.support.kinds import answer, gate, pause, repair, why_refused
from tests.support.plans import job, plan
from tests.support.serving import Runner
from tests.support.workshop import until
from tests.workflow.conftest import Serve

Run = WorkflowHandle[RunWorkflow, RunRecord]
HUGE = int("9" * 401)
FORM = [{"name": "n", "type": "number"}, {"name": "text"}]


async def waiting(runner: Runner) -> Run:
    run = await runner.start(plan(gate("go", form=FORM), job("after", "go")))
    await until(runner.client, run.id, lambda record: record.jobs["go"].gate is not None)
    return run


def raw(data: bytes, encoding: str = "json/plain") -> RawValue:
    """A payload as somebody's own client may write it."""
    return RawValue(Payload(metadata={"encoding": encoding.encode()}, data=data))


def written(**fields: Any) -> RawValue:
    return raw(json.dumps({"gate": "go", "by": "ann", **fields}).encode())


async def refused(client: Client, run: str, **fields: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await answer(client, run, "go", **fields)
    return why_refused(caught.value)


async def test_whatever_a_signal_holds_the_run_goes_on(client: Client, serve: Serve) -> None:
    no_object = "it holds no JSON object"
    bad: list[tuple[RawValue, str]] = [
        (raw(b"\xff\xfe{"), no_object),
        (raw(b'{"gate": "go", "by": "ann"'), no_object),
        (raw(b""), no_object),
        (raw(b"{}", "json/encrypted"), no_object),
        (raw(b"\0\1", "binary/plain"), no_object),
        (raw(b"[" * 100_000), no_object),
        (written(fields={"n": HUGE}), "field 'n' of gate 'go' must be a number of at most 64 bits, not 999"),
        (written(fields={"n": 2**63}), "field 'n' of gate 'go' must be a number of at most 64 bits, not 922"),
        (written(fields={"n": float("inf")}), "field 'n' of gate 'go' must be a number of at most 64 bits"),
        (
            written(decision="reject"),
            "its `decision` does not say 'approve', as the signal does; send the signal",
        ),
        (written(decision=["approve"]), "its `decision` does not say 'approve', as the signal does; send {"),
        (written(by="an\u200dn"), "the name of who answers holds a character that nobody sees (U+200D)"),
        (written(by=" \t"), "the answer does not say who gives it: set `by`"),
        (written(fields={"text": "\ud800"}), no_object),
        (raw(b'{"gate": "go", "by": "ann", "fields": {"n": %s}}' % (b"9" * 5000)), no_object),
    ]
    async with serve(client) as runner:
        run = await waiting(runner)
        for value, _ in bad:
            await run.signal("approve", value)
        await run.signal("reject", written(decision="approve"))
        between = await runs.record(client, run.id)
        await run.signal("approve", written(decision="approve", by=" ann\n", fields={"n": -(2**63)}))
        record = await runs.wait(client, run.id)
        events = [event async for event in run.fetch_history_events()]
    said = [found.why for found in between.ignored]
    expected = [
        *(why for _, why in bad),
        "its `decision` does not say 'reject', as the signal does; send the signal",
    ]
    assert [why[: len(begin)] for why, begin in zip(said, expected, strict=True)] == expected
    assert (record.status, record.jobs["go"].outputs["approved_by"]) == ("success", ["ann"])
    assert record.jobs["go"].outputs["n"] == -(2**63)
    assert not [event for event in events if event.HasField("workflow_task_failed_event_attributes")]


async def test_whatever_an_update_holds_the_run_goes_on(client: Client, serve: Serve) -> None:
    async with serve(client) as runner:
        run = await waiting(runner)
        handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(run.id)
        for value in (
            raw(b"\xff"),
            raw(b"{}", "json/encrypted"),
            written(decision="perhaps"),
            raw(b"[" * 9999),
            raw(b'{"gate": "go", "by": "ann", "fields": {"n": %s}}' % (b"9" * 5000)),
        ):
            with pytest.raises(WorkflowUpdateFailedError):
                await handle.execute_update(UPDATE_ANSWER, value)  # pyright: ignore[reportUnknownMemberType]
        assert (await refused(client, run.id, fields={"n": HUGE})).startswith(
            "field 'n' of gate 'go' must be a number of at most 64 bits, not 999"
        )
        assert await refused(client, run.id, by="\u202eann") == (
            "the name of who answers holds a character that nobody sees (U+202E); leave it out"
        )
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await pause(client, run.id, by="\u0007")
        assert why_refused(caught.value) == (
            "the name of who answers holds a character that nobody sees (U+0007); leave it out"
        )
        assert (await answer(client, run.id, "go", by="ａnn ")).closed
        record = await runs.wait(client, run.id)
        events = [event async for event in run.fetch_history_events()]
    assert (record.status, record.jobs["go"].outputs["approved_by"]) == ("success", ["ann"])
    assert not [event for event in events if event.HasField("workflow_task_failed_event_attributes")]


async def test_one_person_is_one_however_the_name_is_written(client: Client, serve: Serve) -> None:
    shape = plan(gate("two", min_approvals=2), gate("own", self_approval=False))
    async with serve(client) as runner:
        run = await runner.start(shape, submitted_by="Ann")
        await until(client, run.id, lambda record: record.jobs["own"].gate is not None)
        await answer(client, run.id, "two", by="ann")
        for name in (" ann", "ANN", "ａｎｎ"):
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                await answer(client, run.id, "two", by=name)
            assert "has already answered gate 'two'" in why_refused(caught.value)
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                await answer(client, run.id, "own", by=name)
            assert "takes no approval of one's own run" in why_refused(caught.value)
        await answer(client, run.id, "own", by="ANN", decision="reject")
        await answer(client, run.id, "two", by="bob")
        record = await runs.wait(client, run.id)
    assert record.jobs["two"].outputs["approved_by"] == ["ann", "bob"]
    assert record.jobs["own"].reason == "rejected: by ANN"


async def test_a_repair_may_not_hold_what_nothing_can_read(client: Client, serve: Serve) -> None:
    shape = plan(job("a", condition="fromJSON('[')", on_error="hold"), job("b", "a"))
    async with serve(client) as runner:
        run = await runner.start(shape)
        await until(client, run.id, lambda record: record.jobs["a"].status == "held")
        for outputs in ({"n": HUGE}, {"n": {"deep": [1, 2**64]}}):
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                await repair(client, run.id, "a", "set_outputs", outputs=outputs)
            assert why_refused(caught.value) == (
                "the output 'n' holds a number of more than 64 bits; give it as text"
            )
        await repair(client, run.id, "a", "set_outputs", outputs={"n": 2**63 - 1})
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["a"].outputs) == ("success", {"n": 2**63 - 1})
