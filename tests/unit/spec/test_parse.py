"""Data to Spec: short forms, and findings that come all at once, in order, in plain English."""

# Sentences stand whole, as people read them.
# ruff: noqa: E501
from typing import Any

import pytest

from orchestrator.contract.failures import FailureKind
from orchestrator.plan import model as plan_model
from orchestrator.plan import variants
from orchestrator.spec import model
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.kinds import GateShape, WaitShape
from orchestrator.spec.model import RETRY_KINDS, JobShape, MatrixShape, RequirementShape, RetryShape, Spec
from orchestrator.spec.parse import parse


def spec_of(text: str) -> Spec:
    spec, found = parse(text, "t.yaml")
    assert found == ()
    assert spec is not None
    return spec


def job_of(text: str) -> JobShape:
    return spec_of(f"name: n\njobs:\n  a: {{image: i, {text}}}\n").jobs["a"]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("requires: b", "requires", (RequirementShape(job="b"),)),
        ("requires: [{job: b}]", "requires", (RequirementShape(job="b"),)),
        ("gate: Go?", "gate", GateShape.model_validate({"prompt": "Go?"})),
        (
            "gate: {prompt: Go?, approvers: '${{ params.p }} '}",
            "gate",
            GateShape.model_validate({"prompt": "Go?", "approvers": "${{ params.p }}"}),
        ),
        (
            "gate: {prompt: Go?, approvers: ann}",
            "gate",
            GateShape.model_validate({"prompt": "Go?", "approvers": ["ann"]}),
        ),
        ("wait: 90", "wait", WaitShape.model_validate({"for": 90.0})),
        ("wait: '${{ params.p }}m'", "wait", WaitShape.model_validate({"for": "${{ params.p }}m"})),
        ("wait: {until: 1700000000}", "wait", WaitShape.model_validate({"until": 1700000000})),
        (
            "wait: {until: '2026-01-31t08:00:00.5+01:00'}",
            "wait",
            WaitShape(until="2026-01-31t08:00:00.5+01:00"),
        ),
        ("call: http", "call", "http"),
        ("on_complete: tidy", "on_complete", ("tidy",)),
        ("on_complete: [always]", "on_complete", ("always",)),
        ("on_complete: failure", "on_complete", "failure"),
        ("on_success: b", "on_success", ("b",)),
        ("on_error: hold", "on_error", "hold"),
        ("retry: 3", "retry", RetryShape(max_attempts=3)),
        ("outputs: [x, y]", "outputs", ("x", "y")),
        ("outputs: x", "outputs", ("x",)),
        ("if: false", "if_", "${{ false }}"),
        ("entrypoint: /init", "entrypoint", ("/init",)),
        ("artifacts: /x", "artifacts", ("/x",)),
        ("pull: missing", "pull", "missing"),
        ("matrix: '${{ fromJSON(params.p) }} '", "matrix", "${{ fromJSON(params.p) }}"),
        ("matrix: {a: [1]}", "matrix", MatrixShape.model_validate({"a": [1]})),
        ("for_each: [1, b]", "for_each", [1, "b"]),
        ("for_each: '${{ params.p }}'", "for_each", "${{ params.p }}"),
    ],
)
def test_short_forms(text: str, field: str, value: Any) -> None:
    assert getattr(job_of(text), field) == value


def test_retry_kinds_are_the_kinds_of_failure_that_another_try_may_mend() -> None:
    assert set(RETRY_KINDS) == {"error", *(kind.value for kind in FailureKind)} - {
        "cancelled",
        "expression",
        "rejected",
    }


def test_the_limits_of_variants_are_those_of_the_plan() -> None:
    assert (model.MAX_VARIANTS, model.DEFAULT_MAX_VARIANTS) == (
        variants.MAX_VARIANTS,
        plan_model.DEFAULT_MAX_VARIANTS,
    )


@pytest.mark.parametrize(
    ("key", "meant"),
    [("needs", "requires"), ("max-parallel", "max_parallel"), ("strategy", "matrix"), ("runs-on", "image")],
)
def test_keys_as_others_call_them_lead_to_ours(key: str, meant: str) -> None:
    _, found = parse(f"name: n\njobs:\n  a: {{image: i, {key}: x}}\n", "t.yaml")
    assert [(item.code, item.suggestion) for item in found] == [("E101", meant)]


