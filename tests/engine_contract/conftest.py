import secrets
from collections.abc import Iterator

import pytest

from tests.support.contract import EXECS, PROGRAMS, Bench
from tests.support.engines import TEST_LABEL, docker_engine_fixture
from tests.support.memory_engine import MemoryEngine
from workers.engine.interface import ContainerEngine

__all__ = ["docker_engine_fixture"]


@pytest.fixture(name="bench", params=["memory", "docker"])
def bench_fixture(request: pytest.FixtureRequest) -> Iterator[Bench]:
    mark = secrets.token_hex(6)
    if request.param == "memory":
        engine: ContainerEngine = MemoryEngine(programs=PROGRAMS, execs=EXECS)
    else:
        engine = request.getfixturevalue("docker_engine")
    yield Bench(engine, mark)
    for container in engine.list_labelled({TEST_LABEL: mark}):
        engine.remove(container.id)
    for network in engine.list_networks({TEST_LABEL: mark}):
        engine.remove_network(network.id)
