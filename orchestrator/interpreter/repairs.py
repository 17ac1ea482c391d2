"""Jobs that are held after a failure until a person says how to go on."""

import asyncio
import json
from collections.abc import Callable

from orchestrator.contract.messages import MAX_OUTPUT_BYTES, JobOutcome
from orchestrator.contract.people import MAX_COMMENT, Repair, RepairRecord
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.said import holds_odd_number
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import ChoiceNode

_DONE = {
    "retry": "job '{}' is tried again",
    "skip": "job '{}' is skipped",
    "set_outputs": "job '{}' counts as a success with the outputs that you gave",
    "fail": "job '{}' has failed for good",
}


class Repairs:
    """The held jobs of one run. Waiting costs nothing, however many are held."""

    def __init__(self, state: RunState, changed: Callable[[], None]) -> None:
        self._state, self._changed = state, changed
        self._held: dict[str, asyncio.Future[Repair]] = {}

    async def ask(self, job: JobState, failure: JobOutcome) -> Repair:
        """Hold `job` until a person decides. Raises asyncio.CancelledError where it was cancelled meanwhile."""
        decision = self._held[job.key] = asyncio.get_running_loop().create_future()
        job.enter("held", str(failure.reason))
        self._changed()
        try:
            return await decision
        finally:
            del self._held[job.key]

    def give_up(self) -> None:
        """Let the finalizers that are held fail: the run was cancelled, and is to end."""
        for key, decision in self._held.items():
            job = self._state.find(key)
            if job is not None and job.node.finalizer and not decision.done():
                decision.set_result(Repair(job=key, action="fail", by="the cancel of the run"))

    def problem(self, repair: Repair) -> str | None:
        """Why `repair` cannot be done, in a sentence, if it cannot."""
        job = self._state.find(repair.job)
        if job is None:
            return f"the run has no job '{repair.job}'"
        decision = self._held.get(job.key)
        if decision is None or decision.done():
            return self._not_held(job)
        if len(repair.comment) > MAX_COMMENT:
            return f"the comment is longer than {MAX_COMMENT:,} characters"
        return self._outputs_problem(job, repair)

    def _outputs_problem(self, job: JobState, repair: Repair) -> str | None:
        if repair.action != "set_outputs":
            return "outputs can only be given with `set_outputs`" if repair.outputs else None
        if isinstance(job.node, ChoiceNode):
            return (
                f"job '{job.key}' is a choice: outputs would leave it without a branch; "
                "let it choose again with `retry`, or `skip` it or let it `fail`"
            )
        missing = [name for name in job.node.required_outputs if name not in repair.outputs]
        if missing:
            names = ", ".join(f"'{name}'" for name in missing)
            return f"job '{job.key}' promises the output {names}: give it too"
        odd = next((name for name, value in repair.outputs.items() if holds_odd_number(value)), None)
        if odd is not None:
            return f"the output '{odd[:200]}' holds a number of more than 64 bits; give it as text"
        if len(json.dumps(repair.outputs, ensure_ascii=False).encode()) > MAX_OUTPUT_BYTES:
            return f"the outputs are larger than {MAX_OUTPUT_BYTES // 1024} KiB; pass large data as artifacts"
        return None

    def _not_held(self, job: JobState) -> str:
        held = [leaf.key for leaf in job.fan.listed if leaf.status == "held"] if job.fan else []
        if held:
            more = f" and {len(held) - 3} more" if len(held) > 3 else ""
            names = ", ".join(f"'{key}'" for key in held[:3])
            return f"job '{job.key}' is held in single variants; name one of them: {names}{more}"
        return f"job '{job.key}' is not held: it is {job.status}"

    def give(self, repair: Repair, at: str) -> str:
        """Do a repair with which there is no problem; a sentence about it."""
        job = self._state.find(repair.job)
        assert job is not None
        job.repairs.append(RepairRecord(action=repair.action, by=repair.by, at=at, comment=repair.comment))
        self._held[job.key].set_result(repair)
        return _DONE[repair.action].format(job.key)
