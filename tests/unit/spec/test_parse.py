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


FIELD = {
    "type": "string", "label": "", "description": "", "required": False, "default": None, "pattern": None,
    "options": None,
}  # fmt: skip


def test_every_key_of_the_language_is_read() -> None:
    spec = spec_of("""
name: all
description: d
version: 1.10
labels: {tier: 1, on: true}
params:
  p: {type: integer, required: true, default: 3, enum: [3, 4], description: x}
  q:
env: {PI: 3.10, YES: yes, NONE: null, HEX: 0x1F}
workspace: .
defaults: {image: base, timeout: 1m, retry: 2, env: {D: 1}, shell: bash, working_dir: /d, user: 1000, pull: never,
  resources: {cpus: "1.5"}, on_error: continue, stop_grace: 0}
timeout: 1h30m
max_parallel: 4
max_variants: 300
cleanup_policy: keep
services:
  db:
    image: postgres:15
    env: {A: 1.10}
    command: postgres -c 'a b' ${{ params.p || 'x y' }}
    entrypoint: [/bin/tini, ""]
    health_check: {test: pg_isready, disable: false, interval: 1m30s, timeout: 5, retries: 2, start_period: 0,
      start_interval: 500ms}
    start_timeout: 2m
    ports: [5432, "15432:5432", "0.0.0.0:1:2", "[::1]:3:4/tcp", 53/udp]
    resources: {memory: 64m}
    tmpfs: ["/a", "/b:64m", "/c:mode=1777,noexec"]
    required: false
    artifact: true
    pull: if_not_present
jobs:
  a:
    image: i
    name: A
    matrix:
      os: [linux, 3.0, true, [x], {y: null}]
      arch: |
        ${{ fromJSON(params.p) }}
      include: [{os: linux, extra: 1}]
      exclude: ${{ fromJSON(params.p) }}
      max_parallel: 2
      fail_fast: false
    include: [{os: mac}, "${{ fromJSON(params.q) }}"]
    exclude: [{os: linux}]
    for_each: {a: 1}
    batch_size: 3
    max_parallel: 5
    fail_fast: true
    commands: make
    requires: [b, {job: c, condition: failure}]
    after: d
    parallel_with: [e]
    if: true
    unless: params.p == 3
    on_complete: always
    on_error: stop
    env: {A: 007}
    timeout: 90
    retry: {max_attempts: 3, delay: 500ms, backoff: linear, multiplier: 3, max_delay: 1m, on: [exit, oom], exit_codes: [1, 2]}
    outputs: {n: 3, ok: true, e: "${{ 1 }}"}
    artifacts: [/x, "*.txt"]
    artifacts_from: [b]
    working_dir: /w
    shell: sh
    user: 0:0
    entrypoint: [/bin/env]
    services: redis:7
    network: internal
    pull: if_not_present
    stop_grace: 3s
    resources: {cpus: 2, memory: 64MiB, pids: 10}
    call: travel.tools:book
    with: {city: Oslo, nights: [1, {a: null}]}
    gate:
      prompt: Sure?
      fields: {a: , b: number, c: {type: multi-select, options: [x, 1], label: L, description: D, required: true,
        default: [x]}, d: {pattern: "^a", options: "${{ params.p }}"}}
      approvers: [ann, "group:release"]
      min_approvals: 2
      self_approval: false
      timeout: 1h
      on_timeout: reject
      reminder: {every: 4h, job: b}
    wait: 5m
    choice: [{when: true, then: b}, {default: [c, d]}]
    workflow: ./x.yaml
    on_success: b
    on_failure: [c]
    publish: {v: 1, w: "${{ vars.v }}"}
vars: {v: null, w: {a: [1]}}
error_handlers: {a: b, b: [c, d]}
outputs: {x: "${{ jobs.a.outputs.n }}"}
""")
    assert spec.model_dump(by_alias=True) == {
        "name": "all",
        "description": "d",
        "version": "1.10",
        "labels": {"tier": "1", "on": "true"},
        "params": {
            "p": {
                "type": "integer", "required": True, "default": 3, "enum": (3, 4), "pattern": None, "description": "x",
            },
            "q": {"type": "string", "required": False, "default": None, "enum": (), "pattern": None, "description": ""},
        },
        "env": {"PI": "3.10", "YES": "yes", "NONE": "", "HEX": "0x1F"},
        "workspace": ".",
        "defaults": {
            "image": "base", "timeout": 60.0, "retry": RetryShape(max_attempts=2).model_dump(), "env": {"D": "1"},
            "shell": "bash", "working_dir": "/d", "user": "1000", "pull": "never",
            "resources": {"cpus": 1.5, "memory": None, "pids": None}, "on_error": "continue", "stop_grace": 0.0,
        },
        "timeout": 5400.0,
        "max_parallel": 4,
        "max_variants": 300,
        "cleanup_policy": "keep",
        "services": {
            "db": {
                "image": "postgres:15",
                "env": {"A": "1.10"},
                "command": ("postgres", "-c", "a b", "${{ params.p || 'x y' }}"),
                "entrypoint": ("/bin/tini", ""),
                "health_check": {
                    "test": ("CMD-SHELL", "pg_isready"), "ready": None, "disable": False, "interval": 90.0,
                    "timeout": 5.0, "retries": 2, "start_period": 0.0, "start_interval": 0.5,
                },
                "start_timeout": 120.0,
                "ports": tuple(
                    {"container": container, "host": host, "address": address, "protocol": protocol}
                    for container, host, address, protocol in (
                        (5432, None, "127.0.0.1", "tcp"), (5432, 15432, "127.0.0.1", "tcp"), (2, 1, "0.0.0.0", "tcp"),
                        (4, 3, "::1", "tcp"), (53, None, "127.0.0.1", "udp"),
                    )
                ),
                "resources": {"cpus": None, "memory": 64 * 2**20, "pids": None},
                "tmpfs": {"/a": "", "/b": "size=67108864", "/c": "mode=1777,noexec"},
                "required": False,
                "artifact": True,
                "pull": "missing",
            }
        },
        "jobs": {
            "a": {
                "image": "i",
                "name": "A",
                "commands": ("make",),
                "matrix": {
                    "include": ({"os": "linux", "extra": 1},),
                    "exclude": "${{ fromJSON(params.p) }}",
                    "max_parallel": 2,
                    "fail_fast": False,
                    "os": ["linux", 3.0, True, ["x"], {"y": None}],
                    "arch": "${{ fromJSON(params.p) }}",
                },
                "include": ({"os": "mac"}, "${{ fromJSON(params.q) }}"),
                "exclude": ({"os": "linux"},),
                "for_each": {"a": 1},
                "batch_size": 3,
                "max_parallel": 5,
                "fail_fast": True,
                "requires": ({"job": "b", "condition": None}, {"job": "c", "condition": "failure"}),
                "after": ("d",),
                "parallel_with": ("e",),
                "if": "${{ true }}",
                "unless": "params.p == 3",
                "on_complete": "always",
                "on_error": "stop",
                "env": {"A": "007"},
                "timeout": 90.0,
                "retry": {
                    "max_attempts": 3, "delay": 0.5, "backoff": "linear", "multiplier": 3.0, "max_delay": 60.0,
                    "on": ("exit", "oom"), "exit_codes": (1, 2),
                },
                "outputs": {"n": "${{ 3 }}", "ok": "${{ true }}", "e": "${{ 1 }}"},
                "artifacts": ("/x", "*.txt"),
                "artifacts_from": ("b",),
                "working_dir": "/w",
                "shell": "sh",
                "user": "0:0",
                "entrypoint": ("/bin/env",),
                "services": ("redis:7",),
                "network": "internal",
                "pull": "missing",
                "stop_grace": 3.0,
                "resources": {"cpus": 2.0, "memory": 64 * 2**20, "pids": 10},
                "call": "travel.tools:book",
                "with": {"city": "Oslo", "nights": [1, {"a": None}]},
                "gate": {
                    "prompt": "Sure?",
                    "fields": {
                        "a": FIELD,
                        "b": {**FIELD, "type": "number"},
                        "c": {
                            "type": "multi_select", "options": ("x", 1), "label": "L", "description": "D",
                            "required": True, "default": ["x"], "pattern": None,
                        },
                        "d": {**FIELD, "pattern": "^a", "options": "${{ params.p }}"},
                    },
                    "approvers": ("ann", "group:release"),
                    "min_approvals": 2,
                    "self_approval": False,
                    "timeout": 3600.0,
                    "on_timeout": "reject",
                    "reminder": {"every": 14400.0, "job": "b"},
                },
                "wait": {"for": 300.0, "until": None},
                "choice": (
                    {"when": "${{ true }}", "then": ("b",), "default": None},
                    {"when": None, "then": None, "default": ("c", "d")},
                ),
                "workflow": "./x.yaml",
                "on_success": ("b",),
                "on_failure": ("c",),
                "publish": {"v": "${{ 1 }}", "w": "${{ vars.v }}"},
            }
        },
        "vars": {"v": None, "w": {"a": [1]}},
        "error_handlers": {"a": ("b",), "b": ("c", "d")},
        "outputs": {"x": "${{ jobs.a.outputs.n }}"},
    }  # fmt: skip


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
