"""The contexts that expressions see: `params`, `jobs`, `run`, `git` and the rest, and their aliases."""

from collections.abc import Iterator, Mapping

from orchestrator.contract.messages import RunRequest
from orchestrator.expressions import Status
from orchestrator.interpreter.state import JobState, RunState
from orchestrator.plan.model import Json, Node

_GITHUB_RESULTS = {"success": "success", "failed": "failure", "cancelled": "cancelled"}


class JobsView(Mapping[str, Json]):
    """`jobs` as a read-only mapping that makes a job's value when it is asked for.

    Building it costs nothing, so that evaluating an expression does not cost more in a run of ten thousand jobs.
    """

    def __init__(self, jobs: Mapping[str, JobState]) -> None:
        self._jobs = jobs

    def __getitem__(self, name: str) -> Json:
        """The job's value: status, result (GitHub's words), outputs, reason, exit code, tries."""
        job = self._jobs[name]
        return {
            "status": job.status,
            "result": _GITHUB_RESULTS.get(job.status, "skipped"),
            "outputs": job.outputs,
            "reason": job.reason,
            "exit_code": job.exit_code,
            "tries": len(job.tries),
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)


def contexts_for(
    request: RunRequest, state: RunState, *, env: Mapping[str, str] | None = None
) -> dict[str, Json]:
    """All contexts as they stand now. `env` is what has been evaluated of it so far."""
    jobs = JobsView(state.jobs)
    run = {
        "id": state.run_id,
        "attempt": state.attempt,
        "spec": state.plan.spec,
        "status": state.verdict(),
        "created_at": state.created_at,
        "started_at": state.started_at,
    }
    return {
        "params": request.params,
        "inputs": request.params,
        "env": dict(env or {}),
        "vars": {},
        "matrix": {},
        "item": None,
        "jobs": jobs,
        "needs": jobs,
        "run": run,
        "git": request.git,
        "github": request.git,
        "services": {},
        "secrets": {},
    }


def status_for(node: Node, state: RunState) -> Status:
    """What `success()`, `failure()` and `cancelled()` say for a job.

    Over its direct requirements; a finalizer without any looks at the whole run.
    """
    cancelled = state.stop == "cancel"
    if node.finalizer and not node.requires:
        standing = state.verdict()
        return Status(
            success=standing in ("success", "partial"), failure=standing == "failed", cancelled=cancelled
        )
    sources = [state.jobs[edge.job] for edge in node.requires]
    failed = any(source.status == "failed" and not source.tolerated for source in sources)
    good = all(source.ended_as("success") for source in sources)
    return Status(success=good and not cancelled, failure=failed, cancelled=cancelled)
