"""Those who answer the gate and repair the held job of a round, however often they have to ask."""

import asyncio
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from orchestrator.client.gates import open_gates
from orchestrator.client.leaves import leaves_of
from orchestrator.client.people import answer, repair
from orchestrator.client.runs import record
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.people import Answer, Repair
from orchestrator.errors import OrcaError

PAUSE: Final = 0.5
"""Seconds between two looks."""


async def act(client: Client, run: str, troubles: list[str]) -> None:
    """Until cancelled; what did not work is taken down in `troubles` and tried again."""
    while True:
        try:
            await _once(client, await record(client, run))
        except (OrcaError, RPCError) as error:
            troubles.append(str(error))
        await asyncio.sleep(PAUSE)


async def _once(client: Client, found: RunRecord) -> None:
    for gate in open_gates(found):
        await answer(client, found.run_id, Answer(gate=gate.name, by="ann", fields={"word": "go"}))
    for leaf in leaves_of(found):
        if leaf.record.status == "held":
            await repair(client, found.run_id, Repair(job=leaf.name, action="retry", by="ann"))
