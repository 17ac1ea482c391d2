"""The rules about the variables of a run: that they are declared, and that the last writer is always the same one."""

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import Final

from orchestrator.compile.ancestry import ancestor_pairs
from orchestrator.compile.draft import Draft
from orchestrator.compile.graph import Graph
from orchestrator.spec.diagnostics import Diagnostic

_MAX_WRITERS: Final = 100
"""Jobs that publish one variable of which every two are compared."""
_MAX_FACTS: Final = 200
"""What is remembered for one job, so that a long chain of transitions costs no more than its length."""

Facts = Mapping[str, frozenset[str]]
"""For jobs the ways out of them of which one must have been taken."""


def publishing(draft: Draft) -> Iterator[Diagnostic]:
    """What a job publishes is declared, and of two that publish one variable it is known which is later."""
    declared = tuple(draft.spec.vars)
    writers: dict[str, list[str]] = {}
    for name, job in draft.spec.jobs.items():
        for variable in job.publish:
            if variable in draft.spec.vars:
                writers.setdefault(variable, []).append(name)
                continue
            message = f"job '{name}' publishes '{variable}', which is not among the workflow's 'vars'"
            suggestion = draft.suggester.closest(variable, declared)
            yield draft.at_key("E214", ("jobs", name, "publish", variable), message, suggestion=suggestion)
    graph = draft.graph
    rank = {name: number for number, name in enumerate(graph.order)}
    pairs = [(variable, *pair) for variable, names in writers.items() for pair in _pairs(names, rank)]
    if not pairs:
        return
    asked = [pair for _, one, other in pairs for pair in ((one, other), (other, one))]
    ordered = ancestor_pairs(graph.order, graph.waits_for, asked)
    facts: Mapping[str, Facts] | None = None
    told: dict[tuple[str, str], None] = {}
    for variable, one, other in pairs:
        apart = (one in graph.final) != (other in graph.final)
        if (
            apart
            or (one, other) in ordered
            or (other, one) in ordered
            or one not in rank
            or other not in rank
        ):
            continue
        facts = facts or _facts(graph)
        if _exclude(facts[one], facts[other]) or (variable, other) in told:
            continue
        told[variable, other] = None
        message = (
            f"jobs '{one}' and '{other}' both publish '{variable}', and neither waits for the other, so nobody knows "
            "which value stays; let one wait for the other, or publish two variables"
        )
        yield draft.at_key("E131", ("jobs", other, "publish", variable), message)


def _pairs(names: list[str], rank: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Two writers each; of very many only neighbours, among which there is a pair without order if there is any."""
    if len(names) > _MAX_WRITERS:
        in_order = sorted(names, key=lambda name: rank.get(name, -1))
        yield from pairwise(in_order)
    else:
        yield from combinations(names, 2)


def _exclude(one: Facts, other: Facts) -> bool:
    """Whether two jobs never run in the same run, as some job would have had to go two ways."""
    return any(job in other and not outs & other[job] for job, outs in one.items())


def _facts(graph: Graph) -> dict[str, Facts]:
    """For each job what must have been the case for it to run, as far as transitions and choices tell.

    One of its ways was gone, and of what it requires at least one lay on a path that was taken.
    """
    found: dict[str, Facts] = {}
    for name in graph.order:
        ways = [
            _both(found[way.job], {way.job: frozenset({f"{way.on} {way.branch}"})})
            if way.on != "complete"
            else found[way.job]
            for way in graph.ways.get(name, ())
        ]
        asked = [found[edge.job] for edge in graph.edges[name] if edge.condition in ("success", "failure")]
        every = _both(_one_of(ways), _one_of(asked))
        found[name] = dict(list(every.items())[-_MAX_FACTS:]) if len(every) > _MAX_FACTS else every
    return found


def _both(one: Facts, other: Facts) -> Facts:
    """What holds where both hold."""
    shared = {job: outs & other[job] for job, outs in one.items() if job in other}
    return {**one, **other, **shared}


def _one_of(alternatives: list[Facts]) -> Facts:
    """What holds where at least one of them does."""
    if not alternatives:
        return {}
    first, *others = alternatives
    found = dict(first)
    for facts in others:
        found = {job: outs | facts[job] for job, outs in found.items() if job in facts}
    return found
