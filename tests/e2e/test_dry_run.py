"""Dry runs and test cases: the whole walk on a real server, and nothing is run."""

import xml.etree.ElementTree as ET
from pathlib import Path

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca

DEPLOY = """
name: deploy
params: {environment: {default: staging}}
jobs:
  build:
    image: there.is/no-such-image:1
    commands: ["exit 1"]
    outputs: [version]
  where:
    requires: [build]
    choice:
      - {when: "${{ params.environment == 'production' }}", then: [approve]}
      - {default: [deploy]}
  approve:
    gate: {prompt: "Deploy ${{ jobs.build.outputs.version }}?", fields: {ticket: {required: true}}}
    on_success: [deploy]
  deploy:
    image: there.is/no-such-image:1
    commands: ["true"]
    on_success: [settle]
    on_failure: [rollback]
  settle: {wait: 2h}
  check:
    requires: [settle]
    image: there.is/no-such-image:1
    commands: ["true"]
    retry: {max_attempts: 3, delay: 600}
    on_failure: [rollback]
  rollback:
    image: there.is/no-such-image:1
    commands: ["true"]
outputs: {version: "${{ jobs.build.outputs.version }}"}
"""
MOCKS = "jobs: {build: {outputs: {version: '7'}}, check: {status: failed, kind: exit, exit_code: 4}}\n"


def test_a_dry_run_walks_the_way_that_its_mocks_say(
    orca: Orca, write_spec: WriteSpec, tmp_path: Path
) -> None:
    spec = write_spec(DEPLOY)
    mocks = tmp_path / "mocks.yaml"
    mocks.write_text(MOCKS)
    run = orca.json("submit", spec, "--dry-run", "--mocks", mocks)["run_id"]
    record = orca.wait(run)
    jobs = record["jobs"]
    assert {name: job["status"] for name, job in jobs.items()} == {
        "build": "success",
        "where": "success",
        "approve": "skipped",
        "deploy": "success",
        "settle": "success",
        "check": "failed",
        "rollback": "success",
    }
    assert (record["status"], record["outputs"], jobs["check"]["tries"]) == ("failed", {"version": "7"}, 3)
    assert jobs["check"]["exit_code"] == 4
    assert record["dry_run"] is True
    assert orca.ok("status", run).startswith(f"{run}, a dry run: failed in ")
    listed = {one["run_id"]: one["dry_run"] for one in orca.json("list", "--spec", "deploy")}
    assert listed[run] is True


def test_mocks_need_a_dry_run_and_must_fit_the_workflow(
    orca: Orca, write_spec: WriteSpec, tmp_path: Path
) -> None:
    spec = write_spec(DEPLOY)
    mocks = tmp_path / "mocks.yaml"
    mocks.write_text("jobs: {biuld: failed}\n")
    done = orca("submit", spec, "--mocks", mocks)
    assert (done.returncode, "add --dry-run" in done.stderr) == (2, True)
    done = orca("run", spec, "--dry-run", "--mocks", mocks)
    assert done.returncode == 2
    assert (
        "mocks.yaml:1:8: error[E103]: workflow 'deploy' has no job 'biuld'; did you mean 'build'?"
        in done.stderr
    )


CASES = """
- name: staging needs nobody
  spec: spec.yaml
  mocks: {jobs: {build: {outputs: {version: "7"}}}}
  expect: {status: success, jobs: {approve: skipped, deploy: success, rollback: skipped}, outputs: {version: "7"}}
- name: production only after approval
  spec: spec.yaml
  params: {environment: production}
  mocks: {jobs: {build: {outputs: {version: "7"}}, approve: {outputs: {ticket: X-1}, by: ann}}}
  expect: {status: success, jobs: {approve: {outputs: {ticket: X-1, approved_by: [ann]}}, deploy: success}}
- name: no is no
  spec: spec.yaml
  params: {environment: production}
  mocks: {jobs: {build: {outputs: {version: "7"}}, approve: reject}}
  expect: {status: failed, jobs: {approve: {status: failed, reason: "rejected: "}, deploy: skipped}}
"""


def test_cases_are_run_and_compared(orca: Orca, write_spec: WriteSpec, tmp_path: Path) -> None:
    write_spec(DEPLOY)
    cases, junit = tmp_path / "cases.yaml", tmp_path / "junit.xml"
    cases.write_text(CASES)
    told = orca.ok("test", cases, "--junit", junit)
    assert [line.rpartition(" (")[0] for line in told.splitlines()[:-1]] == [
        "✓ staging needs nobody",
        "✓ production only after approval",
        "✓ no is no",
    ]
    assert told.endswith("3 cases: 3 passed, 0 failed\n")
    assert ET.parse(junit).getroot().attrib["tests"] == "3"

    cases.write_text(CASES.replace("rollback: skipped", "rollback: success"))
    done = orca("test", cases, "--only", "staging")
    assert done.returncode == 1
    assert "    job 'rollback': expected success, but it is skipped (" in done.stdout
    assert done.stdout.endswith("1 case: 0 passed, 1 failed\n")
    (verdict,) = orca.json("test", cases, "--only", "staging", expect=1)
    assert (verdict["name"], verdict["passed"], len(verdict["differences"])) == (
        "staging needs nobody",
        False,
        1,
    )
    assert orca("test", cases, "--only", "nothing").returncode == 2
