"""What the jobs of a live run wait for, told from records made by hand."""

from typing import Any

import pytest

from orchestrator.client.explain import explain_run
from tests.support.kinds import gate
from tests.support.plans import job, plan
from tests.support.records import NOW, begun, lines_of, run


def test_an_open_gate_waits_for_whom_it_asks_and_a_closed_one_says_who_answered() -> None:
    of = plan(gate("ask"), gate("anybody"))
    form = {"prompt": "Deploy?", "opened_at": NOW}
    asked = {**form, "approvers": ["ann", "group:ops"], "deadline": "2026-01-31T13:00:00.000Z"}
    record = run(
        of,
        "running",
        jobs={
            "ask": begun("waiting", reason="waiting for approval (1 of 2): Deploy?", gate=asked),
            "anybody": begun("waiting", reason="waiting for approval: Deploy?", gate=form),
        },
    )
    assert lines_of(of, record, "ask")[1:] == [
        "waits for approval (1 of 2): Deploy?; answered by ann, group:ops until 2026-01-31T13:00:00.000Z"
    ]
    assert lines_of(of, record, "anybody")[1:] == ["waits for approval: Deploy?; answered by anyone"]
    closed = begun(summary="approved by ann", gate={**asked, "closed_at": NOW})
    assert lines_of(of, run(of, jobs={"ask": closed}), "ask")[1:] == ["approved by ann"]


ENDLESS = plan(
    job("a"),
    job("tell", finalizer=True, on_complete="always"),
    job("nag", reminds="a"),
    job("last", finalizer=True, on_complete="failure"),
)


@pytest.mark.parametrize(
    ("name", "status", "a", "fields", "expected"),
    [
        ("a", "pending", "pending", {}, "a worker: none has taken the run yet"),
        ("a", "running", "pending", {}, "its turn"),
        (
            "a",
            "running",
            "pending",
            {"paused": {"by": "ann", "at": NOW}},
            "the end of the pause by ann: 'orca unpause r-1'",
        ),
        ("tell", "running", "running", {}, "everything else to be done: 'a', 'nag' are not"),
        ("nag", "running", "running", {}, "gate 'a' to want its reminder"),
        ("a", "running", "waiting", {}, "a place: the run has as many jobs at a time as one may have"),
    ],
)
def test_what_a_live_job_waits_for(
    name: str, status: str, a: str, fields: dict[str, Any], expected: str
) -> None:
    record = run(ENDLESS, status, jobs={"a": {"status": a}}, **fields)
    assert explain_run(record, ENDLESS, name).jobs[name].waits_for == (expected,)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("waiting until 2026-01-31T13:00:00.000Z", "until 2026-01-31T13:00:00.000Z"),
        ("waiting for a free worker", "a free worker"),
        ("waiting: the run is paused", "the run is paused"),
        ("retrying after exit: 3", "retrying after exit: 3"),
        (None, "a place: the run has at most 2 jobs at a time (max_parallel)"),
    ],
)
def test_a_waiting_job_says_for_what(reason: str | None, expected: str) -> None:
    of = plan(job("a"), max_parallel=2)
    record = run(of, "running", jobs={"a": {"status": "waiting", "reason": reason}})
    assert explain_run(record, of).jobs["a"].waits_for == (expected,)


def test_a_finalizer_says_that_all_else_was_done() -> None:
    record = run(
        ENDLESS, "failed", jobs={"a": "failed", "tell": "success", "nag": "success", "last": "success"}
    )
    assert {name: one.why for name, one in explain_run(record, ENDLESS).jobs.items()} == {
        "a": "started: it requires nothing",
        "tell": "started: everything else was done, and it runs however the run ends",
        "nag": "started: gate 'a' wanted its reminder",
        "last": "started: everything else was done, and it runs if the run failed",
    }


def test_a_run_that_has_ended_waits_for_nothing() -> None:
    of = plan(job("a"), job("b", "a"))
    record = run(of, "cancelled", jobs={"a": "running"})
    assert [one.waits_for for one in explain_run(record, of).jobs.values()] == [(), ()]
