"""Takes a run out of memory where a query made it go further than its history does.

A query that does not find the worker which has the run goes to any, with all that has happened since. That may hold

- a workflow task that a worker which died has in hand, for 10 seconds, until the server takes that back; or
- events that no workflow task has been begun for yet.

The SDK plays both as if they were a task of this worker's own. What comes next finds a run that has gone on already,
and so the worker writes its commands down in an order in which they are not made when the history is replayed: were
this worker lost too, no other could take the run over. Temporal knows the like of it as issues sdk-python 1591 and
sdk-rust 943.

Taken out of memory, the run is played anew with its next task, and the server gives that out with the whole history.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from temporalio.workflow import Info

log = logging.getLogger("orca.worker")

ALONE: Final = "legacy_query"
"""The id of a query that came by itself, and not with a workflow task."""
AT_ONCE: Final = 0.25
"""Seconds after the first step of a run beyond its replay, within which a query is taken for what brought that about.

It is there at once then; one that comes after a task waits until the server has that. A mistake costs a replay.
"""
AT_ONCE_PAUSES: Final = 5
"""The same, as a multiple of the longest pause between two steps of the replay: a busy worker takes longer to each."""


class ColdQueries(WorkflowRunner):
    """Runs workflows without a sandbox; `worker` is the one that does, and is set before that starts."""

    def __init__(self) -> None:
        self._inner = UnsandboxedWorkflowRunner()
        self.worker: Worker | None = None

    def prepare_workflow(self, defn: object) -> None:
        """See WorkflowRunner."""
        self._inner.prepare_workflow(defn)  # pyright: ignore[reportArgumentType]

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """See WorkflowRunner."""
        self._inner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See WorkflowRunner."""
        return _Watched(self._inner.create_instance(det), self._forget)

    def _forget(self, run: Info) -> None:
        log.debug("run '%s' was asked for as it came into memory, and is played anew", run.workflow_id)
        assert self.worker is not None
        # The SDK has no public name for it.
        self.worker._bridge_worker.request_workflow_eviction(run.run_id)  # pyright: ignore[reportPrivateUsage]


class _Watched(WorkflowInstance):
    """One run in memory."""

    def __init__(self, inner: WorkflowInstance, forget: Callable[[Info], None]) -> None:
        self._inner, self._forget = inner, forget
        self._length: int = 0
        self._time: int = 0
        self._replayed_at: float | None = None
        self._pause = 0.0
        self._went_on: float | None = None
        self._untold = False

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        if self._replayed_at is not None:
            self._pause = max(self._pause, time.monotonic() - self._replayed_at)
            self._replayed_at = None
        done = self._inner.activate(act)
        if any(job.HasField("query_workflow") for job in act.jobs):
            alone = any(job.query_workflow.query_id == ALONE for job in act.jobs)
            if alone and (self._untold or self._has_just_gone_on()):
                self._forget(self._inner.get_info())
            return done
        time_of_task = int(act.timestamp.ToNanoseconds())
        if act.is_replaying:
            self._went_on, self._replayed_at = None, time.monotonic()
        else:
            # A task has a time of its own. Without one there are events that are in none yet.
            self._untold = self._untold or (act.history_length > self._length and time_of_task == self._time)
            self._went_on = time.monotonic() if self._went_on is None else self._went_on
        self._length, self._time = act.history_length, time_of_task
        return done

    def _has_just_gone_on(self) -> bool:
        within = max(AT_ONCE, AT_ONCE_PAUSES * self._pause)
        return self._went_on is not None and time.monotonic() - self._went_on < within

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        return self._inner.get_serialization_context(command_info)  # pyright: ignore[reportArgumentType]

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return self._inner.get_external_store_context(command_info)  # pyright: ignore[reportArgumentType]

    def get_info(self) -> Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()
