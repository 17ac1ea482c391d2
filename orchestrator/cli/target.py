"""Which Temporal server and which store a command talks to."""

import os

from temporalio.client import Client

from orchestrator.client.connect import connect, connect_embedded
from orchestrator.contract.names import DEFAULT_TASK_QUEUE
from orchestrator.embedded.home import find_home
from orchestrator.embedded.server import running_server
from orchestrator.embedded.worker import embedded_variables
from orchestrator.store.store import Store, open_store


def address_of(address: str | None) -> str | None:
    """What was asked for; else this machine's running embedded server; None leaves it to Temporal's configuration."""
    if address or _configured():
        return address
    server = running_server(find_home())
    return server.address if server else None


def _configured() -> bool:
    """Whether the environment says which server is meant."""
    return bool(os.environ.get("TEMPORAL_ADDRESS") or os.environ.get("TEMPORAL_PROFILE"))


async def connected(address: str | None, *, namespace: str | None) -> Client:
    """A client for the command's options. Raises TemporalUnreachable."""
    if address is None and not _configured():
        server = running_server(find_home())
        if server and namespace in (None, "default"):
            return await connect_embedded(server.address)
    return await connect(address, namespace=namespace)


def surroundings(address: str | None, *, namespace: str | None) -> dict[str, str | None]:
    """The variables that lead a process started from here to the server that `connected` finds; None takes one away."""
    if address is None and not _configured():
        server = running_server(find_home())
        if server and namespace in (None, "default"):
            return embedded_variables(server.address)
    asked = {"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": namespace}
    return {name: value for name, value in asked.items() if value}


def store_url(asked: str | None) -> str:
    """What was asked for, else ORCA_STORE, else the folder that this machine's workers use."""
    return asked or os.environ.get("ORCA_STORE") or str(find_home().store)


def opened_store(asked: str | None) -> Store:
    """The store that holds logs, artifacts and workspaces. Raises StoreError."""
    return open_store(store_url(asked))


def queue_of(asked: str | None) -> str:
    """What was asked for, else ORCA_TASK_QUEUE, else `orca`."""
    return asked or os.environ.get("ORCA_TASK_QUEUE") or DEFAULT_TASK_QUEUE
