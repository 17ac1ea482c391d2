"""Mocks and cases are read as strictly as a spec, and compared to the letter."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from orchestrator.client.cases import Expectation, JobExpectation, Verdict, differences, read_cases
from orchestrator.client.junit import junit_xml
from orchestrator.client.mocks import read_mocks
from orchestrator.compile import compile_text
from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobRecord, RunRecord
from orchestrator.contract.mocks import Mock, Mocks
from orchestrator.errors import SpecError, UsageError
from orchestrator.plan.model import Plan

SPEC = """
name: release
params: {version: {required: true}, size: {type: integer, default: 1}}
vars: {place: nowhere}
jobs:
  build:
    image: alpine
    commands: ["true"]
    outputs: {id: "1"}
    matrix: {os: [linux, mac]}
  approve:
    requires: [build]
    gate: {prompt: "Go?", fields: {region: string}}
  pause: {wait: 5m, requires: [approve]}
  deploy:
    requires: [pause]
    image: alpine
    commands: ["echo $P"]
    env: {P: "${{ vars.place }} ${{ params.version }} ${{ params.size }}"}
    publish: {place: "there"}
outputs: {to: "${{ vars.place }}"}
"""
NOW = "2026-01-31T12:00:00.000Z"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_text(SPEC, "spec.yaml").plan


def written(folder: Path, text: str, name: str = "mocks.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_mocks_and_their_short_forms(plan: Plan, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
jobs:
  build:
    outputs: {id: 7}
    variants:
      mac: {status: failed, kind: oom, reason: too small, exit_code: 137}
  approve: reject
  deploy: {tries: [failed, {status: success, outputs: {a: b}}]}
""",
    )
    assert read_mocks(path, plan) == Mocks(
        jobs={
            "build": Mock(
                outputs={"id": 7},
                variants={
                    "mac": Mock(status="failed", kind=FailureKind.OOM, reason="too small", exit_code=137)
                },
            ),
            "approve": Mock(decision="reject"),
            "deploy": Mock(tries=(Mock(status="failed"), Mock(outputs={"a": "b"}))),
        }
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "jobs: {biuld: failed}",
            ["1:8: error[E103]: workflow 'release' has no job 'biuld'; did you mean 'build'?"],
        ),
        ("job: {}", ["1:1: error[E101]: the key 'job' is not known here; did you mean 'jobs'?"]),
        (
            "jobs:\n  deploy: {statsu: failed}",
            ["2:12: error[E101]: the key 'statsu' is not known here; did you mean 'status'?"],
        ),
        (
            "jobs: {deploy: failing}",
            ["1:16: error[E102]: 'status' must be 'success', 'failed' or 'skipped', not 'failing'"],
        ),
        ("jobs: {deploy: {exit_code: '1'}}", ["1:28: error[E102]: 'exit_code' must be a whole number"]),
        (
            "jobs: {pause: success}",
            [
                "1:8: error[E102]: job 'pause' is a wait, which a dry run carries out by itself: it takes no mock"
            ],
        ),
        (
            "jobs: {deploy: approve}",
            ["1:16: error[E102]: 'decision' is for gates, and job 'deploy' is a container"],
        ),
        (
            "jobs: {approve: failed}",
            ["1:17: error[E102]: 'status' is not for gates; 'decision' says how gate 'approve' is answered"],
        ),
        (
            "jobs: {approve: {outputs: {regoin: eu}}}",
            ["1:28: error[E103]: gate 'approve' has no field 'regoin'; did you mean 'region'?"],
        ),
        (
            "jobs: {build: {variants: {windows: failed}}}",
            ["1:27: error[E103]: job 'build' has no variant 'windows'; there are 'linux', 'mac'"],
        ),
        ("jobs: {deploy: {variants: {a: failed}}}", ["1:28: error[E102]: job 'deploy' has no variants"]),
        (
            "jobs: {deploy: {jobs: {a: failed}}}",
            ["1:23: error[E102]: 'jobs' is for nested workflows, and job 'deploy' is a container"],
        ),
        (
            "jobs: {deploy: {kind: oom}}",
            ["1:23: error[E102]: 'kind' says how a job failed; beside it 'status: failed' is missing"],
        ),
        ("- a", ["1:1: error[E102]: the file must be a mapping"]),
    ],
)
def test_what_is_wrong_in_mocks_is_told_with_its_place(
    plan: Plan, tmp_path: Path, text: str, expected: list[str]
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SpecError) as caught:
        read_mocks(path, plan)
    assert [str(item).removeprefix(f"{path}:") for item in caught.value.diagnostics] == expected


