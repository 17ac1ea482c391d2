"""What people do to the runs whose histories are kept, while they go."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from temporalio.client import Client, WorkflowHandle

from orchestrator.client import cancelling
from orchestrator.contract.messages import JobRecord, RunRecord
from orchestrator.contract.people import Cancel, CancelMode
from orchestrator.errors import UsageError
from orchestrator.interpreter.workflow import RunWorkflow
from tests.support.kinds import answer, pause, repair
from tests.support.workshop import until

Drive = Callable[[Client, str], Awaitable[None]]


async def _answer_gates(client: Client, run: str) -> None:
    await until(client, run, lambda found: found.jobs["late"].status == "failed")
    for name in ("both (a)", "both (b)"):
        await answer(client, run, name)
        await answer(client, run, name, by="bob")
    handle: WorkflowHandle[RunWorkflow, RunRecord] = client.get_workflow_handle(run)
    await handle.signal("approve", "nonsense")
    await handle.signal("approve", {"gate": "go", "by": "ann", "fields": {"n": 7}})
    await until(client, run, lambda found: found.jobs["open"].gate is not None)
    await handle.cancel()


async def _repair(client: Client, run: str) -> None:
    await until(client, run, lambda found: found.jobs["again"].status == "held")
    await until(client, run, lambda found: found.jobs["each"].status == "held")
    await repair(client, run, "again", "retry")
    await until(
        client, run, lambda found: found.jobs["again"].tries == 4 and found.jobs["again"].status == "held"
    )
    await repair(client, run, "again", "set_outputs", outputs={"n": 1})
    await repair(client, run, "each (fail)", "skip")


async def _pause(client: Client, run: str) -> None:
    await until(client, run, lambda found: found.jobs["go"].gate is not None)
    await pause(client, run)
    await answer(client, run, "go")
    await until(client, run, lambda found: found.jobs["go"].status == "success")
    await pause(client, run, paused=False)


def _cancel(ready: Callable[[JobRecord], bool]) -> Drive:
    """Cancels the run once its job `nap` is like that."""

    async def drive(client: Client, run: str) -> None:
        await until(client, run, lambda found: ready(found.jobs["nap"]))
        await client.get_workflow_handle(run).cancel()

    return drive


def _cancel_in_modes(*modes: tuple[Callable[[RunRecord], object], CancelMode]) -> Drive:
    """Cancels the run in each mode as soon as its record is like that."""

    async def drive(client: Client, run: str) -> None:
        for ready, mode in modes:
            await until(client, run, ready)
            await cancelling.cancel(client, run, Cancel(mode=mode, by="ann"))

    return drive


async def _cancel_by_signal(client: Client, run: str) -> None:
    """A signal lets the run drain, and then Temporal's own cancel stops what still runs."""
    await until(client, run, _goes("nap"))
    handle: WorkflowHandle[RunWorkflow, RunRecord] = client.get_workflow_handle(run)
    await handle.signal("cancel", {"mode": "drain"})
    await until(client, run, lambda found: found.jobs["b"].status == "cancelled")
    await handle.cancel()


async def _cancel_late(client: Client, run: str) -> None:
    """All jobs have ended, and the shared service takes its time to stop; on a busy machine it may be quicker."""
    await until(client, run, _ended("work"))
    await client.get_workflow_handle(run).signal("cancel", {"mode": "drain"})
    await until(client, run, lambda found: found.ignored or found.finished_at)
    with suppress(UsageError):
        await cancelling.cancel(client, run, Cancel(mode="force", by="ann"))


async def _terminate(client: Client, run: str) -> None:
    await until(client, run, _goes("nap"))
    await client.get_workflow_handle(run).terminate("by hand")


async def _retry(client: Client, run: str) -> None:
    await until(client, run, lambda found: found.jobs["nap"].status == "held")
    await repair(client, run, "nap", "retry")


def _ended(name: str) -> Callable[[RunRecord], object]:
    return lambda found: found.jobs[name].status == "success"


def _goes(*names: str) -> Callable[[RunRecord], bool]:
    return lambda found: all(found.jobs[name].status == "running" for name in names)


DRIVES: dict[str, Drive] = {
    "cancel": _cancel(lambda nap: nap.status == "running"),
    "drain": _cancel_in_modes((_goes("sub", "each", "brief"), "drain")),
    "force": _cancel_in_modes((_goes("sub", "each", "nap"), "force")),
    "cancel-signal": _cancel_by_signal,
    "cancel-twice": _cancel_in_modes(
        (lambda found: found.jobs["sub"].child and found.jobs["a"].status == "success", "graceful"),
        (lambda found: found.cancel is not None, "graceful"),
    ),
    "cancel-late": _cancel_late,
    "drain-finalizer": _cancel_in_modes((_goes("brief"), "drain")),
    "drain-timeout": _cancel_in_modes((_goes("nap"), "drain")),
    "gate": _answer_gates,
    "hold": _repair,
    "pause": _pause,
    "resume-doubt": _terminate,
    "services-cancel": _cancel(lambda nap: nap.status == "running" and nap.reason is None),
    "services-start-cancel": _cancel(lambda nap: nap.reason == "starting db"),
}
"""By run."""
RESUMED_DRIVES: dict[str, Drive] = {"resume-doubt": _retry}
"""What is done to the second attempt of those that are resumed."""
