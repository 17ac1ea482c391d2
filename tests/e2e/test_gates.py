"""A run that waits for people: told what is asked, answered from the terminal and by a plain signal, over restarts."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server
from tests.e2e.conftest import WriteSpec
from tests.support.cli import COMMAND, Orca, stop

RELEASE = """
name: release
params: {version: {default: "1.2"}}
jobs:
  approve:
    gate:
      prompt: Deploy ${{ params.version }}?
      approvers: ["user:ann", "group:ops"]
      fields:
        region: {type: select, options: [eu, us], default: eu}
        count: {type: number, required: true}
        parts: {type: multi-select, options: [a, b, c]}
  deploy:
    requires: [approve]
    image: alpine:latest
    commands: ["echo to ${{ jobs.approve.outputs.region }} by ${{ jobs.approve.outputs.approved_by[0] }}"]
outputs: {count: "${{ jobs.approve.outputs.count }}", parts: "${{ jobs.approve.outputs.parts }}"}
"""
TEMPORAL = str(Path(sys.executable).with_name("temporal"))


def waiting(orca: Orca, spec: Path, gate: str = "approve") -> str:
    """Submit a spec and wait until its gate is open."""
    run = orca.submit(spec)
    orca.wait_for(run, lambda record: record["jobs"][gate]["status"] == "waiting")
    return run


def refused(orca: Orca, *words: str) -> str:
    """What is said on stderr to a call that is wrong."""
    done = orca(*words)
    assert done.returncode == 2, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stderr.strip()


def test_a_gate_is_listed_refuses_what_is_wrong_and_takes_one_answer(
    orca: Orca, write_spec: WriteSpec
) -> None:
    run = waiting(orca, write_spec(RELEASE))
    listed = orca.ok("gates", run)
    assert "Deploy 1.2?\n  answered by user:ann, group:ops\n" in listed
    assert listed.endswith(f"  orca approve {run} approve --field count=…\n  orca reject {run} approve\n")
    assert listed.strip() in orca.ok("status", run)
    everywhere = {one["run_id"]: one for one in orca.json("gates")}
    assert (everywhere[run]["name"], everywhere[run]["needed"]) == ("approve", 1)
    assert "is a gate and writes no log" in orca("logs", run, "approve").stderr

    assert "did you mean 'approve'?" in refused(orca, "approve", run, "aprove")
    assert "field 'count' must be a number" in refused(orca, "approve", run, "--field", "count=x")
    assert "'count'" in refused(orca, "approve", run, "--by", "ann")
    assert "did you mean 'region'?" in refused(
        orca, "approve", run, "--by", "ann", "--field", "count=1", "--field", "regoin=eu"
    )
    assert "ap" in refused(orca, "approve", run, "--by", "ann", "--field", "count=1", "--field", "region=ap")
    assert "bob may not answer" in refused(orca, "approve", run, "--by", "bob", "--field", "count=1")
    assert orca.json("status", run)["jobs"]["approve"]["gate"]["answers"] == []

    words = ("approve", run, "approve", "--by", "bob", "--group", "ops", "--comment", "go")
    fields = ("--field", "count=3", "--field", "parts=a,c")
    assert orca.ok(*words, *fields) == "gate 'approve' is approved\n"
    assert "has already ended" in refused(orca, *words, *fields) or "is closed" in refused(orca, *words)
    record = orca.wait(run)
    assert (record["status"], record["outputs"]) == ("success", {"count": 3, "parts": ["a", "c"]})
    (answer,) = record["jobs"]["approve"]["gate"]["answers"]
    assert (answer["by"], answer["comment"], answer["via"]) == ("bob", "go", "update")
    assert record["jobs"]["approve"]["outputs"]["region"] == "eu"
    assert "to eu by bob" in orca.ok("logs", run, "deploy")


def test_who_answers_is_who_is_at_the_keyboard_or_orca_user(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec("name: asked\njobs: {ask: {gate: {prompt: 'Go?', self_approval: false}}}\n")
    named = Orca(orca.home, {"ORCA_USER": "cy"})
    run = waiting(named, spec, "ask")
    assert "cy" in refused(named, "approve", run)
    assert orca.json("reject", run, "--by", "dan", "--comment", "not today")["closed"] is True
    record = orca.wait(run)
    assert (record["status"], record["jobs"]["ask"]["reason"]) == ("failed", "rejected: by dan: not today")


def test_several_gates_and_variants_are_answered_one_by_one(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(
        write_spec(
            """
name: many
jobs:
  each: {gate: "Deploy to ${{ matrix.to }}?", matrix: {to: [eu, us]}}
  both: {gate: {prompt: "Both?", min_approvals: 2}}
