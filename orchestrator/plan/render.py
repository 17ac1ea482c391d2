"""A plan as JSON and as text, for people and scripts to look at before a run. Pure; nothing is read back from it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from orchestrator.ids import variant_key
from orchestrator.plan.fingerprint import digest
from orchestrator.plan.kinds import MAX_NAMES, images_of, service_names
from orchestrator.plan.model import ContainerNode, Node, Plan, Variant, WorkflowNode
from orchestrator.plan.parts import Json
from orchestrator.plan.phrases import count, listed, one_line, shortened
from orchestrator.plan.reading import read_conditions
from orchestrator.plan.service_model import Service
from orchestrator.plan.wording import facts

WIDTH: Final = 100
"""Columns, where nobody says how wide the terminal is."""
MAX_JOBS: Final = 300
"""Jobs that the text tells one by one; the JSON has all."""
MAX_LEVEL_JOBS: Final = 60
"""The same for one level, so that a wide one does not hide those behind it."""
MAX_WORKFLOWS: Final = 20
"""Nested workflows that the text tells, one after the other."""
MAX_FACT: Final = 1000
"""Characters of one fact, such as the names of variants."""
NAME_COLUMN: Final = 28
"""Longer names get a line of their own."""


def plan_json(plan: Plan) -> dict[str, Json]:
    """What `orca plan -o json` prints. Scripts rely on its shape.

    A job has `dynamic` where its variants are known only when it starts, `if` and `unless` as the spec writes them,
    and with these `reads`: the values that they depend on; `triggers` where transitions or choices lead to it;
    `services` where it has any, and `network` where that is not the default; `workflow` where it runs one. The plan has
    `services` where jobs share any, and `workflows`, plans of the same shape, where it runs some.
    """
    found: dict[str, Json] = {
        "spec": plan.spec,
        "digest": digest(plan),
        "levels": [list(level) for level in plan.levels],
        "critical_path": list(plan.critical_path),
        "estimated_events": plan.estimated_events,
        "jobs": {name: _job_json(name, node) for name, node in plan.jobs.items()},
    }
    if plan.services:
        found["services"] = _services_json(plan.services)
    if plan.workflows:
        found["workflows"] = {key: plan_json(nested) for key, nested in plan.workflows.items()}
    return found


def _services_json(services: Sequence[Service]) -> dict[str, Json]:
    return {service.name: {"image": service.image} for service in services}


def _job_json(name: str, node: Node) -> dict[str, Json]:
    found: dict[str, Json] = {
        "kind": node.kind,
        "requires": [{"job": edge.job, "condition": edge.condition} for edge in node.requires],
        "variants": [
            {"name": variant_key(name, variant.name), "values": _values(variant)} for variant in node.variants
        ],
    }
    if is_dynamic(node):
        found["dynamic"] = True
    if node.triggers:
        found["triggers"] = [{"job": trigger.job, "on": trigger.on} for trigger in node.triggers]
    if isinstance(node, WorkflowNode):
        found["workflow"] = node.workflow
    if service_names(node):
        found["services"] = _found_services(node)
    if isinstance(node, ContainerNode) and node.network != "default":
        found["network"] = node.network
    if node.condition is not None:
        found["if"] = node.condition
    if node.unless is not None:
        found["unless"] = node.unless
    if node.condition is not None or node.unless is not None:
        found["reads"] = list(read_conditions(node).references)
    return found


def _found_services(node: Node) -> dict[str, Json]:
    if not isinstance(node, ContainerNode):
        return {}
    shared: dict[str, Json] = {name: {"shared": True} for name in node.shared_services}
    return _services_json(node.services) | shared


def _values(variant: Variant) -> dict[str, Json]:
    return variant.values or {"item": variant.item}


def is_dynamic(node: Node) -> bool:
    """Whether a job's variants are known only when it starts."""
    return node.strategy is not None and node.strategy.dynamic


