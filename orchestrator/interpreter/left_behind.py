"""What may be left of a job that nobody brought to its end, for people: what, where, and how it goes. Pure."""

from orchestrator import ids
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import CallNode, ContainerNode, WorkflowNode


def left_behind(job: JobState, state: RunState, waited: float) -> str:
    """Why a job counts as cancelled of which no worker said within `waited` seconds that it has ended."""
    why = "cancelled: the run was cancelled by force"
    if not job.working:
        return why
    why += f", and no worker said within {waited:.0f} s that the job has ended"
    match job.node:
        case ContainerNode():
            return f"{why}: {container_left(job, state, host='')}"
        case CallNode():
            return f"{why}: its function may still run until it ends by itself or its worker does"
        case WorkflowNode():
            return (
                f"{why}: run '{job.child}' may still be open; 'orca cancel {job.child} --mode force' ends it"
            )
        case _:
            return why


def container_left(job: JobState, state: RunState, *, host: str) -> str:
    """That the container of a job's last try may still be there; `host` is empty where it is not known."""
    variant = job.variant.name if job.variant else None
    number = len(job.tries)
    name = ids.container_name(state.run_id, state.attempt, job.node.name, variant, number)
    where = f"on host '{host}'" if host else "on the host that had it"
    text = f"container '{name}' may still run {where}, whose worker removes it once it is back"
    text += f"; 'docker rm -f {name}' does so there and now"
    if job.services:
        network = ids.network_name(state.run_id, state.attempt, job.node.name, variant, number)
        text += f", and so for its services, whose names begin with '{network}'"
    return text
