"""Which answers to a gate count, and what they make of it. Pure: no Temporal, no clock, no await."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never, cast

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome
from orchestrator.contract.people import (
    MAX_ANSWER_BYTES,
    MAX_COMMENT,
    Answer,
    AnswerRecord,
    FieldRecord,
    GateRecord,
)
from orchestrator.contract.times import parse_rfc3339
from orchestrator.interpreter.said import is_number, person, person_problem, same_person
from orchestrator.plan import patterns
from orchestrator.plan.parts import Json
from orchestrator.plan.phrases import count, lasting, listed, one_line, shortened

MAX_SHOWN = 60
"""Characters of a value in a message."""
MAX_GIVEN = 200
"""Characters of an unknown field's name that are compared with those there are."""
MAX_OPTIONS_SHOWN = 10
RESERVED = ("approved_by", "comment", "decision")
"""Outputs of every gate, which no field may be named."""


@dataclass(frozen=True)
class Refused:
    """An answer that does not count, and why, in a sentence."""

    why: str


def check(
    answer: Answer, gate: GateRecord, *, name: str, now: datetime, submitted_by: str
) -> Refused | AnswerRecord:
    """Whether `answer` counts for the open `gate`: what is to be taken down of it, or why it is refused.

    Args:
        answer: what somebody says.
        gate: as it stands.
        name: the gate's full name, for the sentence.
        now: the moment at which it is said.
        submitted_by: who started the run, as far as that is known.
    """
    at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    why = _closed(gate, name, now) or _person_problem(answer, gate, name, submitted_by)
    why = why or _size_problem(answer) or _form_problem(answer, gate, name)
    if why is not None:
        return Refused(why)
    fields = answer.fields if answer.decision == "approve" else {}
    return AnswerRecord(
        by=person(answer.by),
        at=at,
        decision=answer.decision,
        comment=answer.comment,
        fields=fields,
        via="update",
    )


def approval_problem(gate: GateRecord, name: str, submitted_by: str) -> str | None:
    """Why no people could ever approve the gate as it opens, in a sentence, if they cannot."""
    if not gate.approvers or any(_group(approver) is not None for approver in gate.approvers):
        return None
    if gate.on_timeout == "approve" and gate.deadline is not None:
        return None
    own = None if gate.self_approval else submitted_by
    able: list[str] = []
    for user in _users(gate.approvers):
        if not any(same_person(user, other) for other in (*able, *([own] if own else ()))):
            able.append(user)
    if len(able) >= gate.needed:
        return None
    who = f"only {listed(able, MAX_OPTIONS_SHOWN)}" if able else "nobody"
    but = f"; {own} submitted this run, and it takes no approval of one's own run" if own else ""
    return f"gate '{name}' needs {count(gate.needed, 'approval')}, and {who} may give one{but}"


def how_closed(gate: GateRecord, name: str) -> str:
    """`gate 'confirm' is closed: ann approved it at 2026-…`."""
    last = gate.answers[-1] if gate.answers else None
    if last is None:
        return f"gate '{name}' is closed since {gate.closed_at}: its job was cancelled"
    if last.via == "timeout":
        return f"gate '{name}' is closed: nobody answered until {gate.deadline}"
    verb = "approved" if last.decision == "approve" else "rejected"
    said = f" ('{shortened(one_line(last.comment), MAX_SHOWN)}')" if last.comment else ""
    if gate.needed > 1 and last.decision == "approve" and not is_decided(gate):
        return f"gate '{name}' is closed since {gate.closed_at}: its job was cancelled"
    return f"gate '{name}' is closed: {last.by} {verb} it at {last.at}{said}"


def approvals(gate: GateRecord) -> list[AnswerRecord]:
    """Those that count towards `needed`."""
    return [found for found in gate.answers if found.decision == "approve"]


def is_decided(gate: GateRecord) -> bool:
    """Whether its answers close it: one that rejects, or enough that approve."""
    last = gate.answers[-1] if gate.answers else None
    return last is not None and (
        last.decision == "reject" or last.via == "timeout" or len(approvals(gate)) >= gate.needed
    )


def waiting_for(gate: GateRecord) -> str:
    """`waiting for approval: Deploy?`; with several needed, how many there are."""
    progress = f" ({len(approvals(gate))} of {gate.needed})" if gate.needed > 1 else ""
    return f"waiting for approval{progress}: {one_line(gate.prompt)}"