def test_a_mistake_in_a_matrix_does_not_make_what_reads_it_seem_wrong() -> None:
    spec, found = parse(
        "name: n\njobs:\n  a: {image: i, matrix: {os: 3, max_parallel: x}, include: 4, env: {A: '${{ matrix.os }}'}}\n",
        "t.yaml",
    )
    assert [item.column for item in found] == [30, 47, 60]
    assert spec is not None
    assert (spec.jobs["a"].matrix, spec.jobs["a"].include) == ("${{ run }}", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timeout: 0", "'timeout' of job 'a' must be longer than 0 seconds, not 0"),
        ("commands: [x: y]", "item 1 of 'commands' of job 'a' must be text, not a mapping; where text holds ': ', put all of it in quotes"),
        ("on_error: \"${{ matrix.e && 'continue' || 'stop' }}\"", "'on_error' of job 'a' must be 'stop', 'continue' or 'hold', not '${{ matrix.e && 'continue' || 'stop' }}'; '${{ }}' is not evaluated here, as 'on_error' is the same for all variants: give those that differ a job of their own"),
        ("retry: {delay: '${{ item.delay }}'}", "'delay' of 'retry' of job 'a' must be a number of seconds or a duration such as '90s', '5m' or '1h30m', not '${{ item.delay }}'; '${{ }}' is not evaluated here, as 'retry' is the same for all variants: give those that differ a job of their own"),
        ("on_error: true", "'on_error' of job 'a' must be 'continue' for a job that may fail, or 'stop', not true"),
        ("max_parallel: '${{ matrix.n }}'", "'max_parallel' of job 'a' must be a whole number, not '${{ matrix.n }}'; '${{ }}' is not evaluated here"),
        ("timeout: '${{ params.t }}'", "'timeout' of job 'a' must be a number of seconds or a duration such as '90s', '5m' or '1h30m', not '${{ params.t }}'; '${{ }}' is not evaluated here"),
        ("retry: {max_attempts: 101}", "'max_attempts' of 'retry' of job 'a' must be at most 100, not 101"),
        ("retry: {max_attempts: two}", "'max_attempts' of 'retry' of job 'a' must be a whole number, not 'two'"),
        ("retry: {exit_codes: [256]}", "item 1 of 'exit_codes' of 'retry' of job 'a' must be at most 255, not 256"),
        ("retry: {multiplier: .inf}", "'multiplier' of 'retry' of job 'a' must be at most 1000.0, not inf"),
        ("resources: {memory: 1m}", "'memory' of 'resources' of job 'a' must be at least '6m', which is the least that Docker accepts, not '1m'"),
        ("env: {A: {b: c}}", "'A' of 'env' of job 'a' must be text, not a mapping; where text holds ': ', put all of it in quotes"),
        ("commands: ", "'commands' of job 'a' must be a list, but nothing is written there"),
        ("if: ''", "'if' of job 'a' has no value; write one or remove the key"),
        ("if: 3", "'if' of job 'a' must be an expression such as ${{ params.deploy }}, not 3"),
        ("user: ", "'user' of job 'a' has no value; write one or remove the key"),
        ("on_complete: {b: c}", "'on_complete' of job 'a' must be 'success', 'failure' or 'always', or a list of jobs to go to, not a mapping"),
        ("outputs: {a: [1]}", "'a' of 'outputs' of job 'a' must be text, a number, or an expression such as ${{ jobs.build.outputs.image }}, not a list"),
        ("matrix: 3", "'matrix' of job 'a' must be a mapping of axes to their values, or one expression such as ${{ fromJSON(jobs.list.outputs.matrix) }}, not 3"),
        ("matrix: {}", "'matrix' of job 'a' must name at least one axis"),
        ("matrix: ", "'matrix' of job 'a' has no value; write one or remove the key"),
        ("matrix: 'a ${{ params.p }}'", "'matrix' of job 'a' must be a mapping of axes to their values, or one '${{ }}' with no text beside it: with text it is text"),
        ("matrix: {os: linux}", "'os' of 'matrix' of job 'a' must be a list of values, or one expression such as ${{ fromJSON(jobs.list.outputs.versions) }}, not 'linux'"),
        ("matrix: {os: []}", "'os' of 'matrix' of job 'a' must be a list with at least one value"),
        ("matrix: {max-parallel: 2}", "'max-parallel' of 'matrix' of job 'a' must be a list of values, or one expression such as ${{ fromJSON(jobs.list.outputs.versions) }}, not 2"),
        ("matrix: {include: {os: x}}", "'include' of 'matrix' of job 'a' must be a list of mappings, or one expression such as ${{ fromJSON(jobs.list.outputs.entries) }}, not a mapping"),
        ("matrix: {include: [linux]}", "item 1 of 'include' of 'matrix' of job 'a' must be a mapping of names to values, or one expression such as ${{ fromJSON(jobs.list.outputs.entry) }}, not 'linux'"),
        ("matrix: {exclude: [{}]}", "item 1 of 'exclude' of 'matrix' of job 'a' must name at least one value"),
        ("matrix: {max_parallel: '${{ params.n }}'}", "'max_parallel' of 'matrix' of job 'a' must be a whole number, not '${{ params.n }}'; '${{ }}' is not evaluated here"),
        ("for_each: 3", "'for_each' of job 'a' must be a list, a mapping, or one expression such as ${{ fromJSON(jobs.list.outputs.files) }}, not 3"),
        ("for_each: 'a ${{ params.p }}'", "'for_each' of job 'a' must be a list, a mapping, or one '${{ }}' with no text beside it: with text it is text"),
        ("batch_size: 0", "'batch_size' of job 'a' must be at least 1, not 0"),
        ("fail_fast: no", "'fail_fast' of job 'a' must be true or false, not 'no'"),
        ("name: 3", "'name' of job 'a' must be text, not 3"),
        ("strategy: {}", "job 'a' has the unknown key 'strategy'"),
        ("artifacts: [7]", "item 1 of 'artifacts' of job 'a' must be text, not 7"),
        ("artifacts: ['']", "item 1 of 'artifacts' of job 'a' must not be empty, not ''"),
    ],
)  # fmt: skip
def test_wrong_values_are_said_in_plain_english(text: str, message: str) -> None:
    _, found = parse(f"name: n\njobs:\n  a: {{image: i, {text}}}\n", "t.yaml")
    assert [item.message for item in found] == [message]


