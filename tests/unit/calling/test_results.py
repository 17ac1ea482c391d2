"""What functions may return, and what is said of the rest."""

from collections import OrderedDict
from datetime import date
from enum import StrEnum
from itertools import count
from typing import Any

import pytest

from orchestrator.contract.messages import MAX_OUTPUT_BYTES
from orchestrator.handlers import QualityMetrics, StepResult
from workers.calling.results import outcome_of


class Colour(StrEnum):
    RED = "red"


class Broken(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("not now")


class Endless(dict[str, Any]):
    """Without an end in its breadth."""

    def items(self) -> Any:
        return ((f"key {number}", None) for number in count())


class Key:
    def __repr__(self) -> str:
        raise RuntimeError("nameless")


def endless() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["self"] = found
    return found


GOOD: list[tuple[Any, dict[str, Any]]] = [
    (None, {}),
    ({}, {}),
    ({"a": [1, 2.5, None, True, {"b": "ü"}]}, {"a": [1, 2.5, None, True, {"b": "ü"}]}),
    (OrderedDict(a=(1, 2)), {"a": [1, 2]}),
    ({"colour": Colour.RED}, {"colour": "red"}),
    (StepResult.ok({"a": 1}), {"a": 1}),
]


@pytest.mark.parametrize(("returned", "outputs"), GOOD)
def test_a_success(returned: Any, outputs: dict[str, Any]) -> None:
    outcome = outcome_of(returned)
    assert (outcome.status, outcome.outputs, outcome.reason) == ("success", outputs, None)
    assert [type(value) for value in outcome.outputs.values()] == [type(value) for value in outputs.values()]


TOO_LARGE = (
    "the outputs take more than 65,536 bytes as JSON, which is the limit; put large data where the next job finds it "
    "and return the place"
)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (
            3,
            "the function returned something of type int; it must return a StepResult, a dict of outputs or None",
        ),
        (
            [{"a": 1}],
            "the function returned something of type list; it must return a StepResult, a dict of outputs or None",
        ),
        (
            {"a": date(2026, 1, 1)},
            "`output.a` is of type datetime.date, which is not JSON; convert it in the function",
        ),
        (
            {"a": {"b": [0, b"x"]}},
            "`output.a.b[1]` is of type bytes, which is not JSON; convert it in the function",
        ),
        ({"a": {1, 2}}, "`output.a` is of type set, which is not JSON; convert it in the function"),
        ({1: "a"}, "`output` has the key 1, which is no text; JSON has only texts as keys"),
        ({"a": float("nan")}, "`output.a` is nan, which JSON does not have"),
        ({"a": 10**2000}, "`output.a` is a whole number of more than 400 digits; return it as text"),
        (
            {"a": "\ud800"},
            "the outputs hold text that is no Unicode (surrogates not allowed); decode bytes with errors='replace'",
        ),
        (
            {"a": "x" * MAX_OUTPUT_BYTES},
            TOO_LARGE,
        ),
        (
            StepResult.ok(updates={"a": object()}),
            "`updates.a` is of type object, which is not JSON; convert it in the function",
        ),
        ({"a": "x" * 100_000_000}, TOO_LARGE),
        ({"a": ["x"] * 100_000_000}, TOO_LARGE),
        ({"a": [10**300] * 1000}, TOO_LARGE),
        ({"a": '"' * 40_000}, TOO_LARGE),
        (Endless(a=1), TOO_LARGE),
        (
            {"\ud800": 1},
            "the outputs hold text that is no Unicode (surrogates not allowed); decode bytes with errors='replace'",
        ),
        (StepResult(status="ok", output=[1]), "the outputs must be a dict, and `output` is of type list"),  # pyright: ignore
        (StepResult(status="done"), "the StepResult has the status 'done'; make it with ok, fail or skip"),  # pyright: ignore
    ],
)
def test_what_is_not_agreed_is_a_failure_that_no_retry_mends(returned: Any, said: str) -> None:
    outcome = outcome_of(returned)
    assert outcome.reason is not None
    assert (outcome.status, outcome.final) == ("failed", True)
    assert str(outcome.reason) == f"output: {said}"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (Broken(a=1), "what the function returned cannot be read: RuntimeError: not now (test"),
        ({"a": Broken(a=1)}, "what the function returned cannot be read: RuntimeError: not now (test"),
        ({Key(): 1}, "what the function returned cannot be read: RuntimeError: nameless (test"),
        (
            StepResult.ok(quality=QualityMetrics(record_count="3", valid_count=2)),  # pyright: ignore
            "the quality metrics cannot be read: TypeError: ",
        ),
        (
            StepResult.ok(quality=QualityMetrics(extra=3)),  # pyright: ignore
            "the quality metrics cannot be read: TypeError: ",
        ),
        (
            StepResult.ok(quality=QualityMetrics(passed=object())),  # pyright: ignore
            "`quality.passed` is of type object, which is not JSON",
        ),
        (StepResult.ok(quality=3), "the quality metrics must be a dict, and `quality` is of type int"),  # pyright: ignore
    ],
)
def test_what_cannot_be_read_is_a_failure_that_no_retry_mends(returned: Any, said: str) -> None:
    outcome = outcome_of(returned)
    assert (outcome.status, outcome.final) == ("failed", True)
    assert str(outcome.reason).startswith(f"output: {said}")


def test_halves_of_characters_in_what_is_said_become_question_marks() -> None:
    failed = outcome_of(StepResult.fail("half \ud800", category="A\udfff"))
    assert str(failed.reason) == "call: A?: half ?"
    skipped = outcome_of(StepResult.skip("half \ud800"))
    assert skipped.note == "skipped: half ?"
    for outcome in (failed, skipped):
        assert outcome.model_dump_json()


def test_what_holds_itself_is_refused() -> None:
    assert "is nested more than 64 deep, or holds itself" in str(outcome_of(endless()).reason)


def test_a_failure_says_its_category() -> None:
    quality = QualityMetrics(record_count=3, passed=False)
    outcome = outcome_of(
        StepResult.fail("only 3 records", category="DATA_QUALITY", output={"rows": 3}, quality=quality)
    )
    assert (outcome.status, str(outcome.reason)) == ("failed", "call: DATA_QUALITY: only 3 records")
    assert (outcome.outputs, outcome.quality, outcome.final) == (
        {"rows": 3},
        {"record_count": 3, "passed": False},
        False,
    )
    assert outcome_of(StepResult.fail("never", retry=False)).final
    assert str(outcome_of(StepResult.fail("")).reason) == "call: the function said that it failed"


def test_a_skip_says_why() -> None:
    outcome = outcome_of(StepResult.skip("already done today"))
    assert (outcome.status, outcome.note, outcome.reason) == ("skipped", "skipped: already done today", None)
    assert outcome_of(StepResult.skip("")).note == "skipped by its function"
