"""Which functions a worker calls, and what it says of those that it does not."""

from pathlib import Path

import pytest

from tests.support.calling import module
from workers.calling.faults import CallFault
from workers.calling.loading import load
from workers.settings import Calls


def refusal(function: str, *modules: str, folder: Path | None = None) -> str:
    with pytest.raises(CallFault) as caught:
        load(function, Calls(modules=modules, path=(folder,) if folder else ()))
    return str(caught.value)


def test_an_allowed_function_is_found(tmp_path: Path) -> None:
    name = module(tmp_path, "def f(): return 3")
    assert load(f"{name}:f", Calls(modules=(name,), path=(tmp_path,)))() == 3


@pytest.mark.parametrize(
    ("pattern", "module_name", "allowed"),
    [
        ("json", "json", True),
        ("json", "json.decoder", False),
        ("json.*", "json", True),
        ("json.*", "json.decoder", True),
        ("json.*", "jsonschema", False),
        ("json.decoder", "json", False),
        ("*", "json.decoder", True),
    ],
)
def test_patterns_of_modules(pattern: str, module_name: str, allowed: bool) -> None:
    name = {"json": "loads", "json.decoder": "JSONDecoder", "jsonschema": "validate"}[module_name]
    calls = Calls(modules=(pattern,))
    if allowed:
        assert callable(load(f"{module_name}:{name}", calls))
    else:
        with pytest.raises(CallFault, match="is not allowed on this worker"):
            load(f"{module_name}:{name}", calls)


def test_nothing_is_allowed_by_default() -> None:
    assert refusal("os:getcwd") == (
        "'os:getcwd' is not called: module 'os' is not allowed on this worker (it allows none); add 'os' to its "
        "ORCA_CALL_MODULES, or start it with --allow-calls os"
    )


def test_what_an_allowed_module_imports_is_not_allowed(tmp_path: Path) -> None:
    name = module(tmp_path, "from subprocess import check_output\nimport os")
    assert refusal(f"{name}:check_output", name, folder=tmp_path) == (
        f"'{name}:check_output' is not called: it comes from module 'subprocess', which is not allowed on this worker "
        f"(it allows {name}); add 'subprocess' to its ORCA_CALL_MODULES, or start it with --allow-calls "
        f"{name},subprocess"
    )
    assert refusal(f"{name}:os", name, folder=tmp_path) == f"'{name}:os' is no function but of type module"


def test_what_a_module_offers_as_its_own_is_allowed(tmp_path: Path) -> None:
    name = module(tmp_path, "from textwrap import dedent\n__all__ = ['dedent']")
    assert load(f"{name}:dedent", Calls(modules=(name,), path=(tmp_path,)))(" a") == "a"


def test_a_module_that_is_nowhere(tmp_path: Path) -> None:
    assert refusal("nowhere_at_all.tools:f", "*", folder=tmp_path) == (
        f"the worker finds no module 'nowhere_at_all.tools' (ORCA_CALL_PATH: '{tmp_path}'); install it where the "
        "worker runs, or add the folder that holds it to the worker's ORCA_CALL_PATH"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all' ({name}.py:1)"),
        ("a = 1\nb = a / 0", "ZeroDivisionError: division by zero ({name}.py:2)"),
        ("def f(:\n  pass", "SyntaxError: invalid syntax ({name}.py, line 1) ({name}.py:1)"),
    ],
)
def test_a_module_that_does_not_import(tmp_path: Path, source: str, said: str) -> None:
    name = module(tmp_path, source)
    assert refusal(f"{name}:f", "*", folder=tmp_path) == (
        f"module '{name}' cannot be imported: {said.format(name=name)}"
    )


def test_a_module_that_ends_the_process(tmp_path: Path) -> None:
    name = module(tmp_path, "import sys\nsys.exit(3)")
    assert refusal(f"{name}:f", "*", folder=tmp_path) == (
        f"module '{name}' ends the process when it is imported: SystemExit: 3 ({name}.py:2)"
    )


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (
            "filter_prize",
            "there is no 'filter_prize' in module '{name}' ({file}); did you mean 'filter_price'?",
        ),
        ("x", "there is no 'x' in module '{name}' ({file})"),
        ("LIMIT", "'{name}:LIMIT' is no function but of type int"),
        (
            "_own",
            "'_own' in '{name}:_own' cannot be a function's name here; write `call: package.module:function` with one "
            "that does not begin with '_'",
        ),
    ],
)
def test_a_function_that_is_not_there(tmp_path: Path, function: str, said: str) -> None:
    name = module(tmp_path, "LIMIT = 3\ndef filter_price(): ...\ndef _own(): ...")
    expected = said.format(name=name, file=tmp_path / f"{name}.py")
    assert refusal(f"{name}:{function}", "*", folder=tmp_path) == expected
