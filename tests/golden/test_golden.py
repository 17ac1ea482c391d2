"""Specs and what the compiler makes of them, whole: `plan.txt` for a good one, `errors.txt` for a bad one.

Other specs in the folder of a case are those that it nests.

`ORCA_UPDATE_GOLDEN=1 pytest tests/golden` writes what the compiler says now; read the difference before committing it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator.compile import compile_text, specs_in_memory
from orchestrator.errors import SpecError
from orchestrator.plan.render import plan_text
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.explanations import EXPLANATIONS

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/spec.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    folder = HERE / case
    beside = {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*.yaml")
        if path.name != "spec.yaml"
    }
    name, found = compiled((folder / "spec.yaml").read_bytes(), beside)
    if os.environ.get("ORCA_UPDATE_GOLDEN"):
        for old in ("plan.txt", "errors.txt"):
            (folder / old).unlink(missing_ok=True)
        (folder / name).write_text(found)
    assert {path.name: path.read_text() for path in folder.glob("*.txt")} == {name: found}


def test_every_folder_is_a_case() -> None:
    assert sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name[0] != "_") == CASES


WITHOUT_A_CASE = {
    "E001": "10 MB of text: tests/unit/spec/test_source.py makes them",
    "E016": "about a file that is not there: tests/unit/cli/test_validate.py",
    "E113": "a thousand jobs twice over: its example in tests/unit/spec/test_explanations.py",
}
"""Codes that no file in a repository can show."""


@pytest.mark.parametrize("code", sorted(set(EXPLANATIONS) - set(WITHOUT_A_CASE)))
def test_every_code_has_a_case_of_its_name(code: str) -> None:
    shown = ["".join(path.read_text() for path in folder.glob("*.txt")) for folder in HERE.glob(f"{code}-*")]
    assert shown
    assert all(f"[{code}]: " in text for text in shown)


def compiled(text: bytes, beside: Mapping[str, str]) -> tuple[str, str]:
    """The name of the expectation, and what it must hold. `beside` has the specs that it can nest."""
    try:
        result = compile_text(text, "spec.yaml", read=specs_in_memory(beside))
    except SpecError as error:
        return "errors.txt", _pretty(error.diagnostics)
    return "plan.txt", _pretty(result.diagnostics) + plan_text(result.plan)


def _pretty(diagnostics: object) -> str:
    assert isinstance(diagnostics, tuple)
    lines: list[str] = []
    for item in diagnostics:  # pyright: ignore[reportUnknownVariableType]
        assert isinstance(item, Diagnostic)
        lines.append(item.pretty())
    return "".join(f"{line}\n" for line in lines)
