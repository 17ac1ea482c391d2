"""The interpreter on a real Temporal, with a real worker whose engine is in memory: what is tested is the workflow."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from orchestrator.client.connect import connect
from orchestrator.client.converter import data_converter
from orchestrator.contract.names import SEARCH_STATE
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import use_server
from tests.support.heap import young_heap
from tests.support.serving import Runner, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dev server of this session."""
    with use_server(Home(tmp_path_factory.mktemp("temporal"))) as info:
        yield info.address


@pytest.fixture
async def client(server: str) -> Client:
    return await connect(server)


@pytest.fixture
async def skipping() -> AsyncIterator[Client]:
    """A client of a server on which a month of timers takes a second."""
    path = Path(sys.executable).with_name("temporal-test-server")
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(path), data_converter=data_converter
    )
    async with environment:
        # This server can add search attributes but not list them, as orca's own registration does first.
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                search_attributes={SEARCH_STATE: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
            )
        )
        yield environment.client


__all__ = ["young_heap"]

Serve = Callable[..., AbstractAsyncContextManager[Runner]]


@pytest.fixture
def store_folder(tmp_path: Path) -> str:
    """Where the workers of a test have their store."""
    return str(tmp_path / "store")


@pytest.fixture
def serve(store_folder: str) -> Serve:
    """A worker for the block, with a store that all of the test have: see `serving`."""

    return partial(serving, store_folder)
