"""What expressions read of `matrix`, `item` and `jobs.x.matrix`: whether they can, and whether it is there. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.compile.draft import Draft
from orchestrator.compile.gate_checks import OWN_OUTPUTS
from orchestrator.compile.kinds import KIND_WORDS
from orchestrator.compile.nested import outputs_of
from orchestrator.compile.slips import Slip, listed
from orchestrator.compile.strategy import Repeats
from orchestrator.compile.templates import Place
from orchestrator.expressions import WILDCARD, Reference

VARIANT_KEYS: Final = (
    "name", "matrix", "item", "status", "result", "outputs", "reason", "exit_code", "tries",
)  # fmt: skip
"""What an entry of `jobs.x.matrix` has."""
CHOICE_OUTPUTS: Final = ("branch", "default", "chosen")
WAIT_OUTPUTS: Final = ("until",)
HTTP_OUTPUTS: Final = ("status", "headers", "body")
_INDEX: Final = re.compile(r"-?\d{1,15}(\.\d+)?")


def variant_slips(draft: Draft, place: Place, reference: Reference, context: str) -> Iterator[Slip]:
    """What is wrong with a reference to `matrix` or `item` (`context`) at `place`."""
    repeats = None if place.job is None else draft.repeats.get(place.job)
    if message := _not_here(place, context, repeats):
        yield Slip("E211", message)
    elif repeats is not None:
        yield from _missing_value(place, reference, repeats)


def _not_here(place: Place, context: str, repeats: Repeats | None) -> str | None:
    """Why the context cannot be read at a place at all, if that is so."""
    key = {"matrix": "matrix", "item": "for_each"}[context]
    other = {"matrix": "item", "item": "matrix"}[context]
    if place.job is None:
        return (
            f"{place.owner} cannot read '{context}': it belongs to the variants of a job; read it in that job"
        )
    if place.part == "condition":
        instead = (
            "use 'exclude' to leave variants out"
            if context == "matrix"
            else "leave items out of 'for_each' instead"
        )
        return (
            f"'{place.path[-1]}' of {place.owner} cannot read '{context}': "
            f"it is asked once for the job, before its variants; {instead}"
        )
    whole = {
        "publish": f"it is asked once, when all variants have ended; read them as 'jobs.{place.job}.matrix'",
        "strategy": "it says what its values are",
        "when": "a choice has no variants",
    }.get(place.part)
    if whole is not None:
        return f"'{_own_key(place)}' of {place.owner} cannot read '{context}': {whole}"
    if repeats is None:
        wish = "matrix: {python: ['3.11', '3.12']}" if context == "matrix" else "for_each: [a, b]"
        return f"{place.owner} has no '{key}', so it cannot read '{context}'; add one, such as '{wish}'"
    if repeats.key != key:
        return f"{place.owner} has a '{repeats.key}', so its variants read '{other}' and not '{context}'"
    return None


def _own_key(place: Place) -> str:
    return "when" if place.part == "when" else str(place.path[2])


def _missing_value(place: Place, reference: Reference, repeats: Repeats) -> Iterator[Slip]:
    """Whether any variant has what is read."""
    known = repeats.members(())
    for length, step in enumerate(reference.path[1:]):
        if step is None or step == WILDCARD or known is None:
            return
        if step.lower() not in known:
            owner = ".".join(str(part) for part in reference.path[: length + 1])
            names = tuple(known.values())
            there = f"they have {listed(names)}" if names else "it has no parts"
            message = f"no variant of {place.owner} has a value '{step}' in '{owner}'; {there}"
            yield Slip("E212", message, step, names)
            return
        known = repeats.members(tuple(str(part) for part in reference.path[1 : length + 2]))


def entry_slips(draft: Draft, reference: Reference, target: str) -> Iterator[Slip]:
    """What is wrong with a reference to `jobs.x.matrix`, the list of the variants of job `target`."""
    of = f"jobs.{target}.matrix"
    if target not in draft.repeats:
        yield Slip("W104", f"job '{target}' has neither 'matrix' nor 'for_each', so '{of}' is empty")
        return
    entry, key, output = (*reference.path[3:6], None, None, None)[:3]
    count = len(draft.repeats[target].variants)
    if entry is not None and _INDEX.fullmatch(entry):
        if count and not 0 <= float(entry) < count:
            message = (
                f"'{of}' has no entry {entry}: job '{target}' has {count:,} "
                f"variant{'s' if count > 1 else ''}, and the first is number 0"
            )
            yield Slip("W104", message)
            return
    elif entry not in (None, WILDCARD):
        yield Slip(
            "W104",
            f"'{of}' lists the variants and has no '{entry}'; '{of}[*].{entry}' reads it of all of them",
        )
        return
    if key in (None, WILDCARD):
        return
    if key.lower() not in VARIANT_KEYS:
        yield Slip("W104", f"a variant of job '{target}' has no '{key}'", key, VARIANT_KEYS)
    elif key.lower() == "outputs" and output not in (None, WILDCARD):
        yield from output_slips(draft, target, output)


def output_slips(draft: Draft, target: str, output: str) -> Iterator[Slip]:
    """Whether job `target`, if it lists its outputs or its kind says what they are, has this one."""
    names = tuple(draft.spec.jobs[target].outputs)
    known = _outputs_of_kind(draft, target)
    if known is not None:
        names = tuple(dict.fromkeys((*known, *names)))
        if output.lower() not in {name.lower() for name in names}:
            has = f"; it has {listed(names)}" if names else ", nor any other"
            message = f"job '{target}' is {KIND_WORDS[draft.kinds[target]]} and has no output '{output}'{has}"
            yield Slip("W104", message, output, names)
        return
    if names and output.lower() not in {name.lower() for name in names}:
        yield Slip("W104", f"job '{target}' does not list '{output}' among its 'outputs'", output, names)


def _outputs_of_kind(draft: Draft, target: str) -> tuple[str, ...] | None:
    """The outputs that a job has by its kind; None where nobody can say."""
    job = draft.spec.jobs[target]
    match draft.kinds[target]:
        case "gate":
            return (*(() if job.gate is None else job.gate.fields_), *OWN_OUTPUTS)
        case "choice":
            return CHOICE_OUTPUTS
        case "wait":
            return WAIT_OUTPUTS
        case "workflow":
            return outputs_of(draft.children[target]) if target in draft.children else None
        case "call":
            return HTTP_OUTPUTS if job.call == "http" else None
        case "container":
            return None
