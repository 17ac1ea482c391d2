"""A job with a matrix or a list: each variant is a leaf of its own, with its own tries, and this room walks them.

So many at a time, batch by batch, until all have ended or one has failed that may not.
"""

import asyncio
from collections.abc import Iterator, Sequence

from temporalio import workflow

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import MAX_LEAVES, JobOutcome
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.expansion import expand
from orchestrator.interpreter.holding import kept
from orchestrator.interpreter.job_state import Ending, Fan, JobState, ending_of
from orchestrator.interpreter.nodes.leaf import run_leaf
from orchestrator.interpreter.outcomes import failed
from orchestrator.interpreter.state import Level
from orchestrator.interpreter.surroundings import Surroundings
from orchestrator.interpreter.variables import publishing
from orchestrator.plan.model import Strategy, Variant
from orchestrator.plan.variants import VariantsError


async def run_variants(job: JobState, strategy: Strategy, around: Surroundings) -> Ending:
    """Expand `job`, run its variants, and say how it ended. A cancel reaches all variants, and then ends the job."""
    found: list[Variant] = []

    async def look() -> JobOutcome:
        await around.pausing.lifted(job)
        found[:] = ()
        return _expand(job, around, found)

    outcome = await kept(
        job, around, look, lambda looked: publishing(job, looked, around.request, around.state)
    )
    if not found:
        return ending_of(outcome)
    fan = around.state.fan_out(job, found)
    ending = await _Walk(fan, strategy, around).run()
    if ending.status != "success":
        return ending
    return await _publish(job, fan, around)


def _expand(job: JobState, around: Surroundings, found: list[Variant]) -> JobOutcome:
    """Put the job's variants into `found`. A failure, or none to run, is an outcome of the job itself."""
    try:
        variants = expand(job.node, around.request, around.state)
    except (ExpressionError, VariantsError) as error:
        return failed(FailureKind.EXPRESSION, str(error))
    if not around.state.room_for(job, len(variants)):
        return failed(
            FailureKind.EXPRESSION,
            f"with the {len(variants):,} variants of '{job.key}' the run would hold more than {MAX_LEAVES:,} jobs and "
            "variants; split the spec, or let one variant do more",
        )
    found[:] = variants
    return JobOutcome(status="skipped", note="skipped: `for_each` has no items")


async def _publish(job: JobState, fan: Fan, around: Surroundings) -> Ending:
    """Set the variables of a job whose variants have all ended well: once, those of the last variant winning."""
    fan.close(job)
    updates = {name: value for leaf in fan.listed for name, value in leaf.updates.items()}

    async def all_passed() -> JobOutcome:
        return JobOutcome(status="success", updates=updates)

    return ending_of(
        await kept(
            job, around, all_passed, lambda outcome: publishing(job, outcome, around.request, around.state)
        )
    )


class _Walk:
    """The variants of one job on their way."""

    def __init__(self, fan: Fan, strategy: Strategy, around: Surroundings) -> None:
        self._fan = fan
        self._strategy = strategy
        self._around = around
        self._places = asyncio.Semaphore(strategy.max_parallel or len(fan.listed))
        self._tasks: dict[str, asyncio.Task[JobOutcome]] = {}
        self._stopped = False
        self._told = self._drained = False
        self._fault: BaseException | None = None

    async def run(self) -> Ending:
        for batch in _batches(self._fan.listed, self._strategy.batch_size):
            for leaf in batch:
                self._start(leaf)
            await self._until_all_ended()
        return self._fan.ending()

    def _start(self, leaf: JobState) -> None:
        if self._stopped or self._around.state.ending(leaf):
            self._settle(leaf, Ending("cancelled", self._stop_reason()))
            return
        task = self._tasks[leaf.key] = asyncio.create_task(self._run(leaf))
        task.add_done_callback(lambda done: self._finish(leaf, done))

    async def _run(self, leaf: JobState) -> JobOutcome:
        async with self._places:
            outcome = await run_leaf(leaf, self._around)
            breaks = outcome.status == "failed" and leaf.node.on_error != "continue"
            if breaks and self._strategy.fail_fast and not self._stopped and self._fan.stop_reason is None:
                # Before the place is free: the next variant must not begin.
                self._fan.stop_reason = f"cancelled: variant '{leaf.key}' failed (fail_fast)"
            return outcome

    def _finish(self, leaf: JobState, task: asyncio.Task[JobOutcome]) -> None:
        """Settle a variant whose task has ended. A callback, since a task cancelled before its start runs no code."""
        del self._tasks[leaf.key]
        if task.cancelled():
            self._settle(leaf, Ending("cancelled", self._stop_reason()))
        elif (error := task.exception()) is not None:
            # The interpreter's own fault: it goes up to the main coroutine, which fails the workflow task with it.
            self._fault = error
        else:
            outcome = task.result()
            self._settle(leaf, ending_of(outcome))

    def _settle(self, leaf: JobState, ending: Ending) -> None:
        leaf.settle(ending, rfc3339(workflow.now()))
        self._around.changed()

    async def _until_all_ended(self) -> None:
        """Wait for the variants that go; stop them where one has failed that may not, or the job is cancelled."""
        while self._tasks:
            try:
                # What ends in one workflow task has all been settled before a condition is looked at: a variant that
                # succeeded beside the one that failed keeps its success.
                await workflow.wait_condition(self._news)
            except asyncio.CancelledError:
                self._stopped = True
            if self._fault is not None:
                raise self._fault
            if not self._told and (self._stopped or self._fan.stop_reason is not None):
                self._stop_all()
            elif self._drains and not (self._told or self._drained):
                self._drain()

    def _news(self) -> bool:
        broken = self._fan.stop_reason is not None and not self._told
        drains = self._drains and not (self._told or self._drained)
        return not self._tasks or self._fault is not None or broken or drains

    @property
    def _drains(self) -> bool:
        return self._around.state.level is Level.DRAIN and not self._fan.finalizer

    def _drain(self) -> None:
        """Let what runs come to its end, and nothing else begin."""
        self._drained = True
        for leaf in self._fan.listed:
            if leaf.key in self._tasks and not leaf.working:
                self._tasks[leaf.key].cancel()

    def _stop_all(self) -> None:
        self._told = True
        for task in list(self._tasks.values()):
            task.cancel()

    def _stop_reason(self) -> str:
        return self._fan.stop_reason or self._around.state.stop_reason(self._fan.listed[0])


def _batches(leaves: Sequence[JobState], size: int | None) -> Iterator[Sequence[JobState]]:
    step = size or len(leaves)
    for start in range(0, len(leaves), step):
        yield leaves[start : start + step]
