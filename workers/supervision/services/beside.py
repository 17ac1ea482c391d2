"""Services that ended by themselves while the job beside them ran: the likely cause of its failure."""

import asyncio
from collections.abc import Sequence

from orchestrator.contract.names import LABEL_SERVICE
from orchestrator.contract.times import parse_rfc3339
from orchestrator.errors import EngineError
from workers.engine.interface import ObservedContainer
from workers.supervision.reasons import duration_text
from workers.supervision.services.last_lines import last_lines
from workers.supervision.services.words import with_lines
from workers.supervision.site import Site


async def deaths(site: Site, containers: Sequence[str], *, before: str) -> list[str]:
    """Which of the services' `containers` had ended before the moment `before` (RFC 3339), each in a sentence.

    An engine that does not say makes a sentence too.
    """
    try:
        found = await asyncio.gather(*(_death(site, container, before) for container in containers))
    except EngineError as error:
        return [f"whether the services were still there cannot be seen: {error}"]
    return [death for death in found if death is not None]


async def _death(site: Site, container: str, before: str) -> str | None:
    observed = await site.threads.call(site.engine.inspect, container)
    if observed is None:
        return f"service container '{container}' had been removed"
    if observed.state not in ("exited", "dead"):
        return None
    age = _seconds_before(observed, before)
    if age < 0:
        return None
    name = observed.labels.get(LABEL_SERVICE, container)
    how = f"had ended with exit code {observed.exit_code}"
    if observed.oom_killed:
        how = f"had gone over its memory limit and been killed (exit code {observed.exit_code})"
    clause = f"service '{name}' {how}, {duration_text(round(age, 1))} before"
    return with_lines(clause, await last_lines(site, container))


def _seconds_before(observed: ObservedContainer, moment: str) -> float:
    if observed.finished_at is None:
        return 0.0
    return (parse_rfc3339(moment) - parse_rfc3339(observed.finished_at)).total_seconds()
