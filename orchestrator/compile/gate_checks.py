"""The rules about gates that are not about expressions: their forms, who may answer, and reminders."""

import math
from collections.abc import Iterator
from typing import Any, Final, cast

from orchestrator.compile.draft import Draft
from orchestrator.compile.edges import is_finalizer
from orchestrator.plan import patterns
from orchestrator.plan.phrases import lasting
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.kinds import GateFieldShape, GateShape
from orchestrator.spec.places import Path

OWN_OUTPUTS: Final = ("approved_by", "comment", "decision")
"""Outputs that every gate has, beside its fields."""
MAX_REMINDERS: Final = 1000
"""For which a run's history has room, about: after 20,000 events nobody is reminded any more."""
OFTEN: Final = 600
"""Seconds between two reminders, less than which is often for a gate that may stay open for ever."""
_HOLE: Final = "${{"
_SELECTS: Final = ("select", "multi_select")


def gates(draft: Draft) -> Iterator[Diagnostic]:
    """A gate does not contradict itself."""
    for name, job in draft.spec.jobs.items():
        if job.gate is None:
            continue
        at: Path = ("jobs", name, "gate")
        if job.timeout is not None and job.gate.timeout is not None:
            message = f"'timeout' of job '{name}' is given twice, inside 'gate' and beside it; keep one"
            yield draft.at_key("E125", ("jobs", name, "timeout"), message)
        limited = job.timeout is not None or job.gate.timeout is not None
        if job.gate.on_timeout is not None and not limited:
            message = (
                f"'on_timeout' of job '{name}' never comes to pass, as its gate has no 'timeout'; give it one"
            )
            yield draft.at_key("E125", (*at, "on_timeout"), message)
        yield from _approvals(draft, name, job.gate, at)
        for field_name, field in job.gate.fields_.items():
            whose = f"field '{field_name}' of job '{name}'"
            for key, message in _field_problems(field_name, field, whose, job.gate):
                path = (*at, "fields", field_name, *((key,) if key else ()))
                yield (draft.at_value if key else draft.at_key)("E125", path, message)


def _approvals(draft: Draft, name: str, gate: GateShape, at: Path) -> Iterator[Diagnostic]:
    """There are as many approvers as have to approve."""
    known = gate.approvers
    if isinstance(known, str) or not known or any(one.startswith("group:") or _HOLE in one for one in known):
        return
    people = {one.removeprefix("user:") for one in known}
    if len(people) < gate.min_approvals:
        message = (
            f"job '{name}' needs {gate.min_approvals} approvals, and only {len(people)} "
            f"{'person' if len(people) == 1 else 'people'} may approve"
        )
        yield draft.at_value("E125", (*at, "min_approvals"), message)


def _field_problems(
    name: str, field: GateFieldShape, whose: str, gate: GateShape
) -> Iterator[tuple[str | None, str]]:
    """What is wrong with a field: the key that is, None for the field itself, and a sentence."""
    if name in OWN_OUTPUTS:
        yield None, f"'{name}' is an output that every gate has; give {whose} another name"
    if field.type in _SELECTS and "options" not in field.model_fields_set:
        yield None, f"{whose} is a {field.type} without 'options'"
    if field.type not in _SELECTS and field.options is not None:
        yield (
            "options",
            f"{whose} has 'options', but its type is {field.type}; make it a select or multi_select",
        )
    pattern = field.pattern
    if pattern is not None and field.type != "string":
        yield "pattern", f"{whose} has a pattern, but only text can have one and its type is {field.type}"
        pattern = None
    elif pattern is not None and (reason := patterns.problem(pattern)) is not None:
        yield "pattern", f"the pattern of {whose} cannot be used: {reason}"
        pattern = None
    if field.has_default and (wish := _unfit_default(field, pattern)) is not None:
        yield "default", f"the default of {whose} must be {wish}"
    if gate.on_timeout == "approve" and field.required and not field.has_default:
        yield (
            None,
            f"{whose} is required and has no default, so nobody gives it when the gate is approved by its timeout; "
            "give it a default",
        )


