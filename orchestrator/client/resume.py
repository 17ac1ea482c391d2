"""A new attempt of a run that has ended: what it takes over, what it runs, and its start."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError

from orchestrator.client import images, runs
from orchestrator.client.attempts import Attempt, attempts_of
from orchestrator.client.earlier import children_of, reuse_of, with_children
from orchestrator.client.prepare import check, prepare, read_params
from orchestrator.contract.messages import Reuse, RunRequest
from orchestrator.contract.times import rfc3339
from orchestrator.errors import RunNotFound, UsageError
from orchestrator.interpreter.forecast import Action, Expected, counts, forecast
from orchestrator.plan.markdown import plan_markdown
from orchestrator.plan.model import Plan
from orchestrator.plan.parts import Json
from orchestrator.store.store import Store

__all__ = ["Action", "Expected", "Resumption", "Wish", "counts", "plan_attempt", "start_attempt"]

MAX_NAMED = 20
"""Names in a message."""


@dataclass(frozen=True)
class Wish:
    """What a person asks of the new attempt."""

    begin: str | None = None
    """This job runs again, and all that comes after it."""
    again: tuple[str, ...] = ()
    """So do these jobs and variants."""
    only_failed: bool = False
    """Every success is taken over, whatever has changed."""
    params: tuple[str, ...] = ()
    """`name=value` words; the others stay as they were."""
    spec: Path | None = None
    """An edited spec; None: the plan as it was."""


@dataclass(frozen=True)
class Resumption:
    """An attempt that is ready to be started."""

    request: RunRequest
    expected: tuple[Expected, ...]
    warnings: tuple[str, ...]
    after: str
    """Temporal's id of the attempt that it follows."""


async def plan_attempt(
    client: Client, run: str, wish: Wish, *, store: Store, submitted_by: str, task_queue: str | None = None
) -> Resumption:
    """Say what a new attempt of `run` would do. Nothing is started; an edited spec's workspace is shipped.

    Args:
        client: connected to the run's namespace.
        run: its id.
        wish: what is asked of it.
        store: where workspaces are.
        submitted_by: who asks.
        task_queue: where its workers are; None: where they were.

    Raises:
        RunNotFound: there is no such run.
        UsageError: it cannot be resumed, or not so; says why and what to do.
        SpecError: the edited spec is wrong.
        StoreError: its workspace cannot be stored.
    """
    if wish.begin is not None and wish.only_failed:
        raise UsageError(
            "--from runs all that comes after a job again, and --only-failed nothing that succeeded: leave out one "
            "of them, or use '--only-failed --rerun JOB'"
        )
    await _refuse_open(client, run)
    attempts = await attempts_of(client, run)
    last = attempts[0].request
    if last.mocks is not None:
        raise UsageError(f"run '{run}' is a dry run: nothing ran that could be taken over; submit it again")
    again = ((wish.begin,) if wish.begin is not None else ()) + wish.again
    edited = wish.spec is not None or bool(wish.params)
    found = (await _gathered(client, attempts, whole=edited)).model_copy(
        update={"again": again, "only_failed": wish.only_failed}
    )
    request, warnings = await _request(last, wish, store=store)
    request = request.model_copy(
        update={
            "attempt": last.attempt + 1,
            "reuse": (reuse := _slim(found)),
            "created_at": rfc3339(datetime.now(UTC)),
            "task_queue": task_queue or last.task_queue,
            "submitted_by": submitted_by,
        }
    )
    _refuse_unknown(again, request.plan, found)
    expected = tuple(forecast(request, last.plan))
    request, unknown = await _with_images(client, request, expected)
    if request.reuse is not reuse:
        expected = tuple(forecast(request, last.plan))
    if attempts[0].record.status == "success" and not again:
        _refuse_idle(run, expected, request.plan)
    told = warnings if unknown is None else (*warnings, unknown)
    return Resumption(request, expected, told, attempts[0].execution)


async def _with_images(
    client: Client, request: RunRequest, expected: Sequence[Expected]
) -> tuple[RunRequest, str | None]:
    """The request with the images that are others now than when jobs ran, and what could not be compared."""
    reuse = request.reuse
    if reuse is None or reuse.only_failed:
        return request, None
    taken = [one.name for one in expected if one.action == "reuse"]
    leaves = list(images.leaves_of(reuse, request.plan, taken=taken, root=request.plan))
    answers = await images.ask(client, request.task_queue, leaves)
    found = images.compared(reuse, leaves, answers)
    return request.model_copy(update={"reuse": found}), images.unknown(leaves, answers)