def test_what_is_not_a_spec_at_all() -> None:
    for text in ("just text", "[1, 2]", "3"):
        spec, found = parse(text, "t.yaml")
        assert (spec, [str(item) for item in found]) == (
            None,
            ["t.yaml:1:1: error[E102]: a spec must be a mapping with 'name' and 'jobs'"],
        )


def test_findings_of_all_kinds_come_at_once_in_source_order() -> None:
    text = "nam: x\njobs:\n  a:\n    imag: y\n    timeout: soon\n    timeout: 1\n  b: 5\n  1: {}\n"
    spec, found = parse(text, "ci.yaml")
    assert [str(item) for item in found] == [
        "ci.yaml:1:1: error[E101]: the spec has the unknown key 'nam'; did you mean 'name'?",
        "ci.yaml:1:1: error[E104]: the spec has no 'name', which must be there",
        "ci.yaml:4:5: error[E101]: job 'a' has the unknown key 'imag'; did you mean 'image'?",
        "ci.yaml:5:14: error[E102]: 'timeout' of job 'a' must be a number of seconds or a duration such as '90s', "
        "'5m' or '1h30m', not 'soon'",
        "ci.yaml:6:5: error[E005]: the key 'timeout' is already there, in line 5",
        "ci.yaml:7:6: error[E102]: job 'b' must be a mapping of keys to values, not 5",
        'ci.yaml:8:3: error[E006]: a key must be text; write "1" in quotes',
    ]
    assert spec is not None
    assert list(spec.jobs) == ["a", "b"]


def test_thousands_of_findings_stay_quick_and_are_counted() -> None:
    text = "name: n\njobs:\n" + "".join(
        f"  j{n}: {{image: i, comands: [x], timeout: soon}}\n" for n in range(5000)
    )
    _, found = parse(text, "t.yaml")
    assert len(found) == 1001
    assert found[-1].message == "and 9000 more findings, which are not shown"


def test_names_in_findings_cannot_steer_a_terminal() -> None:
    _, found = parse('name: n\njobs: {a: {image: i, "\\e[31m\\n": 1}}', "t.yaml")
    assert [item.message for item in found] == ["job 'a' has the unknown key '\\x1b[31m\\x0a'"]


def test_a_finding_prints_as_a_line_with_a_caret_and_as_json() -> None:
    _, found = parse("name: n\njobs:\n  a:\n\timage: i\n", "t.yaml")
    assert found[0].pretty().endswith("\n    4 | \timage: i\n      | ^")
    finding = Diagnostic(
        code="E103",
        message="no 'ä'",
        file="f.yaml",
        line=12,
        column=5,
        end=7,
        suggestion="b",
        source_line="\tä 漢字 x",
    )
    assert str(finding) == "f.yaml:12:5: error[E103]: no 'ä'; did you mean 'b'?"
    assert finding.pretty() == f"{finding}\n   12 | \tä 漢字 x\n      | \t  " + "  ^^^"
    assert finding.pretty(colour=True) == (
        "f.yaml:12:5: \x1b[1;31merror[E103]\x1b[0m: no 'ä'; did you mean 'b'?\n"
        "   12 | \tä 漢字 x\n      | \t    \x1b[1;31m^^^\x1b[0m"
    )
    assert finding.to_json() == {
        "code": "E103", "severity": "error", "message": "no 'ä'", "file": "f.yaml", "line": 12, "column": 5, "end": 7,
        "suggestion": "b", "source_line": "\tä 漢字 x",
    }  # fmt: skip