def timed_out(gate: GateRecord, *, at: str) -> GateRecord:
    """`gate` when its time is over: what the timeout means stands as its last answer."""
    decision = "approve" if gate.on_timeout == "approve" else "reject"
    return answered(gate, AnswerRecord(by="", at=at, decision=decision, via="timeout"), at=at)


def answered(gate: GateRecord, answer: AnswerRecord, *, at: str) -> GateRecord:
    """`gate` with one more answer, closed where that decides it."""
    found = gate.model_copy(update={"answers": (*gate.answers, answer)})
    return found.model_copy(update={"closed_at": at}) if is_decided(found) else found


def note_of(gate: GateRecord) -> str:
    """Who decided it, for a decided gate: `approved by ann, bob`."""
    last = gate.answers[-1]
    if last.via == "timeout":
        return {"approve": "approved", "reject": "rejected"}.get(
            gate.on_timeout, "failed"
        ) + " by its timeout"
    if last.decision == "reject":
        return f"rejected by {last.by}"
    return f"approved by {', '.join(found.by for found in approvals(gate))}"


def outcome_of(gate: GateRecord, *, limit: float | None) -> JobOutcome:
    """How the job of a decided gate ends. `limit` is the seconds for which it was open."""
    last = gate.answers[-1]
    people = [found for found in approvals(gate) if found.via != "timeout"]
    comments = [found.comment for found in gate.answers if found.comment]
    common: dict[str, Json] = {
        "approved_by": [found.by for found in people],
        "comment": comments[-1] if comments else "",
    }
    times = {"started_at": gate.opened_at, "finished_at": gate.closed_at}
    if last.decision == "approve":
        missing = _missing(gate, {}) if last.via == "timeout" else None
        if missing is None:
            outputs = {**_values(gate), **common, "decision": "approve"}
            return JobOutcome.model_validate({"status": "success", "outputs": outputs, **times})
        why = f"{_nobody(gate, limit)}, and the field '{missing}', which is required, has no default"
        reason = FailureReason(kind=FailureKind.TIMEOUT, message=why)
        decision = "timeout"
    elif last.via == "timeout":
        kind = FailureKind.REJECTED if gate.on_timeout == "reject" else FailureKind.TIMEOUT
        reason = FailureReason(kind=kind, message=_nobody(gate, limit))
        decision = "reject" if gate.on_timeout == "reject" else "timeout"
    else:
        said = f": {last.comment}" if last.comment else ""
        reason = FailureReason(kind=FailureKind.REJECTED, message=f"by {last.by}{said}"[:2000])
        decision = "reject"
    outputs = {**common, "decision": decision}
    return JobOutcome.model_validate({"status": "failed", "reason": reason, "outputs": outputs, **times})


def value_problem(field: FieldRecord, value: Json) -> str | None:
    """Why `value` is no answer to `field`, as the end of a sentence that begins with the field's name."""
    match field.type:
        case "string":
            fits, wanted = isinstance(value, str), "must be text"
            # The whole answer has to match, where a param's pattern may be found anywhere.
            if (
                fits
                and field.pattern is not None
                and not patterns.is_found(rf"\A(?:{field.pattern})\z", value)
            ):
                return f"must match the pattern {field.pattern}, which {_shown(value)} does not"
        case "number":
            fits, wanted = is_number(value), "must be a number of at most 64 bits"
            if not isinstance(value, int | float) or isinstance(value, bool):
                wanted = "must be a number"
        case "boolean":
            fits, wanted = isinstance(value, bool), "must be true or false"
        case "select":
            fits, wanted = _among(value, field.options), f"must be one of {_options(field)}"
        case "multi_select":
            return _selection_problem(field, value)
        case _:
            assert_never(field.type)
    return None if fits else f"{wanted}, not {_shown(value)}"


def _selection_problem(field: FieldRecord, value: Json) -> str | None:
    if not isinstance(value, list):
        return f"must be a list of some of {_options(field)}, not {_shown(value)}"
    chosen = cast("list[Json]", value)
    for place, item in enumerate(chosen):
        if not _among(item, field.options):
            return f"must hold only {_options(field)}, not {_shown(item)}"
        if _among(item, chosen[:place]):
            return f"holds {_shown(item)} twice"
    return None