def _unfit_default(field: GateFieldShape, pattern: str | None) -> str | None:
    """What the default should be, where it is not; None where it is right, or only a run knows."""
    value: Any = field.default
    if isinstance(value, str) and _HOLE in value:
        return None
    match field.type:
        case "string":
            if isinstance(value, str) and pattern is not None:
                return (
                    None if patterns.is_found(f"^(?:{pattern})$", value) else f"text that matches {pattern}"
                )
            fits, wish = isinstance(value, str), "text"
        case "number":
            fits, wish = _is_number(value), "a number"
        case "boolean":
            fits, wish = isinstance(value, bool), "true or false"
        case "select":
            fits, wish = _can_be_chosen(value, field), "one of its options"
        case "multi_select":
            chosen = cast("list[Any]", value) if isinstance(value, list) else None
            fits = chosen is not None and all(_can_be_chosen(one, field) for one in chosen)
            wish = "a list of its options"
    return None if fits else wish


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _can_be_chosen(value: Any, field: GateFieldShape) -> bool:
    """Whether `value` is an option, or may be one."""
    if isinstance(value, str) and _HOLE in value:
        return True
    if not isinstance(field.options, tuple):
        return not isinstance(value, dict | list)
    if any(isinstance(one, str) and _HOLE in one for one in field.options):
        return True
    return any(type(one) is type(value) and one == value for one in field.options)


def gate_reminders(draft: Draft) -> Iterator[Diagnostic]:
    """A reminder runs for its gate alone."""
    taken: dict[str, str] = {}
    for name, job in draft.spec.jobs.items():
        reminder = None if job.gate is None else job.gate.reminder
        if reminder is None or reminder.job not in draft.spec.jobs:
            continue
        first = taken.setdefault(reminder.job, name)
        why = "it is the gate itself" if reminder.job == name else _unfit_reminder(draft, reminder.job)
        if first != name:
            why = f"it is the reminder of '{first}' already"
        if why is not None:
            message = f"the reminder of job '{name}' cannot be '{reminder.job}': {why}"
            yield draft.at_value("E127", ("jobs", name, "gate", "reminder", "job"), message)
    for name in draft.spec.jobs if taken else ():
        for edge in draft.graph.edges[name]:
            if edge.job in taken:
                message = (
                    f"job '{name}' waits for '{edge.job}', which is the reminder of '{taken[edge.job]}' and may never "
                    "run, or run many times"
                )
                yield draft.at_value("E127", edge.path, message)


def _unfit_reminder(draft: Draft, name: str) -> str | None:
    """Why a job cannot be a reminder, if it cannot."""
    job = draft.spec.jobs[name]
    if is_finalizer(job):
        return "it runs when everything else is done"
    if job.requires or job.after or job.parallel_with:
        return "it waits for other jobs; a reminder starts when it is due"
    if draft.kinds[name] in ("gate", "wait", "choice"):
        return "it has to do something: make it a container, a call or a nested workflow"
    if job.on_success or job.on_failure or job.on_completion or name in draft.spec.error_handlers:
        return "it starts other jobs, and would do so again and again"
    return "it has variants" if name in draft.repeats else None


def frequent_reminders(draft: Draft) -> Iterator[Diagnostic]:
    """A gate does not remind more often than a run can keep."""
    for name, job in draft.spec.jobs.items():
        reminder = None if job.gate is None else job.gate.reminder
        if job.gate is None or reminder is None:
            continue
        limits = (job.gate.timeout, job.timeout, draft.spec.timeout)
        limit = min((found for found in limits if found is not None), default=None)
        every = lasting(reminder.every)
        if limit is None and reminder.every < OFTEN:
            lasts = lasting(float(round(reminder.every * MAX_REMINDERS)))
            message = (
                f"job '{name}' reminds every {every} for as long as nobody answers, and a run keeps about "
                f"{MAX_REMINDERS:,} reminders: after some {lasts} there are no more; remind less often, or give the "
                "gate a 'timeout'"
            )
        elif limit is not None and limit / reminder.every > MAX_REMINDERS:
            message = (
                f"job '{name}' reminds every {every} for up to {lasting(limit)}, which may be "
                f"{int(limit / reminder.every):,} times, and a run keeps about {MAX_REMINDERS:,} reminders: after "
                "those there are no more; remind less often"
            )
        else:
            continue
        at: Path = ("jobs", name, "gate", "reminder", "every")
        yield draft.at_value("W120", at, message, severity="warning")
