"""Which parts of an open run wait for a worker, or for room on a host: only the server knows.

The interpreter sends work out and hears of it again when it has ended.
"""

import re
from collections.abc import Mapping
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
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
        elif item.HasField("heartbeat_details") and item.heartbeat_details.payloads:
            payloads = item.heartbeat_details.payloads[:1]
            (beat,) = await client.data_converter.decode(payloads, [Heartbeat])
            if beat.phase == "waiting":
                waits[item.activity_id] = beat.note
    again = {_AGAIN.sub("", key): why for key, why in waits.items()}
    return again | waits


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
