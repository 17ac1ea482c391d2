"""The contract of `HostEngine`: volumes, and what an engine says of itself."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import docker
import pytest

from orchestrator.contract.times import parse_rfc3339
from tests.support.engines import IMAGE, TEST_LABEL
from tests.support.memory_host import MemoryHost
from workers.engine.docker_host import DockerHost
from workers.engine.failures import VolumeBusy
from workers.engine.host import HostEngine, ListedVolume
from workers.engine.interface import ContainerSpec


@dataclass
class Shelf:
    """An engine, and a way to make volumes on it, which orca itself never does."""

    engine: HostEngine
    mark: str

    def volume(self, name: str, labels: dict[str, str]) -> None:
        """Make one."""
        if isinstance(self.engine, MemoryHost):
            self.engine.volumes[name] = labels
            return
        client = docker.from_env()
        try:
            api: Any = client.api
            api.create_volume(name, labels=labels)
        finally:
            client.close()

    def container_with(self, volume: str) -> str:
        """A container that has a volume; it does not run."""
        name, labels = f"orca-test-{secrets.token_hex(6)}", {TEST_LABEL: self.mark}
        if isinstance(self.engine, MemoryHost):
            made = self.engine.create(ContainerSpec(name, IMAGE, entrypoint=("true",), labels=labels))
            self.engine.holders[volume] = made
            return made
        client = docker.from_env()
        try:
            api: Any = client.api
            host = api.create_host_config(binds=[f"{volume}:/data"])
            return str(api.create_container(IMAGE, "true", name=name, labels=labels, host_config=host)["Id"])
        finally:
            client.close()


@pytest.fixture(name="shelf", params=["memory", "docker"])
def shelf_fixture(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    mark = secrets.token_hex(6)
    docker_host = None if request.param == "memory" else DockerHost()
    engine: HostEngine = docker_host or MemoryHost()
    yield Shelf(engine, mark)
    for container in engine.list_labelled({TEST_LABEL: mark}):
        engine.remove(container.id)
    for volume in engine.list_volumes({TEST_LABEL: mark}):
        engine.remove_volume(volume.name)
    if docker_host is not None:
        docker_host.close()


def test_volumes_are_found_by_their_labels_and_removed(shelf: Shelf) -> None:
    engine, name = shelf.engine, f"orca-test-{secrets.token_hex(6)}"
    labels = {TEST_LABEL: shelf.mark, "kind": "a"}
    shelf.volume(name, labels)
    assert engine.list_volumes({TEST_LABEL: shelf.mark}) == [ListedVolume(name, labels)]
    assert engine.list_volumes({TEST_LABEL: shelf.mark, "kind": None}) == [ListedVolume(name, labels)]
    assert engine.list_volumes({TEST_LABEL: shelf.mark, "kind": "b"}) == []
    for _ in range(2):
        engine.remove_volume(name)
        assert engine.list_volumes({TEST_LABEL: shelf.mark}) == []


def test_a_volume_that_a_container_has_stays(shelf: Shelf) -> None:
    engine, name = shelf.engine, f"orca-test-{secrets.token_hex(6)}"
    shelf.volume(name, {TEST_LABEL: shelf.mark})
    container = shelf.container_with(name)
    with pytest.raises(VolumeBusy):
        engine.remove_volume(name)
    engine.remove(container)
    engine.remove_volume(name)
    assert engine.list_volumes({TEST_LABEL: shelf.mark}) == []


def test_an_engine_tells_of_itself(shelf: Shelf) -> None:
    facts = shelf.engine.facts()
    assert facts.version
    assert facts.root.startswith("/")
    assert abs((parse_rfc3339(facts.clock) - datetime.now(UTC)).total_seconds()) < 60
