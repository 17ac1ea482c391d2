"""An explanation as text and as JSON. Pure."""

from collections.abc import Iterator
from typing import Final

from orchestrator.client.explain.edges import Edge, Way
from orchestrator.client.explain.jobs import Explanation, RunExplained
from orchestrator.plan.kinds import trigger_words
from orchestrator.plan.model import Trigger
from orchestrator.plan.parts import Json
from orchestrator.plan.wording import CONDITION_WORDS

MAX_VARIANTS: Final = 10
"""Variants of a job that are told of where nobody asked for the job itself."""
_SIGNS: Final = {True: "✓", False: "✗", None: "·"}
_QUIET: Final = ("success", "skipped", "pending")
"""Variants that are only counted."""


def explanation_json(found: RunExplained) -> dict[str, Json]:
    """What `orca explain -o json` prints. Scripts rely on its shape."""
    return {
        "run_id": found.run_id,
        "spec": found.spec,
        "status": found.status,
        "jobs": {name: _job_json(one) for name, one in found.jobs.items()},
    }


def _job_json(one: Explanation) -> dict[str, Json]:
    told: dict[str, Json] = {
        "kind": one.kind,
        "status": one.status,
        "why": one.why,
        "requires": [
            {
                "job": edge.job,
                "condition": edge.condition,
                "status": edge.status,
                "met": edge.met,
                "off_path": edge.off_path,
            }
            for edge in one.requires
        ],
        "triggers": [
            {"job": way.job, "on": way.on, "status": way.status, "fired": way.fired} for way in one.triggers
        ],
        "conditions": list(one.conditions),
        "facts": list(one.facts),
        "waits_for": list(one.waits_for),
    }
    if one.variants:
        told["variants"] = {
            key: {
                "status": leaf.status,
                "why": leaf.why,
                "facts": list(leaf.facts),
                "waits_for": list(leaf.waits_for),
            }
            for key, leaf in one.variants.items()
        }
    return told


def explanation_lines(one: Explanation, *, all_variants: bool = False) -> Iterator[str]:
    """One job for people, without its name and state: a line for each thing, those that belong to one indented.

    Args:
        one: the job or variant.
        all_variants: whether each variant is told of, or only some, and only those that are worth a look.
    """
    yield one.why
    yield from (f"{_sign(edge)} requires {_wish(edge)}: {edge.standing}" for edge in one.requires)
    yield from (f"{_SIGNS[way.fired]} starts {_way(way)}: {way.standing}" for way in one.triggers)
    yield from one.conditions
    yield from one.facts
    yield from (f"waits for {what}" for what in one.waits_for)
    leaves = [leaf for leaf in one.variants.values() if all_variants or leaf.status not in _QUIET]
    shown = leaves if all_variants else leaves[:MAX_VARIANTS]
    for leaf in shown:
        yield f"{leaf.name}: {leaf.status}"
        if not leaf.why.startswith("started: "):
            yield f"  {leaf.why}"
        yield from (f"  {fact}" for fact in leaf.facts)
        yield from (f"  waits for {what}" for what in leaf.waits_for)
    if len(leaves) > len(shown):
        yield f"and {len(leaves) - len(shown)} more variants"


def _sign(edge: Edge) -> str:
    return "○" if edge.off_path else _SIGNS[edge.met]


def _wish(edge: Edge) -> str:
    return f"'{edge.job}'{CONDITION_WORDS[edge.condition].behind_name}"


def _way(way: Way) -> str:
    return trigger_words(Trigger(job=way.job, on=way.on))
