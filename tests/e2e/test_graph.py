"""`orca graph`, of a file and of a run, and what it says where there is neither."""

from pathlib import Path

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca

SPEC = """
name: drawn
jobs:
  good: {image: "alpine:latest", commands: ["true"]}
  bad: {image: "alpine:latest", commands: ["exit 3"], requires: [good]}
  never: {image: "alpine:latest", commands: ["true"], requires: [bad]}
"""


def test_a_run_is_drawn_in_the_colours_of_its_states(
    orca: Orca, write_spec: WriteSpec, tmp_path: Path
) -> None:
    run = orca.submit(write_spec(SPEC))
    assert orca.wait(run)["status"] == "failed"
    drawn = orca.ok("graph", run)
    assert 'j2["bad<br/>alpine:latest<br/>failed"]' in drawn
    assert [line.strip() for line in drawn.splitlines() if line.startswith("  class ")] == [
        "class j1 success",
        "class j2 failed",
        "class j3 omitted",
    ]
    picture = tmp_path / "run.svg"
    assert orca.ok("graph", run, "--output", picture) == ""
    assert f'<title id="title">{run}</title>' in picture.read_text()


def test_a_file_is_drawn_without_a_server(orca: Orca, write_spec: WriteSpec, tmp_path: Path) -> None:
    spec = write_spec(SPEC)
    alone = Orca(tmp_path / "no-server")
    assert alone.ok("graph", spec).startswith("flowchart LR\n")
    assert alone.ok("graph", spec, "--format", "dot").startswith('digraph "drawn" {\n')
    assert alone.ok("graph", spec, "--format", "svg").startswith("<svg ")
    assert alone.ok("graph", spec, "--output", tmp_path / "x.gv") == ""
    assert (tmp_path / "x.gv").read_text().startswith("digraph ")


def test_neither_file_nor_run(orca: Orca, tmp_path: Path) -> None:
    missing = orca("graph", "nothing-abcd2345")
    assert missing.returncode == 2
    assert "there is no file 'nothing-abcd2345', and there is no run 'nothing-abcd2345'" in missing.stderr
    file = orca("graph", "nothing.yaml")
    assert (file.returncode, "cannot read the spec 'nothing.yaml'" in file.stderr) == (2, True)
    lost = Orca(tmp_path / "no-server", {"TEMPORAL_ADDRESS": "127.0.0.1:1"})("graph", "nothing-abcd2345")
    assert lost.returncode == 3
    assert "there is no file 'nothing-abcd2345', and to look for a run" in lost.stderr


def test_a_folder_that_cannot_be_written(orca: Orca, write_spec: WriteSpec, tmp_path: Path) -> None:
    done = orca("graph", write_spec(SPEC), "--output", tmp_path / "none" / "x.svg")
    assert done.returncode == 2
    assert "cannot write" in done.stderr
