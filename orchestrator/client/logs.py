"""A run's logs out of the store: which tries have one, and their lines."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator import ids
from orchestrator.client.leaves import leaves_of
from orchestrator.contract.messages import RunRecord
from orchestrator.errors import UsageError
from orchestrator.store.logs import LogReader
from orchestrator.store.store import Store


class LogEntry(NamedTuple):
    """One line of a run's log. `timestamp` is RFC 3339 in UTC with nanoseconds."""

    job: str
    """With the variant, as people read it."""
    try_number: int
    timestamp: str
    text: str


@dataclass(frozen=True)
class LogSource:
    """One try of one job or variant."""

    job: str
    """With the variant, as people read it."""
    try_number: int
    prefix: str
    """Its folder in the store."""
    running: bool


def sources(record: RunRecord, *, job: str | None = None, try_number: int | None = None) -> list[LogSource]:
    """The tries that have a log, in the order of the jobs; all, or those of one job or variant, or one of its tries.

    Raises UsageError where the run has no such job or variant, or that no such try.
    """
    found = [
        LogSource(
            leaf.name,
            number,
            ids.try_prefix(record.run_id, record.attempt, leaf.job, leaf.variant, number),
            number == leaf.record.tries and leaf.record.status in ("running", "waiting"),
        )
        for leaf in leaves_of(record, job)
        for number in range(1, leaf.record.tries + 1)
        if try_number in (None, number)
    ]
    if try_number is not None and not found:
        raise UsageError(f"job '{job}' of run '{record.run_id}' has no try {try_number}")
    return found


async def read(store: Store, found: list[LogSource]) -> AsyncIterator[LogEntry]:
    """What is there now, source by source. Raises StoreError."""
    for source in found:
        async for line in LogReader(store, source.prefix).lines():
            yield LogEntry(source.job, source.try_number, line.timestamp, line.text)
