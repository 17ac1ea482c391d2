"""Values that only a run knows, in real containers: they stay text wherever they stand. And the hashes of files."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca

ATTACK = "'; touch /tmp/pwned; echo '"
PLACES = """
name: values
params: {text: {required: true}}
jobs:
  reach:
    image: IMAGE
    shell: SHELL
    commands:
      - printf 'bare=%s\\n' ${{ params.text }} >> $ORCA_OUTPUT
      - echo "double=${{ params.text }}" >> $ORCA_OUTPUT
      - echo 'single=${{ params.text }}' >> $ORCA_OUTPUT
      - echo "inner=$(printf %s '${{ params.text }}')" >> $ORCA_OUTPUT
      - |
        cat >> $ORCA_OUTPUT <<END
        document=${{ params.text }}
        END
      - sh -c 'echo "behind=$1"' sh ${{ params.text }} >> $ORCA_OUTPUT
      - test ! -e /tmp/pwned
outputs: {all: "${{ toJSON(jobs.reach.outputs) }}"}
"""


@pytest.mark.parametrize(
    ("image", "shell"), [("alpine:latest", "sh"), ("python:3.11-slim", "sh"), ("python:3.11-slim", "bash")]
)
def test_an_attack_is_text_in_every_place(orca: Orca, write_spec: WriteSpec, image: str, shell: str) -> None:
    spec = write_spec(PLACES.replace("IMAGE", image).replace("SHELL", shell))
    record = orca.wait(orca.submit(spec, "--param", f"text={ATTACK}"))
    assert (record["status"], record["jobs"]["reach"]["outputs"]) == (
        "success",
        dict.fromkeys(("bare", "double", "single", "inner", "document", "behind"), ATTACK),
    )


def test_what_cannot_be_made_safe_is_not_submitted(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        PLACES.replace("IMAGE", "alpine:latest")
        .replace("SHELL", "sh")
        .replace("test ! -e /tmp/pwned", 'sh -c "echo ${{ params.text }}"')
    )
    done = orca("submit", spec, "--param", f"text={ATTACK}")
    assert done.returncode == 2
    assert (
        "error[E209]: command 7 of job 'reach': '${{ params.text }}' cannot be passed safely" in done.stderr
    )
    assert (
        """write 'env: {TEXT: "${{ params.text }}"}' and read it there: sh -c '… "$TEXT" …'""" in done.stderr
    )


def test_files_are_hashed_as_they_are_shipped(orca: Orca, tmp_path: Path) -> None:
    for name, text in {
        "src/b.py": "b\n",
        "src/a.py": "a\n",
        "src/skip.py": "s\n",
        ".gitignore": "ignored\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "ignored").write_text("not shipped\n")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        """
name: hashes
workspace: .
env: {SOURCES: "${{ hashFiles('src/*.py', '!**/skip.py') }}"}
jobs:
  look:
    image: ${{ hashFiles('nothing') == '' && 'alpine:latest' || 'missing' }}
    if: hashFiles('src/**') != '' && hashFiles('ignored') == ''
    commands:
      - test "$SOURCES" = ${{ hashFiles('src/a.py', 'src/b.py') }}
      - echo "name=cache-${{ env.SOURCES }}" >> $ORCA_OUTPUT
  each:
    image: alpine:latest
    matrix: {file: [a, b]}
    commands: ["echo hash=${{ hashFiles(format('src/{0}.py', matrix.file)) }} >> $ORCA_OUTPUT"]
  never:
    image: alpine:latest
    if: hashFiles('ignored')
    commands: ["true"]
outputs: {of: "${{ hashFiles('src/a.py') }}"}
"""
    )
    record = orca.wait(orca.submit(spec))
    digests = {
        name: hashlib.sha256((tmp_path / "src" / f"{name}.py").read_bytes()).digest() for name in ("a", "b")
    }
    both = hashlib.sha256(digests["a"] + digests["b"]).hexdigest()
    single = {name: hashlib.sha256(digest).hexdigest() for name, digest in digests.items()}
    assert (record["status"], record["outputs"]) == ("success", {"of": single["a"]})
    assert record["jobs"]["look"]["outputs"] == {"name": f"cache-{both}"}
    assert record["jobs"]["never"]["status"] == "skipped"
    assert {name: variant["outputs"] for name, variant in record["jobs"]["each"]["variants"].items()} == {
        "each (a)": {"hash": single["a"]},
        "each (b)": {"hash": single["b"]},
    }


def test_eval_hashes_below_the_current_folder(orca: Orca, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a\n")
    (tmp_path / "b.txt").write_text("b\n")
    summed = subprocess.run(["sha256sum", "a.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    expected = hashlib.sha256(bytes.fromhex(summed.stdout[:64])).hexdigest()
    assert orca.ok("eval", "hashFiles('*.py')", cwd=tmp_path) == f'"{expected}"\n'
    assert orca.ok("eval", "hashFiles('*.md') == ''", cwd=tmp_path) == "true\n"
    done = orca("eval", "hashFiles('../*')", cwd=tmp_path)
    assert done.returncode == 2
    assert "patterns are relative to the workspace" in done.stderr
