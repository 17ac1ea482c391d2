"""What a job runs with, as one short text: two attempts in which it is the same would do the same. Pure.

What counts is what reaches the container, the function or the nested workflow once every `${{ }}` is evaluated. How
often, how long and where it is tried does not: `retry`, `timeout`, `resources`, `pull`. Nor does what belongs to one
attempt alone: its number, its times, how the run stands.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from orchestrator.contract.messages import NestedFiles, RunRequest
from orchestrator.errors import ExpressionError, UsageError
from orchestrator.expressions import ALIASES, Hole, explain, segments
from orchestrator.interpreter.arguments import call_request, evaluate_arguments
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.nesting import reached
from orchestrator.interpreter.requests import container_request, evaluate_json, plain, scope
from orchestrator.interpreter.service_requests import own_scope, shared_scope, start_request
from orchestrator.interpreter.state import RunState
from orchestrator.plan.fingerprint import digest
from orchestrator.plan.model import CallNode, ContainerNode, Node, WaitNode, WorkflowNode
from orchestrator.plan.params import bind_params
from orchestrator.plan.parts import Json
from orchestrator.plan.service_model import Service

FORMAT = 1
"""Raised when fingerprints of earlier versions must match no more.

What is taken over is decided by comparing, also when a run is replayed: another way to count needs `workflow.patched`.
"""
LENGTH = 20
"""Hex digits: a record holds a thousand of them."""

_CONTAINER = {
    "image", "commands", "env", "shell", "working_dir", "user", "entrypoint", "artifacts", "networks",
}  # fmt: skip
_CALL = {"function", "arguments", "params", "outputs", "vars"}
_SERVICE = {"name", "image", "env", "command", "entrypoint", "tmpfs"}


def fingerprint(leaf: JobState, request: RunRequest, state: RunState) -> str:
    """The fingerprint of a job or variant with the values of this moment.

    Empty for a kind of job that is never taken over, and where its values cannot be worked out before its services
    run: it matches nothing then.
    """
    # Where services are to be found is for each try to learn.
    leaf = replace(leaf, addresses={})
    try:
        parts = _parts(leaf.node, leaf, request, state.timeless())
    except (ExpressionError, UsageError):
        return ""
    if parts is None:
        return ""
    text = json.dumps([FORMAT, leaf.node.kind, plain(parts)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _parts(node: Node, leaf: JobState, request: RunRequest, state: RunState) -> dict[str, Json] | None:
    match node:
        case ContainerNode():
            parts = _container(node, leaf, request, state)
        case CallNode():
            asked = call_request(node, leaf, request, state, try_number=1)
            parts = asked.model_dump(mode="json", include=_CALL)
        case WaitNode():
            until = node.duration if node.until is None else node.until
            parts = {"wait": evaluate_json(until, request, state, where="`wait`", leaf=leaf)}
            parts["absolute"] = node.until is not None
        case WorkflowNode():
            parts = _nested(node, leaf, request, state)
        case _:
            return None
    return {**parts, "results": _results(node, leaf, request, state)}


def _container(node: ContainerNode, leaf: JobState, request: RunRequest, state: RunState) -> dict[str, Json]:
    asked = container_request(node, leaf, request, state, try_number=1)
    shared = [service for service in state.plan.services if service.name in node.shared_services]
    return {
        **asked.model_dump(mode="json", include=_CONTAINER),
        "workspace": asked.workspace and (request.workspace_mark or asked.workspace),
        "restored": [[ref.path, ref.sha256] for ref in asked.restore],
        "network": node.network,
        "services": _services(node.services, leaf, request, state),
        "shared": _services(shared, None, request, state),
    }


def _services(
    services: Sequence[Service], leaf: JobState | None, request: RunRequest, state: RunState
) -> list[Json]:
    if not services:
        return []
    of = own_scope(leaf, request, state, try_number=1) if leaf else shared_scope(request, state, number=1)
    asked = start_request(of, services, request, state, leaf=leaf)
    return [service.model_dump(mode="json", include=_SERVICE) for service in asked.services]


def _nested(node: WorkflowNode, leaf: JobState, request: RunRequest, state: RunState) -> dict[str, Json]:
    plan = request.plan.workflows[node.workflow]
    given = evaluate_arguments(node.arguments, leaf, request, state, try_number=1)
    below = reached(plan, request.plan.workflows)
    own = NestedFiles(
        workspace=request.workspace, workspace_mark=request.workspace_mark, file_hashes=request.file_hashes
    )
    return {
        "below": {key: digest(found) for key, found in below.items()},
        "plan": digest(plan),
        "params": bind_params(plan.params, given),
        "git": dict(request.git),
        "files": {key: _files(request.nested.get(key, own)) for key in (node.workflow, *below)},
    }


def _files(found: NestedFiles) -> dict[str, Json]:
    return {
        "workspace": found.workspace and (found.workspace_mark or found.workspace),
        "hashes": dict(found.file_hashes),
    }


def _results(node: Node, leaf: JobState, request: RunRequest, state: RunState) -> dict[str, Json]:
    """What its outputs are made of, beside what it writes itself."""
    contexts = scope(request, state, leaf=leaf, try_number=1) if node.outputs else {}
    read = {
        name: plain(value)
        for template in node.outputs.values()
        for source in _sources(template)
        for name, value in _read(source, contexts, own=node.name)
    }
    return {"outputs": dict(node.outputs), "required": list(node.required_outputs), "read": read}


def _sources(template: str) -> Iterator[str]:
    return (part.source for part in segments(template) if isinstance(part, Hole))


def _read(source: str, contexts: Mapping[str, Json], *, own: str) -> Iterator[tuple[str, Json]]:
    mine = tuple(
        f"{jobs}{rest}"
        for jobs in ("jobs", *(alias for alias, name in ALIASES.items() if name == "jobs"))
        for rest in (f".{own}", f"['{own}']")
    )
    return ((name, value) for name, value in explain(source, contexts) if not name.startswith(mine))
