"""The rules about kinds of jobs: which keys fit them, and which jobs transitions and choices may lead to."""

from collections.abc import Iterator
from typing import Final

from orchestrator.compile.draft import Draft
from orchestrator.compile.edges import is_finalizer
from orchestrator.compile.kinds import KIND_WORDS, KINDS_OF, Kind, said_kinds
from orchestrator.compile.ways import all_ways, reminders
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.model import JobShape
from orchestrator.spec.repair import PLACEHOLDER_IMAGE

_MADE_BY: Final[dict[Kind, str]] = {"container": "image"}
"""The key that makes a job of a kind, where it is not the kind's own name."""


def kinds(draft: Draft) -> Iterator[Diagnostic]:
    """A job is of one kind and has only keys that fit it."""
    for name, job in draft.spec.jobs.items():
        said = said_kinds(job)
        if job.image == PLACEHOLDER_IMAGE:
            continue  # what it was to be cannot be told
        if len(said) > 1:
            first, second = (_key_of(kind, job) for kind in said[:2])
            at = ("jobs", name, second)
            message = (
                f"job '{name}' has '{first}' and '{second}', and is {KIND_WORDS[said[0]]} or {KIND_WORDS[said[1]]}; "
                "make two jobs of it"
            )
            yield draft.at_key("E123", at, message)
            continue
        kind = draft.kinds[name]
        for key in _given(job):
            if kind not in KINDS_OF.get(key, (kind,)):
                yield draft.at_key("E124", ("jobs", name, key), _unfit(name, kind, key))


def _key_of(kind: Kind, job: JobShape) -> str:
    return "commands" if kind == "container" and job.image is None else _MADE_BY.get(kind, kind)


def _given(job: JobShape) -> Iterator[str]:
    """The keys that a job has itself, as a spec writes them, in the order of the shape."""
    for name, field in type(job).model_fields.items():
        if name in job.model_fields_set:
            yield field.alias or name


def _unfit(name: str, kind: Kind, key: str) -> str:
    fitting = KINDS_OF[key]
    if len(fitting) == 5:
        who = "every job but a choice has it"
    else:
        words = [KIND_WORDS[one] for one in fitting]
        who = f"only {' or '.join([', '.join(words[:-1]), words[-1]] if len(words) > 1 else words)} has it"
    message = f"job '{name}' is {KIND_WORDS[kind]} and cannot have '{key}': {who}"
    if key == "env" and kind == "call":
        message += "; give the function its inputs in 'with'"
    if key == "timeout" and kind == "wait":
        message += "; 'wait' says how long it takes"
    if key == "retry" and kind == "gate":
        message += "; whoever rejects means it"
    return message


def targets(draft: Draft) -> Iterator[Diagnostic]:
    """What a transition or a choice leads to can be started by it."""
    apart = reminders(draft.spec)
    for target, way in all_ways(draft.spec):
        job = draft.spec.jobs.get(target)
        if job is None or way.job not in draft.spec.jobs:
            continue  # E103 tells
        if target in apart:
            why = f"it is the reminder of '{apart[target]}' and runs for nothing else"
        elif is_finalizer(job):
            why = f"its 'on_complete: {job.completion}' says that it runs when everything else is done"
        else:
            continue
        yield draft.at_value(
            "E126", way.path, f"'{way.key}' of job '{way.job}' cannot start '{target}': {why}"
        )


def choices(draft: Draft) -> Iterator[Diagnostic]:
    """A choice has at most one default, which comes last."""
    for name, job in draft.spec.jobs.items():
        branches = job.choice or ()
        for number, branch in enumerate(branches[:-1]):
            if branch.default is not None:
                message = (
                    f"the branches after 'default' of job '{name}' can never be taken; "
                    "make it the last one, and the only one"
                )
                yield draft.at_key("E132", ("jobs", name, "choice", number, "default"), message)
