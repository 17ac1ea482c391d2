"""What people say to a run: answers to gates, repairs of held jobs, pause. What is refused changes nothing.

An update is told what is wrong with it. A signal has nobody who listens: what is wrong with it goes into the record.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from pydantic import ValidationError
from temporalio import workflow

from orchestrator.contract.names import SIGNAL_APPROVE, SIGNAL_REJECT
from orchestrator.contract.people import (
    MAX_COMMENT,
    Answer,
    AnswerRecord,
    AnswerReply,
    GateRecord,
    Pause,
    PauseRecord,
    Repair,
    Reply,
)
from orchestrator.contract.times import rfc3339
from orchestrator.interpreter.gates import Refused
from orchestrator.interpreter.open_gates import OpenGates
from orchestrator.interpreter.pausing import Pausing
from orchestrator.interpreter.repairs import Repairs
from orchestrator.interpreter.state import RunState

_DECISIONS = {SIGNAL_APPROVE: "approve", SIGNAL_REJECT: "reject"}
_FORM = '{"gate": …, "by": …, "fields": {…}, "comment": …}'


class People:
    """Takes what people say, and hands it on to who keeps the gates, the held jobs and the pause."""

    def __init__(self, state: RunState, gates: OpenGates, repairs: Repairs, pausing: Pausing) -> None:
        self._state, self._gates, self._repairs, self._pausing = state, gates, repairs, pausing

    def answer_problem(self, answer: Answer) -> str | None:
        """Why an answer is refused, if it is."""
        found = self._over() or self._gates.check(answer, _now())
        return found.why if isinstance(found, Refused) else None

    def answer(self, answer: Answer) -> AnswerReply:
        """Take an answer with which there is no problem."""
        found = self._gates.check(answer, _now())
        assert isinstance(found, AnswerRecord)
        return self._gates.take(answer.gate, found, _now())

    def signal(self, name: str, payloads: Sequence[Any]) -> None:
        """Take an answer that came as a signal; one that is no good is taken down."""
        read = self._read(name, payloads)
        found = read if isinstance(read, str) else self._over() or self._gates.check(read, _now())
        if isinstance(found, AnswerRecord) and isinstance(read, Answer):
            self._gates.take(read.gate, found.model_copy(update={"via": "signal"}), _now())
        else:
            why = found.why if isinstance(found, Refused) else str(found)
            self._state.ignore(name, rfc3339(_now()), why)

    def gate(self, name: str) -> GateRecord | None:
        """The whole of one gate, None where it has not opened."""
        job = self._state.find(name)
        return job.gate if job else None

    def repair_problem(self, repair: Repair) -> str | None:
        """Why a repair is refused, if it is."""
        return self._repairs.problem(repair)

    def repair(self, repair: Repair) -> Reply:
        """Do a repair with which there is no problem."""
        return Reply(message=self._repairs.give(repair, rfc3339(_now())))

    def pause_problem(self, pause: Pause) -> str | None:
        """Why a pause, or its end, is refused, if it is."""
        over = self._over()
        if over is not None:
            return over.why
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

    def _over(self) -> Refused | None:
        if self._state.finished_at is None:
            return None
        return Refused(f"the run has ended: it is {self._state.status}")

    def _read(self, name: str, payloads: Sequence[Any]) -> Answer | str:
        """The answer in a signal, or what is wrong with it."""
        if name not in _DECISIONS:
            return f"there is no such signal; send '{SIGNAL_APPROVE}' or '{SIGNAL_REJECT}' with {_FORM}"
        value = payloads[0] if len(payloads) == 1 else None
        if not isinstance(value, dict):
            return f"it holds no JSON object; send {_FORM}"
        said = cast("dict[str, Any]", value)
        if not said.get("gate") and (only := self._gates.only) is not None:
            said = {**said, "gate": only}
        try:
            return Answer.model_validate({**said, "decision": _DECISIONS[name]})
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in wrong["loc"])
            return f"'{where}': {wrong['msg']}; send {_FORM}"


def _now() -> datetime:
    return workflow.now()
