"""What is wrong is said in words, with the right exit code, and nothing is left behind."""

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("no file", None, "cannot read the spec"),
        ("broken YAML", "name: [a\n", "error[E0"),
        ("duplicate key", "name: a\nname: b\njobs: {a: {image: x, commands: [y]}}\n", "'name'"),
        ("unknown key", "name: a\njobs: {a: {imag: x, commands: [y]}}\n", "did you mean 'image'?"),
        ("alias bomb", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ), "error[E0"),
        ("cycle", "name: a\njobs:\n" + "".join(
            f"  {job}: {{image: x, commands: [y], requires: [{other}]}}\n" for job, other in ("ab", "bc", "ca")
        ), "error[E105]"),
        ("unknown reference", "name: a\njobs: {build: {image: x, commands: [y]}, d: {image: x, commands: [y], "
         "requires: [biuld]}}\n", "error[E103]: job 'd' requires 'biuld', which does not exist; did you mean 'build'?"),
        ("wrong type", "name: a\njobs: {a: {image: 3, commands: {}}}\n", "error[E102]"),
    ],
)  # fmt: skip
def test_a_wrong_spec_is_exit_2_and_nothing_is_submitted(
    orca: Orca, tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    spec = tmp_path / "bad.yaml"
    if text is not None:
        spec.write_text(text)
    before = orca.json("list", "--limit", "1000")
    for command in ("validate", "plan", "submit", "run"):
        done = orca(command, spec)
        assert (done.returncode, done.stdout) == (2, ""), f"{name}: {command}"
        assert said in done.stderr
    assert orca.json("list", "--limit", "1000") == before


def test_a_20_mb_spec_is_refused(orca: Orca, tmp_path: Path) -> None:
    spec = tmp_path / "large.yaml"
    spec.write_text("name: a\n# " + "x" * 20_000_000 + "\n")
    done = orca("submit", spec)
    assert done.returncode == 2
    assert "10 MB" in done.stderr


def test_more_jobs_than_one_run_holds_are_refused(orca: Orca, write_spec: WriteSpec) -> None:
    jobs = "".join(f"  job{number}: {{image: x, commands: [y]}}\n" for number in range(1001))
    done = orca("submit", write_spec(f"name: many\njobs:\n{jobs}"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "the plan has 1001 jobs, and one run holds at most 1000" in done.stderr


def test_every_diagnostic_comes_at_once(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        "name: a\nextra: 1\njobs:\n  a: {image: x, commands: [y], requires: [b], timeout: soon}\n"
    )
    found = orca.json("validate", spec, expect=2)["diagnostics"]
    assert [(item["code"], item["line"]) for item in found] == [("E101", 2), ("E103", 4), ("E102", 4)]


def test_bad_parameters_are_named_together(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        "name: a\nparams: {n: {type: integer, required: true}, who: {required: true}}\n"
        "jobs: {a: {image: x, commands: ['echo ${{ params.n }} ${{ params.who }}']}}\n"
    )
    done = orca("submit", spec, "--param", "n=soon", "--param", "wo=x")
    assert done.returncode == 2
    for word in ("'n'", "'wo'", "'who'"):
        assert word in done.stderr


def test_no_temporal_is_exit_3_with_the_address_and_what_to_do(tmp_path: Path, write_spec: WriteSpec) -> None:
    alone = Orca(tmp_path / "home")
    spec = write_spec("name: a\njobs: {a: {image: x, commands: [y]}}\n")
    for words in (
        ["submit", str(spec)],
        ["status", "x"],
        ["list"],
        ["cancel", "x"],
        ["logs", "x"],
        ["watch", "x"],
    ):
        done = alone(*words, "--address", "127.0.0.1:1")
        assert (done.returncode, done.stdout) == (3, ""), words
        assert "127.0.0.1:1" in done.stderr
        assert "orca up" in done.stderr


def test_an_unknown_run_is_exit_2(orca: Orca) -> None:
    for command in ("status", "logs", "watch", "cancel", "artifacts"):
        done = orca(command, "no-such-run")
        assert (done.returncode, "there is no run 'no-such-run'" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("job", "reason", "exit_code"),
    [
        ("image: no.such.registry.invalid/nope:1\n    commands: ['true']", "pull: ", None),
        ("image: alpine:latest\n    commands: [no-such-command --now]", "exit: ", 127),
        ("image: alpine:latest\n    shell: no-such-shell\n    commands: ['true']", "start: ", 127),
        ("image: alpine:latest\n    user: nobody-here\n    commands: ['true']", "start: ", None),
        (
            "image: python:3.11-slim\n    resources: {memory: 32m}\n"
            "    commands: [\"python -c 'x = bytearray(10**9)'\"]",
            "oom: ",
            137,
        ),
        ("image: alpine:latest\n    commands: [\"echo 'not a pair' >> $ORCA_OUTPUT\"]", "output: ", 0),
        ("image: alpine:latest\n    commands: ['true']\n    artifacts: [/no/such/file]", "artifact: ", 0),
        (
            "image: alpine:latest\n    env: {N: '${{ fromJSON(git.sha) }}'}\n    commands: ['true']",
            "expression: ",
            None,
        ),
    ],
)
def test_a_job_that_cannot_go_well_says_why_and_the_run_goes_on_to_its_end(
    orca: Orca, write_spec: WriteSpec, job: str, reason: str, exit_code: int | None
) -> None:
    spec = write_spec(
        f"name: bad\njobs:\n  bad:\n    {job}\n"
        "  after: {image: 'alpine:latest', requires: [bad], commands: ['true']}\n"
        "  tidy: {image: 'alpine:latest', on_complete: always, commands: ['true']}\n"
    )
    record = orca.wait(orca.submit(spec))
    bad = record["jobs"]["bad"]
    assert (record["status"], bad["status"], bad["exit_code"]) == ("failed", "failed", exit_code)
    assert bad["reason"].startswith(reason), bad["reason"]
    assert record["jobs"]["after"]["status"] == "omitted"
    assert record["jobs"]["after"]["reason"] == "omitted: it requires 'bad', which failed"
    assert record["jobs"]["tidy"]["status"] == "success"
    assert "job 'bad' failed: " in record["error"]


def test_without_docker_the_job_fails_in_words_and_the_run_ends(
    tmp_path: Path, write_spec: WriteSpec
) -> None:
    alone = Orca(tmp_path / "home", {"DOCKER_HOST": f"unix://{tmp_path}/no-engine.sock"})
    spec = write_spec("name: a\njobs: {a: {image: 'alpine:latest', commands: ['true']}}\n")
    record = alone.json("run", spec, expect=1)
    assert record["status"] == "failed"
    assert record["jobs"]["a"]["reason"].startswith("docker: ")
    assert "no-engine.sock" in record["jobs"]["a"]["reason"]


def test_an_unwritable_state_folder_is_said(tmp_path: Path, write_spec: WriteSpec) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    spec = write_spec("name: a\njobs: {a: {image: x, commands: [y]}}\n")
    done = Orca(blocked / "home")("run", spec)
    assert (done.returncode, "set ORCA_HOME" in done.stderr) == (2, True)


def test_two_orca_run_share_the_server_and_the_last_one_stops_it(
    tmp_path: Path, write_spec: WriteSpec
) -> None:
    shared = Orca(tmp_path / "home")
    long = write_spec("name: long\njobs: {a: {image: 'alpine:latest', commands: [sleep 6]}}\n")
    short = tmp_path / "short.yaml"
    short.write_text("name: short\njobs: {a: {image: 'alpine:latest', commands: ['true']}}\n")
    first = shared.start("run", long)
    assert first.stderr is not None
    run = first.stderr.readline().split()[1].rstrip(":")
    assert not run.startswith("error")
    second = shared("run", short)
    assert second.returncode == 0, second.stderr
    _, errors = first.communicate(timeout=60)
    assert first.returncode == 0, errors
    assert not (tmp_path / "home" / "server.json").exists()
    assert containers_of(run) == []


def test_up_says_when_a_port_is_taken(tmp_path: Path) -> None:
    port = str(os.getpid() % 1000 + 20000)
    first = Orca(tmp_path / "one").start("up", "--no-worker", "--port", port, "-o", "json")
    try:
        assert first.stdout is not None
        assert first.stdout.readline().startswith("{")
        done = Orca(tmp_path / "two")("up", "--no-worker", "--port", port)
        assert (done.returncode, f"port {port} (--port) is taken" in done.stderr) == (2, True)
    finally:
        stop(first)