def test_a_file_that_is_not_there(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the mocks in '.*none\.yaml': No such file"):
        read_mocks(tmp_path / "none.yaml", plan)


CASES = """
- name: it goes through
  spec: spec.yaml
  params: {version: "1"}
  mocks: {jobs: {approve: {outputs: {region: eu}}}}
  expect: {status: success, jobs: {deploy: success, "build (mac)": {tries: 1}}, outputs: {to: there}}
- name: somebody says no
  spec: spec.yaml
  params: {version: "1", size: 2}
  mocks: no.yaml
  expect: failed
"""


def test_cases_are_read(tmp_path: Path) -> None:
    written(tmp_path, SPEC, "spec.yaml")
    written(tmp_path, "jobs: {approve: reject}", "no.yaml")
    first, second = read_cases(written(tmp_path, CASES, "cases.yaml"))
    assert (first.name, first.checked.params) == ("it goes through", {"version": "1", "size": 1})
    assert first.mocks.jobs["approve"] == Mock(outputs={"region": "eu"})
    assert first.expect.jobs == {
        "deploy": JobExpectation(status="success"),
        "build (mac)": JobExpectation(tries=1),
    }
    assert (second.mocks.jobs["approve"].decision, second.expect.status) == ("reject", "failed")
    assert second.checked.compiled is first.checked.compiled


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("name: a, spec: spec.yaml", "error[E104]: 'expect' is missing"),
        ("name: a, spec: spec.yaml, expect: sucess", "error[E102]: 'status' must be 'success', "),
        (
            "name: a, spec: spec.yaml, params: {versoin: 1}, expect: success",
            "error[E102]: unknown param 'versoin'; did you mean 'version'?; param 'version' is required",
        ),
        (
            "name: a, spec: spec.yaml, params: {version: '1'}, expect: {jobs: {deplyo: success}}",
            "error[E103]: workflow 'release' has no job 'deplyo'; did you mean 'deploy'?",
        ),
        (
            "name: a, spec: spec.yaml, params: {version: '1'}, expect: {outputs: {too: 1}}",
            "error[E103]: workflow 'release' has no output 'too'; did you mean 'to'?",
        ),
        (
            "name: a, spec: spec.yaml, params: {version: '1'}, mocks: {jobs: {x: failed}}, expect: success",
            "error[E103]: workflow 'release' has no job 'x'",
        ),
    ],
)
def test_what_is_wrong_in_a_case_is_told(tmp_path: Path, case: str, expected: str) -> None:
    written(tmp_path, SPEC, "spec.yaml")
    path = written(tmp_path, f"- {{{case}}}", "cases.yaml")
    with pytest.raises(SpecError) as caught:
        read_cases(path)
    assert expected in str(caught.value)


def test_names_of_cases_are_told_apart(tmp_path: Path) -> None:
    written(tmp_path, SPEC, "spec.yaml")
    one = "- {name: a, spec: spec.yaml, params: {version: '1'}, expect: success}\n"
    with pytest.raises(SpecError, match=r"there is another case 'a' in this file"):
        read_cases(written(tmp_path, one * 2, "cases.yaml"))


def run(**fields: Any) -> RunRecord:
    usual: dict[str, Any] = {"run_id": "r", "attempt": 1, "spec": "s", "status": "success", "created_at": NOW}
    return RunRecord.model_validate(usual | fields)


def test_differences_are_told_one_by_one() -> None:
    build = JobRecord(
        kind="container",
        status="failed",
        reason="exit: 3",
        tries=2,
        outputs={"n": 1.0, "t": "x", "l": [True]},
        variants={"build (mac)": JobRecord(kind="container", status="skipped", reason="its condition")},
    )
    record = run(
        status="failed", error="job 'build' failed\nmore", jobs={"build": build}, vars={"place": None}
    )
    expect = Expectation(
        status="success",
        jobs={
            "build": JobExpectation(
                status="success", reason="exit: 4", tries=1, outputs={"n": 1, "t": "y", "l": [1], "none": 0}
            ),
            "build (mac)": JobExpectation(status="success"),
            "build (bsd)": JobExpectation(status="success"),
        },
        outputs={"to": "there"},
        vars={"place": None},
    )
    assert list(differences(expect, record)) == [
        "the run: expected success, but it is failed (job 'build' failed)",
        "job 'build': expected success, but it is failed (exit: 3)",
        'job \'build\': expected a reason with "exit: 4", but it is "exit: 3"',
        "job 'build': expected 1 tries, but there were 2",
        "job 'build': output 't': expected \"y\", but it is \"x\"",
        "job 'build': output 'l': expected [1], but it is [true]",
        "job 'build': output 'none': expected 0, but there is none",
        "job 'build (mac)': expected success, but it is skipped (its condition)",
        "job 'build (bsd)': expected success, but the run has no such variant",
        "output 'to': expected \"there\", but there is none",
    ]
    assert list(differences(Expectation(), record)) == []


def test_junit_has_a_suite_for_each_file(tmp_path: Path) -> None:
    written(tmp_path, SPEC, "spec.yaml")
    written(tmp_path, "jobs: {approve: reject}", "no.yaml")
    path = written(tmp_path, CASES, "cases.yaml")
    first, second = read_cases(path)
    text = junit_xml([Verdict(first, "r-1", 0.5, ()), Verdict(second, "r-2", 1.0, ("a <b>\x1b", "c"))])
    root = ET.fromstring(text)
    assert root.attrib == {"name": "orca test", "tests": "2", "failures": "1", "errors": "0", "time": "1.500"}
    (suite,) = root
    assert suite.attrib["name"] == str(path)
    cases = list(suite)
    assert [case.attrib["name"] for case in cases] == ["it goes through", "somebody says no"]
    assert cases[0].find("failure") is None
    failure = cases[1].find("failure")
    assert failure is not None
    assert (failure.attrib["message"], failure.text) == ("a <b>", "a <b>\nc")
