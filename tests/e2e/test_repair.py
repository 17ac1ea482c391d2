"""Held jobs and how they go on, and a run that is paused."""

from typing import Any

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca

HELD = """
name: held
vars: {got: nothing}
jobs:
  a:
    image: alpine:latest
    commands: ["echo try $N", "exit 3"]
    env: {N: "1"}
    on_error: hold
    retry: {max_attempts: 2, delay: 0}
  m:
    matrix: {x: [1, 2]}
    fail_fast: false
    image: alpine:latest
    commands: ["test ${{ matrix.x }} = 1"]
    on_error: hold
  b:
    requires: [a, m]
    image: alpine:latest
    env: {GOT: "${{ jobs.a.outputs.got }}"}
    commands: ["echo got $GOT"]
    publish: {got: "${{ jobs.a.outputs.got }}"}
  last:
    image: alpine:latest
    on_complete: always
    env: {GOT: "${{ vars.got }}"}
    commands: ["echo last $GOT"]
"""


def all_held(record: dict[str, Any]) -> bool:
    jobs = record["jobs"]
    return jobs["a"]["status"] == "held" and jobs["m"]["variants"]["m (2)"]["status"] == "held"


def test_a_held_job_is_tried_again_skipped_or_given_outputs(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(HELD))
    record = orca.wait_for(run, lambda record: record["jobs"]["m"].get("variants") and all_held(record))
    assert (record["status"], record["jobs"]["a"]["tries"], record["jobs"]["last"]["status"]) == (
        "running", 2, "pending",
    )  # fmt: skip
    shown = orca.ok("status", run)
    assert f"  orca retry {run} a\n" in shown
    assert f"  orca set-output {run} 'm (2)' NAME=VALUE\n" in shown

    orca.ok("retry", run, "a", "--comment", "once more", "--by", "ann")
    record = orca.wait_for(run, lambda record: record["jobs"]["a"]["tries"] == 4 and all_held(record))
    (repair,) = record["jobs"]["a"]["repairs"]
    assert (repair["action"], repair["by"], repair["comment"]) == ("retry", "ann", "once more")

    for words in (("skip", run, "b"), ("retry", run, "nothing"), ("set-output", run, "a")):
        done = orca(*words)
        assert (done.returncode, bool(done.stderr)) == (2, True), words

    assert orca.json("skip", run, "m (2)")["action"] == "skip"
    orca.ok("set-output", run, "a", "got=by hand")
    record = orca.wait(run)
    jobs = record["jobs"]
    assert (record["status"], jobs["a"]["outputs"], jobs["m"]["status"]) == (
        "success", {"got": "by hand"}, "success",
    )  # fmt: skip
    assert jobs["m"]["variants"]["m (2)"]["status"] == "skipped"
    assert record["vars"] == {"got": "by hand"}
    assert "last by hand" in orca.ok("logs", run, "last")
    assert "has already ended (success)" in orca("retry", run, "a").stderr


def test_a_held_job_that_is_given_up_has_failed(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(HELD))
    orca.wait_for(run, lambda record: record["jobs"]["m"].get("variants") and all_held(record))
    orca.ok("fail", run, "a", "--by", "ann")
    orca.ok("fail", run, "m (2)", "--by", "ann")
    record = orca.wait(run)
    assert record["status"] == "failed"
    assert {name: job["status"] for name, job in record["jobs"].items()} == {
        "a": "failed", "m": "failed", "b": "omitted", "last": "success",
    }  # fmt: skip


def test_nothing_new_starts_while_a_run_is_paused(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(
        write_spec(
            """
name: paused
jobs:
  ask: {gate: "Go?"}
  after: {image: "alpine:latest", requires: [ask], commands: ["true"]}
"""
        )
    )
    orca.wait_for(run, lambda record: record["jobs"]["ask"]["status"] == "waiting")
    assert orca.json("pause", run, "--comment", "lunch", "--by", "ann")["paused"] is True
    again = orca("pause", run)
    assert (again.returncode, "paused already, by ann" in again.stderr) == (2, True)
    shown = orca.ok("status", run)
    assert "paused by ann since " in shown
    assert f"  orca unpause {run}\n" in shown
    orca.ok("approve", run)
    record = orca.wait_for(run, lambda record: record["jobs"]["ask"]["status"] == "success")
    assert (record["jobs"]["after"]["status"], record["paused"]["comment"]) == ("pending", "lunch")
    orca.ok("unpause", run)
    record = orca.wait(run)
    assert (record["status"], "paused" in record) == ("success", False)


def test_a_paused_run_can_be_cancelled(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec("name: paused\njobs: {ask: {gate: 'Go?'}}\n"))
    orca.wait_for(run, lambda record: record["jobs"]["ask"]["status"] == "waiting")
    orca.ok("pause", run)
    orca.ok("cancel", run)
    assert orca.wait(run)["status"] == "cancelled"
