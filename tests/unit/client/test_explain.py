"""Why a job is in the state that it is in, told from records made by hand."""

from typing import Any

import pytest

from orchestrator.client.explain import explain_run, explanation_json, explanation_lines
from orchestrator.contract.messages import RunRecord
from orchestrator.errors import UsageError
from orchestrator.plan.model import WorkflowNode
from orchestrator.plan.parts import Requirement, RetryPolicy
from tests.support.kinds import choice, gate, ways
from tests.support.plans import job, matrix, plan
from tests.support.records import NOW, begun, lines_of, run

OFF: dict[str, Any] = {
    "status": "skipped",
    "off_path": True,
    "reason": "skipped: none of the ways that lead to it was taken",
}


def test_what_a_job_requires_stands_beside_how_that_ended() -> None:
    of = plan(
        job("a"),
        job("b", on_error="continue"),
        job("c"),
        job("d"),
        job(
            "e",
            "a",
            "b",
            "c",
            Requirement(job="d", condition="always"),
            Requirement(job="a", condition="failure"),
        ),
    )
    skipped = {"status": "skipped", "reason": "skipped: `if: false` is false"}
    omitted = {"status": "omitted", "reason": "omitted: it requires 'a' to fail, which succeeded"}
    record = run(
        of,
        "failed",
        jobs={
            "a": "success",
            "b": begun("failed", reason="exit: 3\nlast words"),
            "c": skipped,
            "d": begun("cancelled", reason="cancelled: the run was cancelled"),
            "e": omitted,
        },
    )
    assert lines_of(of, record, "a") == ["started: it requires nothing"]
    assert lines_of(of, record, "b") == [
        "started: it requires nothing",
        "failed: exit: 3 …",
        "it may fail (on_error: continue): the run goes on, and is partial at best",
    ]
    assert lines_of(of, record, "e") == [
        "omitted: it requires 'a' to fail, which succeeded",
        "✓ requires 'a': success",
        "✓ requires 'b': failed, as it may: exit: 3 …",
        "✓ requires 'c': skipped: `if: false` is false",
        "✓ requires 'd' (however it ends): cancelled: the run was cancelled",
        "✗ requires 'a' (if it fails): success",
    ]


def test_a_path_that_was_not_taken_is_told_and_ignored() -> None:
    of = plan(
        choice("where", ("${{ params.to == 'production' }}", "ask"), requires=()),
        gate("ask", triggers=ways("where chosen")),
        job("deploy", "where", "ask"),
        job("after", Requirement(job="ask", condition="always")),
    )
    record = run(
        of,
        jobs={
            "where": begun(outputs={"chosen": []}, summary="took no branch"),
            "ask": OFF,
            "deploy": "success",
            "after": "success",
        },
    )
    assert lines_of(of, record, "ask") == [
        "skipped: none of the ways that lead to it was taken",
        "✗ starts when where chooses it: success: took no branch",
    ]
    assert lines_of(of, record, "deploy") == [
        "started: all that it requires ended as it asks",
        "✓ requires 'where': success: took no branch",
        "○ requires 'ask': skipped, on a path that was not taken",
    ]
    assert lines_of(of, record, "after")[1] == (
        "✓ requires 'ask' (however it ends): skipped, on a path that was not taken"
    )