"""
        )
    )
    orca.wait_for(run, lambda record: len(record["jobs"]["each"].get("variants", {})) == 2)
    assert "3 gates of run" in refused(orca, "approve", run)
    orca.ok("approve", run, "each (eu)")
    orca.ok("reject", run, "each (us)")
    assert "1 of 2 approvals" in orca.ok("approve", run, "both", "--by", "ann")
    assert "ann" in refused(orca, "approve", run, "both", "--by", "ann")
    assert "1 of 2" in orca.json("status", run)["jobs"]["both"]["reason"]
    # The only one that still waits needs no name.
    orca.ok("approve", run, "--by", "bob")
    record = orca.wait(run)
    each = record["jobs"]["each"]["variants"]
    assert (each["each (eu)"]["status"], each["each (us)"]["status"]) == ("success", "failed")
    assert record["jobs"]["both"]["outputs"]["approved_by"] == ["ann", "bob"]


def test_a_signal_from_temporals_own_command_line_approves_and_a_bad_one_is_taken_down(
    orca: Orca, write_spec: WriteSpec
) -> None:
    run = waiting(orca, write_spec(RELEASE))
    server = running_server(Home(orca.home))
    assert server is not None

    def signal(name: str, payload: dict[str, Any]) -> None:
        words = [
            TEMPORAL,
            "workflow",
            "signal",
            "--address",
            server.address,
            "--workflow-id",
            run,
            "--name",
            name,
        ]
        subprocess.run([*words, "--input", json.dumps(payload)], check=True, capture_output=True, timeout=60)

    signal("approve", {"gate": "approve", "by": "ann"})
    found = orca.wait_for(run, lambda record: record.get("ignored"))
    assert found["jobs"]["approve"]["status"] == "waiting"
    assert "ignored: signal 'approve' at " in orca.ok("status", run)
    signal("approve", {"gate": "approve", "by": "ann", "fields": {"count": 2}, "comment": "from a script"})
    record = orca.wait(run)
    (answer,) = record["jobs"]["approve"]["gate"]["answers"]
    assert (record["status"], answer["by"], answer["via"]) == ("success", "ann", "signal")


def test_an_approval_survives_that_server_and_worker_are_started_anew(
    tmp_path: Path, write_spec: WriteSpec
) -> None:
    alone = Orca(tmp_path / "home")
    words = ("up", "--port", str(22000 + os.getpid() % 1000), "-o", "json")
    up = alone.start(*words)
    try:
        assert up.stdout is not None
        assert up.stdout.readline().startswith("{")
        run = alone.submit(
            write_spec(
                "name: kept\njobs:\n  both: {gate: {prompt: 'Go?', min_approvals: 2}}\n"
                "  after: {image: 'alpine:latest', requires: [both], commands: ['true']}\n"
            )
        )
        alone.wait_for(run, lambda record: record["jobs"]["both"]["status"] == "waiting")
        alone.ok("approve", run, "--by", "ann")
        stop(up)
        up = alone.start(*words)
        assert up.stdout is not None
        assert up.stdout.readline().startswith("{")
        (gate,) = alone.json("gates", run)
        assert [answer["by"] for answer in gate["answers"]] == ["ann"]
        alone.ok("approve", run, "--by", "bob")
        record = alone.wait(run)
        assert (record["status"], record["jobs"]["both"]["outputs"]["approved_by"]) == (
            "success",
            ["ann", "bob"],
        )
    finally:
        stop(up)


def test_cancel_works_while_a_gate_waits(orca: Orca, write_spec: WriteSpec) -> None:
    run = waiting(orca, write_spec(RELEASE))
    orca.ok("cancel", run)
    record = orca.wait(run)
    assert (record["status"], record["jobs"]["approve"]["status"]) == ("cancelled", "cancelled")
    assert f"run '{run}' has already ended (cancelled)" in refused(orca, "approve", run, "--field", "count=1")


def test_a_person_at_a_terminal_is_asked_for_what_is_needed(orca: Orca, write_spec: WriteSpec) -> None:
    run = waiting(orca, write_spec(RELEASE))
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "approve", run, "--by", "ann", "--field", "parts=b"],
        env=orca.environ,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        text=True,
    ) as asking:
        os.close(theirs)
        said = b""
        for prompt, typed in (
            (b"\r\nregion: ", b"ap\n"),
            (b"\r\nregion: ", b"us\n"),
            (b"\r\ncount: ", b"7\n"),
        ):
            begin, deadline = len(said), time.monotonic() + 30
            while prompt not in said[begin:]:
                assert time.monotonic() < deadline, said
                if select.select([ours], [], [], 1)[0]:
                    said += os.read(ours, 1000)
            os.write(ours, typed)
        told, _ = asking.communicate(timeout=60)
    os.close(ours)
    assert (asking.returncode, told) == (0, "gate 'approve' is approved\n")
    assert orca.wait(run)["jobs"]["approve"]["outputs"]["region"] == "us"


def test_a_run_that_is_not_there_and_one_without_a_worker(
    orca: Orca, tmp_path: Path, write_spec: WriteSpec
) -> None:
    assert "there is no run 'nothing-abcd2345'" in refused(orca, "approve", "nothing-abcd2345")
    assert "there is no run 'nothing-abcd2345'" in refused(orca, "pause", "nothing-abcd2345")
    run = orca.submit(write_spec("name: lonely\njobs: {ask: {gate: 'Go?'}}\n"), "--task-queue", "nobody")
    done = orca("approve", run, "ask")
    assert done.returncode == 3, done.stderr
    assert "no worker on task queue 'nobody'" in done.stderr
    orca.ok("cancel", run)
