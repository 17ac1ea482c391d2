"""Long timers on the time-skipping server: hours of retries and timeouts in seconds."""

from datetime import datetime
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from tests.support.memory_engine import Running
from tests.support.plans import job, plan
from tests.workflow.conftest import Serve


async def test_retries_back_off_exponentially_over_hours(skipping: Client, serve: Serve) -> None:
    retry = {"max_attempts": 5, "delay": 600, "backoff": "exponential", "max_delay": 3600}
    shape = plan(job("a", entrypoint=("fail",), retry=retry))
    async with serve(skipping, {"fail": _fail}) as runner:
        handle = await runner.start(shape)
        record = await _end(handle)
        history = await handle.fetch_history()
    timers = [
        event.timer_started_event_attributes.start_to_fire_timeout.seconds
        for event in history.events
        if event.HasField("timer_started_event_attributes")
    ]
    assert timers == [600, 1200, 2400, 3600]
    assert (record["status"], record["jobs"]["a"]["tries"]) == ("failed", 5)


async def test_a_run_s_timeout_cancels_what_waits_and_lets_finalizers_run(
    skipping: Client, serve: Serve
) -> None:
    shape = plan(
        job("a", entrypoint=("fail",), retry={"max_attempts": 100, "delay": 3600}),
        job("b", "a"),
        job("end", finalizer=True, on_complete="failure"),
        timeout=86400,
    )
    async with serve(skipping, {"fail": _fail}) as runner:
        handle = await runner.start(shape)
        record = await _end(handle)
    assert record["error"] == "timeout: the run took longer than its timeout of 86400 s"
    assert {name: found["status"] for name, found in record["jobs"].items()} == {
        "a": "cancelled",
        "b": "cancelled",
        "end": "success",
    }
    assert record["jobs"]["a"]["tries"] == 24
    spent = datetime.fromisoformat(record["finished_at"]) - datetime.fromisoformat(record["started_at"])
    assert 86400 <= spent.total_seconds() < 86500


def _fail(_: Running) -> int:
    return 1


async def _end(handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    """The record of a run that fails, out of its failure. Waiting for the result is what lets the server skip time."""
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause.details[0]
