"""What a run's record tells beside its table of jobs: who is waited for and what to type, who did what, variables."""

import json
import shlex
from collections.abc import Iterator
from typing import Final, cast

from orchestrator.cli import words
from orchestrator.client.gates import OpenGate, open_gates, option_text
from orchestrator.client.leaves import Leaf, leaves_of
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.people import AnswerRecord, CancelRecord, FieldRecord, GateRecord
from orchestrator.plan.parts import Json

_DECIDED: Final = {"approve": "approved", "reject": "rejected"}
_AFTER: Final = {"approve": "then approved", "reject": "then rejected", "fail": "then failed"}
_REPAIRED: Final = {
    "retry": "another try",
    "skip": "skipped",
    "set_outputs": "counted as a success with outputs",
    "fail": "failed",
}
MAX_TOLD: Final = 20
"""Gates, held jobs and nested runs that are told in full; the rest is counted."""


def notable(record: RunRecord) -> Iterator[str]:
    """Lines below the table of jobs, for a person: what has happened."""
    for leaf in leaves_of(record):
        if leaf.record.gate is not None:
            yield from (f"gate '{leaf.name}': {answered(answer)}" for answer in leaf.record.gate.answers)
        for repair in leaf.record.repairs:
            who = f" by {repair.by}" if repair.by else ""
            why = f": {repair.comment}" if repair.comment else ""
            yield f"job '{leaf.name}': {_REPAIRED[repair.action]}{who} at {words.local_time(repair.at)}{why}"
        if leaf.record.quality:
            yield f"quality of '{leaf.name}': {json.dumps(leaf.record.quality, ensure_ascii=False)}"
    children = [leaf for leaf in leaves_of(record) if leaf.record.child]
    for leaf in children[:MAX_TOLD]:
        yield f"job '{leaf.name}' is a run of its own: orca status {leaf.record.child}"
    if len(children) > MAX_TOLD:
        yield f"and {len(children) - MAX_TOLD} more nested runs; '-o json' names them all"
    if record.cancel is not None:
        yield f"cancelled: {cancelled(record.cancel)}"
    for name, value in record.vars.items():
        yield f"variable {name} = {words.value(value)}"
    for one in record.ignored:
        yield f"ignored: signal '{one.signal}' at {words.local_time(one.at)}: {one.why}"


def cancelled(cancel: CancelRecord) -> str:
    """`drain by ann at 2026-01-31 12:00:00: no hurry`."""
    finalizers = "" if cancel.finalizers or cancel.mode == "force" else ", finalizers too,"
    by = f" by {cancel.by}" if cancel.by else ""
    why = f": {cancel.comment}" if cancel.comment else ""
    return f"{cancel.mode}{finalizers}{by} at {words.local_time(cancel.at)}{why}"


def answered(answer: AnswerRecord) -> str:
    """`approved by ann at 2026-01-31 12:00:00 with region=eu: looks good`."""
    if answer.via == "timeout":
        how = "approved" if answer.decision == "approve" else "closed"
        return f"{how} by its timeout at {words.local_time(answer.at)}"
    by = answer.by or "somebody"
    fields = ", ".join(f"{name}={_value(value)}" for name, value in answer.fields.items())
    given = f" with {fields}" if fields else ""
    via = " (by signal)" if answer.via == "signal" else ""
    why = f": {answer.comment}" if answer.comment else ""
    return f"{_DECIDED[answer.decision]} by {by} at {words.local_time(answer.at)}{via}{given}{why}"


def next_steps(record: RunRecord, *, of: str | None = None) -> Iterator[str]:
    """What a live run waits for from people, each with the command lines to type; nothing where it waits for nobody.

    Args:
        record: the run.
        of: only what one job with its variants, or one variant, waits for.
    """
    if record.status not in ("pending", "running"):
        return
    if record.paused is not None:
        by = f" by {record.paused.by}" if record.paused.by else ""
        why = f" ({record.paused.comment})" if record.paused.comment else ""
        yield f"paused{by} since {words.local_time(record.paused.at)}{why}: nothing new starts until"
        yield f"  orca unpause {record.run_id}"
    gates = [one for one in open_gates(record) if of is None or _is_of(one.name, of)]
    for one in gates[:MAX_TOLD]:
        yield from gate_lines(one)
    if len(gates) > MAX_TOLD:
        yield f"and {len(gates) - MAX_TOLD} more gates wait: orca gates {record.run_id}"
    held = [leaf for leaf in leaves_of(record, of) if leaf.record.status == "held"]
    for leaf in held[:MAX_TOLD]:
        yield from held_lines(record.run_id, leaf)
    if len(held) > MAX_TOLD:
        yield f"and {len(held) - MAX_TOLD} more jobs are held"


