"""A cancel whose host has gone and does not come back: the run ends all the same, and says what may be left there.

On a real server and with shorter waits: the time-skipping one knows no heartbeat timeout of what is being cancelled.
"""

import asyncio
from uuid import uuid4

import pytest
from temporalio.client import Client

from orchestrator import ids
from orchestrator.interpreter import dispatch, try_errands
from orchestrator.interpreter.cancelling import FORCE_WAIT
from tests.support.hall import LAST, asked, does, ended, ends
from tests.support.house import House, activities
from tests.support.plans import plan
from tests.workflow import first_host
from tests.workflow.conftest import Serve

WAIT = 8.0
SHAPE = plan(does("test", "nap"), does("after", "work", "test"), does("end", "work", **LAST))
MOMENTS = pytest.mark.parametrize(
    "dispatches", [pytest.param(1, id="before it is missed"), pytest.param(2, id="once it is missed")]
)


@pytest.fixture(autouse=True)
def soon_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "HEARTBEAT_TIMEOUT", 5.0)


async def sent_out(client: Client, run: str, times: int) -> None:
    """Return once the job has been sent out so often."""
    async with asyncio.timeout(60):
        while [name for name, _ in await activities(client, run)].count("test") < times:
            await asyncio.sleep(0.1)


@MOMENTS
async def test_a_graceful_cancel_waits_for_its_host_for_a_while(
    client: Client, serve: Serve, store_folder: str, monkeypatch: pytest.MonkeyPatch, dispatches: int
) -> None:
    monkeypatch.setattr(try_errands, "HOST_WAIT", WAIT)
    queue = uuid4().hex
    async with first_host.killed_under(client, queue, store_folder, SHAPE) as run:
        await sent_out(client, run.id, dispatches)
        await asked(client, run.id)
        async with (
            serve(client, engine=House().engine, queue=queue, host="second", decides=False),
            asyncio.timeout(60),
        ):
            record = await ended(client, run.id)
    name = ids.container_name(run.id, 1, "test", None, 1)
    assert ends(record) == {"test": "cancelled", "after": "cancelled", "end": "success"}
    assert record.jobs["test"].warnings == (
        f"host 'first', which had the container, did not come back within {WAIT:.0f} s: container '{name}' may still "
        f"run on host 'first', whose worker removes it once it is back; 'docker rm -f {name}' does so there and now",
    )
    # The host is sent the try once more with word of the cancel, and nobody else is.
    tries = [key for kind, key in await activities(client, run.id) if kind == "test"]
    assert tries == ["test", *(f"test (dispatch {number})" for number in range(2, dispatches + 2))]


@MOMENTS
async def test_by_force_its_host_is_not_waited_for(
    client: Client, store_folder: str, dispatches: int
) -> None:
    async with first_host.killed_under(client, uuid4().hex, store_folder, SHAPE) as run:
        await sent_out(client, run.id, dispatches)
        await asked(client, run.id, "force")
        async with asyncio.timeout(FORCE_WAIT + 20):
            record = await ended(client, run.id)
    name = ids.container_name(run.id, 1, "test", None, 1)
    assert ends(record) == dict.fromkeys(("test", "after", "end"), "cancelled")
    assert (record.jobs["test"].reason or "").startswith(
        f"cancelled: the run was cancelled by force, and no worker said within {FORCE_WAIT:.0f} s that the job has "
        f"ended: container '{name}' may still run on the host that had it"
    )
