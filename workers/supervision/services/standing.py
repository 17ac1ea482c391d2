"""Whether the services that a job is to begin beside still stand, and whether those that do not ended by themselves."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from orchestrator.contract.messages import ContainerRequest, FallenService, SharedService
from orchestrator.contract.names import LABEL_SERVICE
from orchestrator.errors import EngineError
from workers.engine.interface import ObservedContainer
from workers.supervision.services.last_lines import last_lines
from workers.supervision.services.words import with_lines
from workers.supervision.site import Site
from workers.supervision.verdict import End, asks_for_engine, judge_engine

log = logging.getLogger("orca.supervision")

_DOWN: Final = ("exited", "dead")


async def fallen(site: Site, services: Sequence[SharedService]) -> tuple[FallenService, ...]:
    """Those of `services` that do not run any more.

    One that ended with 0, by itself, and that jobs do not reach at a port has done what it was there for.

    Raises:
        EngineError: the engine cannot be asked.
    """
    found = await asyncio.gather(*(_fallen(site, service) for service in services))
    return tuple(one for one in found if one is not None)


async def missed(site: Site, services: Sequence[SharedService]) -> tuple[FallenService, ...]:
    """Those that have ended by a job's end. Where the engine does not say, the next try looks for itself."""
    try:
        return await fallen(site, services)
    except EngineError as error:
        log.info("whether the shared services stand cannot be seen: %s", error)
        return ()


async def swept(site: Site, request: ContainerRequest) -> tuple[FallenService, ...]:
    """Those of a try's own required services that their engine took along before it has begun.

    Raises:
        EngineError: the engine cannot be asked.
    """
    found = await asyncio.gather(*(_own(site, container) for container in request.required_services))
    return tuple(one for one in found if one is not None)


def told_fallen(shared: Sequence[FallenService], own: Sequence[FallenService]) -> str:
    """Why a job was not begun."""
    each = [f"shared service '{one.name}' {one.why}" for one in shared]
    each += [f"service '{one.name}' {one.why}" for one in own]
    return "\n".join(("the job was not begun, since services had ended:", *each))


def cut_off(observed: ObservedContainer) -> bool:
    """Whether a service runs where nobody reaches it: its engine was ended as it started it, and lost its network."""
    return observed.state == "running" and observed.address is None


async def taken(site: Site, observed: ObservedContainer) -> bool:
    """Whether an engine that was stopped, or whose host went off, took along a service's container that has ended.

    Raises:
        EngineError: the engine cannot be asked.
    """
    end = End(
        observed.id,
        site.host,
        observed.exit_code or 0,
        observed.started_at,
        whole=False,
        told=False,
        seen=False,
    )
    if not asks_for_engine(end):
        return False
    began = await site.threads.call(site.engine.engine_started)
    return judge_engine(end, observed, began) is not None


async def _fallen(site: Site, service: SharedService) -> FallenService | None:
    observed = await site.threads.call(site.engine.inspect, service.container)
    if observed is None:
        return FallenService(name=service.name, why="was removed, by hand or by another program")
    return await _swept(site, service.name, observed) or await _ended(site, service, observed)


async def _own(site: Site, container: str) -> FallenService | None:
    observed = await site.threads.call(site.engine.inspect, container)
    # What a person removes is told beside the job, which may not need it any more.
    return observed and await _swept(site, observed.labels.get(LABEL_SERVICE, container), observed)


async def _swept(site: Site, name: str, observed: ObservedContainer) -> FallenService | None:
    """Of one that was up, whether its engine took it along, or forgot it."""
    if observed.state == "created":
        # Its engine was ended as it started it, and does not know that it did.
        why = "was forgotten by its Docker engine, which was stopped as it started it"
        return FallenService(name=name, why=why, taken=True)
    if cut_off(observed):
        why = "has no network any more: its Docker engine was stopped as it started it"
        return FallenService(name=name, why=why, taken=True)
    if observed.state not in _DOWN or not await taken(site, observed):
        return None
    code = observed.exit_code
    why = f"was ended by its Docker engine, which was stopped, or whose host went off (exit code {code})"
    return FallenService(name=name, why=why, taken=True)


async def _ended(site: Site, service: SharedService, observed: ObservedContainer) -> FallenService | None:
    code = observed.exit_code
    if observed.state not in _DOWN or (code == 0 and not service.serves):
        return None
    why = f"ended with exit code {code}"
    if observed.oom_killed:
        why = f"went over its memory limit and was killed (exit code {code})"
    return FallenService(name=service.name, why=with_lines(why, await last_lines(site, observed.id)))
