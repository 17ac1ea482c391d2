"""What the store knows of a call: whose it is, and its end. The same keys as a container's, so that logs read alike."""

import logging

from pydantic import ValidationError

from orchestrator import ids
from orchestrator.contract.calls import CallRequest
from orchestrator.contract.messages import JobOutcome
from orchestrator.errors import StoreError
from orchestrator.store.failures import ObjectNotFound
from orchestrator.store.logs import LogWriter
from orchestrator.store.store import Store

log = logging.getLogger("orca.calling")


def prefix_of(request: CallRequest) -> str:
    """The try's folder in the store. Ends in `/`."""
    return ids.try_prefix(request.run_id, request.attempt, request.job, request.variant, request.try_number)


def name_of(request: CallRequest) -> str:
    """Tells one logical try from all others, of all runs."""
    return ids.container_name(
        request.run_id, request.attempt, request.job, request.variant, request.try_number
    )


class Record:
    """What the store knows of one try of a call."""

    def __init__(self, store: Store, caller: str, request: CallRequest) -> None:
        self._store = store
        self._caller = caller
        self._outcome_key = f"{prefix_of(request)}outcome.json"
        self._host_key = f"{prefix_of(request)}host"

    async def claim(self) -> str | None:
        """Take the try for this caller. None: it was free and is ours now; else the caller that had it before.

        A store that fails counts as free: the call is worth more than the guard.
        """
        try:
            if await self._store.put_new(self._host_key, self._caller.encode()):
                return None
            return (await self._store.get_bytes(self._host_key)).decode()
        except StoreError as error:
            log.warning("the call cannot be claimed: %s", error)
            return None

    async def holder(self) -> str | None:
        """The caller that has claimed the try, if one has."""
        try:
            return (await self._store.get_bytes(self._host_key)).decode()
        except ObjectNotFound:
            return None
        except StoreError as error:
            log.warning("who has the call cannot be read: %s", error)
            return None

    async def read(self) -> JobOutcome | None:
        """The outcome that an earlier go recorded, if any. One that cannot be read counts as none."""
        try:
            return JobOutcome.model_validate_json(await self._store.get_bytes(self._outcome_key))
        except ObjectNotFound:
            return None
        except (StoreError, ValidationError) as error:
            log.warning("the outcome of an earlier go cannot be read: %s", error)
            return None

    async def write(self, outcome: JobOutcome, writer: LogWriter) -> JobOutcome:
        """Close the log and record the outcome. A failing store becomes a warning in what is returned."""
        await writer.finish()
        if writer.loss is not None:
            outcome = _warned(outcome, writer.loss)
        try:
            await self._store.put_bytes(self._outcome_key, outcome.model_dump_json().encode())
        except StoreError as error:
            outcome = _warned(outcome, f"the outcome is not in the store: {error}")
        return outcome


def _warned(outcome: JobOutcome, warning: str) -> JobOutcome:
    return outcome.model_copy(update={"warnings": (*outcome.warnings, warning)})
