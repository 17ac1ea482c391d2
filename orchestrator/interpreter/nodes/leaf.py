"""One job without variants, or one variant of a job, by its kind."""

from orchestrator.contract.messages import JobOutcome
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.nodes.container import run_container
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.plan.model import ContainerNode


async def run_leaf(job: JobState, around: Surroundings) -> JobOutcome:
    """Run it to its last outcome. Raises asyncio.CancelledError where it was cancelled."""
    match job.node:
        case ContainerNode() as node:
            return await run_container(node, job, around)
