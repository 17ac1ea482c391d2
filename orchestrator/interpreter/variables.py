"""The run's variables: their first values, and what jobs make of them when they have succeeded."""

import json
from collections.abc import Mapping

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome, RunRequest
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.requests import evaluate_json, evaluate_outputs
from orchestrator.interpreter.state import MAX_VARS_BYTES, RunState
from orchestrator.plan.parts import Json

_TOO_LARGE = f"the run's variables exceed {MAX_VARS_BYTES // 1024} KiB together; pass large data as artifacts"


def set_first_values(request: RunRequest, state: RunState) -> str | None:
    """Give every variable its first value, once, before any job starts; why that cannot be done, where it cannot."""
    values: dict[str, Json] = {}
    for name, value in state.plan.vars.items():
        try:
            values[name] = evaluate_json(value, request, state, where=f"variable '{name}'")
        except ExpressionError as error:
            return f"{FailureKind.EXPRESSION.value}: {error}"
    if _size(values) > MAX_VARS_BYTES:
        return f"{FailureKind.OUTPUT.value}: {_TOO_LARGE}"
    state.vars = values
    return None


def publishing(job: JobState, outcome: JobOutcome, request: RunRequest, state: RunState) -> JobOutcome:
    """Set the variables that a job sets when it has succeeded: those of its function, then those of `publish`.

    All of them or none: where one cannot be set, the success becomes a failure. What a later job of the plan has set
    stays, so that it is the plan that decides between jobs that nothing orders, and not which of them was quicker.
    """
    if outcome.status != "success" or not (outcome.updates or job.node.publish):
        return outcome
    unknown = next((name for name in outcome.updates if name not in state.plan.vars), None)
    if unknown is not None:
        why = f"it set the variable '{unknown}', which the spec does not declare in `vars`"
        return _spoiled(outcome, FailureKind.OUTPUT, why)
    try:
        published = evaluate_outputs(
            job.node.publish, request, state, owner=f"job '{job.key}'", leaf=job, what="variable"
        )
    except ExpressionError as error:
        return _spoiled(outcome, FailureKind.EXPRESSION, str(error))
    place = state.plan.order.index(job.node.name)
    given = {**outcome.updates, **published}
    mine = {name: value for name, value in given.items() if state.writers.get(name, -1) <= place}
    values = {**state.vars, **mine}
    if _size(values) > MAX_VARS_BYTES:
        return _spoiled(outcome, FailureKind.OUTPUT, _TOO_LARGE)
    state.vars = values
    state.writers.update(dict.fromkeys(mine, place))
    return outcome


def _size(values: Mapping[str, Json]) -> int:
    return len(json.dumps(values, ensure_ascii=False).encode()) if values else 0


def _spoiled(outcome: JobOutcome, kind: FailureKind, message: str) -> JobOutcome:
    reason = FailureReason(kind=kind, message=message[:2000])
    return outcome.model_copy(update={"status": "failed", "reason": reason})
