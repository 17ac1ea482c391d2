"""How each kind of job reads in a plan: what it is in a word or two, and what is particular to it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from orchestrator.plan.model import (
    Branch,
    CallNode,
    ChoiceNode,
    ContainerNode,
    GateField,
    GateNode,
    Node,
    Plan,
    Trigger,
    WaitNode,
    WorkflowNode,
)
from orchestrator.plan.parts import Json
from orchestrator.plan.phrases import bare, count, lasting, listed, one_line, shortened
from orchestrator.plan.service_model import Service

MAX_NAMES: Final = 12
"""Names in one list: jobs that are waited for, variants, fields."""
MAX_EXPRESSION: Final = 200
"""Characters that are shown of one expression."""

_ANSWERS: Final = {"approve": "approved", "reject": "rejected", "fail": "failed"}
AT_EDGE: Final = {
    "success": "on success",
    "failure": "on failure",
    "complete": "when it ends",
    "chosen": "if chosen",
}
"""What stands at a transition's arrow, where a choice's own words have no room."""


def what_runs(node: Node) -> str:
    """What a job is, in a few words: the image of a container, the question of a gate."""
    match node:
        case ContainerNode():
            return one_line(node.image)
        case GateNode():
            return f"asks: {one_line(node.prompt)}"
        case WaitNode():
            return waits(node)
        case ChoiceNode():
            return (
                f"chooses among {count(len(node.branches), 'way')}" if len(node.branches) > 1 else "chooses"
            )
        case CallNode():
            return f"calls {one_line(node.function)}"
        case WorkflowNode():
            return f"runs {one_line(node.workflow)}"
        case _:
            assert_never(node)


def waits(node: WaitNode) -> str:
    """`waits 5 m`, `waits for params.pause`, `waits until params.start`."""
    if node.until is not None:
        return f"waits until {bare(node.until)}"
    if isinstance(node.duration, str):
        return f"waits for {bare(node.duration)}"
    return f"waits {lasting(node.duration or 0)}"


def particulars(node: Node, nested: Mapping[str, Plan]) -> Iterator[str]:
    """What is to be told of a job of its kind, a line each; `nested` are the plans that nested workflows run."""
    match node:
        case ContainerNode():
            yield from _beside(node)
        case GateNode():
            yield from _gate(node)
        case ChoiceNode():
            for branch in node.branches:
                yield f"{branch_words(branch)}: {listed(branch.then, MAX_NAMES) or 'nothing'}"
        case CallNode():
            yield from _given(node.arguments)
        case WorkflowNode():
            yield from _given(node.arguments)
            if (plan := nested.get(node.workflow)) is not None:
                size = f"{count(len(plan.jobs), 'job')} in {count(len(plan.levels), 'level')}"
                yield f"a workflow of its own: {one_line(plan.spec)}, {size}"
            if node.limit is not None:
                yield f"for at most {lasting(node.limit)}"
        case WaitNode():
            return
        case _:
            assert_never(node)


def branch_words(branch: Branch) -> str:
    """`when params.x == 'a'`, or `default`."""
    return "default" if branch.when is None else f"when {shortened(bare(branch.when), MAX_EXPRESSION)}"


def _given(arguments: Mapping[str, Json]) -> Iterator[str]:
    if arguments:
        yield f"with {listed(list(arguments), MAX_NAMES)}"


def _gate(node: GateNode) -> Iterator[str]:
    who = _approvers(node)
    many = f"{node.min_approvals} of them must approve" if node.min_approvals > 1 else ""
    own = "" if node.self_approval else "not who started the run"
    yield "; ".join(part for part in (who, many, own) if part)
    if node.fields:
        yield f"fields: {listed([_field(field) for field in node.fields], MAX_NAMES)}"
    if node.limit is not None:
        yield f"open for {lasting(node.limit)}, then {_ANSWERS[node.on_timeout]}"
    if node.reminder and node.remind_every is not None:
        yield f"runs {node.reminder} every {lasting(node.remind_every)} while it is open"


def _approvers(node: GateNode) -> str:
    if isinstance(node.approvers, str):
        return f"answered by those in {shortened(bare(node.approvers), MAX_EXPRESSION)}"
    names = [bare(name) for name in node.approvers]
    return f"answered by {listed(names, MAX_NAMES)}" if names else "answered by anyone"


def _field(field: GateField) -> str:
    parts = [field.type.replace("_", " ")]
    if field.options:
        options = field.options
        shown = [bare(options)] if isinstance(options, str) else [_plain(option) for option in options]
        parts.append(f"one of {listed(shown, 6)}" if field.type == "select" else f"of {listed(shown, 6)}")
    parts += ["required"] if field.required else []
    parts += [f"default {_plain(field.default)}"] if field.has_default else []
    return f"{field.name} ({', '.join(parts)})"


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return shortened(bare(value) if isinstance(value, str) else one_line(str(value)), 60)


def started_by(triggers: tuple[Trigger, ...]) -> Iterator[str]:
    """`starts when build fails`; several are told as alternatives."""
    if triggers:
        yield f"starts {listed([trigger_words(trigger) for trigger in triggers], MAX_NAMES, between=', or ')}"


def trigger_words(trigger: Trigger) -> str:
    """`when build fails`."""
    match trigger.on:
        case "success":
            return f"when {trigger.job} succeeds"
        case "failure":
            return f"when {trigger.job} fails"
        case "complete":
            return f"when {trigger.job} ends"
        case "chosen":
            return f"when {trigger.job} chooses it"
        case _:
            assert_never(trigger.on)


def trigger_at_edge(plan: Plan, trigger: Trigger, target: str) -> str:
    """What stands at the arrow of a transition: `on failure`, `when params.x == 'a'`, `default`."""
    if trigger.on != "chosen":
        return AT_EDGE[trigger.on]
    choice = plan.jobs.get(trigger.job)
    if not isinstance(choice, ChoiceNode):
        return AT_EDGE["chosen"]
    words = [branch_words(branch) for branch in choice.branches if target in branch.then]
    return " or ".join(dict.fromkeys(words)) or AT_EDGE["chosen"]


def service_names(node: Node) -> tuple[str, ...]:
    """The services that a job finds, by name: its own, then those that it shares."""
    if not isinstance(node, ContainerNode):
        return ()
    return (*(service.name for service in node.services), *node.shared_services)


def images_of(services: tuple[Service, ...]) -> str:
    """`postgres (postgres:15), redis (redis:7)`."""
    shown = [f"{service.name} ({shortened(one_line(service.image), MAX_EXPRESSION)})" for service in services]
    return listed(shown, MAX_NAMES)


def _beside(node: ContainerNode) -> Iterator[str]:
    """The services of a job, and its network where that is not the usual one."""
    if node.services:
        yield f"with {images_of(node.services)}"
    if node.shared_services:
        yield f"shares {listed(node.shared_services, MAX_NAMES)}"
    if node.network == "none":
        yield "without a network"
    elif node.network == "internal":
        reach = "its services alone" if service_names(node) else "nothing outside"
        yield f"reaches {reach} (network: internal)"
