from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient

from tests.support.tries import Bench, bench_around
from workers.engine.docker_engine import DockerEngine


@pytest.fixture(name="client", scope="module")
def client_fixture() -> Iterator[Any]:
    client: Any = APIClient(version="auto")
    yield client
    client.close()


def volumes(client: Any) -> set[str]:
    found: list[dict[str, Any]] = client.volumes()["Volumes"] or []
    return {volume["Name"] for volume in found}


@pytest.fixture(name="bench")
async def bench_fixture(docker_engine: DockerEngine, client: Any, tmp_path: Path) -> AsyncIterator[Bench]:
    before = volumes(client)
    async with bench_around(docker_engine, tmp_path / "store") as bench:
        yield bench
    assert volumes(client) - before == set()
