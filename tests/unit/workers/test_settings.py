"""Settings from the environment."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from workers.settings import Calls, Settings, Version


def test_everything_can_be_said(tmp_path: Path) -> None:
    environ = {
        "ORCA_HOME": str(tmp_path),
        "ORCA_STORE": "s3://bucket/orca",
        "ORCA_HOST_ID": "host-1",
        "ORCA_MAX_JOBS": "3",
        "ORCA_CPUS": "1.5",
        "ORCA_MEMORY": "8g",
        "ORCA_TASK_QUEUE": "gpu",
        "ORCA_REAP_GRACE": "1h30m",
    }
    expected = Settings(
        store="s3://bucket/orca",
        host_id="host-1",
        max_jobs=3,
        cpus=1.5,
        memory=8 * 1024**3,
        task_queue="gpu",
        home=tmp_path,
        reap_grace=5400.0,
    )
    assert Settings.from_env(environ) == expected
    assert list(tmp_path.iterdir()) == []


def test_a_host_keeps_its_id(tmp_path: Path) -> None:
    first = Settings.from_env({"ORCA_HOME": str(tmp_path / "home")})
    assert first == Settings.from_env({"ORCA_HOME": str(tmp_path / "home")})
    assert first.host_id != Settings.from_env({"ORCA_HOME": str(tmp_path / "other")}).host_id
    assert (first.store, first.task_queue) == (str(tmp_path / "home" / "store"), "orca")
    assert (first.cpus, first.memory) == (None, None)
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["host-id"]


def test_a_host_keeps_its_key_to_itself(tmp_path: Path) -> None:
    environ = {"ORCA_HOME": str(tmp_path / "home"), "ORCA_HOST_ID": "host-1"}
    settings = Settings.from_env(environ)
    assert not (tmp_path / "home").exists()
    key = settings.service_key()
    assert Settings.from_env(environ).service_key() == key
    (file,) = (tmp_path / "home").iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode), len(key)) == ("service-key", 0o600, 32)
    other = Settings.from_env({**environ, "ORCA_HOME": str(tmp_path / "other")})
    assert other.service_key() != settings.service_key()


def test_two_workers_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from workers.settings import Calls, Settings, Version;"
        "print(Settings.from_env({'ORCA_HOME': sys.argv[1], 'ORCA_HOST_ID': 'h'}).service_key().hex())"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    workers = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({worker.communicate()[0] for worker in workers}) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ORCA_MAX_JOBS", "many"),
        ("ORCA_MAX_JOBS", "0"),
        ("ORCA_MAX_JOBS", "1001"),
        ("ORCA_HOST_ID", "a b"),
        ("ORCA_CPUS", "two"),
        ("ORCA_CPUS", "0"),
        ("ORCA_CPUS", "-1"),
        ("ORCA_CPUS", "inf"),
        ("ORCA_CPUS", "nan"),
        ("ORCA_MEMORY", "much"),
        ("ORCA_MEMORY", "0"),
        ("ORCA_MEMORY", "-1g"),
        ("ORCA_MEMORY", "8 gallons"),
        ("ORCA_REAP_GRACE", "soon"),
        ("ORCA_REAP_GRACE", "-1"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{variable} is '{value}'"):
        Settings.from_env({"ORCA_HOME": str(tmp_path), variable: value})


def test_leftovers_go_after_a_while_and_never_where_that_is_asked(tmp_path: Path) -> None:
    environ = {"ORCA_HOME": str(tmp_path)}
    assert Settings.from_env(environ).reap_grace == 600
    assert Settings.from_env({**environ, "ORCA_REAP_GRACE": "0"}).reap_grace == 0
    assert Settings.from_env({**environ, "ORCA_REAP_GRACE": "never"}).reap_grace is None


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="set ORCA_HOME"):
        Settings.from_env({"ORCA_HOME": str(blocked / "home")})


def test_nothing_may_be_called_by_default(tmp_path: Path) -> None:
    assert Settings.from_env({"ORCA_HOME": str(tmp_path)}).calls == Calls()


def test_what_may_be_called_can_be_said(tmp_path: Path) -> None:
    environ = {
        "ORCA_HOME": str(tmp_path),
        "ORCA_CALL_MODULES": "travel.tools, checks.*,, *",
        "ORCA_CALL_PATH": f"{tmp_path}:",
        "ORCA_HTTP_HOSTS": "api.example.com,*.example.com:81,localhost:8080,[::1]:80,*",
    }
    assert Settings.from_env(environ).calls == Calls(
        modules=("travel.tools", "checks.*", "*"),
        path=(tmp_path,),
        hosts=("api.example.com", "*.example.com:81", "localhost:8080", "[::1]:80", "*"),
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "ORCA_CALL_MODULES",
            "travel.tools:f",
            "ORCA_CALL_MODULES has 'travel.tools:f'; it holds names of modules",
        ),
        ("ORCA_CALL_MODULES", "tra*", "ORCA_CALL_MODULES has 'tra*'"),
        ("ORCA_CALL_MODULES", "3a", "ORCA_CALL_MODULES has '3a'"),
        ("ORCA_CALL_PATH", "/nowhere/at/all", "ORCA_CALL_PATH names '/nowhere/at/all', which is no folder"),
        ("ORCA_HTTP_HOSTS", "http://a", "ORCA_HTTP_HOSTS has 'http://a'; it holds names of hosts"),
        ("ORCA_HTTP_HOSTS", "a/b", "ORCA_HTTP_HOSTS has 'a/b'"),
    ],
)
def test_what_may_be_called_is_checked(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings.from_env({"ORCA_HOME": str(tmp_path), name: value})
    assert str(caught.value).startswith(said)


def test_versioning_is_off_unless_it_is_switched_on(tmp_path: Path) -> None:
    environ = {"ORCA_HOME": str(tmp_path), "ORCA_HOST_ID": "host-1"}
    assert Settings.from_env(environ).version is None
    environ |= {"ORCA_DEPLOYMENT": "orca-ci", "ORCA_BUILD_ID": "1.4.2+b_3"}
    assert Settings.from_env(environ).version == Version("orca-ci", "1.4.2+b_3")
    assert Settings.from_env({**environ, "ORCA_VERSIONING": "pinned"}).version == Version(
        "orca-ci", "1.4.2+b_3"
    )
    assert Settings.from_env({**environ, "ORCA_VERSIONING": "auto-upgrade"}).version == Version(
        "orca-ci", "1.4.2+b_3", follows=True
    )


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"ORCA_DEPLOYMENT": "a"}, "switch worker versioning on together"),
        ({"ORCA_BUILD_ID": "1"}, "switch worker versioning on together"),
        ({"ORCA_VERSIONING": "pinned"}, "switch worker versioning on together"),
        (
            {"ORCA_DEPLOYMENT": "a.b", "ORCA_BUILD_ID": "1"},
            "ORCA_DEPLOYMENT is 'a.b'; it may hold letters, digits, '_' and '-', at most 100 of them",
        ),
        ({"ORCA_DEPLOYMENT": "a", "ORCA_BUILD_ID": "1:2"}, "ORCA_BUILD_ID is '1:2'; it may hold letters"),
        (
            {"ORCA_DEPLOYMENT": "a", "ORCA_BUILD_ID": "1", "ORCA_VERSIONING": "on"},
            "ORCA_VERSIONING is 'on'; it is 'pinned' (a run ends on the version that it began with; the default)",
        ),
    ],
)
def test_half_a_version_is_refused(environ: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        Version.from_env(environ)
    assert why in str(caught.value)
