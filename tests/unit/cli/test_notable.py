"""What a run asks of people and what they did, as `orca status` and a followed run tell it."""

from typing import Any

import pytest

from orchestrator.cli.notable import calls, next_steps, notable
from orchestrator.cli.progress import LineProgress
from orchestrator.contract.messages import JobRecord, RunRecord

NOW = "2026-01-31T12:00:00.000Z"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are shown in the reader's zone."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def run(status: str = "running", *, jobs: dict[str, dict[str, Any]], **fields: Any) -> RunRecord:
    made = {name: JobRecord.model_validate(job) for name, job in jobs.items()}
    usual: dict[str, Any] = {"run_id": "r-1", "attempt": 1, "spec": "s", "created_at": NOW, "jobs": made}
    return RunRecord.model_validate({**usual, "status": status, **fields})


GATE: dict[str, Any] = {
    "prompt": "Deploy\nnow?",
    "opened_at": NOW,
    "deadline": "2026-01-31T13:00:00.000Z",
    "on_timeout": "reject",
    "needed": 2,
    "self_approval": False,
    "approvers": ["ann", "group:ops"],
    "fields": [
        {"name": "region", "type": "select", "options": ["eu", 3], "required": True, "label": "Where?"},
        {
            "name": "parts",
            "type": "multi_select",
            "options": ["a", "b"],
            "default": ["a", "b"],
            "has_default": True,
        },
    ],
    "answers": [
        {
            "by": "bob",
            "at": NOW,
            "decision": "approve",
            "fields": {"region": 3, "parts": ["a", "b"]},
            "comment": "ok",
        }
    ],
}
WAITING = {
    "kind": "gate",
    "status": "waiting",
    "reason": "waiting for approval (1 of 2): Deploy",
    "gate": GATE,
}
HELD = {"kind": "container", "status": "held", "reason": "exit: 3\nlast lines", "tries": 1}


def test_an_open_gate_says_who_may_answer_what_and_how() -> None:
    each = {"kind": "gate", "status": "waiting", "variants": {"ask (eu, 1)": WAITING}}
    assert list(next_steps(run(jobs={"ask": each}))) == [
        "gate 'ask (eu, 1)' waits since 2026-01-31 12:00:00: Deploy now?",
        "  answered by ann, group:ops; not by who started the run; 1 of 2 approvals; "
        "until 2026-01-31 13:00:00, then rejected",
        "  approved by bob at 2026-01-31 12:00:00 with region=3, parts=a,b: ok",
        "  field region (select; one of eu, 3; required): Where?",
        "  field parts (multi select; some of a, b; default a,b)",
        "  orca approve r-1 'ask (eu, 1)' --field region=…",
        "  orca reject r-1 'ask (eu, 1)'",
    ]


def test_held_jobs_and_a_pause_say_what_can_be_done() -> None:
    paused = {"by": "ann", "at": NOW, "comment": "lunch"}
    assert list(next_steps(run(jobs={"a": HELD}, paused=paused))) == [
        "paused by ann since 2026-01-31 12:00:00 (lunch): nothing new starts until",
        "  orca unpause r-1",
        "job 'a' is held: exit: 3 …",
        "  orca retry r-1 a",
        "  orca skip r-1 a",
        "  orca set-output r-1 a NAME=VALUE",
        "  orca fail r-1 a",
    ]


def test_a_run_that_has_ended_asks_for_nothing() -> None:
    ended = run("cancelled", jobs={"ask": WAITING, "a": HELD}, paused={"at": NOW})
    assert list(next_steps(ended)) == []
    assert calls(ended) == {}


def test_many_gates_are_counted() -> None:
    lines = list(next_steps(run(jobs={f"g{number}": WAITING for number in range(25)})))
    assert lines[-1] == "and 5 more gates wait: orca gates r-1"


def test_what_people_did_is_told() -> None:
    answers = [
        {"by": "ann", "at": NOW, "decision": "reject", "via": "signal", "comment": "no"},
        {"by": "", "at": NOW, "decision": "approve", "via": "timeout"},
        {"by": "", "at": NOW, "decision": "reject", "via": "timeout"},
    ]
    gate = {"kind": "gate", "status": "failed", "gate": {**GATE, "answers": answers, "closed_at": NOW}}
    repairs = [{"action": "retry", "by": "ann", "at": NOW, "comment": "again"}, {"action": "skip", "at": NOW}]
    told = run(
        jobs={
            "ask": gate,
            "a": {"kind": "container", "status": "skipped", "repairs": repairs},
            "f": {"kind": "call", "status": "success", "quality": {"rows": 3}},
            "n": {"kind": "workflow", "status": "running", "child": "r-1.n-5"},
        },
        vars={"place": "eu", "list": [1]},
        ignored=[{"signal": "approve", "at": NOW, "why": "there is no gate 'x'"}],
    )
    assert list(notable(told)) == [
        "gate 'ask': rejected by ann at 2026-01-31 12:00:00 (by signal): no",
        "gate 'ask': approved by its timeout at 2026-01-31 12:00:00",
        "gate 'ask': closed by its timeout at 2026-01-31 12:00:00",
        "job 'a': another try by ann at 2026-01-31 12:00:00: again",
        "job 'a': skipped at 2026-01-31 12:00:00",
        "quality of 'f': {\"rows\": 3}",
        "job 'n' is a run of its own: orca status r-1.n-5",
        "variable place = eu",
        "variable list = [1]",
        "ignored: signal 'approve' at 2026-01-31 12:00:00: there is no gate 'x'",
    ]


def test_people_are_called_once_for_each_gate_and_each_time_a_job_is_held(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = LineProgress()

    def told(record: RunRecord) -> list[str]:
        shown.show(record)
        return capsys.readouterr().err.splitlines()

    first = told(run(jobs={"ask": {**WAITING, "gate": {**GATE, "answers": []}}, "a": HELD}))
    assert [line for line in first if not line.startswith("  ")] == [
        "◌ ask: waiting (waiting for approval (1 of 2): Deploy)",
        "◆ a: held (exit: 3 …)",
        "gate 'ask' waits since 2026-01-31 12:00:00: Deploy now?",
        "job 'a' is held: exit: 3 …",
    ]
    assert told(run(jobs={"ask": WAITING, "a": HELD})) == [
        "◌ ask: waiting (waiting for approval (1 of 2): Deploy)"
    ]
    again = {**HELD, "tries": 2, "repairs": [{"action": "retry", "at": NOW}]}
    assert told(run(jobs={"ask": WAITING, "a": again}))[0] == "job 'a' is held: exit: 3 …"
    paused = run(jobs={"ask": WAITING, "a": again}, paused={"at": NOW})
    assert told(paused) == ["paused since 2026-01-31 12:00:00: nothing new starts until 'orca unpause r-1'"]
    assert told(run(jobs={"ask": WAITING, "a": again})) == ["the run goes on"]
