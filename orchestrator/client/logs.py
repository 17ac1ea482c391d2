"""A run's logs out of the store: which tries and services have one, and their lines."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from orchestrator import ids
from orchestrator.client.leaves import Leaf, leaves_of
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.services import SHARED
from orchestrator.errors import UsageError
from orchestrator.plan.model import ContainerNode, Plan
from orchestrator.store.logs import LogReader
from orchestrator.store.store import Store

_UNDER_WAY = ("running", "waiting")
_WRITING: Final = ("container", "call")
"""Kinds of jobs that have a log."""
_SILENT: Final = {
    "gate": "is a gate and writes no log; who answered what is in 'orca status {run}'",
    "wait": "is a timer and writes no log",
    "choice": "is a choice and writes no log; which way it took is in its outputs: 'orca status {run}'",
}


class LogEntry(NamedTuple):
    """One line of a run's log. `timestamp` is RFC 3339 in UTC with nanoseconds."""

    job: str
    """With the variant, as people read it; `services` for a service that jobs share."""
    try_number: int
    timestamp: str
    text: str
    service: str | None = None
    """Which of the job's services wrote it; None: the job itself."""

    @property
    def whose(self) -> str:
        """`test (3.11)`, or `test (3.11)/postgres`."""
        return self.job if self.service is None else f"{self.job}/{self.service}"


@dataclass(frozen=True)
class LogSource:
    """One try of one job or variant, or a service beside it."""

    job: str
    """With the variant, as people read it; `services` for a service that jobs share."""
    try_number: int
    prefix: str
    """Its folder in the store."""
    running: bool
    service: str | None = None


@dataclass(frozen=True)
class Selection:
    """What to show of a run's logs.

    Attributes:
        job: only this job or variant; with `service` set, `services` means those that jobs share.
        service: only this service.
        try_number: only this try.
        services: beside jobs' own logs those of their services.
    """

    job: str | None = None
    service: str | None = None
    try_number: int | None = None
    services: bool = False


def selection(
    record: RunRecord, name: str | None, *, try_number: int | None = None, services: bool = False
) -> Selection:
    """What `name` means: a job, a variant, or a service such as `test (3.11)/postgres` or `services/db`.

    Raises UsageError where the run has nothing of that name.
    """
    if name is None:
        return Selection(try_number=try_number, services=services)
    job, slash, service = name.rpartition("/")
    # A variant's own name may have a stroke in it.
    if slash and name not in record.jobs and not name.endswith(")"):
        if job != SHARED or job in record.jobs:
            leaves_of(record, job)
        return Selection(job, service, try_number)
    leaves_of(record, name)
    return Selection(name, None, try_number, services)


def sources(record: RunRecord, wanted: Selection | None = None, plan: Plan | None = None) -> list[LogSource]:
    """What has a log, in the order of the jobs; a job's services come after its own.

    What was taken over from an earlier attempt has its log there, and is listed where its job is asked for by name.

    Args:
        record: how the run stands.
        wanted: what is asked for; None: all jobs, without services.
        plan: the run's; needed where services are asked for.

    Raises UsageError where the run has no such job, service or try.
    """
    wanted = wanted or Selection()
    shared = wanted.job == SHARED and wanted.service is not None and SHARED not in record.jobs
    leaves = [] if shared else leaves_of(record, wanted.job)
    found = [source for leaf in leaves for source in _of_leaf(record, leaf, wanted, plan)]
    if shared or (wanted.services and wanted.job is None):
        found += _of_shared(record, wanted, plan)
    found = [source for source in found if wanted.try_number in (None, source.try_number)]
    if wanted.try_number is not None and not found:
        raise UsageError(f"job '{wanted.job}' of run '{record.run_id}' has no try {wanted.try_number}")
    return found


