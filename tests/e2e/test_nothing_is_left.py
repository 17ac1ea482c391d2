"""The check after each test sees what is left over of its own runs, and nothing of those that run beside it."""

import secrets
from collections.abc import Iterator
from typing import Any

import docker
import pytest
from docker import DockerClient

from orchestrator.client.connect import connect
from orchestrator.contract.names import LABEL_MARK, LABEL_NAMESPACE_ID
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server
from tests.support.cli import Orca
from tests.support.containers import containers_of, every_container, networks, volumes, volumes_left
from workers.reaping.asking import namespace_of

IMAGE = "alpine:latest"


@pytest.fixture
def client() -> Iterator[DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


async def test_what_is_ours_is_seen_and_what_is_others_is_not(orca: Orca, client: DockerClient) -> None:
    server = running_server(Home(orca.home))
    assert server is not None
    ours = (await namespace_of(await connect(server.address))).id
    containers, nets, vols = every_container(), networks(), volumes()
    made: list[Any] = []
    try:
        for whose in (ours, "0"):
            name = f"orca-test-{secrets.token_hex(6)}"
            labels = {LABEL_MARK: "true", LABEL_NAMESPACE_ID: whose}
            made += [
                client.containers.create(IMAGE, name=name, labels=labels, volumes=[f"{name}:/kept"]),
                client.networks.create(name, labels=labels),
            ]
        made.append(bare := client.volumes.create(f"orca-test-{secrets.token_hex(6)}"))
        left = str(made[0].name)
        assert containers_of(but=containers) == [left]
        assert networks() - nets == {left}
        # Not for so long that the tests beside this one take it for a leftover.
        assert volumes_left(vols, within=1.0) == {left, str(bare.name)}
    finally:
        for one in made:
            one.remove()
            if one.name in volumes():
                client.volumes.get(one.name).remove()
