"""Which answers to a gate count, as tables, and what a record tells of one for which there is no room."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.contract.messages import MAX_LEAVES, JobOutcome
from orchestrator.contract.people import Answer, AnswerRecord, FieldRecord, GateRecord
from orchestrator.interpreter import gates
from orchestrator.interpreter.details import table_of
from orchestrator.interpreter.gates import Refused, check, outcome_of
from orchestrator.interpreter.job_state import Ending
from orchestrator.interpreter.said import holds_odd_number, spelling_problem
from orchestrator.interpreter.state import MAX_RUN_OUTPUT_BYTES, MAX_VARS_BYTES
from orchestrator.interpreter.telling import told_gate
from tests.support.kinds import gate as node
from tests.support.plans import plan, state

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
AT = "2026-01-31T12:00:00.000Z"


def opened(**fields: Any) -> GateRecord:
    return GateRecord.model_validate({"prompt": "Go?", "opened_at": AT, **fields})


def said(**fields: Any) -> Answer:
    return Answer.model_validate({"gate": "go", "by": "ann", **fields})


def why(answer: Answer, gate: GateRecord, now: datetime = NOW, submitted_by: str = "") -> str | None:
    found = check(answer, gate, name="go", now=now, submitted_by=submitted_by)
    return found.why if isinstance(found, Refused) else None


FIELDS: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"type": "string"}, ["", "a", "ü\n"], [1, True, ["a"], {}]),
    ({"type": "string", "pattern": "a|b"}, ["a", "b"], ["ab", "a\n", "xa", ""]),
    (
        {"type": "number"},
        [0, -1, 1.5, 2**63 - 1, -(2**63)],
        ["1", True, [], float("inf"), float("nan"), 2**63, -(2**63) - 1, 10**401],
    ),
    ({"type": "boolean"}, [True, False], [0, 1, "true", "yes"]),
    ({"type": "select", "options": (1, "a", None)}, [1, "a", 1.0], ["1", True, "b", ["a"]]),
    (
        {"type": "multi_select", "options": (1, "a")},
        [[], [1], ["a", 1]],
        ["a", [1, 1], ["b"], [True], {}],
    ),
]


@pytest.mark.parametrize(("field", "good", "bad"), FIELDS)
def test_what_a_field_takes(field: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    gate = opened(fields=[{"name": "f", **field}])
    assert [why(said(fields={"f": value}), gate) for value in good] == [None] * len(good)
    assert [value for value in bad if why(said(fields={"f": value}), gate) is None] == []


@pytest.mark.parametrize("empty", [None, "", []])
def test_what_is_empty_is_no_answer_to_what_is_required(empty: Any) -> None:
    kind = "multi_select" if empty == [] else "string"
    field = {"name": "f", "type": kind, "options": ("a",), "required": True}
    assert why(said(fields={"f": empty}), opened(fields=[field])) == "field 'f' of gate 'go' is required"
    assert why(said(fields={"f": empty}, decision="reject"), opened(fields=[field])) is None
    default: Any = ["a"] if kind == "multi_select" else "a"
    with_default = {**field, "default": default, "has_default": True}
    assert (why(said(), opened(fields=[with_default]))) is None


@pytest.mark.parametrize(
    ("approvers", "by", "groups", "may"),
    [
        ((), "ann", (), True),
        (("ann",), "ann", (), True),
        (("user:ann",), "ann", (), True),
        (("user:ann",), "user:ann", (), False),
        (("group:ann",), "ann", (), False),
        (("group:release",), "bob", ("dev", "release"), True),
        (("release",), "bob", ("release",), False),
        (("bob", "group:x"), "ann", ("y",), False),
        (("team:ann",), "team:ann", (), True),
    ],
)
def test_who_may_answer(approvers: tuple[str, ...], by: str, groups: tuple[str, ...], *, may: bool) -> None:
    for decision in ("approve", "reject"):
        answer = said(by=by, groups=groups, decision=decision)
        assert (why(answer, opened(approvers=approvers)) is None) is may


def test_nobody_approves_an_own_run_where_that_is_not_wanted() -> None:
    gate = opened(self_approval=False)
    assert why(said(), gate, submitted_by="ann") is not None
    assert why(said(by="bob"), gate, submitted_by="ann") is None
    assert why(said(decision="reject"), gate, submitted_by="ann") is None
    assert why(said(), opened(), submitted_by="ann") is None


@pytest.mark.parametrize("by", ["ANN", " ann ", "ａｎｎ", "Ａnn\n"])
def test_one_person_is_one_however_the_name_is_written(by: str) -> None:
    gate = opened(self_approval=False, needed=2)
    assert why(said(by=by), gate, submitted_by="ann") == (
        f"{unicodedata.normalize('NFKC', by).strip()} submitted this run, and gate 'go' "
        "takes no approval of one's own run"
    )
    answers = [AnswerRecord(by="ann", at=AT, decision="approve")]
    assert "has already answered" in (why(said(by=by), opened(needed=3, answers=answers)) or "")


def test_a_name_is_taken_down_in_one_form() -> None:
    gate = opened(approvers=["user:Ｊosé", "bob"])
    taken = check(said(by=" Jose\u0301 "), gate, name="go", now=NOW, submitted_by="")
    assert isinstance(taken, AnswerRecord)
    assert taken.by == "José"
    # Who may answer is who is named, as the names are written.
    assert why(said(by="BOB"), gate) is not None


@pytest.mark.parametrize(
    "by", ["", "  ", "\u3000", "a\u200bb", "\u202eann", "a\0", "a\nb", "\u2800", "a\ufe0f", "x" * 201]
)
def test_what_is_nobodys_name(by: str) -> None:
    assert why(said(by=by), opened()) is not None
    assert (spelling_problem(by) is None) is (not by.strip())


@pytest.mark.parametrize(
    ("fields", "submitted_by", "expected"),
    [
        ({"needed": 5}, "ann", None),
        ({"needed": 2, "approvers": ["ann", "group:x"], "self_approval": False}, "ann", None),
        ({"needed": 2, "approvers": ["ann", "user:bob"]}, "ann", None),
        ({"needed": 2, "approvers": ["ann", "user:ann"]}, "", "needs 2 approvals, and only ann may give one"),
        ({"needed": 2, "approvers": ["ann", "Ann "]}, "", "needs 2 approvals, and only ann may give one"),
        (
            {"needed": 2, "approvers": ["ann", "user:bob"], "self_approval": False},
            "ANN",
            "needs 2 approvals, and only bob may give one; ANN submitted this run, and it takes no approval of "
            "one's own run",
        ),
        (
            {"approvers": ["ann"], "self_approval": False},
            "ann",
            "needs 1 approval, and nobody may give one; ann submitted this run, and it takes no approval of "
            "one's own run",
        ),
        ({"approvers": ["ann"], "self_approval": False}, "", None),
        ({"approvers": ["ann"], "needed": 2, "on_timeout": "approve", "deadline": AT}, "", None),
        (
            {"approvers": ["ann"], "needed": 2, "on_timeout": "reject", "deadline": AT},
            "",
            "needs 2 approvals, and only ann may give one",
        ),
    ],
)
def test_a_gate_that_nobody_could_approve_is_known_when_it_opens(
    fields: dict[str, Any], submitted_by: str, expected: str | None
) -> None:
    found = gates.approval_problem(opened(**fields), "go", submitted_by)
    assert found == (None if expected is None else f"gate 'go' {expected}")


@pytest.mark.parametrize(
    ("value", "odd"),
    [
        ({"a": [1, 1.5, True, None, "9" * 99], "b": 2**63 - 1}, False),
        (2**63, True),
        ({"a": [{"b": -(2**64)}]}, True),
        ([float("nan")], True),
    ],
)
def test_numbers_that_not_everything_can_read_are_found(value: Any, *, odd: bool) -> None:
    assert holds_odd_number(value) is odd


def test_an_answer_at_the_deadline_is_too_late() -> None:
    gate = opened(deadline="2026-01-31T12:00:01.000Z")
    assert why(said(), gate) is None
    assert why(said(), gate, NOW.replace(second=1)) == (
        "gate 'go' has expired: it was open until 2026-01-31T12:00:01.000Z"
    )


def test_sizes_are_bounded() -> None:
    assert why(said(comment="x" * 2001), opened()) == "the comment is longer than 2,000 characters"
    assert why(said(by="x" * 201), opened()) == "the name of who answers is longer than 200 characters"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (
            {"by": "bob", "decision": "approve", "comment": "ok"},
            "gate 'go' is closed: bob approved it at 1 ('ok')",
        ),
        ({"by": "bob", "decision": "reject"}, "gate 'go' is closed: bob rejected it at 1"),
        ({"by": "", "decision": "reject", "via": "timeout"}, "gate 'go' is closed: nobody answered until 2"),
        (None, "gate 'go' is closed since 3: its job was cancelled"),
    ],
)
def test_how_a_gate_was_closed_is_told(last: dict[str, Any] | None, expected: str) -> None:
    answers = [] if last is None else [AnswerRecord.model_validate({"at": "1", **last})]
    assert why(said(), opened(answers=answers, deadline="2", closed_at="3")) == expected


def test_a_timeout_after_some_approvals() -> None:
    gate = gates.answered(opened(needed=3), AnswerRecord(by="ann", at=AT, decision="approve"), at=AT)
    for meaning, status, message in (
        ("reject", "failed", "rejected: only 1 of 3 approvals came within 1 m"),
        ("fail", "failed", "timeout: only 1 of 3 approvals came within 1 m"),
        ("approve", "success", None),
    ):
        over = gates.timed_out(gate.model_copy(update={"on_timeout": meaning}), at=AT)
        outcome = outcome_of(over, limit=60)
        assert over.closed_at == AT
        assert (outcome.status, str(outcome.reason) if outcome.reason else None) == (status, message)
        assert outcome.outputs["approved_by"] == ["ann"]


def test_a_gate_for_which_there_is_no_room_says_so() -> None:
    fields = tuple(FieldRecord(type="string", name=f"f{n}", description="d" * 400) for n in range(3))
    answers = tuple(
        AnswerRecord(by=f"person {n}", at=AT, decision="approve", fields={"f1": "x" * 1000}) for n in range(9)
    )
    gate = opened(
        prompt="p" * 3000, fields=fields, answers=answers, approvers=tuple(f"user:{n}" for n in range(99))
    )
    assert told_gate(gate, 100_000) == gate
    for room in (400, 1000, 3000, 8000):
        cut = told_gate(gate, room)
        assert cut.cut
        assert cut.answers[-1].by == "person 8"
        assert len(cut.model_dump_json()) <= max(room, 650)
    assert [len(told_gate(gate, room).fields) for room in (1000, 8000)] == [0, 3]


def test_the_record_of_as_many_gates_as_a_run_may_have_fits() -> None:
    run = state(plan(*(node(f"gate{n}") for n in range(MAX_LEAVES)), vars={"x": ""}))
    answer = AnswerRecord(
        by="a" * 200, at=AT, decision="approve", comment="c" * 2000, fields={"f": "x" * 60_000}
    )
    for job in run.jobs.values():
        gate = opened(
            prompt="p" * 4000, needed=2, answers=(answer,), deadline=AT, approvers=("x" * 100,) * 20
        )
        job.gate = gate.model_copy(
            update={"fields": tuple(FieldRecord(type="string", name=f"f{n}") for n in range(50))}
        )
        job.enter("waiting", gates.waiting_for(job.gate))
        job.outputs = {"f": "x" * (MAX_RUN_OUTPUT_BYTES // MAX_LEAVES)}
    run.vars = {"x": "v" * MAX_VARS_BYTES}
    for _ in range(30):
        run.ignore("approve" * 20, AT, "w" * 1000)
    assert len(run.ignored) == 20
    assert len(run.record().model_dump_json()) < 1_900_000


def test_the_table_tells_what_a_gate_waits_for_and_who_decided() -> None:
    run = state(plan(node("a"), node("b"), node("c"), node("d", triggers=({"job": "a", "on": "failure"},))))
    for name in ("a", "b", "c"):
        run.jobs[name].gate = opened(deadline="2026-02-01T12:00:00.000Z")
        run.jobs[name].enter("waiting", gates.waiting_for(opened()))
    run.jobs["b"].note = "approved by ann"
    run.settle("b", Ending("success"), AT)
    run.jobs["c"].note = "rejected by bob"
    outcome = JobOutcome(status="failed")
    run.jobs["c"].take(outcome)
    run.settle("c", Ending("failed", "rejected: by bob: no"), AT)
    rows = [line for line in table_of(run).splitlines() if line.startswith("| `")]
    notes = [row.split("|")[-2].strip() for row in rows]
    assert notes == [
        "waiting for approval: Go? until 2026-02-01T12:00:00.000Z",
        "approved by ann",
        "rejected: by bob: no (rejected by bob)",
        "",
    ]
    assert rows[3].split("|")[5].strip() == "`a` on failure"
    assert table_of(run).splitlines()[-1] == (
        "Answer a gate with `orca approve test-abcd2345 'a'`, or with the signal `approve` or `reject`: "
        '`{"gate": "a", "by": "…"}`.'
    )
    run.jobs["d"].enter("held", "exit: no")
    assert table_of(run).splitlines()[-1] == (
        "Let a held job go on with `orca retry test-abcd2345 'd'`, or with `skip`, `set-output` or `fail` instead of "
        "`retry`."
    )
