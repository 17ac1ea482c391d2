"""The gates that wait for people: which there are, and what an answer typed in a terminal means for their fields."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from temporalio.client import Client

from orchestrator.client.connect import temporal_errors
from orchestrator.client.leaves import leaves_of
from orchestrator.client.listing import list_open
from orchestrator.client.runs import QUERY_LIMIT, record
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import QUERY_GATE
from orchestrator.contract.people import FieldRecord, GateRecord
from orchestrator.errors import OrcaError, Unreachable, UsageError
from orchestrator.plan.parts import Json

AT_ONCE = 20
"""Runs that are asked at the same time."""


@dataclass(frozen=True)
class OpenGate:
    """A gate that waits for an answer."""

    run_id: str
    spec: str
    name: str
    """The job, or of a variant its full name."""
    gate: GateRecord


@dataclass(frozen=True)
class Waiting:
    """All gates that wait, and the runs that could not be asked."""

    gates: tuple[OpenGate, ...]
    silent: tuple[str, ...] = ()
    """A sentence for each run that did not answer."""
    more: bool = False
    """Whether there are more open runs than were asked."""


def open_gates(found: RunRecord) -> list[OpenGate]:
    """The gates of a run that wait, in the order of its jobs."""
    return [
        OpenGate(found.run_id, found.spec, leaf.name, gate)
        for leaf in leaves_of(found)
        if (gate := leaf.record.gate) is not None
        and gate.closed_at is None
        and leaf.record.status == "waiting"
    ]


async def gates_of_run(client: Client, found: RunRecord) -> list[OpenGate]:
    """The same with all of each gate, also where the record has no room for it."""
    return await whole(client, open_gates(found))


async def whole(client: Client, gates: Sequence[OpenGate]) -> list[OpenGate]:
    """The gates with what a record had to leave out."""
    return [await _whole(client, one) for one in gates]


async def all_gates(client: Client, *, limit: int) -> Waiting:
    """The gates of the newest `limit` open runs. A run that cannot be asked hides nothing of the others."""
    runs = await list_open(client, limit=limit + 1)
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(run: str) -> list[OpenGate] | str:
        async with turn:
            try:
                return await gates_of_run(client, await record(client, run))
            except Unreachable as error:
                return f"run '{run}' cannot be asked: {error}"
            except OrcaError as error:
                return f"run '{run}' was left out: {error}"

    answers = await asyncio.gather(*(ask(run) for run in runs[:limit]))
    return Waiting(
        gates=tuple(gate for found in answers if not isinstance(found, str) for gate in found),
        silent=tuple(found for found in answers if isinstance(found, str)),
        more=len(runs) > limit,
    )


async def _whole(client: Client, one: OpenGate) -> OpenGate:
    if not one.gate.cut:
        return one
    async with temporal_errors(client, run=one.run_id), asyncio.timeout(QUERY_LIMIT):
        told = await client.get_workflow_handle(one.run_id).query(QUERY_GATE, one.name)
    return OpenGate(one.run_id, one.spec, one.name, GateRecord.model_validate(told))


def gate_named(found: RunRecord, name: str | None) -> OpenGate | None:
    """The open gate that is meant; without a name the only one that waits.

    None where the one that is named does not wait: the run itself says why it takes no answer.

    Raises UsageError where no name is given and none waits, or several do.
    """
    waiting = {one.name: one for one in open_gates(found)}
    if name is not None:
        return waiting.get(name)
    if len(waiting) == 1:
        return next(iter(waiting.values()))
    if not waiting:
        raise UsageError(f"no gate of run '{found.run_id}' waits for an answer{_of_children(found)}")
    raise UsageError(
        f"{len(waiting)} gates of run '{found.run_id}' wait for an answer; say which one: {_quoted(waiting)}"
    )


def _of_children(found: RunRecord) -> str:
    children = [
        leaf.record.child for leaf in leaves_of(found) if leaf.record.child and not leaf.record.finished_at
    ]
    if not children:
        return ""
    return f"; its nested runs may have some: {', '.join(f'orca gates {child}' for child in children[:5])}"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def read_fields(fields: Sequence[FieldRecord], given: Sequence[str]) -> dict[str, Json]:
    """What `name=value` words mean for a gate's form; several for a multi_select are its choices.

    A name that is not in the form keeps its text: the run refuses it and knows what was meant.

    Raises UsageError naming every word that cannot be read.
    """
    by_name = {field.name: field for field in fields}
    values: dict[str, Json] = {}
    problems: list[str] = []
    for word in given:
        name, equals, text = word.partition("=")
        field = by_name.get(name)
        if not equals:
            problems.append(f"--field takes name=value, and '{word}' has no '='")
        elif field is None:
            values[name] = text
        elif field.type == "multi_select":
            values[name] = [*values.get(name, []), *_choices(field, text)]
        elif name in values:
            problems.append(f"field '{name}' is given twice; only a multi_select takes several values")
        else:
            try:
                values[name] = read_field(field, text)
            except UsageError as error:
                problems.append(str(error))
    if problems:
        raise UsageError("; ".join(problems))
    return values


def read_field(field: FieldRecord, text: str) -> Json:
    """What `text` means for one field. Raises UsageError where it is not of the field's type."""
    match field.type:
        case "string":
            return text
        case "number":
            return _number(field, text)
        case "boolean":
            word = text.strip().lower()
            if word in ("true", "yes", "y"):
                return True
            if word in ("false", "no", "n"):
                return False
            raise UsageError(f"field '{field.name}' must be true or false, not '{text}'")
        case "select":
            return _option(field, text)
        case "multi_select":
            return _choices(field, text)


def _number(field: FieldRecord, text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise UsageError(f"field '{field.name}' must be a number, not '{text}'")
    return found


def _choices(field: FieldRecord, text: str) -> list[Json]:
    """Options that are written with commas between them; one that has a comma itself is found first."""
    if not text.strip():
        return []
    if any(option_text(option) == text for option in field.options):
        return [_option(field, text)]
    return [_option(field, part.strip()) for part in text.split(",")]


def _option(field: FieldRecord, text: str) -> Json:
    """The option that is written so; a text that is none is left for the run to refuse."""
    return next((option for option in field.options if option_text(option) == text), text)


def option_text(option: Json) -> str:
    """How an option is written in a terminal: `eu`, `3`, `true`."""
    return option if isinstance(option, str) else json.dumps(option, ensure_ascii=False)


def left_to_ask(gate: GateRecord, given: Mapping[str, Json]) -> list[FieldRecord]:
    """The fields to ask a person for: all that are not given, where one of them is needed; else none."""
    left = [field for field in gate.fields if field.name not in given]
    needed = any(field.required and not field.has_default for field in left)
    return left if needed else []
