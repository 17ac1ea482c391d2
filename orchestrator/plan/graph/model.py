"""What is drawn of a plan: nodes, edges and their words, the same for every format. No syntax here."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.plan.kinds import service_names, trigger_at_edge, what_runs
from orchestrator.plan.model import GateNode, Node, Plan
from orchestrator.plan.phrases import bare, count, lasting, one_line, shortened
from orchestrator.plan.wording import condition_words, facts, variants_count, when_finalizing

FINALLY: Final = "when everything else is done"
"""What stands above the finalizers."""

_MAX_NAME: Final = 40
_MAX_LINE: Final = 44
"""Characters of a line in a node; the whole is in its facts."""
MAX_LABEL: Final = 60
"""Characters at an arrow."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job of a run stands."""

    status: str
    """A state of `contract.messages.JobStatus`."""
    summary: str | None = None
    """`4/6 passed` where there are variants."""


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One job."""

    name: str
    lines: tuple[str, ...]
    """What is shown, a line each: the name first. Bounded."""
    facts: tuple[str, ...]
    """What a tooltip tells, a line each."""
    repeated: bool
    """Whether it has variants."""
    finalizer: bool
    status: str | None = None
    """In a run: how it stands."""


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """`target` waits for `source`."""

    source: str
    target: str
    label: str
    """The condition, where it is not success; of a transition what makes it fire. Bounded."""
    dashed: bool
    """Whether it only orders: `target` starts however `source` ended."""
    critical: bool
    """Whether it lies on the longest chain."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole plan, or a run of it."""

    title: str
    subtitle: str
    nodes: tuple[GraphNode, ...]
    """In the order of the spec."""
    edges: tuple[GraphEdge, ...]
    levels: tuple[tuple[str, ...], ...]
    """Every edge leads from one level to a later one; finalizers stand in the last ones, alone."""

    @property
    def finalizers(self) -> tuple[GraphNode, ...]:
        """The jobs that stand apart, in order."""
        return tuple(node for node in self.nodes if node.finalizer)


def graph_of(
    plan: Plan,
    *,
    run: str | None = None,
    run_status: str = "",
    standings: Mapping[str, Standing] | None = None,
) -> Graph:
    """The graph of a plan.

    Args:
        plan: the plan.
        run: the id of the run that is shown, if it is one.
        run_status: how that run stands.
        standings: how its jobs stand.
    """
    known = standings or {}
    size = f"{count(len(plan.jobs), 'job')} in {count(len(plan.levels), 'level')}"
    subtitle = f"{plan.spec}: {run_status}, {size}" if run else one_line(plan.description) or size
    return Graph(
        title=run or plan.spec,
        subtitle=shortened(subtitle, 120),
        nodes=tuple(_node(node, known.get(name), plan.workflows) for name, node in plan.jobs.items()),
        edges=_edges(plan),
        levels=plan.levels,
    )


def _node(node: Node, standing: Standing | None, nested: Mapping[str, Plan]) -> GraphNode:
    lines = [shortened(one_line(node.name), _MAX_NAME), shortened(what_runs(node), _MAX_LINE)]
    if standing is None:
        variants = variants_count(node)
        lines += [variants] if variants else []
        if names := service_names(node):
            lines.append(shortened(f"with {', '.join(names)}", _MAX_LINE))
        if node.finalizer and not node.requires and not node.triggers and node.on_complete != "always":
            lines.append(when_finalizing(node))
        for key, text in (("if", node.condition), ("unless", node.unless)):
            lines += [] if text is None else [shortened(f"{key} {bare(text)}", _MAX_LINE)]
    else:
        lines.append(standing.status + (f", {standing.summary}" if standing.summary else ""))
    return GraphNode(
        name=node.name,
        lines=tuple(lines),
        facts=(f"{node.name} ({node.kind})", *([lines[-1]] if standing else []), *facts(node, nested)),
        repeated=node.strategy is not None or bool(node.variants),
        finalizer=node.finalizer,
        status=standing.status if standing else None,
    )


def _edges(plan: Plan) -> tuple[GraphEdge, ...]:
    path = plan.critical_path
    critical = dict.fromkeys(itertools.pairwise(path))
    edges: list[GraphEdge] = []
    for name, node in plan.jobs.items():
        labels: dict[str, dict[str, None]] = {}
        for edge in node.requires:
            word = condition_words(node, edge).at_edge
            labels.setdefault(edge.job, {})[word] = None
        for trigger in node.triggers:
            labels.setdefault(trigger.job, {})[trigger_at_edge(plan, trigger, name)] = None
        dashed = [source for source, words in labels.items() if list(words) == ["always"]]
        if (reminder := _reminder(plan, node)) is not None:
            labels[node.reminds] = {reminder: None}
            dashed.append(node.reminds)
        for source, words in labels.items():
            edges.append(
                GraphEdge(
                    source=source,
                    target=name,
                    label=shortened(_label(list(words)), MAX_LABEL),
                    dashed=source in dashed,
                    critical=(source, name) in critical,
                )
            )
    return tuple(edges)


def _label(words: Sequence[str]) -> str:
    """Several words at one arrow: requirements all hold, and transitions are alternatives, told in their order."""
    return " and ".join(word or "success" for word in words) if any(words) else ""


def _reminder(plan: Plan, node: Node) -> str | None:
    """What stands at the arrow from a gate to the job that reminds of it, where that stands further on."""
    gate = plan.jobs.get(node.reminds)
    if not isinstance(gate, GateNode) or gate.remind_every is None:
        return None
    level = {name: number for number, names in enumerate(plan.levels) for name in names}
    if level.get(node.name, 0) <= level.get(gate.name, 0):
        return None
    return f"every {lasting(gate.remind_every)} while open"
