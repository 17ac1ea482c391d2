"""The house rules that no linter knows: import contracts, module sizes, forbidden names."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
SHARING_NAMES = {"utils", "util", "helpers", "common", "manager", "base", "misc", "docker"}


def sources() -> list[Path]:
    rooms = ("orchestrator", "workers", "tests", "benchmarks", "scripts")
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def test_the_import_contracts_are_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_is_larger_than_one_room() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: size for name, size in sizes.items() if size > MAX_LINES} == {}


def test_nothing_is_named_for_sharing() -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in sources()
        if {path.stem, *path.relative_to(ROOT).parts} & SHARING_NAMES
    ]
    assert named == []