def plan_text(plan: Plan, *, width: int = WIDTH) -> str:
    """What `orca plan` prints: level by level each job with what it does and waits for. Ends in a newline.

    Args:
        plan: the plan.
        width: columns; a word that is longer is not broken.
    """
    lines = list(_lines(plan, plan.workflows, max(width, 40)))
    for number, (key, nested) in enumerate(plan.workflows.items()):
        if number == MAX_WORKFLOWS:
            rest = count(len(plan.workflows) - number, "more workflow")
            lines += ["", f"and {rest}; 'orca plan -o json' has them all"]
            break
        lines += ["", f"workflow {key}"]
        # As it would be told by itself, further to the right.
        lines += [f"  {line}".rstrip() for line in _lines(nested, plan.workflows, max(width - 2, 40))]
    return "\n".join(lines) + "\n"


def _lines(plan: Plan, nested: Mapping[str, Plan], width: int) -> Iterator[str]:
    title = f"{plan.spec}: {one_line(plan.description)}" if plan.description else plan.spec
    yield from _wrapped(title, width)
    yield from _wrapped(_size(plan), width)
    chain = f"longest chain ({count(len(plan.critical_path), 'job')}): {_chain(plan.critical_path)}"
    yield from _wrapped(chain, width, "  ")
    if plan.services:
        yield from _wrapped(f"services that jobs share: {images_of(plan.services)}", width, "  ")
    if plan.vars:
        yield from _wrapped(f"variables: {listed(list(plan.vars), MAX_NAMES)}", width, "  ")
    column = max((len(name) for name in plan.jobs if len(name) <= NAME_COLUMN), default=0)
    told = 0
    for number, level in enumerate(plan.levels, start=1):
        left = min(MAX_JOBS - told, MAX_LEVEL_JOBS)
        if left <= 0:
            behind = sum(len(other) for other in plan.levels[number - 1 :])
            levels = count(len(plan.levels) - number + 1, "more level")
            yield ""
            yield from _wrapped(
                f"and {count(behind, 'job')} in {levels}; 'orca plan -o json' has them all", width
            )
            return
        yield ""
        yield _heading(plan, number, level)
        for name in level[:left]:
            yield from _job(plan.jobs[name], nested, column, width)
        told += min(len(level), left)
        if len(level) > left:
            rest = len(level) - left
            yield from _wrapped(
                f"  and {count(rest, 'more job')}; 'orca plan -o json' has them all", width, "  "
            )


def _size(plan: Plan) -> str:
    nodes = plan.jobs.values()
    repeated = [node for node in nodes if node.strategy is not None or node.variants]
    open_ended = any(is_dynamic(node) for node in nodes)
    jobs = f"{count(len(plan.jobs), 'job')} in {count(len(plan.levels), 'level')}"
    if repeated:
        variants = sum(len(node.variants) for node in repeated)
        more = " and those known only in the run" if open_ended else ""
        known = (
            f"with {count(variants, 'variant')}{more}" if variants else "with variants known only in the run"
        )
        jobs = f"{jobs}, {known}"
    about = "at least" if open_ended else "about"
    return f"{jobs}, {about} {plan.estimated_events:,} Temporal events without retries"


def _chain(names: Sequence[str]) -> str:
    if len(names) > 2 * MAX_NAMES:
        gap = f"({len(names) - 2 * MAX_NAMES:,} more)"
        names = [*names[:MAX_NAMES], gap, *names[-MAX_NAMES:]]
    return " -> ".join(names)


def _heading(plan: Plan, number: int, level: Sequence[str]) -> str:
    last = any(plan.jobs[name].finalizer for name in level)
    jobs = f" ({count(len(level), 'job')})" if len(level) > MAX_NAMES else ""
    return f"level {number}{', when everything else is done' if last else ''}{jobs}"


def _job(node: Node, nested: Mapping[str, Plan], column: int, width: int) -> Iterator[str]:
    indent = " " * (column + 4)
    lines = [
        line
        for fact in facts(node, nested)
        for line in _wrapped(shortened(fact, MAX_FACT), width - len(indent), "  ")
    ]
    if len(node.name) > column:
        yield f"  {node.name}"
    else:
        yield f"  {node.name:<{column}}  {lines.pop(0)}".rstrip()
    for line in lines:
        yield f"{indent}{line}"


def _wrapped(text: str, width: int, hanging: str = "") -> list[str]:
    lines = textwrap.wrap(
        text,
        max(width, 20),
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )
    return lines or [""]
