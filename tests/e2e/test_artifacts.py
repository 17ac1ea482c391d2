"""Artifacts between jobs: unchanged, at the same paths, at flat worker memory."""

from pathlib import Path

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca

MEGABYTE = 1024 * 1024


def _workers(home: Path) -> list[Path]:
    """The /proc folders of the workers that serve a state folder."""
    found: list[Path] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environ = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"workers" in command and f"ORCA_HOME={home}".encode() in environ:
            found.append(folder)
    return found


def _peak(process: Path) -> int:
    """Peak resident memory in bytes."""
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


LARGE = """
name: large
jobs:
  make:
    image: alpine:latest
    commands:
      - head -c 209715200 /dev/urandom > /large.bin
      - echo "sum=$(sha256sum /large.bin | cut -d' ' -f1)" >> $ORCA_OUTPUT
    artifacts: [/large.bin]
  check:
    image: alpine:latest
    requires: [make]
    env: {SUM: "${{ jobs.make.outputs.sum }}"}
    commands: ['test "$SUM" = "$(sha256sum /large.bin | cut -d" " -f1)"']
"""


def test_200_mb_pass_unchanged_with_flat_worker_memory(orca: Orca, write_spec: WriteSpec) -> None:
    # A small run first: the worker's own size, with everything loaded that a run needs.
    orca.wait(orca.submit(write_spec(LARGE.replace("209715200", "1000"))))
    (worker,) = _workers(orca.home)
    before = _peak(worker)
    run = orca.submit(write_spec(LARGE))
    record = orca.wait(run)
    assert record["status"] == "success", record
    (artifact,) = orca.json("artifacts", run)
    assert artifact["size"] >= 200 * MEGABYTE
    assert _peak(worker) - before < 80 * MEGABYTE


def test_folders_globs_and_artifacts_from(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: paths
jobs:
  make:
    image: alpine:latest
    commands:
      - mkdir -p /out/deep && echo one > /out/deep/one.txt && echo two > /out/two.log
      - mkdir /work && cd /work && echo a > a.whl && echo b > b.txt
    artifacts: [/out, "/work/*.whl"]
  between:
    image: alpine:latest
    requires: [make]
    commands: [test ! -e /work/b.txt, cat /out/deep/one.txt /out/two.log /work/a.whl]
  far:
    image: alpine:latest
    requires: [between]
    artifacts_from: [make]
    commands: [cat /out/deep/one.txt]
  bare:
    image: alpine:latest
    requires: [between]
    commands: [test ! -e /out]
"""
    )
    run = orca.submit(spec)
    record = orca.wait(run)
    assert record["status"] == "success", record
    lines = orca.ok("logs", run, "between").splitlines()
    assert [line for line in lines if line in ("one", "two", "a")] == ["one", "two", "a"]
