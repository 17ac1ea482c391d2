"""What people do to a container while its job runs, and what the job's status says of it: it is paused, or renamed."""

import asyncio
import logging

from orchestrator.errors import EngineError
from workers.engine.interface import ObservedContainer
from workers.supervision.pulse import Pulse
from workers.supervision.site import Site

log = logging.getLogger("orca.supervision")


class Attention:
    """Looks at one running container now and then.

    Args:
        site: what the worker shares.
        container: its id.
        name: what orca called it.
        pulse: how the job says how it stands.
    """

    def __init__(self, site: Site, container: str, name: str, *, pulse: Pulse) -> None:
        self._site = site
        self._container = container
        self._name = name
        self._pulse = pulse

    async def run(self) -> None:
        """Until cancelled."""
        said, before = "", ""
        while True:
            await asyncio.sleep(self._site.limits.attention)
            try:
                observed = await self._site.threads.call(self._site.engine.inspect, self._container)
            except EngineError as error:
                # The job's own wait for the engine says so, where it goes on.
                log.info("how a container stands cannot be seen: %s", error)
                continue
            note = "" if observed is None else oddity(observed, self._name)
            if note == said:
                continue
            if not said:
                before = self._pulse.note
            said = note
            self._pulse.tell(note or before)


def oddity(observed: ObservedContainer, name: str) -> str:
    """What is odd about a running container, for people; empty where nothing is. Pure."""
    told: list[str] = []
    if observed.state == "paused":
        told.append(
            f"its container is paused; it goes on after 'docker unpause {observed.name}', and its timeout runs"
        )
    if observed.name != name:
        told.append(f"its container was renamed from '{name}' to '{observed.name}'; the job goes on")
    return "; ".join(told)
