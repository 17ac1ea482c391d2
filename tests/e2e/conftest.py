"""Real everything: `orca up` with its Temporal server, a worker and the Docker engine, shared by a session."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import Orca, stop
from tests.support.containers import containers_of, every_container, networks, volumes, volumes_left

WriteSpec = Callable[[str], Path]

LONG: Final = (
    "test_cancel", "test_capacity", "test_hosts", "test_interrupts", "test_leftovers", "test_outages",
    "test_peers_faults", "test_service_interrupts", "test_store_faults",
)  # fmt: skip
"""The modules that wait long for what is away, about half of the time that all take."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have two of these tests at a time beside others: each has a server, a worker and containers to itself."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            group = "long waits" if item.path.stem in LONG else "whole runs"
            item.add_marker(pytest.mark.xdist_group(group))


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
