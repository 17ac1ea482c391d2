"""One job without variants, or one variant of a job, by its kind, and what it leaves to people and to the run."""

from typing import assert_never

from orchestrator.contract.messages import JobOutcome
from orchestrator.interpreter.fingerprints import fingerprint
from orchestrator.interpreter.holding import kept
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.nodes.call import run_call
from orchestrator.interpreter.nodes.choice import run_choice
from orchestrator.interpreter.nodes.container import run_container
from orchestrator.interpreter.nodes.gate import run_gate
from orchestrator.interpreter.nodes.mocked import declared_end, run_mocked
from orchestrator.interpreter.nodes.nested import run_nested
from orchestrator.interpreter.nodes.wait import run_wait
from orchestrator.interpreter.reusing import taken_over
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.interpreter.variables import publishing
from orchestrator.plan.model import CallNode, ChoiceNode, ContainerNode, GateNode, WaitNode, WorkflowNode


async def run_leaf(job: JobState, around: Surroundings) -> JobOutcome:
    """Run it to its last outcome, which people may give it where it is held.

    Raises asyncio.CancelledError where it was cancelled.
    """

    async def attempt() -> JobOutcome:
        await around.pausing.lifted(job)
        if around.request.mocks is None:
            if around.state.reuse is not None or isinstance(job.node, WaitNode):
                # Else each try takes its own.
                job.fingerprint = fingerprint(job, around.request, around.state)
            if (taken := taken_over(job, around.request, around.state)) is not None:
                return taken
        return await _run_kind(job, around)

    def conclude(outcome: JobOutcome) -> JobOutcome:
        # Variants publish once, together, when all have ended well.
        return (
            outcome if job.member_of is not None else publishing(job, outcome, around.request, around.state)
        )

    return await kept(job, around, attempt, conclude)


async def _run_kind(job: JobState, around: Surroundings) -> JobOutcome:
    if around.request.mocks is not None and (mock := declared_end(job, around.request.mocks)) is not None:
        return await run_mocked(mock, job, around)
    match job.node:
        case ContainerNode() as node:
            ending = run_container(node, job, around)
        case GateNode() as node:
            ending = run_gate(node, job, around)
        case WaitNode() as node:
            ending = run_wait(node, job, around)
        case ChoiceNode() as node:
            return run_choice(node, job, around)
        case CallNode() as node:
            ending = run_call(node, job, around)
        case WorkflowNode() as node:
            ending = run_nested(node, job, around)
        case _:
            assert_never(job.node)
    return await ending
