"""What a record tells of parts that may be larger than it has room for: as much as fits, and a sign. Pure."""

import json
from collections.abc import Mapping, Sequence
from itertools import islice

from orchestrator.contract.messages import ServiceRecord
from orchestrator.contract.people import AnswerRecord, FieldRecord, GateRecord, RepairRecord
from orchestrator.plan.parts import Json

MAX_NAME = 60
"""Bytes of a person's name where there is no room for all."""


def size_of(values: Mapping[str, Json]) -> int:
    """Bytes that they take in a record."""
    return len(json.dumps(values, ensure_ascii=False).encode()) if values else 0


def shortened(text: str | None, limit: int) -> str | None:
    """`text`, cut to `limit` bytes with a sign that it was."""
    if text is None or len(text.encode()) <= limit:
        return text
    return f"{text.encode()[: limit - 3].decode(errors='ignore')}…"


def told(services: Mapping[str, ServiceRecord], *, most: int, text: int) -> dict[str, ServiceRecord]:
    """The first `most` services, each with `text` bytes of its note."""
    return {
        name: found.model_copy(
            update={"note": shortened(found.note, text), "check": shortened(found.check, text)}
        )
        for name, found in islice(services.items(), most)
    }


def told_gate(gate: GateRecord, room: int) -> GateRecord:
    """`gate` as it is where that takes at most `room` bytes, else marked as cut.

    What a person needs first stays longest: the prompt and who answered, then the form, then what was answered.
    """
    if len(gate.model_dump_json()) <= room:
        return gate
    cut = gate.model_copy(
        update={
            "prompt": shortened(gate.prompt, max(40, room // 4)),
            "approvers": _fitting(gate.approvers, room // 8),
            "fields": (),
            "answers": tuple(_brief(answer) for answer in _last(gate.answers, room // 4)),
            "cut": True,
        }
    )
    left = room - len(cut.model_dump_json())
    fields = tuple(_plain(field) for field in gate.fields)
    if sum(len(field.model_dump_json()) for field in fields) <= left:
        cut = cut.model_copy(update={"fields": fields})
    return cut


def told_repairs(repairs: Sequence[RepairRecord], *, most: int, comment: int) -> tuple[RepairRecord, ...]:
    """The last `most` repairs, each with `comment` bytes of why."""
    return tuple(
        found.model_copy(update={"comment": shortened(found.comment, comment)}) for found in repairs[-most:]
    )


def _fitting(names: Sequence[str], room: int) -> tuple[str, ...]:
    kept: list[str] = []
    for name in names:
        room -= len(name.encode()) + 3
        if room < 0:
            break
        kept.append(name)
    return tuple(kept)


def _last(answers: Sequence[AnswerRecord], room: int) -> Sequence[AnswerRecord]:
    """The last answers, at least one where there is any: it is the one that decided."""
    return answers[-max(1, room // 200) :]


def _brief(answer: AnswerRecord) -> AnswerRecord:
    return answer.model_copy(
        update={
            "by": shortened(answer.by, MAX_NAME),
            "comment": shortened(answer.comment, MAX_NAME),
            "fields": {},
        }
    )


def _plain(field: FieldRecord) -> FieldRecord:
    return field.model_copy(
        update={
            "label": shortened(field.label, MAX_NAME),
            "description": shortened(field.description, MAX_NAME),
        }
    )
