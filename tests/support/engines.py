"""The Docker engine that tests use: the one that the environment names. Without one they fail."""

import secrets
from collections.abc import Iterator

import pytest

from orchestrator.contract.names import LABEL_MARK
from workers.engine.docker_engine import DockerEngine

IMAGE = "alpine:latest"
"""On this host, or tests fail: it is never pulled here."""
TEST_LABEL = "dev.orca.test"


@pytest.fixture(name="docker_engine", scope="session")
def docker_engine_fixture() -> Iterator[DockerEngine]:
    engine = DockerEngine()
    engine.ping()
    engine.inspect_image(IMAGE)
    yield engine
    engine.close()


@pytest.fixture(name="mark")
def mark_fixture(docker_engine: DockerEngine) -> Iterator[str]:
    """Something unique; containers of a run or a test label of that name are removed afterwards."""
    mark = f"test-{secrets.token_hex(6)}"
    yield mark
    labelled = docker_engine.list_labelled({TEST_LABEL: mark})
    ours = docker_engine.list_labelled({LABEL_MARK: None, "dev.orca.run": mark})
    for container in (*labelled, *ours):
        docker_engine.remove(container.id)
    for network in docker_engine.list_networks({LABEL_MARK: None, "dev.orca.run": mark}):
        docker_engine.remove_network(network.id)
