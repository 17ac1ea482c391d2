"""What killed processes leave in the state folder."""

import os
import subprocess
from pathlib import Path

from workers.reaping.home_files import KEPT_FILES, KEPT_LOGS, old_files, remove_old_files

NOW = 2_000_000_000.0


def dead_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def file(folder: Path, name: str, *, age: float) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("")
    os.utime(path, (NOW - age, NOW - age))
    return path


def test_only_old_files_of_processes_that_are_gone(tmp_path: Path) -> None:
    gone, log = dead_process(), tmp_path / "log"
    old = [
        file(log, f"worker-{gone}.log", age=KEPT_LOGS + 1),
        file(tmp_path, f"host-id.{gone}", age=KEPT_FILES + 1),
        file(tmp_path, f"reaper-0a1b2c3d.json.{gone}", age=KEPT_FILES + 1),
    ]
    stay = [
        file(log, f"worker-{os.getpid()}.log", age=KEPT_LOGS * 9),
        file(log, f"worker-{gone}.log.1", age=KEPT_LOGS * 9),
        file(log, "temporal.log", age=KEPT_LOGS * 9),
        file(tmp_path, f"service-key.{gone}", age=KEPT_FILES - 1),
        file(tmp_path, f"notes.{gone}", age=KEPT_FILES * 9),
        file(tmp_path, "host-id", age=KEPT_FILES * 9),
        file(tmp_path / "store", f"host-id.{gone}", age=KEPT_FILES * 9),
    ]
    assert old_files(tmp_path, now=NOW) == sorted(old)
    assert old_files(tmp_path / "none", now=NOW) == []
    assert all(path.exists() for path in stay)


def test_they_go(tmp_path: Path) -> None:
    left = tmp_path / f"host-id.{dead_process()}"
    left.write_text("")
    os.utime(left, (1.0, 1.0))
    (tmp_path / "host-id").write_text("h")
    remove_old_files(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["host-id"]
