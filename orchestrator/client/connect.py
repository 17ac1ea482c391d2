"""Connecting to Temporal by the ecosystem's own configuration (`temporalio.envconfig`).

TEMPORAL_ADDRESS, profiles, TLS and API keys all work as they do for Temporal's own tools.

The one place where Temporal's own errors become ours. Also used by the worker, and so imports neither spec nor compile.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode

from orchestrator.client.converter import data_converter
from orchestrator.contract.names import SEARCH_LABELS, SEARCH_SPEC, SEARCH_STATE
from orchestrator.errors import OrcaError, RunNotFound, TemporalUnreachable, UsageError

DEFAULT_ADDRESS = "localhost:7233"
CONNECT_LIMIT = 10.0
"""Seconds that connecting may take."""
CONNECT_PAUSE = 0.1
"""Seconds between two tries while the server starts."""

_KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
_KEYWORD_LIST = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST
_SEARCH_ATTRIBUTES = {SEARCH_SPEC: _KEYWORD, SEARCH_STATE: _KEYWORD, SEARCH_LABELS: _KEYWORD_LIST}
_LOST = re.compile(r"(?:invalid search attribute:|no mapping defined for search attribute) (\w+)")
_STARTING = "not healthy yet"
"""In the server's words, which has no status of its own for it."""
_UNREACHABLE = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


async def connect(address: str | None = None, *, namespace: str | None = None) -> Client:
    """A client for `address` and `namespace`, else as the environment and Temporal's config file say.

    Raises:
        TemporalUnreachable: nothing answers there; the message names the address and how to start a server.
        UsageError: the configuration cannot be read.
    """
    try:
        config = ClientConfigProfile.load().to_client_connect_config()
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"Temporal's client configuration cannot be read: {error}") from error
    config["target_host"] = address or config.get("target_host") or DEFAULT_ADDRESS
    if namespace:
        config["namespace"] = namespace
    return await _connect(config)


async def connect_embedded(address: str) -> Client:
    """A client for this machine's embedded server, whatever TLS or keys are configured for others.

    Raises TemporalUnreachable.
    """
    return await _connect({"target_host": address, "namespace": "default"})


async def _connect(config: ClientConnectConfig) -> Client:
    deadline = time.monotonic() + CONNECT_LIMIT
    while True:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await Client.connect(**config, data_converter=data_converter)
        except (RuntimeError, RPCError, TimeoutError) as error:
            # A server that starts takes connections before it takes requests.
            if _STARTING not in str(error) or time.monotonic() + CONNECT_PAUSE > deadline:
                raise unreachable(config.get("target_host", DEFAULT_ADDRESS), error) from error
        await asyncio.sleep(CONNECT_PAUSE)


def unreachable(address: str, error: BaseException) -> TemporalUnreachable:
    """The error for a server that does not answer."""
    words = re.findall(r'message: "([^"]+)"', str(error))
    why = f" ({words[-1]})" if words else ""
    return TemporalUnreachable(
        f"no Temporal server answers at '{address}'{why}; start one with 'orca up', "
        "or say where yours is with --address or TEMPORAL_ADDRESS"
    )


@asynccontextmanager
async def temporal_errors(client: Client, *, run: str | None = None) -> AsyncGenerator[None]:
    """Temporal's errors inside the block come out as ours, told apart by status code. `run` is the run asked for."""
    try:
        yield
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and run is not None:
            raise RunNotFound(
                f"there is no run '{run}' in namespace '{client.namespace}'; see 'orca list'"
            ) from error
        if error.status in _UNREACHABLE:
            raise unreachable(client.service_client.config.target_host, error) from error
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            if (lost := _named(error.message)) is not None:
                raise UsageError(lost_attribute(client.namespace, lost)) from error
            raise UsageError(f"Temporal refused the request: {error.message}") from error
        raise OrcaError(f"Temporal failed: {error.message} ({error.status.name})") from error


def _named(message: str) -> str | None:
    """The search attribute of orca's that the server does not have, where it refuses a request for that."""
    found = _LOST.search(message)
    return found[1] if found and found[1] in _SEARCH_ATTRIBUTES else None


def lost_attribute(namespace: str, name: str) -> str:
    """That a namespace has no such search attribute, and what becomes of it."""
    return (
        f"namespace '{namespace}' has no search attribute '{name}', by which orca finds its runs; a worker of orca "
        "registers it again within a minute where it may, and where it may not its log says what the namespace's "
        "administrator is to add. Runs wait for it and go on by themselves; 'orca list' without filters shows them"
    )


async def ensure_search_attributes(client: Client) -> tuple[str, ...]:
    """Register orca's search attributes in the client's namespace where they are missing. Safe to repeat.

    Returns those that were missing. Raises UsageError where the server does not let this client register them
    (Temporal Cloud): it names them.
    """
    operator = client.operator_service
    try:
        known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
        missing = {
            name: kind for name, kind in _SEARCH_ATTRIBUTES.items() if name not in known.custom_attributes
        }
        if missing:
            await operator.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            )
        return tuple(missing)
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return ()
        if error.status in _UNREACHABLE:
            raise unreachable(client.service_client.config.target_host, error) from error
        wanted = ", ".join(
            f"{name} ({'Keyword' if kind == _KEYWORD else 'KeywordList'})"
            for name, kind in _SEARCH_ATTRIBUTES.items()
        )
        raise UsageError(
            f"orca could not register its search attributes in namespace '{client.namespace}' ({error.message}); "
            f"ask its administrator to add {wanted}"
        ) from error
