"""Gates on a real server: answered by update and by signal, one by one, and what is refused."""

import asyncio
import threading
import time
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import QUERY_GATE
from orchestrator.contract.people import GateRecord
from orchestrator.interpreter.workflow import RunWorkflow
from tests.support.kinds import answer, gate, why_refused
from tests.support.memory_engine import Running
from tests.support.plans import job, plan
from tests.support.serving import Runner
from tests.support.workshop import states, until
from tests.workflow.conftest import Serve

FORM: list[dict[str, Any]] = [
    {
        "name": "hotel",
        "type": "select",
        "options": '${{ fromJSON(\'["Ritz", "Savoy"]\') }}',
        "required": True,
    },
    {"name": "nights", "type": "number", "default": 2, "has_default": True},
    {"name": "breakfast", "type": "boolean"},
    {"name": "extras", "type": "multi_select", "options": ["spa", "bike"]},
    {"name": "code", "type": "string", "pattern": "[a-z]+"},
]
Run = WorkflowHandle[RunWorkflow, RunRecord]


async def refused(client: Client, run: str, name: str, **fields: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await answer(client, run, name, **fields)
    return why_refused(caught.value)


async def waiting(runner: Runner, *names: str, **fields: Any) -> Run:
    """A run whose gates of these names are open."""
    handle = await runner.start(fields.pop("plan"), **fields)

    def all_open(record: RunRecord) -> bool:
        return all(record.jobs[name].gate is not None for name in names)

    await until(runner.client, handle.id, all_open)
    return handle


async def length(handle: Run) -> int:
    found = await handle.describe()
    return found.raw_description.workflow_execution_info.history_length


async def test_answers_become_outputs(client: Client, serve: Serve) -> None:
    book = job(
        "book", "confirm", env={"TEXT": "hotel=${{ jobs.confirm.outputs.hotel }}"}, entrypoint=("out",)
    )
    shape = plan(gate("confirm", form=FORM), book)
    async with serve(client, OUT) as runner:
        run = await waiting(runner, "confirm", plan=shape)
        before = await runs.record(client, run.id)
        fields = {"hotel": "Ritz", "breakfast": True, "extras": ["bike"], "code": "abc"}
        reply = await answer(client, run.id, "confirm", fields=fields, comment="nice view")
        record = await runs.wait(client, run.id)
    waits = before.jobs["confirm"]
    assert (waits.kind, waits.status, waits.reason) == (
        "gate",
        "waiting",
        "waiting for approval: Go on with confirm?",
    )
    assert waits.gate is not None
    assert waits.gate.fields[0].options == ("Ritz", "Savoy")
    assert (reply.closed, reply.message) == (True, "gate 'confirm' is approved")
    found = record.jobs["confirm"]
    assert (record.status, found.status, found.reason, found.tries) == ("success", "success", None, 0)
    assert found.outputs == {
        **fields,
        "nights": 2,
        "approved_by": ["ann"],
        "comment": "nice view",
        "decision": "approve",
    }
    assert found.summary == "approved by ann"
    assert found.gate is not None
    assert [(each.by, each.via, each.fields) for each in found.gate.answers] == [("ann", "update", fields)]
    assert found.gate.closed_at == found.finished_at
    assert record.jobs["book"].outputs == {"hotel": "Ritz"}


async def test_an_answer_that_does_not_count_is_refused_and_leaves_no_trace(
    client: Client, serve: Serve
) -> None:
    closed = gate("secret", approvers=("user:bob", "group:release", "eve"))
    own = gate("own", self_approval=False)
    after = gate("after", "confirm")
    shape = plan(
        gate("confirm", form=FORM), closed, own, after, job("build"), gate("regions", items=["eu", "us"])
    )
    async with serve(client) as runner:
        run = await waiting(runner, "confirm", "secret", "own", plan=shape, submitted_by="ann")
        await until(client, run.id, lambda record: record.jobs["build"].status == "success")
        events = await length(run)

        async def why(name: str = "confirm", **fields: Any) -> str:
            return await refused(client, run.id, name, **fields)

        ritz = {"hotel": "Ritz"}
        assert await why() == "field 'hotel' of gate 'confirm' is required"
        assert await why(fields={"hotl": 1}) == "gate 'confirm' has no field 'hotl'; did you mean 'hotel'?"
        assert await why(fields={"hotel": "Hilton"}) == (
            "field 'hotel' of gate 'confirm' must be one of 'Ritz', 'Savoy', not 'Hilton'"
        )
        assert await why(fields={**ritz, "nights": "2"}) == (
            "field 'nights' of gate 'confirm' must be a number, not '2'"
        )
        assert await why(fields={**ritz, "breakfast": 1}) == (
            "field 'breakfast' of gate 'confirm' must be true or false, not 1"
        )
        assert await why(fields={**ritz, "extras": ["spa", "spa"]}) == (
            "field 'extras' of gate 'confirm' holds 'spa' twice"
        )
        assert await why(fields={**ritz, "code": "abc1"}) == (
            "field 'code' of gate 'confirm' must match the pattern [a-z]+, which 'abc1' does not"
        )
        assert await why(fields={**ritz, "code": "x" * 70_000}) == (
            "the answer's fields are larger than 64 KiB together"
        )
        assert await why(by=" ") == "the answer does not say who gives it: set `by`"
        assert await why("secret") == (
            "ann may not answer gate 'secret': its approvers are user:bob, group:release, eve"
        )
        assert await why("own") == (
            "ann submitted this run, and gate 'own' takes no approval of one's own run"
        )
        assert await why("after") == "gate 'after' is not open yet: it is pending"
        assert await why("build") == "job 'build' is not a gate: it is of kind container"
        assert await why("confrim") == "the run has no gate 'confrim'; did you mean 'confirm'?"
        assert await why("regions") == (
            "gate 'regions' has variants; answer one of them: 'regions (eu)', 'regions (us)'"
        )
        # Each asks a worker, which costs the server nothing that stays.
        assert await length(run) == events
        assert (await answer(client, run.id, "secret", groups=["release"])).closed
        assert (await answer(client, run.id, "own", decision="reject")).closed
        said = await why("secret")
        assert said.startswith("gate 'secret' is closed: ann approved it at ")
        await run.terminate()


async def test_of_two_answers_at_once_one_wins(client: Client, serve: Serve) -> None:
    async with serve(client) as runner:
        run = await waiting(runner, "go", plan=plan(gate("go"), gate("stay")))
        both = await asyncio.gather(
            answer(client, run.id, "go", by="ann"),
            answer(client, run.id, "go", by="bob", decision="reject"),
            return_exceptions=True,
        )
        record = await runs.record(client, run.id)
        await run.terminate()
    lost = [found for found in both if isinstance(found, WorkflowUpdateFailedError)]
    assert len(lost) == 1
    assert why_refused(lost[0]).startswith("gate 'go' is closed: ")
    assert record.jobs["go"].gate is not None
    assert len(record.jobs["go"].gate.answers) == 1


async def test_several_have_to_approve_and_one_who_rejects_is_enough(client: Client, serve: Serve) -> None:
    form = [{"name": "why"}, {"name": "size", "type": "number", "required": True}]
    shape = plan(gate("two", min_approvals=2, form=form), gate("no", min_approvals=3))
    async with serve(client) as runner:
        run = await waiting(runner, "two", "no", plan=shape)
        first = await answer(client, run.id, "two", fields={"size": 1, "why": "x"})
        assert (first.closed, first.message) == (
            False,
            "1 of 2 approvals for gate 'two'; 1 approval of others still needed",
        )
        again = await refused(client, run.id, "two", fields={"size": 3})
        assert again == "ann has already answered gate 'two'; 1 approval of others still needed"
        between = await runs.record(client, run.id)
        assert between.jobs["two"].reason == "waiting for approval (1 of 2): Go on with two?"
        # What the first has said stands where the second says nothing.
        assert (await answer(client, run.id, "two", by="bob", fields={"why": "y"})).closed
        assert not (await answer(client, run.id, "no")).closed
        await answer(client, run.id, "no", by="bob", decision="reject", comment="too early")
        record = await runs.wait(client, run.id)
    two, no = record.jobs["two"], record.jobs["no"]
    assert two.outputs == {
        "why": "y",
        "size": 1,
        "approved_by": ["ann", "bob"],
        "comment": "",
        "decision": "approve",
    }
    assert (no.status, no.reason, no.summary) == ("failed", "rejected: by bob: too early", "rejected by bob")
    assert no.outputs == {"approved_by": ["ann"], "comment": "too early", "decision": "reject"}
    assert record.error == "job 'no' failed: rejected: by bob: too early"


async def test_gates_of_variants_are_answered_one_by_one(client: Client, serve: Serve) -> None:
    regions = gate("confirm", items=["eu", "us"], prompt="Deploy to ${{ item }}?")
    async with serve(client) as runner:
        run = await runner.start(plan(regions, job("after", "confirm")))
        await until(client, run.id, lambda record: set(states(record, "confirm").values()) == {"waiting"})
        await answer(client, run.id, "confirm (eu)")
        between = await runs.record(client, run.id)
        await answer(client, run.id, "confirm (us)", by="bob")
        record = await runs.wait(client, run.id)
    assert between.jobs["confirm"].status == "waiting"
    assert states(between, "confirm") == {"confirm (eu)": "success", "confirm (us)": "waiting"}
    assert between.jobs["confirm"].variants["confirm (us)"].reason == "waiting for approval: Deploy to us?"
    assert (record.status, record.jobs["confirm"].summary) == ("success", "2/2 passed")
    assert record.jobs["confirm"].variants["confirm (us)"].outputs["approved_by"] == ["bob"]


async def test_a_signal_answers_too_and_a_bad_one_is_taken_down(client: Client, serve: Serve) -> None:
    form = [{"name": "n", "type": "number"}]
    async with serve(client) as runner:
        run = await waiting(runner, "go", "stay", plan=plan(gate("go", form=form), gate("stay")))
        await run.signal("approve", "nonsense")
        await run.signal("approve")
        await run.signal("approve", args=[1, 2])
        await run.signal("aprove", {"gate": "go"})
        await run.signal("approve", {"gate": "go", "by": "ann", "fields": {"n": "x"}})
        await run.signal("approve", {"gate": "go", "by": 3})
        await run.signal("approve", {"gate": "go", "by": "ann", "fields": {"n": 7}, "comment": "fine"})
        # The only one that is left need not be named.
        await run.signal("reject", {"by": "bob", "comment": "no"})
        record = await runs.wait(client, run.id)
    assert record.jobs["go"].outputs["n"] == 7
    assert record.jobs["go"].gate is not None
    assert [(each.by, each.via) for each in record.jobs["go"].gate.answers] == [("ann", "signal")]
    assert record.jobs["stay"].reason == "rejected: by bob: no"
    assert [found.why.partition(";")[0] for found in record.ignored] == [
        "it holds no JSON object",
        "it holds no JSON object",
        "it holds no JSON object",
        "there is no such signal",
        "field 'n' of gate 'go' must be a number, not 'x'",
        "'by': Input should be a valid string",
    ]


async def test_a_cancel_closes_what_waits(client: Client, serve: Serve) -> None:
    shape = plan(gate("go", limit=3600), job("after", "go"), gate("more", items=[1, 2]))
    async with serve(client) as runner:
        run = await waiting(runner, "go", plan=shape)
        await runs.cancel(client, run.id)
        record = await runs.wait(client, run.id)
    found = record.jobs["go"]
    assert (record.status, found.status, record.jobs["more"].status) == (
        "cancelled",
        "cancelled",
        "cancelled",
    )
    assert found.gate is not None
    assert found.gate.closed_at is not None
    assert found.gate.answers == ()


async def test_a_cancel_stops_a_reminder_that_runs(client: Client, serve: Serve) -> None:
    begun = threading.Event()

    def nap(box: Running) -> int:
        begun.set()
        return 143 if box.sleep(60, until_stopped=True) else 0

    shape = plan(
        gate("go", remind_every=0.1, reminder="tell"), job("tell", reminds="go", entrypoint=("nap",))
    )
    async with serve(client, {"nap": nap}) as runner:
        run = await waiting(runner, "go", plan=shape)
        assert await asyncio.to_thread(begun.wait, 30)
        await runs.cancel(client, run.id)
        record = await runs.wait(client, run.id)
    assert (record.status, record.jobs["go"].status) == ("cancelled", "cancelled")
    assert (record.jobs["tell"].status, record.jobs["tell"].tries) == ("cancelled", 1)


async def test_a_gate_outlives_its_worker(client: Client, serve: Serve) -> None:
    shape = plan(gate("go"), job("after", "go"))
    async with serve(client) as runner:
        run = await waiting(runner, "go", plan=shape)
    async with serve(client, queue=runner.task_queue):
        reply = await answer(client, run.id, "go")
        record = await runs.wait(client, run.id)
    assert (reply.closed, record.status) == (True, "success")


async def test_a_gate_that_cannot_open_fails(client: Client, serve: Serve) -> None:
    shape = plan(
        gate("none", form=[{"name": "x", "type": "select", "options": "${{ fromJSON('[]') }}"}]),
        gate("nobody", approvers="${{ fromJSON('[]') }}"),
        gate("wrong", form=[{"name": "x", "type": "number", "default": "${{ 'a' }}", "has_default": True}]),
        gate("broken", prompt="${{ fromJSON('{') }}"),
        gate(
            "alone",
            approvers='${{ fromJSON(\'["user:ann", "bob"]\') }}',
            min_approvals=2,
            self_approval=False,
        ),
    )
    async with serve(client) as runner:
        record = await runner.run(shape, submitted_by="ann")
    reasons = {name: found.reason or "" for name, found in record.jobs.items()}
    assert reasons.pop("broken").startswith("expression: prompt of gate 'broken': ")
    assert reasons == {
        "none": "expression: field 'x' of gate 'none': there is nothing to choose from: `options` is empty",
        "nobody": "expression: approvers of gate 'nobody': an expression gives no name",
        "wrong": "expression: default of field 'x' of gate 'wrong': it must be a number, not 'a'",
        "alone": "expression: gate 'alone' needs 2 approvals, and only bob may give one; ann submitted this run, "
        "and it takes no approval of one's own run",
    }


async def test_many_open_gates_fit_and_answers_stay_quick(client: Client, serve: Serve) -> None:
    form = [{"name": "why", "default": "${{ params.long }}", "has_default": True}]
    gates = (gate(f"g{n}", prompt="${{ params.long }}", form=form, limit=86400) for n in range(990))
    async with serve(client) as runner:
        run = await runner.start(plan(*gates, job("after", "g7")), params={"long": "p" * 2000})
        await until(client, run.id, lambda record: record.jobs["g989"].gate is not None)
        record = await runs.record(client, run.id)
        whole = await run.query(QUERY_GATE, "g500", result_type=GateRecord)
        begin = time.monotonic()
        await answer(client, run.id, "g7")
        answered = time.monotonic() - begin
        events = [event async for event in run.fetch_history_events()]
        await run.terminate()
    assert len(record.model_dump_json()) < 1_900_000
    assert record.jobs["g500"].gate is not None
    assert record.jobs["g500"].gate.cut
    assert whole.prompt == "p" * 2000
    assert answered < 5
    assert sum(event.HasField("timer_started_event_attributes") for event in events) >= 990


async def test_an_answer_moves_the_run_on_at_once(client: Client, serve: Serve) -> None:
    """The next job is scheduled by the very workflow task that accepts the answer."""
    async with serve(client) as runner:
        run = await waiting(runner, "go", plan=plan(gate("go"), job("after", "go")))
        await answer(client, run.id, "go")
        await runs.wait(client, run.id)
        events = [event async for event in run.fetch_history_events()]
    kinds = [
        event for event in events if event.HasField("workflow_execution_update_completed_event_attributes")
    ]
    scheduled = [event for event in events if event.HasField("activity_task_scheduled_event_attributes")]
    completed = kinds[0].workflow_execution_update_completed_event_attributes
    assert completed.accepted_event_id < scheduled[0].event_id
    task = scheduled[0].activity_task_scheduled_event_attributes.workflow_task_completed_event_id
    accepted = next(event for event in events if event.event_id == completed.accepted_event_id)
    assert accepted.event_time.ToDatetime() <= scheduled[0].event_time.ToDatetime()
    assert task == accepted.event_id - 1


def _out(box: Any) -> int:
    box.write("/orca/output", box.env["TEXT"].encode())
    return 0


OUT = {"out": _out}
