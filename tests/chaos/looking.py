"""Looks at a round that is over: records, logs, artifacts, histories, and what the host tells of starts."""

import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from orchestrator import ids
from orchestrator.client.converter import data_converter
from orchestrator.client.leaves import leaves_of
from orchestrator.client.logs import sources
from orchestrator.client.runs import record
from orchestrator.contract.messages import ArtifactRef, RunRecord
from orchestrator.contract.names import LABEL_SERVICE
from orchestrator.interpreter.workflow import RunWorkflow
from orchestrator.store.logs import LogLine, LogReader
from orchestrator.store.store import Store
from tests.chaos.seen import Collected, Dispatch, OneTry, RunSeen, ServiceSeen, Start, try_of
from tests.chaos.workflow import INNER, MAIN, OWN_SERVICE, SHARED_SERVICE, Leaf

_OURS = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
)
"""Causes that are the interpreter's own."""


async def runs_of(client: Client, store: Store, run: str, *, evidence: Path) -> tuple[RunSeen, ...]:
    """A round's run and the one that it nested. Records, histories and logs are kept in the folder `evidence`."""
    main = await _run(client, store, run, expected=MAIN, evidence=evidence)
    nested = [leaf.child for leaf in main.leaves.values() if leaf.child]
    return (main, *[await _run(client, store, child, expected=INNER, evidence=evidence) for child in nested])


def starts(folder: Path) -> tuple[Start, ...]:
    """What `Host` left of the starts of containers, by time."""
    paths = sorted(folder.glob("*.json"), key=lambda path: float(path.stem.partition(".")[2]))
    last = {path.stem.partition(".")[0]: path for path in paths}
    found: list[Start] = []
    for path in paths:
        container, _, at = path.stem.partition(".")
        known = json.loads(path.read_text())
        labels: dict[str, str] = known["Config"]["Labels"]
        end = path.with_suffix(".end")
        ended = end.read_text() if end.exists() else ""
        # Of the last start nothing may be left as that is looked at: its container is being removed.
        idle = path is not last[container] and path.with_suffix(".idle").exists()
        found.append(
            Start(
                str(known["Name"]).lstrip("/"),
                float(at),
                service=LABEL_SERVICE in labels,
                ended=float(ended) if ended else None,
                idle=idle,
            )
        )
    return tuple(found)


async def _run(
    client: Client, store: Store, run: str, *, expected: Mapping[str, Leaf], evidence: Path
) -> RunSeen:
    found = await record(client, run)
    (evidence / f"record-{run}.json").write_text(found.model_dump_json(indent=1))
    history = await client.get_workflow_handle(run).fetch_history()
    (evidence / f"history-{run}.json").write_text(history.to_json())
    tries = await _tries(store, found)
    with (evidence / f"logs-{run}.txt").open("w") as file:
        for one in tries:
            file.writelines(
                f"{one.leaf} #{one.record.number} {line.timestamp} {line.text}\n" for line in one.log
            )
    leaves = {leaf.name: leaf.record for leaf in leaves_of(found)}
    artifacts = {
        name: tuple([await _collected(store, ref) for ref in leaf.artifacts]) for name, leaf in leaves.items()
    }
    return RunSeen(
        record=found,
        expected=expected,
        leaves=leaves,
        tries=tries,
        services=tuple([one async for one in _services(store, found)]),
        artifacts=artifacts,
        dispatches=tuple(_dispatches(history.events)),
        stumbles=(*_stumbles(history.events), *await _replayed(history)),
    )


async def _tries(store: Store, found: RunRecord) -> tuple[OneTry, ...]:
    logs: dict[tuple[str, int], tuple[LogLine, ...]] = {}
    for source in sources(found):
        lines = [line async for line in LogReader(store, source.prefix).lines()]
        logs[source.job, source.try_number] = tuple(lines)
    return tuple(
        try_of(found, leaf.name, leaf.job, leaf.variant, one, logs.get((leaf.name, one.number), ()))
        for leaf in leaves_of(found)
        for one in leaf.record.history
        if leaf.record.kind in ("container", "call")
    )


async def _services(store: Store, found: RunRecord) -> AsyncIterator[ServiceSeen]:
    job, own = OWN_SERVICE
    scopes = [(job, own, one.number, one.status == "success") for leaf in leaves_of(found) if leaf.name == job
              for one in leaf.record.history]  # fmt: skip
    shared = found.services.get(SHARED_SERVICE)
    # Which of its starts a job had that succeeded is not told.
    scopes += (
        [("", SHARED_SERVICE, start, shared.start == 1) for start in range(1, shared.start + 1)]
        if shared
        else []
    )
    for job, name, number, needed in scopes:
        place = (found.run_id, found.attempt, job, None, number)
        lines = [line async for line in LogReader(store, ids.service_prefix(*place, name)).lines()]
        container = ids.service_container_name(ids.network_name(*place), name)
        yield ServiceSeen(f"{job or 'services'}/{name}, start {number}", container, needed, tuple(lines))


async def _collected(store: Store, ref: ArtifactRef) -> Collected:
    data = await store.get_bytes(ref.key)
    intact = len(data) == ref.size and hashlib.sha256(data).hexdigest() == ref.sha256
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        files = [member for member in tar.getmembers() if member.isfile()]
        content = tar.extractfile(files[0]) if len(files) == 1 else None
        lines = content.read().decode().splitlines() if content else []
    return Collected(intact, tuple(lines))


def _dispatches(events: Iterable[HistoryEvent]) -> list[Dispatch]:
    names: dict[int, str] = {}
    begun: dict[int, float] = {}
    for event in events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            names[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
        elif event.HasField("activity_task_started_event_attributes"):
            scheduled = event.activity_task_started_event_attributes.scheduled_event_id
            begun[scheduled] = event.event_time.ToNanoseconds() / 1e9
    return [Dispatch(name, begun.get(number)) for number, name in names.items()]


def _stumbles(events: Iterable[HistoryEvent]) -> list[str]:
    found: list[str] = []
    for event in events:
        if event.HasField("workflow_task_failed_event_attributes"):
            failed = event.workflow_task_failed_event_attributes
            if failed.cause in _OURS:
                found.append(f"the interpreter failed at event {event.event_id}: {failed.failure.message}")
    return found


async def _replayed(history: WorkflowHistory) -> list[str]:
    replayer = Replayer(
        workflows=[RunWorkflow], data_converter=data_converter, workflow_runner=UnsandboxedWorkflowRunner()
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return [f"its history does not replay: {result.replay_failure}"] if result.replay_failure else []