def _of_leaf(record: RunRecord, leaf: Leaf, wanted: Selection, plan: Plan | None) -> Iterator[LogSource]:
    if leaf.record.kind not in _WRITING:
        return
    services: list[str] = []
    if plan is not None and (wanted.services or wanted.service is not None):
        node = plan.jobs[leaf.job]
        own = [one.name for one in node.services] if isinstance(node, ContainerNode) else []
        services = _chosen(own, wanted, owner=f"job '{leaf.job}'")
    taken = leaf.record.reused_from
    if taken and wanted.job is None:
        return
    for number in range(1, (leaf.record.reused_tries if taken else leaf.record.tries) + 1):
        place = (record.run_id, taken or record.attempt, leaf.job, leaf.variant, number)
        running = number == leaf.record.tries and leaf.record.status in _UNDER_WAY
        if wanted.service is None:
            yield LogSource(leaf.name, number, ids.try_prefix(*place), running)
        for service in services:
            told = leaf.record.services.get(service)
            there = told is not None and told.stopped and told.start == number
            yield LogSource(
                leaf.name, number, ids.service_prefix(*place, service), running and not there, service
            )


def _of_shared(record: RunRecord, wanted: Selection, plan: Plan | None) -> Iterator[LogSource]:
    names = [one.name for one in plan.services] if plan else []
    for service in _chosen(names, wanted, owner="the workflow"):
        told = record.services.get(service)
        for number in range(1, (told.start if told else 0) + 1):
            running = told is not None and number == told.start and not told.stopped
            prefix = ids.service_prefix(record.run_id, record.attempt, "", None, number, service)
            yield LogSource(
                SHARED, number, prefix, running and record.status in ("pending", "running"), service
            )


def _chosen(names: list[str], wanted: Selection, *, owner: str) -> list[str]:
    """Those that are asked for. Raises UsageError where one is that is not there."""
    if wanted.service is None:
        return names
    if wanted.service not in names:
        quoted = ", ".join(f"'{name}'" for name in names)
        has = f"it has {quoted}" if names else "it has none"
        raise UsageError(f"{owner} has no service '{wanted.service}' of its own; {has}")
    return [wanted.service]


def still_running(found: list[LogSource]) -> list[str]:
    """A sentence for each service whose log is not there yet."""
    sentences: list[str] = []
    for source in found:
        if source.service is not None and source.running:
            owner = "the run" if source.job == SHARED else f"job '{source.job}'"
            sentences.append(
                f"service '{source.service}' of {owner} is starting or running; its log is there once it has stopped"
            )
    return sentences


def silent(record: RunRecord, wanted: Selection) -> list[str]:
    """A sentence for each job that is asked for by name and has no log of its own, and for each nested run.

    Also one about what was taken over from earlier attempts, where no job is asked for.
    """
    if wanted.job == SHARED and wanted.service is not None:
        return []
    leaves = leaves_of(record, wanted.job)
    if wanted.job is None:
        taken = sum(leaf.record.reused_from > 0 and leaf.record.kind in _WRITING for leaf in leaves)
        leaves = [leaf for leaf in leaves if leaf.record.child]
        if taken:
            those = "1 job was" if taken == 1 else f"{taken} jobs and variants were"
            again = f"{those} reused from an earlier attempt: 'orca logs {record.run_id} JOB' shows its log"
            return [again, *(_why_silent(record, leaf) for leaf in leaves)]
    return [_why_silent(record, leaf) for leaf in leaves if leaf.record.kind not in _WRITING]


def _why_silent(record: RunRecord, leaf: Leaf) -> str:
    if leaf.record.kind in _SILENT:
        return f"job '{leaf.name}' {_SILENT[leaf.record.kind].format(run=record.run_id)}"
    child = leaf.record.child
    if not child:
        return f"job '{leaf.name}' runs a workflow of its own, which has not started: there is no log"
    return f"job '{leaf.name}' ran as run '{child}', which has the logs: 'orca logs {child}'"


async def read(store: Store, found: list[LogSource]) -> AsyncIterator[LogEntry]:
    """What is there now, source by source. Raises StoreError."""
    for source in found:
        async for line in LogReader(store, source.prefix).lines():
            yield LogEntry(source.job, source.try_number, line.timestamp, line.text, source.service)
