"""Nodes of all kinds but containers, each from a job with its defaults and what all nodes have. No checks here."""

from collections.abc import Mapping
from typing import Any

from orchestrator.plan.model import (
    DEFAULT_STOP_GRACE,
    Branch,
    CallNode,
    ChoiceNode,
    GateField,
    GateNode,
    WaitNode,
    WorkflowNode,
)
from orchestrator.spec.kinds import BranchShape, GateFieldShape
from orchestrator.spec.model import JobShape

Shared = Mapping[str, Any]
"""What nodes of all kinds have, by the names of the node's fields."""


def gate_node(job: JobShape, shared: Shared) -> GateNode:
    """The node of a gate."""
    assert job.gate is not None
    gate = job.gate
    return GateNode(
        **shared,
        prompt=gate.prompt,
        fields=tuple(_field(name, field) for name, field in gate.fields_.items()),
        approvers=gate.approvers,
        min_approvals=gate.min_approvals,
        self_approval=gate.self_approval,
        limit=job.timeout if gate.timeout is None else gate.timeout,
        on_timeout=gate.on_timeout or "fail",
        remind_every=None if gate.reminder is None else gate.reminder.every,
        reminder="" if gate.reminder is None else gate.reminder.job,
    )


def _field(name: str, shape: GateFieldShape) -> GateField:
    return GateField(
        name=name,
        type=shape.type,
        label=shape.label,
        description=shape.description,
        required=shape.required,
        default=shape.default,
        has_default=shape.has_default,
        pattern=shape.pattern,
        options=shape.options or (),
    )


def wait_node(job: JobShape, shared: Shared) -> WaitNode:
    """The node of a wait."""
    assert job.wait is not None
    return WaitNode(**shared, duration=job.wait.for_, until=job.wait.until)


def choice_node(job: JobShape, shared: Shared) -> ChoiceNode:
    """The node of a choice."""
    return ChoiceNode(**shared, branches=tuple(map(_branch, job.choice or ())))


def _branch(shape: BranchShape) -> Branch:
    """A branch; its condition always is one whole `${{ }}`, so that whoever looks for expressions finds it."""
    when = None if shape.when is None else shape.when.strip()
    if when is not None and "${{" not in when:
        when = f"${{{{ {when} }}}}"
    return Branch(when=when, then=shape.targets)


def call_node(job: JobShape, shared: Shared) -> CallNode:
    """The node of a call."""
    return CallNode(
        **shared,
        function=job.call or "",
        arguments=job.with_,
        stop_grace=DEFAULT_STOP_GRACE if job.stop_grace is None else job.stop_grace,
    )


def workflow_node(job: JobShape, path: str, shared: Shared) -> WorkflowNode:
    """The node of a nested workflow, which stands at `path` in `Plan.workflows`."""
    return WorkflowNode(**shared, workflow=path, arguments=job.with_, limit=job.timeout)