def _closed(gate: GateRecord, name: str, now: datetime) -> str | None:
    if gate.closed_at is not None:
        return how_closed(gate, name)
    if gate.deadline is not None and now >= parse_rfc3339(gate.deadline):
        return f"gate '{name}' has expired: it was open until {gate.deadline}"
    return None


def _person_problem(answer: Answer, gate: GateRecord, name: str, submitted_by: str) -> str | None:
    why = person_problem(answer.by)
    if why is not None:
        return why
    by = person(answer.by)
    if any(same_person(found.by, by) for found in gate.answers):
        needed = gate.needed - len(approvals(gate))
        return f"{by} has already answered gate '{name}'; {count(needed, 'approval')} of others still needed"
    if gate.approvers and not _may_answer(answer, gate.approvers):
        return f"{by} may not answer gate '{name}': its approvers are {listed(gate.approvers, MAX_OPTIONS_SHOWN)}"
    if not gate.self_approval and answer.decision == "approve" and same_person(by, submitted_by):
        return f"{by} submitted this run, and gate '{name}' takes no approval of one's own run"
    return None


def _may_answer(answer: Answer, approvers: Sequence[str]) -> bool:
    groups = [group for approver in approvers if (group := _group(approver)) is not None]
    return person(answer.by) in _users(approvers) or any(group in answer.groups for group in groups)


def _group(approver: str) -> str | None:
    kind, mark, who = approver.partition(":")
    return who if mark and kind == "group" else None


def _users(approvers: Sequence[str]) -> list[str]:
    return [person(approver.removeprefix("user:")) for approver in approvers if _group(approver) is None]


def _size_problem(answer: Answer) -> str | None:
    if len(answer.comment) > MAX_COMMENT:
        return f"the comment is longer than {MAX_COMMENT:,} characters"
    if len(json.dumps(answer.fields, ensure_ascii=False).encode()) > MAX_ANSWER_BYTES:
        return f"the answer's fields are larger than {MAX_ANSWER_BYTES // 1024} KiB together"
    return None


def _form_problem(answer: Answer, gate: GateRecord, name: str) -> str | None:
    known = {field.name: field for field in gate.fields}
    for given, value in answer.fields.items():
        field = known.get(given)
        if field is None:
            return f"gate '{name}' has no field '{shortened(given, MAX_SHOWN)}'{_did_you_mean(given, known)}"
        why = None if value is None else value_problem(field, value)
        if why is not None:
            return f"field '{given}' of gate '{name}' {why}"
    missing = _missing(gate, answer.fields) if answer.decision == "approve" else None
    if missing is not None:
        return f"field '{missing}' of gate '{name}' is required"
    return None


def _did_you_mean(given: str, known: Mapping[str, FieldRecord]) -> str:
    near = difflib.get_close_matches(given[:MAX_GIVEN], list(known), n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; it has {listed(list(known), MAX_OPTIONS_SHOWN)}" if known else "; it has none"


def _missing(gate: GateRecord, given: Mapping[str, Json]) -> str | None:
    """The first required field that nobody has answered and that has no default."""
    values = {**_values(gate), **{name: value for name, value in given.items() if value is not None}}
    return next((field.name for field in gate.fields if field.required and _empty(values[field.name])), None)


def _values(gate: GateRecord) -> dict[str, Json]:
    """Every field: the last approval that gives a value wins, then the default, then null."""
    values: dict[str, Json] = {
        field.name: field.default if field.has_default else None for field in gate.fields
    }
    for found in approvals(gate):
        values.update({name: value for name, value in found.fields.items() if value is not None})
    return values


def _empty(value: Json) -> bool:
    return value is None or value in ("", [])


def _nobody(gate: GateRecord, limit: float | None) -> str:
    within = f"within {lasting(limit or 0)}"
    people = len([found for found in approvals(gate) if found.via != "timeout"])
    return (
        f"only {people} of {gate.needed} approvals came {within}" if people else f"nobody answered {within}"
    )


def _among(value: Json, options: Sequence[Json]) -> bool:
    """Python takes true for 1; JSON does not."""
    return any(value == option and isinstance(value, bool) == isinstance(option, bool) for option in options)


def _options(field: FieldRecord) -> str:
    return listed([_shown(option) for option in field.options], MAX_OPTIONS_SHOWN)


def _shown(value: Json) -> str:
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shortened(one_line(text), MAX_SHOWN)
