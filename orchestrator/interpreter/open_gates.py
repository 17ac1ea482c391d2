"""The gates of one run that wait for people. Waiting costs nothing, however many are open."""

import asyncio
import difflib
from collections.abc import Callable
from datetime import datetime

from orchestrator.contract.people import Answer, AnswerRecord, AnswerReply, GateRecord
from orchestrator.contract.times import rfc3339
from orchestrator.interpreter import gates
from orchestrator.interpreter.gates import Refused
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import GateNode
from orchestrator.plan.phrases import count, listed

MAX_NAMED = 5
"""Gates that a message names."""


class OpenGates:
    """Which are open, and what is said to them."""

    def __init__(self, state: RunState, submitted_by: str, changed: Callable[[], None]) -> None:
        self._state, self._submitted_by, self._changed = state, submitted_by, changed
        self._open: dict[str, asyncio.Future[GateRecord]] = {}

    def open(self, job: JobState, gate: GateRecord) -> "asyncio.Future[GateRecord]":
        """Open the gate of `job`. What it returns has the gate once it is decided."""
        job.gate = gate
        decided = self._open[job.key] = asyncio.get_running_loop().create_future()
        self._show(job)
        return decided

    def close(self, job: JobState, now: datetime) -> None:
        """Take no more answers, decided or not."""
        self._open.pop(job.key, None)
        if job.gate is not None and job.gate.closed_at is None:
            job.gate = job.gate.model_copy(update={"closed_at": rfc3339(now)})

    def expire(self, job: JobState, now: datetime) -> None:
        """Let the timeout decide a gate that is still open."""
        if job.gate is not None and job.gate.closed_at is None:
            gate = job.gate = gates.timed_out(job.gate, at=rfc3339(now))
            self._decide(job, gate)

    @property
    def only(self) -> str | None:
        """The name of the gate that is open, where exactly one is."""
        return next(iter(self._open)) if len(self._open) == 1 else None

    def check(self, answer: Answer, now: datetime) -> Refused | AnswerRecord:
        """Whether `answer` counts."""
        found = self._find(answer.gate)
        if isinstance(found, Refused):
            return found
        job, gate = found
        return gates.check(answer, gate, name=job.key, now=now, submitted_by=self._submitted_by)

    def take(self, name: str, answer: AnswerRecord, now: datetime) -> AnswerReply:
        """Let an answer count that `check` has let pass."""
        job = self._state.find(name)
        assert job is not None and job.gate is not None  # noqa: PT018 - `check` has looked
        gate = job.gate = gates.answered(job.gate, answer, at=rfc3339(now))
        have = len(gates.approvals(gate))
        if gate.closed_at is not None:
            self._decide(job, gate)
            verb = "approved" if answer.decision == "approve" else "rejected"
            message = f"gate '{job.key}' is {verb}"
        else:
            self._show(job)
            missing = count(gate.needed - have, "approval")
            message = (
                f"{have} of {gate.needed} approvals for gate '{job.key}'; {missing} of others still needed"
            )
        return AnswerReply(
            gate=job.key,
            approvals=have,
            needed=gate.needed,
            closed=gate.closed_at is not None,
            message=message,
        )

    def _decide(self, job: JobState, gate: GateRecord) -> None:
        decided = self._open.pop(job.key, None)
        if decided is not None and not decided.done():
            decided.set_result(gate)
        self._changed()

    def _show(self, job: JobState) -> None:
        if job.gate is not None:
            job.enter("waiting", gates.waiting_for(job.gate))
            self._changed()

    def _find(self, name: str) -> Refused | tuple[JobState, GateRecord]:
        job = self._state.find(name)
        if job is None:
            return Refused(self._unknown(name))
        if not isinstance(job.node, GateNode):
            return Refused(f"job '{job.key}' is not a gate: it is of kind {job.node.kind}")
        if job.fan is not None and job.gate is None:
            names = [f"'{leaf.key}'" for leaf in job.fan.listed]
            return Refused(f"gate '{job.key}' has variants; answer one of them: {listed(names, MAX_NAMED)}")
        if job.gate is not None:
            return job, job.gate
        if job.settled:
            return Refused(f"gate '{job.key}' did not open: it is {job.status} ({job.reason})")
        return Refused(f"gate '{job.key}' is not open yet: it is {job.status}")

    def _unknown(self, name: str) -> str:
        owner = self._state.jobs.get(name.partition(" (")[0])
        if owner is not None and isinstance(owner.node, GateNode) and not owner.fan and not owner.settled:
            return f"gate '{name[:200]}' is not open yet: job '{owner.key}' is {owner.status}"
        known = [key for key, job in self._state.jobs.items() if isinstance(job.node, GateNode)]
        known += [key for key in self._open if key not in self._state.jobs]
        if not known:
            return "the run has no gates"
        near = difflib.get_close_matches(name[:200], known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"it has {listed(known, MAX_NAMED)}"
        return f"the run has no gate '{name[:200]}'; {hint}"
