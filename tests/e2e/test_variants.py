"""A matrix and a list on real containers: values wherever they may stand, each variant's own log and artifacts."""

import os
import signal
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of

MATRIX = """
name: matrix
jobs:
  list:
    image: alpine:latest
    commands: ["echo 'pythons=[\\"3.11\\",\\"3.12\\",\\"3.13\\"]' >> $ORCA_OUTPUT"]
  test:
    image: alpine:${{ matrix.os.tag }}
    name: ${{ matrix.python }}, ${{ matrix.os.name }}
    requires: [list]
    matrix:
      python: ${{ fromJSON(jobs.list.outputs.pythons) }}
      os: [{name: alpine, tag: latest}, {name: musl, tag: latest}]
    max_parallel: 3
    fail_fast: false
    on_error: continue
    env: {PY: "${{ matrix.python }}"}
    commands:
      - mkdir -p /out && echo "$PY ${{ matrix.os.name }} $ORCA_VARIANT" | tee /out/${{ matrix.os.name }}-$PY.txt
      - echo "python=$PY" >> $ORCA_OUTPUT
      - echo "same=yes" >> $ORCA_OUTPUT
      - test "$PY" != 3.12
    artifacts: ["/out/${{ matrix.os.name }}-${{ matrix.python }}.txt"]
  collect:
    image: alpine:latest
    requires: [test]
    env:
      SUMMARY: ${{ jobs.test.summary }}
      ALL: ${{ join(jobs.test.matrix[*].outputs.python, ' ') }}
      SAME: ${{ jobs.test.outputs.same }}
    commands:
      - echo "$SUMMARY, $ALL, $SAME"
      - ls /out
"""


@pytest.fixture(scope="module")
def ran(orca: Orca, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], str]:
    """A run of `MATRIX`: its id, its record, and what was printed while it was followed."""
    spec = tmp_path_factory.mktemp("matrix") / "spec.yaml"
    spec.write_text(MATRIX)
    done = orca("submit", spec, "--follow")
    assert done.returncode == 5, done.stderr
    run = done.stdout.partition(":")[0]
    return run, orca.json("status", run), done.stdout + done.stderr


def test_values_stand_in_image_name_env_commands_and_artifacts(ran: tuple[str, dict[str, Any], str]) -> None:
    _, record, printed = ran
    test = record["jobs"]["test"]
    assert {name: variant["status"] for name, variant in test["variants"].items()} == {
        "test (3.11, alpine)": "success",
        "test (3.11, musl)": "success",
        "test (3.12, alpine)": "failed",
        "test (3.12, musl)": "failed",
        "test (3.13, alpine)": "success",
        "test (3.13, musl)": "success",
    }
    assert (test["summary"], test["status"], test["tries"]) == ("4/6 passed", "failed", 6)
    assert test["outputs"] == {"same": "yes"}
    assert test["variants"]["test (3.13, musl)"]["outputs"] == {"python": "3.13", "same": "yes"}
    assert record["status"] == "partial"
    assert "4/6 passed" in printed
    assert "  ✓ test (3.11, alpine)  success" in printed
    assert "test (3.13, musl) | 3.13 musl 3.13, musl" in printed


def test_logs_of_a_job_and_of_one_variant(orca: Orca, ran: tuple[str, dict[str, Any], str]) -> None:
    run = ran[0]
    everything = orca.ok("logs", run, "test").splitlines()
    assert "test (3.11, alpine) | 3.11 alpine 3.11, alpine" in everything
    assert "test (3.12, musl) | 3.12 musl 3.12, musl" in everything
    one = orca.ok("logs", run, "test (3.12, musl)", "--try", "1").splitlines()
    assert "3.12 musl 3.12, musl" in one
    assert not any("alpine" in line for line in one)
    lines = orca.ok("logs", run, "collect").splitlines()
    assert "4/6 passed, 3.11 3.11 3.12 3.12 3.13 3.13, yes" in lines
    assert lines[-7:-1] == [f"{name}-3.{minor}.txt" for name in ("alpine", "musl") for minor in (11, 12, 13)]
    unknown = orca("logs", run, "test (3.14, musl)")
    assert (unknown.returncode, unknown.stderr.splitlines()) == (
        2,
        [
            "error: job 'test' has no variant 'test (3.14, musl)'; it has 'test (3.11, alpine)', 'test (3.11, musl)', "
            "'test (3.12, alpine)', 'test (3.12, musl)', 'test (3.13, alpine)', 'test (3.13, musl)'"
        ],
    )


def test_artifacts_of_each_variant_have_their_own_folder(
    orca: Orca, ran: tuple[str, dict[str, Any], str], tmp_path: Path
) -> None:
    found = orca.json("artifacts", ran[0], "test", "--download", str(tmp_path))
    assert [(item["job"], item["variant"], item["path"]) for item in found] == [
        ("test", f"test ({python}, {name})", f"/out/{name}-{python}.txt")
        for python in ("3.11", "3.12", "3.13")
        for name in ("alpine", "musl")
    ]
    assert len({str(Path(item["file"]).parent) for item in found}) == 6
    with tarfile.open(found[3]["file"]) as archive:
        member = archive.extractfile("out/musl-3.12.txt")
        assert member is not None
        assert member.read() == b"3.12 musl 3.12, musl\n"
    (one,) = orca.json("artifacts", ran[0], "test (3.12, musl)")
    assert one["key"] == found[3]["key"]


def test_a_failure_stops_the_other_variants_and_leaves_nothing(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: fail-fast
jobs:
  test:
    image: alpine:latest
    for_each: [600, 0, 1]
    max_parallel: 2
    stop_grace: 1
    commands: ["sleep ${{ item }}", "test ${{ item }} != 0"]
"""
    )
    run = orca.submit(spec)
    record = orca.wait(run)
    test = record["jobs"]["test"]
    assert {name: variant["status"] for name, variant in test["variants"].items()} == {
        "test (600)": "cancelled",
        "test (0)": "failed",
        "test (1)": "cancelled",
    }
    assert test["variants"]["test (1)"]["tries"] == 0
    assert test["variants"]["test (600)"]["reason"] == "cancelled: variant 'test (0)' failed (fail_fast)"
    assert test["summary"] == "0/3 passed"
    assert containers_of(run) == []


def test_variants_outlive_a_killed_worker(tmp_path: Path, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: adopted
jobs:
  test:
    image: alpine:latest
    for_each: [a, b, c]
    max_parallel: 2
    commands: ["for i in 1 2 3 4 5 6; do echo ${{ item }} $i; sleep 1; done"]
"""
    )
    alone = Orca(tmp_path / "home")
    up = alone.start("up", "--no-worker", "-o", "json")
    assert up.stdout is not None
    assert up.stdout.readline().startswith("{")
    worker = alone.start("worker")
    try:
        run = alone.submit(spec)
        alone.wait_for(run, lambda _: len(containers_of(run)) == 2)
        os.kill(worker.pid, signal.SIGKILL)
        worker.communicate(timeout=10)
        worker = alone.start("worker")
        record = alone.wait(run)
        assert (record["status"], record["jobs"]["test"]["summary"]) == ("success", "3/3 passed")
        assert record["jobs"]["test"]["tries"] == 3
        for name in ("a", "b", "c"):
            lines = alone.ok("logs", run, f"test ({name})").splitlines()
            assert [line for line in lines if line.startswith(f"{name} ")] == [
                f"{name} {n}" for n in range(1, 7)
            ]
    finally:
        stop(worker)
        stop(up)