def _is_of(name: str, job: str) -> bool:
    return name == job or name.startswith(f"{job} (")


def calls(record: RunRecord) -> dict[str, list[str]]:
    """What a live run asks of people now: a key for each call, to tell the new ones, and its lines."""
    if record.status not in ("pending", "running"):
        return {}
    found = {f"gate {one.name} {one.gate.opened_at}": list(gate_lines(one)) for one in open_gates(record)}
    for leaf in leaves_of(record):
        if leaf.record.status == "held":
            found[f"held {leaf.name} {len(leaf.record.repairs)}"] = list(held_lines(record.run_id, leaf))
    return found


def gate_lines(one: OpenGate) -> Iterator[str]:
    """An open gate: its question, who may answer and until when, its form, and what to type."""
    gate = one.gate
    yield f"gate '{one.name}' waits since {words.local_time(gate.opened_at)}: {' '.join(gate.prompt.split())}"
    yield f"  {'; '.join(_terms(gate))}"
    if gate.answers:
        yield from (f"  {answered(answer)}" for answer in gate.answers)
    for field in gate.fields:
        yield f"  field {field_words(field)}"
    if gate.cut:
        yield f"  there is more to read: orca gates {one.run_id}"
    yield f"  {approve_command(one)}"
    yield f"  orca reject {one.run_id} {shlex.quote(one.name)}"


def _terms(gate: GateRecord) -> Iterator[str]:
    yield f"answered by {', '.join(gate.approvers)}" if gate.approvers else "answered by anyone"
    if not gate.self_approval:
        yield "not by who started the run"
    if gate.needed > 1:
        yield f"{sum(answer.decision == 'approve' for answer in gate.answers)} of {gate.needed} approvals"
    if gate.deadline:
        yield f"until {words.local_time(gate.deadline)}, {_AFTER[gate.on_timeout]}"


def field_words(field: FieldRecord) -> str:
    """`region (select, one of eu, us; default eu): where it goes`."""
    parts = [field.type.replace("_", " ")]
    if field.options:
        shown = ", ".join(option_text(option) for option in field.options[:20])
        more = f" and {len(field.options) - 20} more" if len(field.options) > 20 else ""
        parts.append(f"{'one' if field.type == 'select' else 'some'} of {shown}{more}")
    parts += ["required"] if field.required else []
    parts += [f"default {_value(field.default)}"] if field.has_default else []
    told = "; ".join(part for part in (field.label, field.description) if part)
    return f"{field.name} ({'; '.join(parts)})" + (f": {' '.join(told.split())}" if told else "")


def _value(value: object) -> str:
    """A field's value as it is typed: a list has commas."""
    chosen = cast("list[Json]", value) if isinstance(value, list) else [value]
    return ",".join(option_text(option) for option in chosen)


def approve_command(one: OpenGate) -> str:
    """The command line that approves, with a place for each field that must be given."""
    needed = [field for field in one.gate.fields if field.required and not field.has_default]
    fields = "".join(f" --field {shlex.quote(field.name)}=…" for field in needed)
    return f"orca approve {one.run_id} {shlex.quote(one.name)}{fields}"


def held_lines(run: str, leaf: Leaf) -> Iterator[str]:
    """A held job: why, and what can become of it."""
    name = shlex.quote(leaf.name)
    yield f"job '{leaf.name}' is held: {words.first_line(leaf.record.reason or 'it failed')}"
    yield f"  orca retry {run} {name}"
    yield f"  orca skip {run} {name}"
    yield f"  orca set-output {run} {name} NAME=VALUE"
    yield f"  orca fail {run} {name}"
