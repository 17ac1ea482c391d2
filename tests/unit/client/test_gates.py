"""Which gates of a run wait, and what is typed for their fields."""

from typing import Any

import pytest

from orchestrator.client.gates import gate_named, left_to_ask, open_gates, read_field, read_fields
from orchestrator.contract.messages import JobRecord, RunRecord
from orchestrator.contract.people import FieldRecord, GateRecord
from orchestrator.errors import UsageError

NOW = "2026-01-31T12:00:00.000Z"


def gate(status: str = "waiting", **fields: Any) -> JobRecord:
    closed = {} if status == "waiting" else {"closed_at": NOW}
    shown = {"prompt": "Go?", "opened_at": NOW, **closed, **fields}
    return JobRecord.model_validate({"kind": "gate", "status": status, "gate": shown})


def run(**jobs: JobRecord) -> RunRecord:
    return RunRecord(run_id="r", attempt=1, spec="s", status="running", created_at=NOW, jobs=jobs)


def names(found: RunRecord) -> list[str]:
    return [one.name for one in open_gates(found)]


def test_open_gates_are_those_that_wait() -> None:
    each = JobRecord(
        kind="gate",
        status="waiting",
        variants={"each (eu)": gate("success"), "each (us)": gate(), "each (ap)": gate("cancelled")},
    )
    later = JobRecord(kind="gate", status="pending")
    found = run(build=JobRecord(kind="container", status="waiting"), one=gate(), each=each, later=later)
    assert names(found) == ["one", "each (us)"]


def test_without_a_name_the_only_one_is_meant() -> None:
    one = gate_named(run(a=gate("success"), b=gate()), None)
    assert one is not None
    assert one.name == "b"
    assert gate_named(run(a=gate("success"), b=gate()), "a") is None


def test_where_it_is_not_clear_they_are_named() -> None:
    with pytest.raises(UsageError, match=r"2 gates of run 'r' wait for an answer; say which one: 'a', 'b'"):
        gate_named(run(a=gate(), b=gate()), None)
    with pytest.raises(UsageError, match=r"no gate of run 'r' waits for an answer$"):
        gate_named(run(a=gate("failed")), None)


def test_nested_runs_are_named_where_none_waits() -> None:
    nested = JobRecord(kind="workflow", status="running", child="r.sub-1")
    ended = JobRecord(kind="workflow", status="success", child="r.sub-0", finished_at=NOW)
    with pytest.raises(UsageError, match=r"its nested runs may have some: orca gates r\.sub-1$"):
        gate_named(run(a=nested, b=ended), None)


FORM = (
    FieldRecord(name="text", type="string"),
    FieldRecord(name="count", type="number"),
    FieldRecord(name="sure", type="boolean"),
    FieldRecord(name="one", type="select", options=("eu", 3, True)),
    FieldRecord(name="some", type="multi_select", options=("a", "b,c", 3)),
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["text=a=b"], {"text": "a=b"}),
        (["text="], {"text": ""}),
        (["count=3"], {"count": 3}),
        (["count=-2.5e1"], {"count": -25.0}),
        (["sure=Yes"], {"sure": True}),
        (["sure=false"], {"sure": False}),
        (["one=eu"], {"one": "eu"}),
        (["one=3"], {"one": 3}),
        (["one=true"], {"one": True}),
        (["one=xx"], {"one": "xx"}),
        (["some=a,3"], {"some": ["a", 3]}),
        (["some=b,c"], {"some": ["b,c"]}),
        (["some=b,c", "some=a"], {"some": ["b,c", "a"]}),
        (["some="], {"some": []}),
        (["other=1"], {"other": "1"}),
    ],
)
def test_words_become_values_of_the_fields_types(words: list[str], expected: dict[str, Any]) -> None:
    found = read_fields(FORM, words)
    assert found == expected
    assert [type(value) for value in found.values()] == [type(value) for value in expected.values()]


def test_all_that_cannot_be_read_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        read_fields(FORM, ["alone", "count=true", "sure=perhaps", "text=a", "text=b"])
    assert str(caught.value) == (
        "--field takes name=value, and 'alone' has no '='; field 'count' must be a number, not 'true'; "
        "field 'sure' must be true or false, not 'perhaps'; "
        "field 'text' is given twice; only a multi_select takes several values"
    )


@pytest.mark.parametrize("text", ["", "NaNn", "1 2", "[1]", '"1"'])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(UsageError, match="must be a number"):
        read_field(FORM[1], text)


def test_people_are_asked_only_where_something_is_needed() -> None:
    optional = FieldRecord(name="o", type="string")
    filled = FieldRecord(name="d", type="string", required=True, default="x", has_default=True)
    needed = FieldRecord(name="n", type="string", required=True)
    assert left_to_ask(GateRecord(prompt="", opened_at=NOW, fields=(optional, filled)), {}) == []
    form = GateRecord(prompt="", opened_at=NOW, fields=(optional, filled, needed))
    assert left_to_ask(form, {"d": "y"}) == [optional, needed]
    assert left_to_ask(form, {"n": "y"}) == []
