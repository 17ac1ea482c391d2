from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient

from orchestrator.contract.names import LABEL_RUN
from tests.support.containers import volumes, volumes_left
from tests.support.tries import Bench, bench_around
from workers.engine.docker_engine import DockerEngine


@pytest.fixture(name="client", scope="module")
def client_fixture() -> Iterator[Any]:
    client: Any = APIClient(version="auto")
    yield client
    client.close()


@pytest.fixture(name="bench")
async def bench_fixture(docker_engine: DockerEngine, mark: str, tmp_path: Path) -> AsyncIterator[Bench]:
    before = volumes()
    async with bench_around(docker_engine, tmp_path / "store") as bench:
        yield bench
    assert volumes_left(before, lambda labels: labels.get(LABEL_RUN) == mark) == set()
