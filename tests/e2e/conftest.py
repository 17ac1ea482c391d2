"""Real everything: `orca up` with its Temporal server, a worker and the Docker engine, shared by a session."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cli import Orca, stop
from tests.support.containers import containers_of, every_container, networks, volumes, volumes_left

WriteSpec = Callable[[str], Path]


@pytest.fixture(scope="session")
def orca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orca]:
    """The command line beside a running `orca up`."""
    command = Orca(tmp_path_factory.mktemp("orca-home"))
    up = command.start("up", "-o", "json")
    try:
        assert up.stdout is not None
        first = up.stdout.readline()
        assert first.startswith("{"), stop(up)
        yield command
    finally:
        stop(up)


@pytest.fixture
def write_spec(tmp_path: Path) -> WriteSpec:
    """Writes YAML into a file of its own folder."""

    def write(text: str) -> Path:
        path = tmp_path / "spec.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test leaves no container, network or volume of its runs behind."""
    containers, nets, vols = every_container(), networks(), volumes()
    yield
    assert containers_of(but=containers) == [], request.node.name
    assert networks() - nets == set(), request.node.name
    assert volumes_left(vols) == set(), request.node.name


@pytest.fixture
def git_repository(tmp_path: Path) -> Path:
    """An empty repository with one commit on main."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        [
            "-c",
            "user.name=T",
            "-c",
            "user.email=t@example.org",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "Begin",
        ],
    ):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder
