"""What `orca --help` prints by itself is what the commands say of themselves."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.app import app
from orchestrator.cli.overview import EXIT_CODES, OVERVIEW, lines

ORCA = str(Path(sys.executable).with_name("orca"))


def test_every_command_is_told_by_its_own_first_line() -> None:
    told: dict[str, dict[str, str]] = {}
    for command in app.registered_commands:
        assert command.callback is not None
        summary = (inspect.getdoc(command.callback) or "").splitlines()[0]
        told.setdefault(str(command.rich_help_panel), {})[str(command.name)] = summary
    assert {panel: list(rows.items()) for panel, rows in OVERVIEW.items()} == {
        panel: list(rows.items()) for panel, rows in told.items()
    }


@pytest.mark.parametrize("width", [40, 80, 110])
def test_it_fits_the_terminal(width: int) -> None:
    found = list(lines(width))
    assert max(len(line) for line in found[1:]) <= width
    assert " ".join(" ".join(found).split()).endswith(EXIT_CODES)


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["-h"], 0), ([], 2)])
def test_nothing_is_loaded_for_it(words: list[str], code: int) -> None:
    heavy = "sorted({'typer', 'rich', 'temporalio', 'asyncio'} & set(sys.modules))"
    loaded = (
        "import atexit, sys\nfrom orchestrator.cli.main import main\n"
        f"atexit.register(lambda: print({heavy}, file=sys.stderr))\nsys.argv = {['orca', *words]!r}\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "[]\n")
    assert done.stdout.splitlines() == list(lines(80))


@pytest.mark.parametrize(
    "words", [["status", "run"], ["logs", "run", "-f"], ["watch", "run"], ["list"], ["cancel", "run"]]
)
def test_what_only_looks_at_runs_loads_no_compiler(words: list[str]) -> None:
    """They are called again and again, and the first line of a log is waited for."""
    tried = (
        "import sys\nfrom orchestrator.cli.app import app\nfrom orchestrator.errors import TemporalUnreachable\n"
        f"sys.argv = {['orca', *words, '--address', '127.0.0.1:1']!r}\n"
        "try:\n    app()\nexcept TemporalUnreachable:\n"
        "    print(sorted({'orchestrator.compile', 'orchestrator.spec', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", tried], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_a_reader_that_has_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([ORCA, "--help"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
