"""Nodes of compiled plans by the kind that they must have."""

from orchestrator.plan.model import ContainerNode, Plan


def container(plan: Plan, name: str) -> ContainerNode:
    """The container job `name`."""
    node = plan.jobs[name]
    assert isinstance(node, ContainerNode), f"{name} is a {node.kind}"
    return node
