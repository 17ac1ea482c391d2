"""Specs that nest others, as files: what is read from where, and what is told of which file."""

from pathlib import Path

import pytest

from orchestrator.client.prepare import compile_file
from orchestrator.client.validation import as_sarif, verdicts
from orchestrator.errors import SpecError

ROOT = "name: root\njobs: {a: {workflow: ./inner/child.yaml}}\n"
GOOD = "name: child\njobs: {b: {image: 'i:1'}}\n"
BAD = "name: child\njobs: {b: {image: 'i:1', requires: [c]}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "root.yaml").write_text(ROOT)
    (tmp_path / "inner" / "child.yaml").write_text(GOOD)
    return tmp_path


def test_a_nested_spec_is_found_from_the_folder_of_the_one_that_names_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    plan = compile_file(Path(folder.name, "root.yaml")).plan
    assert list(plan.workflows) == ["inner/child.yaml"]
    monkeypatch.chdir(folder)
    assert compile_file(Path("root.yaml")).plan == plan


def test_what_is_wrong_with_it_is_told_under_its_own_path(folder: Path) -> None:
    (folder / "inner" / "child.yaml").write_text(BAD)
    with pytest.raises(SpecError) as caught:
        compile_file(folder / "root.yaml")
    assert [str(one).partition(" ")[0] for one in caught.value.diagnostics] == [
        f"{folder}/inner/child.yaml:2:37:"
    ]


def test_validate_names_both_files_to_code_review_tools(folder: Path) -> None:
    (folder / "inner" / "child.yaml").write_text(BAD)
    found = list(verdicts([folder / "root.yaml"], read_stdin=bytes))
    assert [verdict.valid for verdict in found] == [False]
    (run,) = as_sarif(found, base=folder)["runs"]
    places = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]
    ]
    assert places == ["inner/child.yaml"]


@pytest.mark.parametrize(
    ("name", "why"), [("nowhere.yaml", "No such file or directory"), ("inner", "Is a directory")]
)
def test_one_that_cannot_be_read(folder: Path, name: str, why: str) -> None:
    (folder / "root.yaml").write_text(f"name: root\njobs: {{a: {{workflow: {name}}}}}\n")
    with pytest.raises(SpecError) as caught:
        compile_file(folder / "root.yaml")
    assert f"error[E129]: job 'a' nests '{name}', which cannot be read: {why}" in str(
        caught.value.diagnostics[0]
    )


def test_reading_what_is_nested_runs_no_code(folder: Path) -> None:
    (folder / "root.yaml").write_text("name: root\njobs: {a: {workflow: child.py}}\n")
    (folder / "child.py").write_text("from pathlib import Path\nPath(__file__).with_name('ran').touch()\n")
    with pytest.raises(SpecError):
        compile_file(folder / "root.yaml")
    assert not (folder / "ran").exists()
