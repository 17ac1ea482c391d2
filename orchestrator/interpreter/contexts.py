"""The contexts that expressions see: `params`, `jobs`, `run`, `git` and the rest, and their aliases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from orchestrator.contract.messages import RunRequest
from orchestrator.expressions import Status
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import Node
from orchestrator.plan.parts import Json

NONE_PASSED = "0/0 passed"
"""The summary of a job that ended before it had variants: it had no items, or it never began."""
_GITHUB_RESULTS = {"success": "success", "failed": "failure", "cancelled": "cancelled"}


class JobsView(Mapping[str, Json]):
    """`jobs` as a read-only mapping that makes a job's value when it is asked for.

    Building it costs nothing, so that evaluating an expression does not cost more in a run of ten thousand jobs.
    """

    def __init__(self, jobs: Mapping[str, JobState], own: JobState | None) -> None:
        """`own` is the variant that asks: under its job's name it finds itself."""
        self._jobs = jobs
        self._own = own

    def __getitem__(self, name: str) -> Json:
        """The job's value: status, result (GitHub's words), outputs, reason, exit code, tries.

        Of one with variants also `summary`, and `matrix`, a list of the same for each variant.
        """
        job = self._jobs[name]
        if self._own is not None and self._own.node.name == name:
            return _value_of(self._own)
        value = _value_of(job)
        if job.node.strategy is not None:
            value["matrix"] = VariantsView(job.fan.listed if job.fan else ())
            value["summary"] = job.summary or NONE_PASSED
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)


class VariantsView(Sequence[Json]):
    """`jobs.x.matrix`: a value for each variant, in order, made when it is asked for."""

    def __init__(self, leaves: Sequence[JobState]) -> None:
        self._leaves = leaves

    @overload
    def __getitem__(self, index: int) -> Json: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Json]: ...
    def __getitem__(self, index: int | slice) -> Json | Sequence[Json]:
        """What a job has, and the variant's full name, `matrix` and `item`."""
        if isinstance(index, slice):
            return VariantsView(self._leaves[index])
        leaf = self._leaves[index]
        return {"name": leaf.key, **_own_values(leaf), **_value_of(leaf)}

    def __len__(self) -> int:
        return len(self._leaves)


def _value_of(job: JobState) -> dict[str, Json]:
    return {
        "status": job.status,
        "result": _GITHUB_RESULTS.get(job.status, "skipped"),
        "outputs": job.fan.outputs if job.fan else job.outputs,
        "reason": job.reason,
        "exit_code": job.exit_code,
        "tries": job.tried,
    }


def _own_values(leaf: JobState | None) -> dict[str, Json]:
    """`matrix` and `item` as a variant sees them; nothing where there is none."""
    variant = leaf.variant if leaf else None
    return {"matrix": variant.values if variant else {}, "item": variant.item if variant else None}


def contexts_for(
    request: RunRequest,
    state: RunState,
    *,
    env: Mapping[str, str] | None = None,
    leaf: JobState | None = None,
) -> dict[str, Json]:
    """All contexts as they stand now.

    Args:
        request: the run's input.
        state: how it stands.
        env: what has been evaluated of it so far.
        leaf: the job or variant that asks, for `matrix` and `item`.
    """
    jobs = JobsView(state.jobs, leaf if leaf and leaf.variant else None)
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
        "vars": state.vars,
        **_own_values(leaf),
        "jobs": jobs,
        "needs": jobs,
        "run": run,
        "git": request.git,
        "github": request.git,
        "services": leaf.addresses if leaf else {},
        "secrets": {},
    }


def status_for(node: Node, state: RunState) -> Status:
    """What `success()`, `failure()` and `cancelled()` say for a job.

    Over its direct requirements and the sources of its transitions that have ended, but for those on paths that were
    not taken; a finalizer without any looks at the whole run.
    """
    cancelled = state.stop == "cancel"
    if node.finalizer and not node.requires and not node.triggers:
        standing = state.verdict()
        return Status(
            success=standing in ("success", "partial"), failure=standing == "failed", cancelled=cancelled
        )
    ways = [state.jobs[trigger.job] for trigger in node.triggers]
    sources = [state.jobs[edge.job] for edge in node.requires] + [way for way in ways if way.settled]
    sources = [source for source in sources if not source.off_path]
    failed = any(source.status == "failed" and not source.tolerated for source in sources)
    good = all(source.ended_as("success") for source in sources)
    return Status(success=good and not cancelled, failure=failed, cancelled=cancelled)
