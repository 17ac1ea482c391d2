"""The network of a scope: made before its services, removed after them."""

import asyncio
import time
from collections.abc import Sequence

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.names import LABEL_MARK
from orchestrator.contract.services import ServiceScope, StartServices
from orchestrator.errors import EngineError
from workers.engine.failures import NameTaken, NetworkBusy, NetworkRefused
from workers.engine.interface import NO_NETWORK, NetworkSpec
from workers.supervision.reasons import TryFailed
from workers.supervision.services.identity import foreign, network_labels, network_of
from workers.supervision.site import Site
from workers.supervision.threads import whole


async def make_network(site: Site, request: StartServices) -> None:
    """See to it that the scope's network is there.

    Raises:
        TryFailed: the engine cannot make it, or something else has its name.
        EngineError: the engine failed.
    """
    name = network_of(request.scope)
    labels = network_labels(request.scope, namespace=site.namespace, cleanup=request.cleanup)
    spec = NetworkSpec(name, labels, internal=request.internal)
    try:
        await whole(site.threads.call(site.engine.create_network, spec))
    except NameTaken:
        await _adopt(site, request.scope, name)
    except NetworkRefused as error:
        raise TryFailed(FailureKind.DOCKER, await _refused(site, request, error)) from error


async def remove_network(site: Site, scope: ServiceScope) -> str | None:
    """Remove the scope's network, and wait for containers that are just leaving it.

    Returns:
        Why it is still there; None when it is not.

    Raises:
        EngineError: the engine failed.
    """
    name = network_of(scope)
    deadline = time.monotonic() + site.limits.network_patience
    while True:
        try:
            await site.threads.call(site.engine.remove_network, name)
        except NetworkBusy as error:
            if time.monotonic() > deadline:
                return (
                    f"network '{name}' is left over, since containers are in it ({error}); remove them, then it with"
                    f" 'docker network rm {name}'"
                )
            await asyncio.sleep(site.limits.busy_pause)
        else:
            return None


async def _adopt(site: Site, scope: ServiceScope, name: str) -> None:
    found = await site.threads.call(site.engine.inspect_network, name)
    if found is None:
        raise NameTaken(f"network '{name}' comes and goes")
    if cause := foreign(scope, None, dict(found.labels)):
        raise TryFailed(
            FailureKind.SERVICE,
            f"network '{name}' exists and is not that of these services: {cause}; remove it with"
            f" 'docker network rm {name}'",
        )


async def _refused(site: Site, request: StartServices, error: NetworkRefused) -> str:
    """The engine's words, and where its address ranges may have gone."""
    whose = "services'" if request.services else "job's"
    text = f"the {whose} network could not be made: {error}"
    try:
        ours = len(await site.threads.call(site.engine.list_networks, {LABEL_MARK: None}))
    except EngineError:
        return text
    held = f"{ours} {'is' if ours == 1 else 'are'} orca's ('docker network ls --filter label={LABEL_MARK}')"
    if ours == 0:
        held = "none is orca's"
    return (
        f"{text}; of the networks on this host {held}: remove those that nobody uses any more with 'docker network rm',"
        " or give the engine more addresses ('default-address-pools' in its daemon.json)"
    )


async def look_for_networks(site: Site, networks: Sequence[str]) -> None:
    """Raises `TryFailed` where a network of a job is gone, which is why its container does not start."""
    for network in networks:
        if network == NO_NETWORK:
            continue
        if await site.threads.call(site.engine.inspect_network, network) is None:
            raise TryFailed(
                FailureKind.SERVICE,
                f"network '{network}', in which the job's services are, has been removed from host '{site.host}' before"
                " the job could start; see to it that nothing there removes networks of running jobs, and run the job"
                " again",
            )
