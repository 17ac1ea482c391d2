"""What of an open run waits for a worker, or for room on a host, and what workers say of what runs: the server knows.

The interpreter sends work out and hears of it again when it has ended.
"""

import re
from collections.abc import Mapping
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowExecutionDescription

from orchestrator import ids
from orchestrator.contract.messages import Heartbeat, JobRecord, RunRecord, ServiceRecord
from orchestrator.contract.services import START_SERVICES

FOR_A_WORKER = "waiting for a free worker"
"""Why work waits that nobody has taken yet."""

_AGAIN = re.compile(r" \(dispatch [0-9]+\)$")
"""Ends the id of an activity that sends work out again."""


async def waiting_work(client: Client, found: WorkflowExecutionDescription) -> dict[str, str]:
    """What waits, by the id of its activity, and for what, in words."""
    waits: dict[str, str] = {}
    for item in found.raw_description.pending_activities:
        if item.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
            waits[item.activity_id] = FOR_A_WORKER
        elif (beat := await _last_beat(client, item)) is not None and beat.phase == "waiting":
            waits[item.activity_id] = beat.note
    return _by_try(waits)


async def running_notes(client: Client, found: WorkflowExecutionDescription) -> dict[str, str]:
    """What workers say of that which runs, by the id of its activity: that a service beside it has ended."""
    notes: dict[str, str] = {}
    for item in found.raw_description.pending_activities:
        beat = await _last_beat(client, item)
        if beat is not None and beat.phase != "waiting" and beat.note:
            notes[item.activity_id] = beat.note
    return _by_try(notes)


async def _last_beat(client: Client, item: PendingActivityInfo) -> Heartbeat | None:
    started = item.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    if not started or not item.HasField("heartbeat_details") or not item.heartbeat_details.payloads:
        return None
    (beat,) = await client.data_converter.decode(item.heartbeat_details.payloads[:1], [Heartbeat])
    return beat


def _by_try(told: Mapping[str, str]) -> dict[str, str]:
    """With what is told of work that was sent out again also under the id that it had at first."""
    return {_AGAIN.sub("", key): text for key, text in told.items()} | dict(told)


def with_notes(state: RunRecord, notes: Mapping[str, str]) -> RunRecord:
    """The record with what is said of running jobs as their reason. Pure."""
    if not notes:
        return state
    jobs = {name: _noted(name, job, notes) for name, job in state.jobs.items()}
    return state.model_copy(update={"jobs": jobs})


def _noted(name: str, job: JobRecord, notes: Mapping[str, str]) -> JobRecord:
    if job.status != "running":
        return job
    if job.variants:
        variants = {key: _noted(key, variant, notes) for key, variant in job.variants.items()}
        return job.model_copy(update={"variants": variants})
    note = notes.get(ids.try_key(name, None, job.tries))
    return job if note is None else job.model_copy(update={"reason": note})


def with_waiting(state: RunRecord, waits: Mapping[str, str]) -> RunRecord:
    """The record as it stands if the activities in `waits` wait for what is said there. Pure."""
    update: dict[str, Any] = {"jobs": {name: _told(name, job, waits) for name, job in state.jobs.items()}}
    starts = (f"{START_SERVICES} #", START_SERVICES)
    shared = next((why for key, why in waits.items() if key == starts[1] or key.startswith(starts[0])), None)
    if shared is not None:
        update["services"] = {name: _told_service(one, shared) for name, one in state.services.items()}
    return state.model_copy(update=update)


def _told(name: str, job: JobRecord, waits: Mapping[str, str]) -> JobRecord:
    """A job or variant."""
    if job.status != "running":
        return job
    if not job.variants:
        key = ids.try_key(name, None, job.tries)
        why = waits.get(key) or waits.get(f"{START_SERVICES}: {key}")
        return job if why is None else job.model_copy(update={"status": "waiting", "reason": why})
    variants = {key: _told(key, variant, waits) for key, variant in job.variants.items()}
    states = {variant.status for variant in variants.values()}
    update: dict[str, Any] = {"variants": variants}
    if "waiting" in states and "running" not in states:
        first = next(one for one in variants.values() if one.status == "waiting")
        update |= {"status": "waiting", "reason": first.reason}
    return job.model_copy(update=update)


def _told_service(service: ServiceRecord, why: str) -> ServiceRecord:
    """One that jobs share."""
    return service.model_copy(update={"note": why}) if service.state == "starting" else service
