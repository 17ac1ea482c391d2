"""The end of a container's log, for messages."""

import logging

from orchestrator.errors import EngineError
from workers.engine.interface import ContainerEngine, Interrupt
from workers.supervision.services.words import LAST_LINES
from workers.supervision.site import Site

log = logging.getLogger("orca.supervision")


async def last_lines(site: Site, container: str) -> tuple[str, ...]:
    """The last lines that a container has printed, at most 20; none where they cannot be read."""
    try:
        return await site.threads.call(_read, site.engine, container)
    except EngineError as error:
        log.warning("the last lines of container %s cannot be read: %s", container, error)
        return ()


def _read(engine: ContainerEngine, container: str) -> tuple[str, ...]:
    batches = engine.logs(container, follow=False, tail=LAST_LINES, interrupt=Interrupt())
    return tuple(entry.text for batch in batches for entry in batch)[-LAST_LINES:]
