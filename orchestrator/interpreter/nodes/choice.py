"""A decision: the first branch whose condition holds is taken, else the default, else none."""

from temporalio import workflow

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome, RunRequest
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.expressions import condition, explain
from orchestrator.interpreter.contexts import status_for
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.outcomes import failed
from orchestrator.interpreter.outputs import finished
from orchestrator.interpreter.requests import place, scope, seen
from orchestrator.interpreter.state import RunState
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.plan.file_hashes import known_hashes
from orchestrator.plan.model import ChoiceNode
from orchestrator.plan.parts import Json
from orchestrator.plan.phrases import bare


def run_choice(node: ChoiceNode, job: JobState, around: Surroundings) -> JobOutcome:
    """Decide. What it has chosen is known to the scheduler once it has settled as a success."""
    now = rfc3339(workflow.now())
    job.begin(now)
    job.chosen = ()
    try:
        number, why = branch_taken(node, job, around.request, around.state)
    except ExpressionError as error:
        return failed(FailureKind.EXPRESSION, str(error))
    chosen = chosen_jobs(node, number)
    outcome = JobOutcome(
        status="success",
        outputs=choice_outputs(node, number),
        started_at=now,
        finished_at=now,
    )
    outcome = finished(job, outcome, around.request, around.state)
    if outcome.status == "success":
        job.chosen = chosen
        job.note = why
    return outcome


def chosen_jobs(node: ChoiceNode, number: int) -> tuple[str, ...]:
    """The jobs of the branch of that number, each once; none where it is 0."""
    return tuple(dict.fromkeys(node.branches[number - 1].then)) if number else ()


def choice_outputs(node: ChoiceNode, number: int) -> dict[str, Json]:
    """What a choice has as outputs once it has taken the branch of that number."""
    return {
        "branch": number or None,
        "default": bool(number) and node.branches[number - 1].when is None,
        "chosen": list(chosen_jobs(node, number)),
    }


def branch_taken(node: ChoiceNode, job: JobState, request: RunRequest, state: RunState) -> tuple[int, str]:
    """The branch's number, from 1, and a sentence about it; 0 where none is taken.

    Raises ExpressionError with the place in its message.
    """
    contexts = scope(request, state, leaf=job)
    functions = known_hashes(request.file_hashes)
    status = status_for(node, state)
    read: dict[str, Json] = {}
    for number, branch in enumerate(node.branches, start=1):
        if branch.when is None:
            return number, f"took the default: no `when` holds{seen(list(read.items()))}"
        with place(f"`when` of branch {number} of job '{job.key}'"):
            if condition(branch.when, contexts, status=status, functions=functions):
                values = seen(explain(branch.when, contexts))
                return number, f"took branch {number}: `when: {bare(branch.when)}` is true{values}"
            read.update(explain(branch.when, contexts))
    return 0, f"took no branch: no `when` holds, and there is no default{seen(list(read.items()))}"
