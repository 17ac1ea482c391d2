"""What variants say together."""

import pytest

from orchestrator.errors import ExpressionError
from orchestrator.expressions import evaluate
from orchestrator.interpreter.agreement import Agreement
from orchestrator.plan.parts import Json


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("a", "a", True),
        ("a", "A", False),
        (1, 1, True),
        (1, True, False),
        (1, "1", False),
        (0, False, False),
        (None, "", False),
        ([1, 2], [1, 2], True),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1.5}, False),
    ],
)
def test_values_are_the_same_when_their_json_is(first: Json, second: Json, same: bool) -> None:
    found = Agreement("x", {"x (1)": {"v": first}, "x (2)": {"v": second}})
    assert found.agreed == ({"v": first} if same else {})
    assert list(found) == ["v"]
    if not same:
        with pytest.raises(ExpressionError):
            found["v"]


def test_a_variant_without_the_output_does_not_disagree() -> None:
    found = Agreement("x", {"x (1)": {}, "x (2)": {"v": 1}, "x (3)": {"v": 1, "w": 2}})
    assert found.agreed == dict(found) == {"v": 1, "w": 2}


def test_a_conflict_names_the_first_variant_and_the_first_that_differs() -> None:
    found = Agreement(
        "x", {"x (1)": {"v": "a"}, "x (2)": {"v": "a"}, "x (3)": {"v": "b"}, "x (4)": {"v": "c"}}
    )
    message = (
        "the variants of job 'x' do not agree on the output 'v': it is \"a\" in 'x (1)' and \"b\" in 'x (3)'; "
        "read jobs.x.matrix[*].outputs.v for all of them"
    )
    sources = ("jobs.v", "jobs.V", "jobs['v']", "toJSON(jobs)", "jobs.*", "jobs[*]", "jobs.v == 'a' || 1")
    for source in sources:
        with pytest.raises(ExpressionError) as caught:
            evaluate(source, {"jobs": found})
        assert str(caught.value).startswith(message), source


def test_what_is_not_read_is_no_error() -> None:
    found = Agreement("x", {"x (1)": {"v": "a", "w": 1}, "x (2)": {"v": "b", "w": 1}})
    assert evaluate("jobs.w", {"jobs": found}) == 1
    assert evaluate("jobs.none", {"jobs": found}) is None
    assert evaluate("true || jobs.v", {"jobs": found}) is True


def test_long_values_are_cut_in_the_message() -> None:
    found = Agreement("x", {"x (1)": {"v": "a" * 1000}, "x (2)": {"v": "b" * 1000}})
    with pytest.raises(ExpressionError) as caught:
        found["v"]
    assert len(str(caught.value)) < 350
