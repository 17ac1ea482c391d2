"""Removes what a start has made so far, so that the next go begins with nothing."""

from orchestrator.contract.services import StartServices
from workers.supervision.services.identity import container_of, foreign, network_of
from workers.supervision.services.network import remove_network
from workers.supervision.site import Site
from workers.supervision.threads import whole


async def clear(site: Site, request: StartServices) -> None:
    """Remove a scope's containers and its network, which no job has used yet.

    What an engine that was ended just then runs of a container without knowing it keeps its address in that network,
    and answers in the place of the next one that gets the same. So this takes a network of its own.

    Raises:
        EngineError: the engine failed.
    """
    for service in request.services:
        name = container_of(request.scope, service.name)
        observed = await site.threads.call(site.engine.inspect, name)
        if observed is None or foreign(request.scope, service.name, dict(observed.labels)):
            continue
        await whole(site.threads.call(site.engine.remove, observed.id))
    network = await site.threads.call(site.engine.inspect_network, network_of(request.scope))
    if network is not None and not foreign(request.scope, None, dict(network.labels)):
        # One that stays all the same has others' containers in it: it has to do, then.
        await remove_network(site, request.scope)
