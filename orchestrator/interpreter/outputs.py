"""From what a container wrote to what a job's outputs are: promised names, computed values, the run's cap."""

import json

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome, RunRequest
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.requests import evaluate_outputs
from orchestrator.interpreter.state import MAX_RUN_OUTPUT_BYTES, RunState
from orchestrator.plan.model import Node


def complete_outputs(node: Node, outcome: JobOutcome, request: RunRequest, state: RunState) -> JobOutcome:
    """Add the job's computed outputs; a promise that was not kept makes a success a failure."""
    if outcome.status != "success":
        return outcome
    missing = [name for name in node.required_outputs if name not in outcome.outputs]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        return _spoiled(
            outcome, f"it did not write the promised output {names}; write 'name=value' to $ORCA_OUTPUT"
        )
    job = state.jobs[node.name]
    before, job.outputs = job.outputs, dict(outcome.outputs)
    try:
        computed = evaluate_outputs(node.outputs, request, state, owner=f"job '{node.name}'")
    except ExpressionError as error:
        return _spoiled(outcome, str(error))
    finally:
        job.outputs = before
    outputs = {**outcome.outputs, **computed}
    state.output_bytes += len(json.dumps(outputs))
    if state.output_bytes > MAX_RUN_OUTPUT_BYTES:
        limit = MAX_RUN_OUTPUT_BYTES // 1024
        return _spoiled(
            outcome, f"the outputs of this run exceed {limit} KiB together; pass large data as artifacts"
        )
    return outcome.model_copy(update={"outputs": outputs})


def _spoiled(outcome: JobOutcome, message: str) -> JobOutcome:
    reason = FailureReason(kind=FailureKind.OUTPUT, message=message)
    return outcome.model_copy(update={"status": "failed", "reason": reason, "outputs": {}})
