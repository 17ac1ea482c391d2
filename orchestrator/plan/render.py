"""A plan as JSON and as text, for people and scripts to look at before a run. Pure; nothing is read back from it."""

from collections.abc import Iterator

from orchestrator.plan.fingerprint import digest
from orchestrator.plan.model import Json, Node, Plan, Requirement


def plan_json(plan: Plan) -> dict[str, Json]:
    """What `orca plan -o json` prints. Scripts rely on its shape."""
    return {
        "spec": plan.spec,
        "digest": digest(plan),
        "levels": [list(level) for level in plan.levels],
        "critical_path": list(plan.critical_path),
        "estimated_events": plan.estimated_events,
        "jobs": {
            name: {
                "kind": node.kind,
                "requires": [{"job": edge.job, "condition": edge.condition} for edge in node.requires],
                "variants": [{"name": variant.name, "values": variant.values} for variant in node.variants],
            }
            for name, node in plan.jobs.items()
        },
    }


def plan_text(plan: Plan) -> str:
    """What `orca plan` prints: one line for each job, level by level, with what it waits for. Ends in a newline."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield plan.spec if not plan.description else f"{plan.spec}: {' '.join(plan.description.split())}"
    yield (
        f"{_count(len(plan.jobs), 'job')} in {_count(len(plan.levels), 'level')}, "
        f"about {plan.estimated_events} events without retries"
    )
    yield f"longest chain: {' -> '.join(plan.critical_path)}"
    width = min(max(len(name) for name in plan.jobs), 40)
    for number, level in enumerate(plan.levels, start=1):
        yield ""
        yield f"level {number}"
        for name in level:
            yield f"  {name:<{width}}  {'; '.join(_facts(plan.jobs[name]))}"


def _facts(node: Node) -> Iterator[str]:
    yield node.image
    if node.requires:
        yield "waits for " + ", ".join(_requirement(edge) for edge in node.requires)
        if node.on_complete == "failure":
            yield "only if one of them failed"
    elif node.finalizer:
        how = {"always": "always", "success": "if the run succeeded", "failure": "if the run failed"}
        yield f"when everything else is done, {how[node.on_complete]}"
    if node.condition is not None:
        yield f"if {_one_line(node.condition)}"
    if node.unless is not None:
        yield f"unless {_one_line(node.unless)}"
    if node.on_error == "continue":
        yield "may fail"
    if node.retry.max_attempts > 1:
        yield f"up to {node.retry.max_attempts} tries"
    if node.variants:
        yield _count(len(node.variants), "variant")


def _requirement(edge: Requirement) -> str:
    return f"{edge.job} ({edge.condition})"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
