"""What Temporal says of runs. What it cannot be asked it does not say: no error gets out of here."""

import asyncio
import logging
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import QUERY_RECORD, WORKFLOW_TYPE
from workers.reaping.decide import Closed, Missing, NotAsked, Open, Run
from workers.supervision.identity import Namespace

log = logging.getLogger("orca.reaping")

ANSWER: Final = timedelta(seconds=10)
"""How long the server, or a worker, may take to answer."""
AT_A_TIME: Final = 8
"""Runs that are asked for at a time."""
_AGAIN: Final = re.compile(r" \(dispatch [0-9]+\)$")
"""Ends the id of an activity that sends work out again."""
_CLOSED: Final = (
    WorkflowExecutionStatus.COMPLETED,
    WorkflowExecutionStatus.FAILED,
    WorkflowExecutionStatus.CANCELED,
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT,
)


async def namespace_of(client: Client) -> Namespace:
    """The namespace that `client` is for, with the server's own id of it where it tells."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        answer = await client.workflow_service.describe_namespace(request, timeout=ANSWER)
    except RPCError as error:
        # Some servers let nobody but administrators ask. What is made then cannot be told from another server's, and
        # is left alone where the server does not know its run.
        log.info("the id of namespace '%s' is not known: %s", client.namespace, error)
        return Namespace(client.namespace)
    return Namespace(client.namespace, answer.namespace_info.id)


class Asking:
    """Asks for runs, a few at a time.

    Args:
        client: of the namespace that they are in.
        home: that namespace, as it was when the worker began.
    """

    def __init__(self, client: Client, home: Namespace) -> None:
        self._client, self._home = client, home
        self._turns = asyncio.Semaphore(AT_A_TIME)

    async def states(self, runs: Iterable[str]) -> dict[str, Run]:
        """How runs are; the open ones without their records."""
        ids = sorted(set(runs))
        if ids and self._home.id and (await namespace_of(self._client)).id != self._home.id:
            # Else a server that was put up anew, with an empty database, would know of no run at all.
            why = f"namespace '{self._home.name}' is not there, or is another one than when this worker began"
            return {run: NotAsked(why) for run in ids}
        return dict(zip(ids, await asyncio.gather(*(self._state(run) for run in ids)), strict=True))

    async def records(self, runs: Iterable[str]) -> dict[str, RunRecord]:
        """The records of open runs, of those for which a worker answers."""
        ids = sorted(set(runs))
        told = await asyncio.gather(*(self._record(run) for run in ids))
        return {run: record for run, record in zip(ids, told, strict=True) if record is not None}

    async def _state(self, run: str) -> Run:
        async with self._turns:
            try:
                found = await self._client.get_workflow_handle(run).describe(rpc_timeout=ANSWER)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return Missing()
                return NotAsked(error.message or error.status.name)
        return _read(found)

    async def _record(self, run: str) -> RunRecord | None:
        async with self._turns:
            try:
                answer = await self._client.get_workflow_handle(run).query(QUERY_RECORD, rpc_timeout=ANSWER)
                return RunRecord.model_validate(answer)
            except (RPCError, WorkflowQueryFailedError, ValueError) as error:
                log.info("run '%s' does not say how it stands: %s", run, error)
                return None


def _read(found: WorkflowExecutionDescription) -> Run:
    if found.workflow_type != WORKFLOW_TYPE:
        return NotAsked(f"its id is that of a workflow of type '{found.workflow_type}'")
    if found.status is not None and found.status in _CLOSED:
        return Closed(found.status.name.lower().replace("_", " "))
    pending = found.raw_description.pending_activities
    return Open(frozenset(_AGAIN.sub("", item.activity_id) for item in pending))