def test_transitions_are_told_with_the_one_that_fired() -> None:
    of = plan(
        choice("where", (None, "c")),
        job("a"),
        job("b"),
        job("c", "b", triggers=ways("a failure", "b success", "where chosen", "a complete")),
        job("d", triggers=ways("c success", "a success")),
    )
    record = run(
        of,
        "running",
        jobs={
            "where": begun(outputs={"chosen": ["c"]}),
            "a": begun("failed", reason="exit: 3"),
            "b": "success",
            "c": "running",
        },
    )
    assert lines_of(of, record, "c") == [
        "started: 'a' failed; 'b' succeeded; 'where' chose it; 'a' has ended; all that it requires ended as it asks",
        "✓ requires 'b': success",
        "✓ starts when a fails: failed: exit: 3",
        "✓ starts when b succeeds: success",
        "✓ starts when where chooses it: success",
        "✓ starts when a ends: failed: exit: 3",
        "waits for its own end",
    ]
    assert lines_of(of, record, "d") == [
        "not started yet",
        "· starts when c succeeds: running",
        "✗ starts when a succeeds: failed: exit: 3",
        "waits for a way to it: when c succeeds, which is running",
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (begun(admitted="`if: params.x` is true (params.x = 1)"), "`if: params.x` is true (params.x = 1)"),
        ({"status": "pending"}, "`if: params.x` and `unless: failure()`: not looked at yet"),
        (
            "success",
            "`if: params.x` and `unless: failure()`: let it start; the record has no room for what was seen",
        ),
        (OFF, "`if: params.x` and `unless: failure()`: not looked at"),
        ({"status": "skipped", "reason": "skipped: `if: params.x` is false (params.x = 0)"}, None),
        ({"status": "failed", "reason": "expression: `if` of job 'a': no"}, None),
    ],
)
def test_conditions_are_told_with_what_they_saw(said: Any, expected: str | None) -> None:
    of = plan(job("a", condition="${{ params.x }}", unless="failure()"))
    (found,) = explain_run(run(of, jobs={"a": said}), of).jobs.values()
    assert found.conditions == (() if expected is None else (expected,))
    if expected is None:
        assert found.why == said["reason"]


@pytest.mark.parametrize(
    ("policy", "fields", "expected"),
    [
        ({"max_attempts": 2}, {"tries": 2, "reason": "oom: x"}, "`retry` allows 2 in all"),
        (
            {"max_attempts": 3, "on": ("exit", "lost")},
            {"reason": "oom: x"},
            "`retry` is for exit, lost, and this was oom",
        ),
        (
            {"max_attempts": 3, "on": ("error",)},
            {"reason": "timeout: x"},
            "`retry` is for error, and this was timeout",
        ),
        (
            {"max_attempts": 3, "exit_codes": (75,)},
            {"reason": "exit: x", "exit_code": 3},
            "`retry` is for the exit codes 75, and this was 3",
        ),
        ({"max_attempts": 3, "on": ("error",)}, {"reason": "call: x"}, "it would have ended the same way"),
    ],
)
def test_why_there_was_no_further_try(policy: dict[str, Any], fields: dict[str, Any], expected: str) -> None:
    of = plan(job("a", retry=RetryPolicy(**policy)))
    record = run(of, "failed", jobs={"a": begun("failed", **fields)})
    assert lines_of(of, record, "a")[-1] == f"no further try: {expected}"


def test_tries_are_told_one_by_one() -> None:
    of = plan(job("a", retry=RetryPolicy(max_attempts=9)))
    history = [
        {"number": 8, "status": "failed", "reason": "exit: 3\nlast"},
        {"number": 9, "status": "success"},
    ]
    record = run(of, jobs={"a": begun(tries=9, history=history)})
    assert lines_of(of, record, "a")[1:] == [
        "9 tries, of which the record has the last 2",
        "try 8: exit: 3",
        "try 9: success",
    ]


def test_a_held_job_waits_for_a_person_and_tells_what_people_did() -> None:
    of = plan(job("a", on_error="hold"), job("b", "a"))
    repairs = [{"action": "retry", "by": "ann", "at": NOW}]
    record = run(of, "running", jobs={"a": begun("held", reason="exit: 3", repairs=repairs)})
    assert lines_of(of, record, "a") == [
        "started: it requires nothing",
        "held: exit: 3",
        "repaired: ann let it be tried again",
        "waits for a person: it is held after its failure",
    ]
    assert lines_of(of, record, "b") == [
        "not started yet",
        "· requires 'a': held: exit: 3",
        "waits for 'a', which is held",
    ]


