"""Runs as a person makes them: submit, follow, look, cancel."""

import json
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import docker

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca
from tests.support.containers import containers_of

SLEEPER = """
name: sleeper
jobs:
  nap:
    image: alpine:latest
    commands: ["echo lying down", "sleep 600"]
    stop_grace: 2
  never:
    image: alpine:latest
    requires: [nap]
    commands: ["true"]
  tidy:
    image: alpine:latest
    on_complete: always
    commands: ["echo the run is $STATUS"]
    env: {STATUS: "${{ run.status }}"}
"""


def seconds(record: dict[str, Any]) -> float:
    begin, end = (datetime.fromisoformat(record[key]) for key in ("started_at", "finished_at"))
    return (end - begin).total_seconds()


def test_submit_prints_an_id_at_once_and_the_record_shows_everything(
    orca: Orca, write_spec: WriteSpec
) -> None:
    spec = write_spec(
        """
name: two-steps
params: {who: {default: world}}
jobs:
  greet:
    image: alpine:latest
    commands: ["echo greeting=hello ${{ params.who }} >> $ORCA_OUTPUT"]
  shout:
    image: alpine:latest
    requires: [greet]
    env: {TEXT: "${{ jobs.greet.outputs.greeting }}"}
    commands: ["echo $TEXT", "exit 3"]
    on_error: continue
outputs: {said: "${{ jobs.greet.outputs.greeting }}"}
"""
    )
    run = orca.submit(spec, "--param", "who=it's; touch /tmp/x")
    record = orca.wait(run)
    assert (record["run_id"], record["attempt"], record["spec"]) == (run, 1, "two-steps")
    assert (record["status"], record["outputs"]) == ("partial", {"said": "hello it's; touch /tmp/x"})
    greet, shout = record["jobs"]["greet"], record["jobs"]["shout"]
    assert (greet["kind"], greet["status"], greet["reason"], greet["tries"], greet["exit_code"]) == (
        "container",
        "success",
        None,
        1,
        0,
    )
    assert (shout["status"], shout["exit_code"]) == ("failed", 3)
    assert shout["reason"].startswith("exit: ")
    assert 0 < seconds(greet) < 30
    assert orca("watch", run).returncode == 5
    assert "hello it's; touch /tmp/x" in orca.ok("logs", run, "shout")
    assert run in {item["run_id"] for item in orca.json("list", "--spec", "two-steps", "--status", "partial")}


def test_cancel_ends_a_sleep_within_its_grace_and_runs_the_finalizer(
    orca: Orca, write_spec: WriteSpec
) -> None:
    run = orca.submit(write_spec(SLEEPER))
    orca.wait_for(run, lambda record: record["jobs"]["nap"]["status"] == "running" and containers_of(run))
    begin = time.monotonic()
    orca.ok("cancel", run)
    record = orca.wait_for(run, lambda record: record["jobs"]["nap"]["status"] == "cancelled")
    assert time.monotonic() - begin < 2 + 5
    record = orca.wait(run)
    assert {name: job["status"] for name, job in record["jobs"].items()} == {
        "nap": "cancelled",
        "never": "cancelled",
        "tidy": "success",
    }
    assert record["status"] == "cancelled"
    assert containers_of(run) == []
    assert "the run is cancelled" in orca.ok("logs", run, "tidy")
    assert orca("watch", run).returncode == 4
    again = orca("cancel", run)
    assert (again.returncode, "has already ended" in again.stderr) == (2, True)


def test_logs_follow_shows_a_line_within_a_second(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: ticker
jobs:
  tick:
    image: python:3.11-slim
    timeout: 2m
    commands:
      - |
        python -u -c "
        import itertools, os, time
        for number in itertools.count():
            print('tick', number, time.time())
            if os.path.exists('/enough'):
                break
            time.sleep(0.7)
        "
"""
    )
    run = orca.submit(spec)
    orca.wait_for(run, lambda record: record["jobs"]["tick"]["status"] == "running" and containers_of(run))
    following = orca.start("logs", run, "tick", "-f")
    assert following.stdout is not None
    ticks = (line.split() for line in following.stdout if line.startswith("tick "))
    numbers = [int(next(ticks)[1])]
    begun = time.time()
    late: list[float] = []
    for _, number, printed in ticks:
        numbers.append(int(number))
        # The first lines may have been printed before anybody followed.
        if float(printed) > begun:
            late.append(time.time() - float(printed))
        if len(late) == 6:
            enough(run)
    following.communicate(timeout=30)
    assert following.returncode == 0
    assert max(late[:6]) < 1.0, late
    assert (numbers, len(late) > 6) == (list(range(len(numbers))), True)


def enough(run: str) -> None:
    """Tells the one container of `run` that it may end."""
    client = docker.from_env()
    try:
        (name,) = containers_of(run)
        client.containers.get(name).exec_run(["touch", "/enough"])
    finally:
        client.close()


def test_three_tries_each_with_its_own_log(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: flaky
jobs:
  flaky:
    image: alpine:latest
    retry: {max_attempts: 3, delay: 1, backoff: exponential}
    commands: ["echo this is try $ORCA_TRY", 'test "$ORCA_TRY" = 3']
"""
    )
    run = orca.submit(spec)
    record = orca.wait(run)
    job = record["jobs"]["flaky"]
    assert (record["status"], job["status"], job["tries"], job["exit_code"]) == ("success", "success", 3, 0)
    assert [item["status"] for item in job["history"]] == ["failed", "failed", "success"]
    for number in (1, 2, 3):
        log = orca.ok("logs", run, "flaky", "--try", str(number))
        assert [line for line in log.splitlines() if line.startswith("this is")] == [f"this is try {number}"]
    missing = orca("logs", run, "flaky", "--try", "4")
    assert (missing.returncode, "has no try 4" in missing.stderr) == (2, True)
    times = [datetime.fromisoformat(item["started_at"]) for item in job["history"]]
    assert (times[1] - times[0]).total_seconds() >= 1
    assert (times[2] - times[1]).total_seconds() >= 2


