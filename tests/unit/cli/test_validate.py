"""`orca validate` as a person and as a program uses it: many files, folders, the standard input, explanations."""

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import COMMAND, Orca

GOOD = "name: n\njobs: {build: {image: i}}\n"
WARNED = "name: n\nparams: {p: {}}\njobs: {build: {image: i}}\n"
WRONG = "name: n\nextra: 1\njobs: {build: {image: i}}\n"
ERROR = "error[E101]: the spec has the unknown key 'extra'"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "good.yaml": GOOD,
        "sub/warned.yml": WARNED,
        "sub/deep/wrong.yaml": WRONG,
        "sub/notes.txt": "no spec",
        "sub/.hidden.yaml": WRONG,
        ".git/x.yaml": WRONG,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def validate(folder: Path, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, "validate", *words], cwd=folder, input=stdin, capture_output=True, text=True, check=False
    )


def report(folder: Path, *words: str, stdin: str = "", code: int = 0) -> dict[str, Any]:
    done = validate(folder, *words, "-o", "json", stdin=stdin)
    assert (done.returncode, done.stderr) == (code, "")
    return json.loads(done.stdout)


def test_one_good_file(folder: Path) -> None:
    done = validate(folder, "good.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "good.yaml: valid\n", "")


def test_what_is_wrong_with_one_file_hides_nothing_of_the_others(folder: Path) -> None:
    (folder / "closed.yaml").symlink_to("nowhere")
    words = ("missing.yaml", "closed.yaml", "sub/deep/wrong.yaml", "good.yaml", "sub/warned.yml")
    done = validate(folder, *words)
    assert done.returncode == 2
    assert done.stdout == "good.yaml: valid\nsub/warned.yml: valid\n"
    assert done.stderr.splitlines() == [
        "missing.yaml:1:1: error[E016]: cannot read the spec: No such file or directory",
        "closed.yaml:1:1: error[E016]: cannot read the spec: No such file or directory",
        f"sub/deep/wrong.yaml:2:1: {ERROR}",
        "    2 | extra: 1",
        "      | ^^^^^",
        "sub/warned.yml:2:10: warning[W106]: param 'p' is never read; use it as '${{ params.p }}', or remove it",
        "    2 | params: {p: {}}",
        "      |          ^",
        "5 files: 3 errors, 1 warning",
    ]


def test_a_folder_stands_for_the_specs_below_it_but_for_hidden_ones(folder: Path) -> None:
    found = report(folder, ".", "good.yaml", code=2)
    assert found["files"] == [
        {"file": "good.yaml", "valid": True},
        {"file": "sub/warned.yml", "valid": True},
        {"file": "sub/deep/wrong.yaml", "valid": False},
    ]
    assert found["valid"] is False
    assert [item["code"] for item in found["diagnostics"]] == ["W106", "E101"]


def test_a_folder_without_specs_is_said(folder: Path) -> None:
    (folder / "empty").mkdir()
    done = validate(folder, "empty")
    assert done.returncode == 2
    assert done.stderr == (
        "empty:1:1: error[E016]: cannot read the spec: the folder holds no '.yaml' or '.yml' file\n"
    )


def test_warnings_alone_are_valid(folder: Path) -> None:
    assert report(folder, "sub/warned.yml")["valid"] is True
    assert validate(folder, "good.yaml", "sub/warned.yml").stderr.endswith("2 files: no errors, 1 warning\n")


def test_the_standard_input(folder: Path) -> None:
    assert validate(folder, "-", stdin=GOOD).stdout == "<stdin>: valid\n"
    done = validate(folder, "-", "good.yaml", stdin=WRONG)
    assert (done.returncode, done.stdout) == (2, "good.yaml: valid\n")
    assert done.stderr.startswith(f"<stdin>:2:1: {ERROR}\n")


def test_sarif_is_alone_on_stdout_and_keeps_the_exit_code(folder: Path) -> None:
    done = validate(folder, ".", "-o", "sarif")
    assert (done.returncode, done.stderr) == (2, "")
    (run,) = json.loads(done.stdout)["runs"]
    assert [item["ruleId"] for item in run["results"]] == ["W106", "E101"]
    assert validate(folder, "good.yaml", "-o", "sarif").returncode == 0


def test_a_file_name_cannot_drive_the_terminal(folder: Path) -> None:
    name = os.fsdecode(b"a\x1b[31m\xff.yaml")
    (folder / name).write_text(WRONG)
    done = validate(folder, name)
    assert done.stderr.startswith(f"a\\x1b[31m\\xff.yaml:2:1: {ERROR}\n")


def test_an_explanation(folder: Path) -> None:
    done = validate(folder, "--explain", "w106")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("warning[W106]: A param is declared and never read (unused-param)\n")
    assert "    spec.yaml:2:10: warning[W106]: param 'target' is never read" in done.stdout
    found = report(folder, "--explain", "E103")
    assert list(found) == ["code", "name", "severity", "title", "text", "wrong", "diagnostics", "mended"]
    assert [item["code"] for item in found["diagnostics"]] == ["E103"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            (),
            "name at least one workflow file or folder, '-' for the standard input, or a code with --explain",
        ),
        (("--explain", "E13"), "there is no code 'E13'; did you mean 'E130'?"),
        (("--explain", "E103", "good.yaml"), "--explain takes a code alone"),
        (("--explain", "E103", "-o", "sarif"), "--explain takes a code alone"),
    ],
)
def test_a_wrong_call(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = validate(folder, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_on_a_terminal_unless_it_is_not_wanted(
    folder: Path, env: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    orca = Orca(folder / "home", env)
    environ = {key: value for key, value in orca.environ.items() if key != "NO_COLOR" or env}
    subprocess.run(
        [COMMAND, "validate", "sub/deep/wrong.yaml"], cwd=folder, env=environ, stderr=theirs, check=False
    )
    os.close(theirs)
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    assert ("\x1b[1;31merror[E101]\x1b[0m" in said) is coloured
    assert ("\x1b" in said) is coloured
