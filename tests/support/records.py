"""Records of runs made by hand, for tests of what people are told of them."""

from typing import Any

from orchestrator.client.explain import explain_run, explanation_lines
from orchestrator.contract.messages import JobRecord, RunRecord
from orchestrator.plan.model import Plan

NOW = "2026-01-31T12:00:00.000Z"


def begun(status: str = "success", **fields: Any) -> dict[str, Any]:
    """A job that was started."""
    return {"status": status, "started_at": NOW, "tries": 1, **fields}


def run(of: Plan, status: str = "success", *, jobs: dict[str, Any], **fields: Any) -> RunRecord:
    """A run in which the jobs that are not named are pending. A text alone is the state of a job that was started."""
    made: dict[str, JobRecord] = {}
    for name, node in of.jobs.items():
        said = jobs.get(name, {"status": "pending"})
        made[name] = JobRecord.model_validate(
            {"kind": node.kind, **(begun(said) if isinstance(said, str) else said)}
        )
    usual: dict[str, Any] = {"run_id": "r-1", "attempt": 1, "spec": "s", "created_at": NOW, "status": status}
    return RunRecord.model_validate({**usual, "jobs": made, **fields})


def lines_of(of: Plan, record: RunRecord, name: str) -> list[str]:
    """What `orca explain RUN NAME` tells of a job or variant."""
    (found,) = explain_run(record, of, name).jobs.values()
    return list(explanation_lines(found, all_variants=True))