async def start_attempt(client: Client, resumption: Resumption) -> None:
    """Start it. Raises UsageError where another attempt has been started since it was planned."""
    request = resumption.request
    run = request.run_id
    other = f"another attempt of run '{run}' has been started meanwhile; look at it with 'orca status {run}'"
    found = await runs.describe(client, run)
    if found.run_id != resumption.after:
        raise UsageError(other)
    try:
        await runs.begin(client, request, details=plan_markdown(request.plan))
    except WorkflowAlreadyStartedError as error:
        raise UsageError(other) from error


async def _refuse_open(client: Client, run: str) -> None:
    found = await runs.describe(client, run)
    if found.status is WorkflowExecutionStatus.RUNNING:
        raise UsageError(
            f"run '{run}' is still open; end it with 'orca cancel {run}' and resume it then, or let it go on"
        )


def _refuse_unknown(names: Sequence[str], plan: Plan, found: Reuse) -> None:
    for name in names:
        job = name if name in plan.jobs else name.partition(" (")[0]
        if job not in plan.jobs:
            shown = ", ".join(f"'{one}'" for one in list(plan.jobs)[:MAX_NAMED])
            more = f" and {len(plan.jobs) - MAX_NAMED} more" if len(plan.jobs) > MAX_NAMED else ""
            raise UsageError(f"the run has no job '{name}'; it has {shown}{more}")
        known = found.jobs[job].variants if job in found.jobs else {}
        if name != job and name not in known:
            shown = ", ".join(f"'{one}'" for one in list(known)[:MAX_NAMED]) or "none"
            raise UsageError(f"job '{job}' had no variant '{name}'; it had {shown}")


def _refuse_idle(run: str, expected: Sequence[Expected], plan: Plan) -> None:
    """A run that succeeded is resumed only where something is different now."""

    def idle(one: Expected) -> bool:
        node = plan.jobs.get(one.name)
        decides = node is not None and (node.finalizer or node.kind in ("choice", "gate"))
        return one.action in ("reuse", "skip") or decides

    if all(idle(one) for one in expected):
        raise UsageError(
            f"run '{run}' succeeded, and nothing in it has changed: there is nothing to run. 'orca resume {run} "
            "--rerun JOB' or '--from JOB' runs jobs again all the same"
        )


async def _gathered(client: Client, attempts: Sequence[Attempt], *, whole: bool) -> Reuse:
    """What all attempts left, and below it what nested workflows did; with `whole` also those that succeeded."""
    found = reuse_of([one.record for one in attempts])
    children: dict[str, Reuse] = {}
    for child in children_of(found, succeeded=whole):
        try:
            inner = await attempts_of(client, child)
        except RunNotFound:
            continue  # Temporal has forgotten it: it begins anew.
        if inner[0].record.status in ("pending", "running"):
            raise UsageError(
                f"run '{child}', which a job of it started, has not ended yet; wait for it with 'orca watch {child}', "
                f"or end it with 'orca cancel {child}', and resume then"
            )
        children[child] = _slim(await _gathered(client, inner, whole=whole))
    return with_children(found, children)


def _slim(reuse: Reuse) -> Reuse:
    """Without the values of jobs that run again anyway: a run's input has little room."""
    slim = {
        name: found.model_copy(update={"outputs": {}, "artifacts": (), "service_logs": (), "updates": {}})
        if name in reuse.again
        else found
        for name, found in reuse.jobs.items()
    }
    return reuse.model_copy(update={"jobs": slim})


async def _request(last: RunRequest, wish: Wish, *, store: Store) -> tuple[RunRequest, tuple[str, ...]]:
    """The input of the last attempt with what is to be different, and warnings."""
    if wish.spec is None:
        if not wish.params:
            return last, ()
        return last.model_copy(update={"params": read_params(last.plan, wish.params, known=last.params)}), ()
    # What was not given follows the edited spec's defaults.
    usual = {param.name: param.default for param in last.plan.params if param.has_default}
    known: dict[str, Json] = {
        name: value
        for name, value in last.params.items()
        if value is not None and (name not in usual or usual[name] != value)
    }
    checked = check(wish.spec, wish.params, known=known)
    if checked.compiled.plan.spec != last.plan.spec:
        raise UsageError(
            f"'{wish.spec}' is the workflow '{checked.compiled.plan.spec}', and run '{last.run_id}' is one of "
            f"'{last.plan.spec}'; a run is resumed with an edited spec of the same `name`"
        )
    prepared = await prepare(checked, store=store)
    return last.model_copy(
        update={
            "plan": prepared.plan,
            "plan_digest": prepared.digest,
            "params": prepared.params,
            "git": prepared.git,
            "workspace": prepared.workspace,
            "workspace_mark": prepared.workspace_mark,
            "file_hashes": prepared.file_hashes,
            "nested": prepared.nested,
        }
    ), prepared.warnings