def test_a_nested_workflow_names_its_run() -> None:
    of = plan(WorkflowNode(name="provision", workflow="provision.yaml"))
    record = run(of, "running", jobs={"provision": begun("running", child="r-1.provision-1")})
    assert lines_of(of, record, "provision")[1:] == [
        "it is a run of its own: orca explain r-1.provision-1",
        "waits for run 'r-1.provision-1'",
    ]


VARIANTS = plan(job("a"), matrix("test", {"n": list(range(14))}, "a", max_parallel=2))


def fanned() -> RunRecord:
    """Most variants have failed, one runs, one has not begun."""
    states = [begun("failed", reason="exit: 3")] * 11
    states += [{"status": "cancelled", "reason": "cancelled: variant 'test (0)' failed (fail_fast)"}]
    states += [begun("running"), {"status": "pending"}]
    variants = {f"test ({number})": {"kind": "container", **one} for number, one in enumerate(states)}
    test = begun("running", summary="0/14 passed", variants=variants, tries=12)
    return run(VARIANTS, "running", jobs={"a": "success", "test": test})


def test_variants_are_told_below_their_job_those_that_are_worth_a_look_first() -> None:
    record = fanned()
    told = list(explanation_lines(explain_run(record, VARIANTS).jobs["test"]))
    assert told[:6] == [
        "started: all that it requires ended as it asks",
        "✓ requires 'a': success",
        "0/14 passed",
        "waits for its variants: 'test (12)', 'test (13)'",
        "test (0): failed",
        "  failed: exit: 3",
    ]
    assert told[-1] == "and 3 more variants"
    asked = lines_of(VARIANTS, record, "test")
    assert asked[-7:] == [
        "test (11): cancelled",
        "  cancelled: variant 'test (0)' failed (fail_fast)",
        "test (12): running",
        "  waits for its own end",
        "test (13): pending",
        "  not started yet",
        "  waits for a place: 2 variants at a time",
    ]


def test_one_variant_is_told_with_what_its_job_requires() -> None:
    assert lines_of(VARIANTS, fanned(), "test (0)") == [
        "started: all that it requires ended as it asks",
        "✓ requires 'a': success",
        "failed: exit: 3",
    ]


def test_a_variant_that_is_not_known_yet_is_its_job() -> None:
    found = explain_run(run(VARIANTS, "running", jobs={"a": "running"}), VARIANTS, "test (3)")
    assert list(found.jobs) == ["test"]
    with pytest.raises(UsageError, match="has no job 'tset'"):
        explain_run(fanned(), VARIANTS, "tset")
    with pytest.raises(UsageError, match=r"no variant 'test \(99\)'"):
        explain_run(fanned(), VARIANTS, "test (99)")


def test_the_shape_of_the_json() -> None:
    of = plan(job("a"), job("b", "a", triggers=ways("a success")))
    record = run(of, jobs={"a": "success", "b": "success"})
    assert explanation_json(explain_run(record, of, "b")) == {
        "run_id": "r-1",
        "spec": "s",
        "status": "success",
        "jobs": {
            "b": {
                "kind": "container",
                "status": "success",
                "why": "started: 'a' succeeded; all that it requires ended as it asks",
                "requires": [
                    {"job": "a", "condition": "success", "status": "success", "met": True, "off_path": False}
                ],
                "triggers": [{"job": "a", "on": "success", "status": "success", "fired": True}],
                "conditions": [],
                "facts": [],
                "waits_for": [],
            }
        },
    }
    shape = explanation_json(explain_run(fanned(), VARIANTS, "test"))["jobs"]["test"]["variants"]
    assert shape["test (0)"] == {
        "status": "failed",
        "why": "started: all that it requires ended as it asks",
        "facts": ["failed: exit: 3"],
        "waits_for": [],
    }
