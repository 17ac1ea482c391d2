"""What people say to a run: answers to gates, repairs of held jobs, pause, cancel. What is refused changes nothing.

An update is told what is wrong with it. A signal has nobody who listens: what is wrong with it goes into the record.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue

from orchestrator.contract.names import SIGNAL_APPROVE, SIGNAL_CANCEL, SIGNAL_REJECT
from orchestrator.contract.people import (
    MAX_COMMENT,
    Answer,
    AnswerRecord,
    AnswerReply,
    Cancel,
    GateRecord,
    Pause,
    PauseRecord,
    Repair,
    Reply,
)
from orchestrator.contract.times import rfc3339
from orchestrator.interpreter.cancelling import LATE_CANCEL, Cancelling
from orchestrator.interpreter.gates import Refused
from orchestrator.interpreter.open_gates import OpenGates
from orchestrator.interpreter.pausing import Pausing
from orchestrator.interpreter.repairs import Repairs
from orchestrator.interpreter.said import spelling_problem
from orchestrator.interpreter.state import RunState

_DECISIONS = {SIGNAL_APPROVE: "approve", SIGNAL_REJECT: "reject"}
_FoundT = TypeVar("_FoundT")
_FORM = '{"gate": …, "by": …, "fields": {…}, "comment": …}'
_CANCEL_FORM = '{"mode": "drain" | "graceful" | "force", "by": …, "comment": …}'
MODES = "cancel modes"
"""Patch: a signal may cancel the run."""


class People:
    """Takes what people say, and hands it on to who keeps the gates, the held jobs, the pause and the run's end."""

    def __init__(
        self, state: RunState, gates: OpenGates, repairs: Repairs, pausing: Pausing, cancelling: Cancelling
    ) -> None:
        self._state, self._gates, self._repairs, self._pausing = state, gates, repairs, pausing
        self._cancelling = cancelling

    def answer_problem(self, answer: Answer) -> str | None:
        """Why an answer is refused, if it is."""
        found = self._checked(lambda: self._over() or self._gates.check(answer, _now()))
        return found.why if isinstance(found, Refused) else None

    def answer(self, answer: Answer) -> AnswerReply:
        """Take an answer with which there is no problem."""
        found = self._gates.check(answer, _now())
        assert isinstance(found, AnswerRecord)
        return self._gates.take(answer.gate, found, _now())

    def signal(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Take an answer or a cancel that came as a signal; one that is no good is taken down."""
        if name == SIGNAL_CANCEL and workflow.patched(MODES):
            self._cancel_by_signal(payloads)
            return
        read = self._checked(lambda: self._read(name, payloads))
        if isinstance(read, Answer):
            found = self._checked(lambda: self._over() or self._gates.check(read, _now()))
            if isinstance(found, AnswerRecord):
                self._gates.take(read.gate, found.model_copy(update={"via": "signal"}), _now())
                return
        else:
            found = read
        self._state.ignore(name, rfc3339(_now()), found.why)

    def gate(self, name: str) -> GateRecord | None:
        """The whole of one gate, None where it has not opened."""
        job = self._state.find(name)
        return job.gate if job else None

    def repair_problem(self, repair: Repair) -> str | None:
        """Why a repair is refused, if it is."""
        found = self._checked(lambda: spelling_problem(repair.by) or self._repairs.problem(repair))
        return found.why if isinstance(found, Refused) else found

    def repair(self, repair: Repair) -> Reply:
        """Do a repair with which there is no problem."""
        return Reply(message=self._repairs.give(repair, rfc3339(_now())))

    def pause_problem(self, pause: Pause) -> str | None:
        """Why a pause, or its end, is refused, if it is."""
        over = self._over()
        why = spelling_problem(pause.by) if over is None else over.why
        if why is not None:
            return why
        if len(pause.comment) > MAX_COMMENT:
            return f"the comment is longer than {MAX_COMMENT:,} characters"
        now = self._state.paused
        if pause.paused and now is not None:
            return f"the run is paused already, by {now.by or 'somebody'} since {now.at}"
        if pause.paused and self._state.stop is not None:
            return "the run is stopping already"
        if not pause.paused and now is None:
            return "the run is not paused"
        return None

    def pause(self, pause: Pause) -> Reply:
        """Begin or end a pause with which there is no problem."""
        if pause.paused:
            self._pausing.begin(PauseRecord(by=pause.by, at=rfc3339(_now()), comment=pause.comment))
            return Reply(message="the run is paused: what runs goes on, and nothing new starts")
        self._pausing.end()
        return Reply(message="the run goes on")

    def cancel_problem(self, cancel: Cancel) -> str | None:
        """Why a cancel is refused, if it is. Not for signals, which are judged anew where a run is replayed."""
        return self._cancel_problem(cancel) or self._cancelling.too_late(cancel)

    def cancel(self, cancel: Cancel) -> Reply:
        """Begin to end the run, in a mode with which there is no problem."""
        return Reply(message=self._cancelling.take(cancel))

    def _cancel_problem(self, cancel: Cancel) -> str | None:
        over = self._over()
        return self._cancelling.problem(cancel) if over is None else over.why

    def _cancel_by_signal(self, payloads: Sequence[RawValue]) -> None:
        def read() -> Cancel:
            return Cancel.model_validate(_decoded(payloads[0]) if payloads else {})

        cancel = self._checked(read)
        if isinstance(cancel, Refused):
            why: str | None = f"it says no mode; send {_CANCEL_FORM}"
        else:
            why = self._cancel_problem(cancel)
            late = self._cancelling.too_late(cancel) if why is None else None
            if late is not None and workflow.patched(LATE_CANCEL):
                why = late
            if why is None:
                self._cancelling.take(cancel)
        if why is not None:
            self._state.ignore(SIGNAL_CANCEL, rfc3339(_now()), why)

    def _over(self) -> Refused | None:
        if self._state.finished_at is None:
            return None
        return Refused(f"the run has ended: it is {self._state.status}")

    def _checked(self, check: Callable[[], _FoundT]) -> _FoundT | Refused:
        """What `check` finds. What comes from outside must never fail a workflow task: the run would stand still."""
        try:
            return check()
        except Exception as error:  # noqa: BLE001 - what no check has thought of; none has changed anything
            return Refused(f"it cannot be read ({type(error).__name__}: {str(error)[:200]})")

    def _read(self, name: str, payloads: Sequence[RawValue]) -> Answer | Refused:
        """The answer in a signal, or what is wrong with it."""
        if name not in _DECISIONS:
            return Refused(
                f"there is no such signal; send '{SIGNAL_APPROVE}' or '{SIGNAL_REJECT}' with {_FORM}"
            )
        value = _decoded(payloads[0]) if len(payloads) == 1 else None
        if not isinstance(value, dict):
            return Refused(f"it holds no JSON object; send {_FORM}")
        said = cast("dict[str, Any]", value)
        decision = said.get("decision", _DECISIONS[name])
        if decision != _DECISIONS[name]:
            other = f"send the signal '{decision}'" if decision in _DECISIONS.values() else f"send {_FORM}"
            return Refused(f"its `decision` does not say '{_DECISIONS[name]}', as the signal does; {other}")
        if not said.get("gate") and (only := self._gates.only) is not None:
            said = {**said, "gate": only}
        try:
            return Answer.model_validate({**said, "decision": decision})
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in wrong["loc"])
            return Refused(f"'{where}': {wrong['msg']}; send {_FORM}")


def _decoded(value: RawValue) -> Any:
    """What a signal holds; None where that is not JSON. Decoded here, as the SDK would drop what it cannot decode."""
    try:
        return workflow.payload_converter().from_payload(value.payload)
    except Exception:  # noqa: BLE001 - each kind of payload has errors of its own
        return None


def _now() -> datetime:
    return workflow.now()
