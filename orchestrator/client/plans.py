"""The plan that a run was started with, read from its first event: no worker has to be there."""

from pydantic import ValidationError
from temporalio.client import Client

from orchestrator.client.connect import temporal_errors
from orchestrator.contract.messages import RunRequest
from orchestrator.contract.names import WORKFLOW_TYPE
from orchestrator.errors import OrcaError, RunNotFound
from orchestrator.plan.model import Plan


async def plan_of_run(client: Client, run: str, *, execution: str | None = None) -> Plan:
    """The plan of run `run`, of its latest attempt or of that which is Temporal's `execution`.

    Raises as `request_of_run`.
    """
    return (await request_of_run(client, run, execution=execution)).plan


async def request_of_run(client: Client, run: str, *, execution: str | None = None) -> RunRequest:
    """The whole input of run `run`, of its latest attempt or of that which is Temporal's `execution`.

    Raises:
        RunNotFound: there is no such run, or it is another application's workflow.
        PlanTooNew: its plan is of a newer orca.
        OrcaError: its plan is of another version of orca.
    """
    async with temporal_errors(client, run=run):
        first = await anext(
            client.get_workflow_handle(run, run_id=execution).fetch_history_events(page_size=1)
        )
    started = first.workflow_execution_started_event_attributes
    if started.workflow_type.name != WORKFLOW_TYPE:
        raise RunNotFound(f"'{run}' is a workflow of type '{started.workflow_type.name}' and no run of orca")
    try:
        (request,) = await client.data_converter.decode(started.input.payloads, [RunRequest])
    except (ValidationError, ValueError) as error:
        raise OrcaError(
            f"the plan of run '{run}' is of a version that this orca cannot read: {error}"
        ) from error
    return request
