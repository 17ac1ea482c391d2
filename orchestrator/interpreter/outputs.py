"""From what a container wrote to what a job's outputs are: promised names, computed values, the run's caps."""

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome, RunRequest
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.requests import evaluate_outputs
from orchestrator.interpreter.state import MAX_RUN_OUTPUT_BYTES, RunState
from orchestrator.interpreter.telling import size_of

_TOO_MUCH = f"the outputs of this run exceed {MAX_RUN_OUTPUT_BYTES // 1024} KiB together; pass large data as artifacts"
_TOO_MANY = (
    "the artifacts of this run are more than its record can hold; collect folders and not single files"
)


def complete_outputs(job: JobState, outcome: JobOutcome, request: RunRequest, state: RunState) -> JobOutcome:
    """Add the computed outputs of a job or variant, and see that the run can hold what it left.

    A promise that was not kept, and more than the run can hold, makes a success a failure. A failure loses what there
    is no room for, with a warning.
    """
    if outcome.status == "success":
        outcome = _computed(job, outcome, request, state)
    return held_outcome(job, outcome, state)


def finished(job: JobState, outcome: JobOutcome, request: RunRequest, state: RunState) -> JobOutcome:
    """The same for a kind of job that has no tries: `job` takes the outcome over at once."""
    outcome = complete_outputs(job, outcome, request, state)
    job.take(outcome)
    return outcome


def _computed(job: JobState, outcome: JobOutcome, request: RunRequest, state: RunState) -> JobOutcome:
    missing = [name for name in job.node.required_outputs if name not in outcome.outputs]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        return _spoiled(
            outcome, f"it did not write the promised output {names}; write 'name=value' to $ORCA_OUTPUT"
        )
    before, job.outputs = job.outputs, dict(outcome.outputs)
    try:
        computed = evaluate_outputs(job.node.outputs, request, state, owner=f"job '{job.key}'", leaf=job)
    except ExpressionError as error:
        return _spoiled(outcome, str(error))
    finally:
        job.outputs = before
    return outcome.model_copy(update={"outputs": {**outcome.outputs, **computed}})


def held_outcome(job: JobState, outcome: JobOutcome, state: RunState) -> JobOutcome:
    """Count what a record holds of an outcome; leave out that for which the run has no room."""
    size = size_of(outcome.outputs) + size_of(outcome.quality or {})
    if job.member_of is not None and outcome.outputs:
        size += size_of(job.member_of.new_outputs(outcome.outputs))
    refs = sum(len(ref.model_dump_json()) for ref in (*outcome.artifacts, *job.service_logs))
    state.charge(job, outputs=size, artifacts=refs)
    if size and state.output_bytes > MAX_RUN_OUTPUT_BYTES:
        state.charge(job, outputs=0, artifacts=refs)
        outcome = _without(outcome, "outputs", FailureKind.OUTPUT, _TOO_MUCH)
    if refs and state.artifact_bytes > state.artifact_room:
        state.charge(job, outputs=job.output_bytes, artifacts=0)
        job.service_logs = ()
        outcome = _without(outcome, "artifacts", FailureKind.ARTIFACT, _TOO_MANY)
    return outcome


def _without(outcome: JobOutcome, part: str, kind: FailureKind, message: str) -> JobOutcome:
    if outcome.status == "success":
        reason = FailureReason(kind=kind, message=message)
        return outcome.model_copy(
            update={"status": "failed", "reason": reason, part: type(getattr(outcome, part))()}
        )
    warnings = (*outcome.warnings, f"{part} were left out: {message}")
    return outcome.model_copy(update={"warnings": warnings, part: type(getattr(outcome, part))()})


def _spoiled(outcome: JobOutcome, message: str) -> JobOutcome:
    reason = FailureReason(kind=FailureKind.OUTPUT, message=message)
    return outcome.model_copy(update={"status": "failed", "reason": reason, "outputs": {}})
