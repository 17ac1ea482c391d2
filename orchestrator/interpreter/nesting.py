"""Which workflows are nested in which. Pure."""

from collections.abc import Iterator, Mapping

from orchestrator.plan.model import Plan, WorkflowNode


def reached(plan: Plan, known: Mapping[str, Plan]) -> dict[str, Plan]:
    """The workflows that are nested in `plan`, at any depth, out of those that the run knows."""
    found: dict[str, Plan] = {}
    left = list(_named(plan))
    while left:
        key = left.pop(0)
        if key not in found:
            found[key] = known[key]
            left.extend(_named(known[key]))
    return found


def _named(plan: Plan) -> Iterator[str]:
    return (node.workflow for node in plan.jobs.values() if isinstance(node, WorkflowNode))