def test_closing_the_terminal_of_submit_does_not_touch_the_run(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec("name: brief\njobs: {a: {image: 'alpine:latest', commands: [sleep 3]}}\n")
    following = orca.start("submit", spec, "--follow")
    assert following.stderr is not None
    run = next(line.split()[1] for line in following.stderr if line.startswith("run "))
    orca.wait_for(run, lambda record: record["jobs"]["a"]["status"] == "running")
    following.kill()
    following.communicate()
    assert orca.wait(run)["status"] == "success"


def test_watching_is_left_with_ctrl_c_and_the_run_goes_on(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec("name: brief\njobs: {a: {image: 'alpine:latest', commands: [sleep 6]}}\n")
    run = orca.submit(spec)
    watching = orca.start("watch", run)
    assert watching.stderr is not None
    while "a: running" not in watching.stderr.readline():
        assert watching.poll() is None
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=10)
    assert watching.returncode == 130
    assert orca.wait(run)["status"] == "success"


def test_max_parallel_is_kept(orca: Orca, write_spec: WriteSpec) -> None:
    jobs = "\n".join(f"  job{n}: {{image: 'alpine:latest', commands: [sleep 0.3]}}" for n in range(6))
    record = orca.wait(orca.submit(write_spec(f"name: two-at-a-time\nmax_parallel: 2\njobs:\n{jobs}\n")))
    assert record["status"] == "success"
    spans = [
        (datetime.fromisoformat(job["started_at"]), datetime.fromisoformat(job["finished_at"]))
        for job in record["jobs"].values()
    ]
    assert max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans) == 2


def test_a_run_that_takes_too_long_fails_and_still_cleans_up(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(SLEEPER.replace("name: sleeper", "name: late\ntimeout: 3"))
    record = orca.wait(orca.submit(spec))
    assert {name: job["status"] for name, job in record["jobs"].items()} == {
        "nap": "cancelled",
        "never": "cancelled",
        "tidy": "success",
    }
    assert (record["status"], record["error"]) == (
        "failed",
        "timeout: the run took longer than its timeout of 3 s",
    )


def test_a_job_that_takes_too_long_fails_with_that_reason(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        "name: slow\njobs: {a: {image: 'alpine:latest', commands: [sleep 60], timeout: 1s, stop_grace: 1}}\n"
    )
    record = orca.wait(orca.submit(spec))
    assert record["status"] == "failed"
    assert record["jobs"]["a"]["reason"].startswith("timeout: ")


def test_kept_containers_are_kept(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: keep
cleanup_policy: keep_on_failure
jobs:
  good: {image: "alpine:latest", commands: ["true"]}
  bad: {image: "alpine:latest", commands: ["false"]}
"""
    )
    run = orca.submit(spec)
    orca.wait(run)
    client = docker.from_env()
    try:
        kept = client.containers.list(all=True, filters={"label": f"dev.orca.run={run}"})
        assert [container.labels["dev.orca.job"] for container in kept] == ["bad"]
        kept[0].remove()
    finally:
        client.close()


def test_json_is_alone_on_stdout(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec("name: brief\njobs: {a: {image: 'alpine:latest', commands: [echo hello]}}\n")
    done = orca("submit", spec, "--follow", "-o", "json")
    assert json.loads(done.stdout)["status"] == "success"
    assert "a | hello" in done.stderr


def test_the_workspace_is_shipped_without_what_git_ignores(orca: Orca, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "run.sh").write_text("echo shipped; ls -a\n")
    (tmp_path / "app" / "secret.env").write_text("x")
    (tmp_path / "app" / ".gitignore").write_text("*.env\n")
    spec = tmp_path / "ci.yaml"
    spec.write_text(
        "name: ws\nworkspace: app\njobs: {a: {image: 'alpine:latest', commands: [pwd, sh run.sh]}}\n"
    )
    run = orca.submit(spec)
    assert orca.wait(run)["status"] == "success"
    log = orca.ok("logs", run, "a").split()
    assert ("/workspace" in log, "shipped" in log, "secret.env" in log) == (True, True, False)


def test_what_a_container_prints_does_not_drive_the_terminal(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        "name: rude\njobs: {a: {image: 'alpine:latest', commands: [\"printf '\\\\033[2Jbye\\\\n'; exit 1\"]}}\n"
    )
    done = orca("submit", spec, "--follow")
    assert done.returncode == 1
    assert "bye" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
