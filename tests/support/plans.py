"""Short ways to plans and states for tests of the interpreter. Not a copy of the compiler: nothing is checked here."""

from typing import Any

from orchestrator.contract.messages import RunRequest
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import ContainerNode, Node, Plan, Strategy, Variant
from orchestrator.plan.parts import Requirement
from orchestrator.plan.variants import MAX_VARIANTS, expand_items, expand_matrix


def job(name: str, *requires: str | Requirement, **fields: Any) -> ContainerNode:
    """A container job; plain names are required with success."""
    edges = tuple(Requirement(job=edge) if isinstance(edge, str) else edge for edge in requires)
    usual: dict[str, Any] = {"name": name, "image": "alpine:latest", "requires": edges}
    return ContainerNode.model_validate(usual | fields)


def plan(*jobs: Node, **fields: Any) -> Plan:
    """A plan of these jobs, in this order."""
    names = tuple(node.name for node in jobs)
    usual: dict[str, Any] = {
        "spec": "test",
        "jobs": {node.name: node for node in jobs},
        "order": names,
        "levels": (names,),
        "critical_path": (),
        "estimated_events": 0,
    }
    return Plan.model_validate(usual | fields)


def state(of: Plan) -> RunState:
    """A run of that plan that has just begun."""
    return RunState(of, "test-abcd2345", 1, "2026-01-31T12:00:00.000Z")


def request(of: Plan, **fields: Any) -> RunRequest:
    """The interpreter's input for that plan."""
    usual: dict[str, Any] = {
        "run_id": "test-abcd2345",
        "plan": of,
        "plan_digest": "d" * 64,
        "created_at": "2026-01-31T12:00:00.000Z",
        "task_queue": "orca",
    }
    return RunRequest.model_validate(usual | fields)


def matrix(name: str, axes: dict[str, list[Any]], *requires: str, **fields: Any) -> ContainerNode:
    """A job with a static matrix; `max_parallel` and `fail_fast` go into its strategy."""
    return _repeated(name, expand_matrix(axes, limit=MAX_VARIANTS), requires, fields)


def for_each(name: str, items: Any, *requires: str, **fields: Any) -> ContainerNode:
    """A job with a static list; `batch_size`, `max_parallel` and `fail_fast` go into its strategy."""
    return _repeated(name, expand_items(items, limit=MAX_VARIANTS), requires, fields)


def _repeated(
    name: str, variants: tuple[Variant, ...], requires: tuple[str, ...], fields: dict[str, Any]
) -> ContainerNode:
    options = {key: fields.pop(key) for key in ("batch_size", "max_parallel", "fail_fast") if key in fields}
    return job(name, *requires, strategy=Strategy(**options), variants=variants, **fields)


def without_gaps(table: str) -> str:
    """A run's table without the room between its columns."""
    return table.replace("\N{NO-BREAK SPACE} |", " |")
