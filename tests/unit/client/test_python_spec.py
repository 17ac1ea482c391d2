"""Workflows in Python files."""

import sys
from pathlib import Path

import pytest

from orchestrator.client.python_spec import yaml_of
from orchestrator.errors import UsageError

BEGIN = "from orchestrator.builder import Step, Workflow\n"


def written(folder: Path, text: str, name: str = "flow.py") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_a_file_s_workflow_with_its_own_functions_and_those_beside_it(tmp_path: Path) -> None:
    written(tmp_path, "NAME = 'beside'\n", "names.py")
    file = written(
        tmp_path,
        BEGIN
        + "from names import NAME\n"
        + "def work(ctx, config): ...\n"
        + "workflow = Workflow(NAME, steps=[Step.call('a', work), Step.wait('b', 5)])\n",
    )
    before = (list(sys.path), "flow" in sys.modules)
    assert yaml_of(file).decode() == (
        "name: beside\njobs:\n  a:\n    call: flow:work\n  b:\n    wait: 5\n    requires:\n    - a\n"
    )
    assert (list(sys.path), "flow" in sys.modules) == before


def test_of_several_the_one_that_is_called_workflow(tmp_path: Path) -> None:
    two = BEGIN + "{} = Workflow('one', steps=[Step.wait('a', 1)])\nother = Workflow('two', steps=[])\n"
    assert yaml_of(written(tmp_path, two.format("workflow"))).startswith(b"name: one\n")
    with pytest.raises(
        UsageError, match="has the workflows 'first', 'other'; call the one that is meant 'workflow'"
    ):
        yaml_of(written(tmp_path, two.format("first")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x = 1\n",
            "'FILE' has no workflow: it should say 'workflow = Workflow(...)' (from orchestrator.builder)",
        ),
        ("x = 1\n1 / 0\n", "'FILE' fails when it is run: ZeroDivisionError: division by zero (FILE:2)"),
        ("import sys\nsys.exit(3)\n", "'FILE' fails when it is run: SystemExit: 3 (FILE:2)"),
        (
            BEGIN + "workflow = Workflow('w', steps=[Step.call('a', 'm:f', inputs={'x': object})])\n",
            "the workflow in 'FILE' cannot be written as YAML: a spec cannot hold this: ",
        ),
        (
            BEGIN + "workflow = Workflow('w', steps=[Step.call('a', lambda: 1)])\n",
            "give a function that stands at the top of a module",
        ),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, text: str, message: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        yaml_of(file)
    assert message.replace("FILE", str(file)) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        yaml_of(tmp_path / "none.py")
