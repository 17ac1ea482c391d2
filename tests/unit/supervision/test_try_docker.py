"""The whole of a try on a real engine."""

import asyncio
import gc
import hashlib
import io
import json
import resource
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.contract.messages import ArtifactRef
from orchestrator.plan.parts import Resources
from orchestrator.store.workspace import ship
from tests.support.tries import Bench, bench_around, request
from workers.engine.docker_engine import DockerEngine
from workers.supervision.identity import prefix_of

MIB = 1024 * 1024


@pytest.fixture(name="bench")
async def bench_fixture(docker_engine: DockerEngine, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(docker_engine, tmp_path / "store") as bench:
        yield bench


async def test_commands_log_and_clean_up(bench: Bench, mark: str) -> None:
    wanted = request(mark, "cd /tmp; x=1; echo out; echo err >&2", "sleep 1\npwd; printf $x")
    outcome = await bench.run(wanted)
    assert (outcome.status, outcome.reason, outcome.exit_code, outcome.outputs, outcome.warnings) == (
        "success",
        None,
        0,
        {},
        (),
    )
    texts = await bench.texts(wanted)
    assert [text.replace("[1.1", "[1.0") for text in texts] == [
        "$ cd /tmp; x=1; echo out; echo err >&2",
        "out",
        "err",
        "[0.0 s, exit 0]",
        "$ sleep 1 …",
        "/tmp",
        "1",
        "[1.0 s, exit 0]",
    ]
    assert await bench.container(wanted) is None
    assert await bench.store.exists(f"{prefix_of(wanted)}log/end")
    phases = list(dict.fromkeys(beat.phase for beat in bench.beats))
    assert phases == ["looking", "pulling", "running", "collecting"]
    assert bench.beats[-1].log_position != ""


async def test_the_environment(bench: Bench, mark: str) -> None:
    names = "CI ORCA_RUN_ID ORCA_ATTEMPT ORCA_JOB ORCA_VARIANT ORCA_TRY ORCA_OUTPUT GITHUB_OUTPUT MINE"
    env = {"MINE": "it's $HOME", "CI": "no", "ORCA_JOB": "other"}
    wanted = request(
        mark, f'for n in {names}; do eval "echo $n=\\$$n"; done', env=env, variant="a, b", try_number=2
    )
    await bench.run(wanted)
    assert (await bench.texts(wanted))[1:-1] == [
        "CI=no",
        f"ORCA_RUN_ID={mark}",
        "ORCA_ATTEMPT=1",
        "ORCA_JOB=job",
        "ORCA_VARIANT=a, b",
        "ORCA_TRY=2",
        "ORCA_OUTPUT=/orca/output",
        "GITHUB_OUTPUT=/orca/output",
        "MINE=it's $HOME",
    ]


@pytest.mark.parametrize(
    ("commands", "changes", "reason", "code"),
    [
        (["true", "echo why; exit 3"], {}, "exit: command 2 of 2, 'echo why; exit 3', ended with exit code 3; last", 3),
        (["nope --x"], {}, "exit: command not found in command 1 of 1, 'nope --x' (exit code 127); last line", 127),
        (["kill -9 $$"], {}, "exit: command 1 of 1, 'kill -9 $$', was ended by SIGKILL (exit code 137)", 137),
        (["sleep 600"], {"timeout": 0.5}, "timeout: the job took longer than its limit of 0.5 s and was stopped", 143),
        (
            ["x=a; while :; do x=$x$x; done"],
            {"resources": Resources(memory=16 * MIB)},
            "oom: the container went over its memory limit of 16 MiB",
            137,
        ),
        (["true"], {"shell": "fish"}, "start: the shell 'fish' could not be started in image 'alpine:", 127),
        (["true"], {"user": "nobody-knows"}, "start: cannot start container '", None),
        (["true"], {"resources": Resources(memory=1)}, "start: cannot create container '", None),
        (["true"], {"image": "orca.invalid/none:1"}, "pull: image 'orca.invalid/none:1' could not be pulled: ", None),
        (["true"], {"image": "orca.invalid/none:1", "pull": "never"}, "pull: image 'orca.invalid/none:1' is", None),
        ([], {"entrypoint": ("sh", "-c", "exit 4")}, "exit: the container ended with exit code 4", 4),
        (["echo nonsense > $ORCA_OUTPUT"], {}, "output: line 1 is neither 'name=value' nor 'name<<MARK': '", 0),
        (["true"], {"artifacts": ("none",)}, "artifact: 'none' is not in the container (looked for '/none')", 0),
        (["true"], {"artifacts": ("tmp/*.none",)}, "artifact: nothing matches 'tmp/*.none' below '/tmp'", 0),
        (["true"], {"workspace": "workspaces/none"}, "workspace: the workspace could not be read from the sto", None),
        (
            ["true"],
            {"restore": (ArtifactRef(path="a", key="none", size=1, sha256=""),)},
            "artifact: artifact 'a' could not be read from the store: cannot read 'none'",
            None,
        ),
    ],
)  # fmt: skip
async def test_failures_in_words(
    bench: Bench, mark: str, commands: list[str], changes: dict[str, object], reason: str, code: int | None
) -> None:
    wanted = request(mark, *commands, **changes)
    outcome = await bench.run(wanted)
    assert (outcome.status, str(outcome.reason)[: len(reason)], outcome.exit_code) == ("failed", reason, code)
    assert await bench.container(wanted) is None
    texts = await bench.texts(wanted)
    if not reason.startswith("exit"):
        assert texts[-1] == f"orca: {outcome.reason}"
    if code is not None and commands and "shell" not in changes:
        assert f", exit {code}]" in "".join(texts[-2:])


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # docker's, when it cannot connect
async def test_no_engine(tmp_path: Path) -> None:
    async with bench_around(DockerEngine("unix:///nowhere/docker.sock"), tmp_path) as bench:
        outcome = await bench.run(request("run", "true"))
    assert (outcome.status, str(outcome.reason)[:68]) == (
        "failed",
        "docker: no Docker engine answers at unix:///nowhere/docker.sock (No ",
    )
    gc.collect()


@pytest.mark.parametrize("user", [None, "1000:1000"])
async def test_outputs(bench: Bench, mark: str, user: str | None) -> None:
    write = "echo a=1 >> $ORCA_OUTPUT; printf 'b<<E\\nx\\ny\\nE\\n' >> $GITHUB_OUTPUT"
    outcome = await bench.run(request(mark, write, user=user))
    assert (outcome.status, outcome.outputs) == ("success", {"a": "1", "b": "x\ny"})
    # Also of a job that fails, and of one whose script did not get to its own end.
    outcome = await bench.run(request(mark, f"{write}; exit 1", user=user, try_number=2))
    assert (outcome.status, outcome.outputs) == ("failed", {"a": "1", "b": "x\ny"})
    outcome = await bench.run(request(mark, write, "exec true", user=user, try_number=3))
    assert (outcome.status, outcome.outputs) == ("success", {"a": "1", "b": "x\ny"})
    entry = ("sh", "-c", "echo c=3 > $ORCA_OUTPUT")
    outcome = await bench.run(request(mark, entrypoint=entry, user=user, try_number=4))
    assert (outcome.status, outcome.outputs) == ("success", {"c": "3"})


async def test_a_long_script(bench: Bench, mark: str) -> None:
    wanted = request(mark, f"x={'y' * 200_000}; echo ${{#x}} n=1; echo n=1 > $ORCA_OUTPUT")
    outcome = await bench.run(wanted)
    assert (outcome.status, outcome.outputs, (await bench.texts(wanted))[1]) == (
        "success",
        {"n": "1"},
        "200000 n=1",
    )


async def test_artifacts_pass_unchanged(bench: Bench, mark: str) -> None:
    make = (
        "mkdir -p out/deep; echo 1 > out/deep/file; chmod 4750 out/deep/file; ln -s deep/file out/link; mkfifo out/p;"
        " echo a > a.txt; echo b > b.txt; echo c > c.log"
    )
    first = await bench.run(
        request(mark, make, working_dir="/made/here", artifacts=("out", "*.txt", "/etc/hostname"))
    )
    assert (first.status, [artifact.path for artifact in first.artifacts]) == (
        "success",
        ["out", "*.txt", "/etc/hostname"],
    )
    assert first.warnings == (
        "artifact 'out': '/made/here/out/p' is not a file, folder or link and was left out",
    )
    for artifact in first.artifacts:
        data = await bench.store.get_bytes(artifact.key)
        assert (artifact.size, artifact.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    look = "cd /made/here; find . | sort; cat out/link; stat -c %a out/deep/file"
    wanted = request(mark, look, job="next", restore=first.artifacts[:2])
    second = await bench.run(wanted)
    assert second.status == "success"
    assert (await bench.texts(wanted))[1:-1] == [
        ".",
        "./a.txt",
        "./b.txt",
        "./out",
        "./out/deep",
        "./out/deep/file",
        "./out/link",
        "1",
        "750",
    ]


async def test_a_damaged_artifact_is_noticed(bench: Bench, mark: str) -> None:
    first = await bench.run(request(mark, "echo 1 > /a", artifacts=("/a",)))
    (artifact,) = first.artifacts
    data = await bench.store.get_bytes(artifact.key)
    await bench.store.put_bytes(artifact.key, data.replace(b"1\n", b"2\n"))
    second = await bench.run(request(mark, "cat /a", job="next", restore=first.artifacts))
    assert str(second.reason).startswith("artifact: artifact '/a' is damaged in the store")


async def test_a_failed_job_keeps_its_artifacts_and_only_warns_of_missing_ones(
    bench: Bench, mark: str
) -> None:
    outcome = await bench.run(request(mark, "echo 1 > /a; exit 2", artifacts=("/a", "/none")))
    assert (str(outcome.reason)[:5], [artifact.path for artifact in outcome.artifacts]) == ("exit:", ["/a"])
    assert [warning[:39] for warning in outcome.warnings] == ["artifact: '/none' is not in the contain"]


@pytest.mark.parametrize("user", [None, "1000:1000"])
async def test_a_shipped_workspace(bench: Bench, mark: str, tmp_path: Path, user: str | None) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (root / "sub" / "run.sh").chmod(0o755)
    key, _ = await ship(bench.store, root)
    wanted = request(
        mark,
        "pwd; ./run.sh; echo x > new; echo ok",
        workspace=key,
        working_dir="sub",
        user=user,
        artifacts=("new",),
    )
    outcome = await bench.run(wanted)
    assert (outcome.status, (await bench.texts(wanted))[1:-1]) == ("success", ["/workspace/sub", "ran", "ok"])
    data = await bench.store.get_bytes(outcome.artifacts[0].key)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == ["workspace/sub/new"]


GRACEFUL = "sh -c 'trap \"sleep 0.3; echo saved; exit 0\" TERM; echo up; while :; do sleep 0.1; done'"


async def test_cancel_reaches_the_command_and_gives_it_its_grace(bench: Bench, mark: str) -> None:
    wanted = request(mark, GRACEFUL, "echo never")
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    running.cancel()
    outcome = await asyncio.wait_for(running, 9)
    assert (outcome.status, str(outcome.reason)) == ("cancelled", "cancelled: the job was cancelled")
    texts = await bench.texts(wanted)
    assert "saved" in texts
    assert "never" not in texts
    assert await bench.container(wanted) is None


async def test_cancel_of_what_ignores_it(bench: Bench, mark: str) -> None:
    wanted = request(mark, "trap '' TERM; echo up; while :; do sleep 0.1; done", stop_grace=1.0)
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    running.cancel()
    outcome = await asyncio.wait_for(running, 6)
    assert (outcome.status, outcome.exit_code) == ("cancelled", 137)


async def test_another_worker_takes_up_a_running_container(
    bench: Bench, docker_engine: DockerEngine, mark: str
) -> None:
    count = 40
    wanted = request(
        mark,
        f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo $i; sleep 0.05; done",
        "echo n=1 > $ORCA_OUTPUT",
    )
    bench.cause = "detach"
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "5")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    left = await bench.container(wanted)
    assert left is not None
    assert left.state == "running"
    async with bench_around(docker_engine, Path(bench.store.url)) as other:
        outcome = await other.run(wanted, bench.beats[-1])
    assert (outcome.status, outcome.container_id, outcome.outputs) == ("success", left.id, {"n": "1"})
    assert outcome.started_at == left.started_at
    texts = await bench.texts(wanted)
    assert texts[1 : count + 1] == [str(number) for number in range(1, count + 1)]
    ends = [text.split(",")[-1] for text in texts[count + 1 :]]
    assert ends == [" exit 0]", "$ echo n=1 > $ORCA_OUTPUT", " exit 0]"]


async def test_another_worker_collects_what_ended_meanwhile(bench: Bench, mark: str) -> None:
    wanted = request(
        mark, "echo up; sleep 1; echo done; echo n=1 > $ORCA_OUTPUT; echo f > /f", artifacts=("/f",)
    )
    bench.cause = "detach"
    running = bench.begin(wanted)
    await bench.until_logged(wanted, "up")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with asyncio.timeout(20):
        while (left := await bench.container(wanted)) is None or left.state == "running":
            await asyncio.sleep(0.1)
    late = wanted.model_copy(update={"timeout": 0.5})
    outcome = await bench.run(late, bench.beats[-1])
    assert (outcome.status, outcome.outputs, len(outcome.artifacts)) == ("success", {"n": "1"}, 1)
    assert (outcome.started_at, outcome.finished_at) == (left.started_at, left.finished_at)
    assert (await bench.texts(wanted))[1:3] == ["up", "done"]
    assert await bench.container(wanted) is None
    record = json.loads(await bench.store.get_bytes(f"{prefix_of(wanted)}outcome.json"))
    assert record["container_id"] == left.id
    assert await bench.run(wanted, bench.beats[-1]) == outcome


async def test_200_mb_of_artifact_in_flat_memory(bench: Bench, mark: str) -> None:
    size = 200 * MIB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first = await bench.run(
        request(mark, f"yes orca | head -c {size} > /big; sha256sum /big", artifacts=("/big",))
    )
    assert first.status == "success"
    second = await bench.run(request(mark, "sha256sum /big", job="next", restore=first.artifacts))
    assert second.status == "success"
    sums = [(await bench.texts(request(mark, job=job)))[1] for job in ("job", "next")]
    assert sums[0] == sums[1]
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 100


async def test_20_mb_of_log_come_whole(bench: Bench, mark: str) -> None:
    lines = 200_000
    wanted = request(mark, f"yes {'l' * 99} | head -n {lines}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = await bench.run(wanted)
    assert (outcome.status, outcome.warnings) == ("success", ())
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert (await bench.texts(wanted)).count("l" * 99) == lines
    assert grown < 60
