"""Short ways to all kinds of jobs but containers, and to transitions, for tests of the interpreter; see `plans`."""

from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from orchestrator.contract.names import REFUSED_ERROR, UPDATE_ANSWER, UPDATE_PAUSE, UPDATE_REPAIR
from orchestrator.contract.people import Answer, AnswerReply, Pause, Repair, Reply
from orchestrator.plan.model import (
    Branch,
    CallNode,
    ChoiceNode,
    GateField,
    GateNode,
    Strategy,
    Trigger,
    WaitNode,
    WorkflowNode,
)
from orchestrator.plan.parts import Requirement
from orchestrator.plan.variants import MAX_VARIANTS, expand_items


def gate(name: str, *requires: str | Requirement, items: list[Any] | None = None, **fields: Any) -> GateNode:
    """A gate; `items` make it a job with variants; `form` are its fields as mappings."""
    form = tuple(GateField.model_validate(field) for field in fields.pop("form", ()))
    usual: dict[str, Any] = {"prompt": f"Go on with {name}?", "fields": form}
    if items is not None:
        usual |= {"strategy": Strategy(), "variants": expand_items(items, limit=MAX_VARIANTS)}
    return GateNode.model_validate({"name": name, "requires": edges(requires), **usual, **fields})


def wait(name: str, *requires: str | Requirement, **fields: Any) -> WaitNode:
    return WaitNode.model_validate({"name": name, "requires": edges(requires), **fields})


def choice(
    name: str, *branches: tuple[str | None, str], requires: tuple[str, ...] = (), **fields: Any
) -> ChoiceNode:
    """Branches are pairs: a condition, None for the default, and the names of its jobs, with blanks between."""
    made = tuple(Branch(when=when, then=tuple(then.split())) for when, then in branches)
    return ChoiceNode.model_validate({"name": name, "requires": edges(requires), "branches": made, **fields})


def call(
    name: str, function: str, *requires: str | Requirement, items: list[Any] | None = None, **fields: Any
) -> CallNode:
    """A call; `given` is its `with`, `items` make it a job with variants."""
    usual = {"function": function, "arguments": fields.pop("given", {}), **_listed(items)}
    return CallNode.model_validate({"name": name, "requires": edges(requires), **usual, **fields})


def nested(
    name: str, path: str, *requires: str | Requirement, items: list[Any] | None = None, **fields: Any
) -> WorkflowNode:
    """A nested workflow; `given` is its `with`, `items` make it a job with variants."""
    usual = {"workflow": path, "arguments": fields.pop("given", {}), **_listed(items)}
    return WorkflowNode.model_validate({"name": name, "requires": edges(requires), **usual, **fields})


def _listed(items: list[Any] | None) -> dict[str, Any]:
    if items is None:
        return {}
    return {"strategy": Strategy(), "variants": expand_items(items, limit=MAX_VARIANTS)}


def ways(*texts: str) -> tuple[Trigger, ...]:
    """Triggers from texts such as `deploy failure` or `route chosen`."""
    pairs = (text.split() for text in texts)
    return tuple(Trigger.model_validate({"job": job, "on": on}) for job, on in pairs)


def edges(requires: tuple[str | Requirement, ...]) -> tuple[Requirement, ...]:
    return tuple(Requirement(job=edge) if isinstance(edge, str) else edge for edge in requires)


async def answer(client: Client, run: str, name: str, by: str = "ann", **fields: Any) -> AnswerReply:
    """Approve a gate, or what `decision` says."""
    said = Answer.model_validate({"gate": name, "by": by, **fields})
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(run)
    return await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
        UPDATE_ANSWER, said, result_type=AnswerReply
    )


async def repair(client: Client, run: str, name: str, action: str, **fields: Any) -> str:
    said = Repair.model_validate({"job": name, "action": action, "by": "ann", **fields})
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(run)
    reply = await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
        UPDATE_REPAIR, said, result_type=Reply
    )
    return reply.message


async def pause(client: Client, run: str, *, paused: bool = True, **fields: Any) -> str:
    said = Pause.model_validate({"paused": paused, "by": "ann", **fields})
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(run)
    reply = await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
        UPDATE_PAUSE, said, result_type=Reply
    )
    return reply.message


def why_refused(error: WorkflowUpdateFailedError) -> str:
    """What a refused update says."""
    assert isinstance(error.cause, ApplicationError)
    assert error.cause.type == REFUSED_ERROR
    return error.cause.message
