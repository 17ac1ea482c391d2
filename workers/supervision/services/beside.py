"""Services that end by themselves while the job beside them runs: seen soon, and the likely cause of its failure."""

import asyncio
import logging
from collections.abc import Sequence

from orchestrator.contract.messages import ContainerRequest, JobOutcome
from orchestrator.contract.names import LABEL_SERVICE
from orchestrator.contract.times import parse_rfc3339
from orchestrator.errors import EngineError
from orchestrator.store.logs import NOTE_MARK, LogWriter
from workers.engine.interface import ObservedContainer
from workers.supervision.pulse import Pulse
from workers.supervision.reasons import duration_text, reason
from workers.supervision.services.last_lines import last_lines
from workers.supervision.services.standing import missed
from workers.supervision.services.words import with_lines
from workers.supervision.site import Site

log = logging.getLogger("orca.supervision")


class Beside:
    """Looks at the services beside a job while it runs, and says in its log and its heartbeats when one has ended.

    Args:
        site: what the worker shares.
        containers: the services' containers.
        writer: the job's log.
        pulse: how the job says how it stands.
    """

    def __init__(self, site: Site, containers: Sequence[str], writer: LogWriter, *, pulse: Pulse) -> None:
        self._site = site
        self._alive = list(containers)
        self._writer = writer
        self._pulse = pulse

    async def run(self) -> None:
        """Until cancelled, or none is left."""
        while self._alive:
            await asyncio.sleep(self._site.limits.beside)
            for container in tuple(self._alive):
                try:
                    await self._look(container)
                except EngineError as error:
                    # The job's own wait for the engine says so, where it goes on.
                    log.info("whether a service is still there cannot be seen: %s", error)

    async def _look(self, container: str) -> None:
        observed = await self._site.threads.call(self._site.engine.inspect, container)
        if observed is None:
            name = clause = f"container '{container}' was removed"
        elif observed.state in ("exited", "dead"):
            name = f"'{observed.labels.get(LABEL_SERVICE, container)}'"
            clause = f"{name} {_how(observed)}"
        else:
            return
        lines = with_lines(clause, await last_lines(self._site, container)) if observed else clause
        self._alive.remove(container)
        first = f"{NOTE_MARK}{name} "
        # An earlier worker may have seen it, and the log has it.
        if not any(f"{text} ".startswith(first) for text in self._writer.notes):
            head, *quoted = lines.splitlines()
            self._writer.note([f"{NOTE_MARK}{head}", *(f"{NOTE_MARK}{name} |{line[1:]}" for line in quoted)])
        self._pulse.tell(f"service {clause}; the job goes on")


def _how(observed: ObservedContainer) -> str:
    if observed.oom_killed:
        return f"went over its memory limit and was killed (exit code {observed.exit_code})"
    return f"ended with exit code {observed.exit_code}"


async def with_deaths(site: Site, request: ContainerRequest, outcome: JobOutcome) -> JobOutcome:
    """Say which services had gone before the job's end: the likely cause of a failure, else a warning; and which of
    the shared ones have.
    """
    if not request.services or outcome.status == "cancelled" or outcome.finished_at is None:
        return outcome
    found = await deaths(site, request.services, before=outcome.finished_at)
    outcome = outcome.model_copy(update={"fallen": await missed(site, request.shared_services)})
    if not found or outcome.reason is None:
        return outcome.model_copy(update={"warnings": (*outcome.warnings, *found)})
    text = f"{outcome.reason.message}\nlikely cause: " + "\n".join(found)
    return outcome.model_copy(update={"reason": reason(outcome.reason.kind, text)})


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
