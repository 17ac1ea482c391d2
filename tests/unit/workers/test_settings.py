"""Settings from the environment."""

from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from workers.settings import Settings


def test_everything_can_be_said(tmp_path: Path) -> None:
    environ = {
        "ORCA_HOME": str(tmp_path),
        "ORCA_STORE": "s3://bucket/orca",
        "ORCA_HOST_ID": "host-1",
        "ORCA_MAX_JOBS": "3",
        "ORCA_TASK_QUEUE": "gpu",
    }
    expected = Settings(store="s3://bucket/orca", host_id="host-1", max_jobs=3, task_queue="gpu")
    assert Settings.from_env(environ) == expected
    assert list(tmp_path.iterdir()) == []


def test_a_host_keeps_its_id(tmp_path: Path) -> None:
    first = Settings.from_env({"ORCA_HOME": str(tmp_path / "home")})
    assert first == Settings.from_env({"ORCA_HOME": str(tmp_path / "home")})
    assert first.host_id != Settings.from_env({"ORCA_HOME": str(tmp_path / "other")}).host_id
    assert (first.store, first.task_queue) == (str(tmp_path / "home" / "store"), "orca")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["host-id"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ORCA_MAX_JOBS", "many"), ("ORCA_MAX_JOBS", "0"), ("ORCA_MAX_JOBS", "1001"), ("ORCA_HOST_ID", "a b")],
)
def test_a_wrong_value_is_named(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{variable} is '{value}'"):
        Settings.from_env({"ORCA_HOME": str(tmp_path), variable: value})


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="set ORCA_HOME"):
        Settings.from_env({"ORCA_HOME": str(blocked / "home")})
