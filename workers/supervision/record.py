"""What the store knows of a try: whose it is, and its end: log closed, outcome recorded, container let go."""

import asyncio
import logging
from typing import Final

from pydantic import ValidationError

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import ContainerRequest, JobOutcome
from orchestrator.errors import StoreError
from orchestrator.store.failures import CannotRefuse, ObjectNotFound, StoreSilent
from orchestrator.store.log_replay import OUR_MARK
from orchestrator.store.logs import LogWriter
from workers.supervision.identity import prefix_of
from workers.supervision.site import Site

log = logging.getLogger("orca.supervision")

_ATTEMPTS: Final = 3


class Record:
    """What the store knows of one try."""

    def __init__(self, site: Site, request: ContainerRequest) -> None:
        self._site = site
        self._request = request
        self._key = f"{prefix_of(request)}outcome.json"
        self._host_key = f"{prefix_of(request)}host"

    async def claim(self) -> bool:
        """Take the try for this host, before its container is made, and say whether this was the first to ask.

        A store that fails counts as a yes: the job is worth more than the guard.
        """
        try:
            return await self._site.store.put_new(self._host_key, self._site.host.encode())
        except StoreError as error:
            log.warning("the try cannot be claimed: %s", error)
            return True

    async def holder(self) -> str | None:
        """The host that has claimed the try, if one has."""
        try:
            return (await self._site.store.get_bytes(self._host_key)).decode()
        except ObjectNotFound:
            return None
        except StoreError as error:
            log.warning("who has the try cannot be read: %s", error)
            return None

    async def read(self) -> JobOutcome | None:
        """The outcome that an earlier go recorded, if any. One that cannot be read counts as none."""
        try:
            return JobOutcome.model_validate_json(await self._site.store.get_bytes(self._key))
        except ObjectNotFound:
            return None
        except (StoreError, ValidationError) as error:
            log.warning("the outcome of an earlier go cannot be read: %s", error)
            return None

    async def log(self) -> LogWriter:
        """The log of a try that ended without being watched to its end; an earlier go may have left lines there."""
        prefix = prefix_of(self._request)
        try:
            return await LogWriter.attach(self._site.store, prefix, replay=False)
        except StoreError as error:
            # One that begins anew passes over what is there.
            log.warning("the log of an earlier go cannot be read: %s", error)
            return LogWriter(self._site.store, prefix)

    async def write(self, outcome: JobOutcome, writer: LogWriter) -> JobOutcome:
        """Close the log, record the outcome, and let the container go when that is safe.

        A failing store becomes a warning.

        Returns:
            The outcome with the warnings that came on top; or the one that another worker has recorded first, as it
            may where this one was frozen for a while.
        """
        if (first := await self.read()) is not None:
            await writer.detach()
            return await self._outdone(first, outcome.container_id)
        if outcome.reason is not None and outcome.reason.kind is not FailureKind.EXIT:
            writer.note(f"{OUR_MARK}{line}" for line in str(outcome.reason).splitlines())
        await writer.finish()
        if writer.loss is not None:
            outcome = _warned(outcome, writer.loss)
        stored = True
        try:
            first = await self._put(outcome)
        except StoreError as error:
            stored = False
            outcome = _warned(outcome, f"the outcome is not in the store: {error}")
        if first is not None:
            return await self._outdone(first, outcome.container_id)
        # Else the container is all that tells how the try ended, should this worker die before Temporal knows: it stays
        # for the reaper. What is cancelled is not begun again.
        if outcome.container_id and (stored or outcome.status == "cancelled"):
            await self.clear(outcome.container_id, outcome)
        return outcome

    async def clear(self, container: str, outcome: JobOutcome) -> None:
        """Have the container removed soon, unless the run's policy keeps it."""
        policy = self._request.cleanup
        if policy == "keep" or (policy == "keep_on_failure" and outcome.status == "failed"):
            return
        await self._site.remover.add(container)

    async def _outdone(self, first: JobOutcome, container: str) -> JobOutcome:
        if container:
            await self.clear(container, first)
        return first

    async def _put(self, outcome: JobOutcome) -> JobOutcome | None:
        """Record it, and give the one that was recorded before it, if any: that one stays."""
        data = outcome.model_dump_json().encode()
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._site.limits.pause)
            try:
                return await self._put_once(data)
            except StoreSilent:
                # It has been waited for.
                raise
            except StoreError:
                if attempt == _ATTEMPTS - 1:
                    raise
        return None

    async def _put_once(self, data: bytes) -> JobOutcome | None:
        try:
            if await self._site.store.put_new(self._key, data):
                return None
            return JobOutcome.model_validate_json(await self._site.store.get_bytes(self._key))
        except (CannotRefuse, ValidationError):
            # What makes no sense was not taken for an outcome before either.
            await self._site.store.put_bytes(self._key, data)
            return None


def _warned(outcome: JobOutcome, warning: str) -> JobOutcome:
    return outcome.model_copy(update={"warnings": (*outcome.warnings, warning)})
