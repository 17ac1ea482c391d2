"""From pydantic's findings to sentences for people. None of pydantic's own wording gets past this module."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.spec import shapes
from orchestrator.spec.diagnostics import Suggester
from orchestrator.spec.kinds import BranchShape, GateFieldShape, GateShape, ReminderShape, WaitShape
from orchestrator.spec.model import (
    LATER,
    DefaultsShape,
    HealthCheckShape,
    HttpShape,
    JobShape,
    ParamShape,
    ReadyShape,
    RequirementShape,
    ResourcesShape,
    RetryShape,
    ServiceShape,
    Shape,
    Spec,
)
from orchestrator.spec.places import Path

_WISHES: Final[Mapping[str, str]] = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "union_tag_not_found": "must be a list of names, or a mapping of names to expressions",
    "string_too_short": "must not be empty",
}
_VARIANT: Final = re.compile(r"\b(?:matrix|item)\b", re.IGNORECASE)
_LIKE_IN_ALL_VARIANTS: Final = (
    "on_error",
    "idempotent",
    "timeout",
    "retry",
    "resources",
    "pull",
    "stop_grace",
)
"""Keys of a job whose value some languages let differ from variant to variant, as GitHub does `continue-on-error`."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with the value, or key, at `path`."""

    code: str
    path: Path
    message: str
    at_key: bool = False
    """The key is meant, not its value."""
    suggestion: str | None = None


def path_of(error: Mapping[str, Any]) -> Path:
    """Where in the data the error is: its location without the marks that unions and keys leave there."""
    return tuple(
        step
        for step in error["loc"]
        if not (isinstance(step, str) and (step.startswith("\0") or step == "[key]"))
    )


def finding(error: Mapping[str, Any], suggester: Suggester) -> Finding:
    """The sentence for one of pydantic's errors (an item of `ValidationError.errors()`)."""
    kind, path = str(error["type"]), path_of(error)
    at_key = "[key]" in error["loc"]
    context: Mapping[str, Any] = error.get("ctx") or {}
    if kind == "extra_forbidden":
        return _unknown_key(path, suggester)
    if kind == "missing":
        return Finding("E104", path[:-1], f"{_owner(path[:-1])} has no '{path[-1]}', which must be there")
    if kind == shapes.WRONG:
        choices: Sequence[str] = context["choices"]
        found = "" if context["complete"] else _found(error["input"], path)
        return Finding(
            "E102",
            path,
            f"{_subject(path)} {context['wish']}{found}",
            at_key=at_key,
            suggestion=_near(error["input"], choices, suggester) or _matrix_key(path),
        )
    if kind == "literal_error":
        words = [
            word.strip().strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(",")
        ]
        wish = f"must be {shapes.one_of_words(words)}"
        suggestion = _near(error["input"], words, suggester)
        return Finding(
            "E102", path, f"{_subject(path)} {wish}{_found(error['input'], path)}", suggestion=suggestion
        )
    wish = _WISHES.get(kind) or _bound(kind, context)
    found = _found(error["input"], path)
    if kind == "string_type" and isinstance(error["input"], dict):
        found += "; where text holds ': ', put all of it in quotes"
    return Finding("E102", path, f"{_subject(path)} {wish}{found}", at_key=at_key)


def _bound(kind: str, context: Mapping[str, Any]) -> str:
    bounds = {
        "greater_than_equal": ("at least", "ge"),
        "less_than_equal": ("at most", "le"),
        "greater_than": ("more than", "gt"),
        "less_than": ("less than", "lt"),
    }
    if kind not in bounds:
        return "has a value that is not possible here"
    words, key = bounds[kind]
    return f"must be {words} {context[key]}"


def _matrix_key(path: Path) -> str | None:
    """A key of a matrix that GitHub spells otherwise, and that so looks like an axis."""
    in_matrix = len(path) == 4 and path[0] == "jobs" and path[2] == "matrix"
    return OTHER_WORDS.get(str(path[3])) if in_matrix else None


def _near(value: object, choices: Sequence[str], suggester: Suggester) -> str | None:
    return suggester.closest(value, choices) if isinstance(value, str) and choices else None


def _found(value: object, path: Path) -> str:
    """`, not 'abc'`: what stands there instead, with what may help."""
    if value is None:
        return ", but nothing is written there"
    if isinstance(value, dict):
        return ", not a mapping"
    if isinstance(value, list | tuple):
        return ", not a list"
    if isinstance(value, str):
        shown = ", not '" + (value if len(value) <= 60 else value[:60] + "…").replace("\n", " ") + "'"
        return shown + (_not_evaluated(value, path) if "${{" in value else "")
    shown = json.dumps(value) if isinstance(value, bool) else str(value)
    return f", not {shown}"


def _not_evaluated(text: str, path: Path) -> str:
    """What helps who wrote an expression where none is evaluated."""
    said = "; '${{ }}' is not evaluated here"
    if path[:1] == ("jobs",) and len(path) > 2 and path[2] in _LIKE_IN_ALL_VARIANTS and _VARIANT.search(text):
        said += f", as '{path[2]}' is the same for all variants: give those that differ a job of their own"
    return said


OTHER_WORDS: Final[Mapping[str, str]] = {
    "max-parallel": "max_parallel",
    "fail-fast": "fail_fast",
    "strategy": "matrix",
    "needs": "requires",
    "depends_on": "requires",
    "dependencies": "requires",
    "runs-on": "image",
    "container": "image",
    "steps": "commands",
    "run": "commands",
    "script": "commands",
    "command": "commands",
    "timeout-minutes": "timeout",
    "continue-on-error": "on_error",
    "allow_failure": "on_error",
    "working-directory": "working_dir",
    "environment": "env",
    "variables": "env",
    "with_items": "for_each",
    "inputs": "params",
    "uses": "workflow",
    "approval": "gate",
    "sleep": "wait",
    "duration": "for",
    "seconds": "for",
    "cases": "choice",
    "switch": "choice",
    "function": "call",
    "handler": "call",
    "input_mapping": "with",
    "arguments": "with",
    "args": "with",
    "output_map": "outputs",
    "else": "default",
    "next": "then",
    "stop_grace_period": "stop_grace",
    "pull_policy": "pull",
    "healthcheck": "health_check",
    "options": "health_check",
    "mem_limit": "resources",
    "cpus": "resources",
    "deploy": "resources",
    "expose": "ports",
    "network_mode": "network",
    "networks": "network",
}
"""What GitHub Actions, GitLab CI and Compose call a key, and what it is called here."""
_OF_ALL_JOBS: Final[Mapping[str, tuple[type[Shape], int]]] = {
    "retry": (RetryShape, 0),
    "resources": (ResourcesShape, 0),
}
_SHAPES_BELOW: Final[Mapping[type[Shape], Mapping[str, tuple[type[Shape], int]]]] = {
    Spec: {
        "jobs": (JobShape, 1),
        "params": (ParamShape, 1),
        "services": (ServiceShape, 1),
        "defaults": (DefaultsShape, 0),
    },
    DefaultsShape: _OF_ALL_JOBS,
    JobShape: {
        **_OF_ALL_JOBS,
        "requires": (RequirementShape, 1),
        "services": (ServiceShape, 1),
        "gate": (GateShape, 0),
        "wait": (WaitShape, 0),
        "choice": (BranchShape, 1),
    },
    GateShape: {"fields": (GateFieldShape, 1), "reminder": (ReminderShape, 0)},
    ServiceShape: {"resources": (ResourcesShape, 0), "health_check": (HealthCheckShape, 0)},
    HealthCheckShape: {"ready": (ReadyShape, 0)},
    ReadyShape: {"http": (HttpShape, 0)},
}
"""For each shape the keys that hold another, and how many steps lie between: a name, or a number in a list."""


def _shape_at(path: Path) -> type[Shape]:
    """The shape of the mapping at `path`, or of the innermost that is known on the way there."""
    shape: type[Shape] = Spec
    at = 0
    while at < len(path):
        below = _SHAPES_BELOW.get(shape, {}).get(str(path[at]))
        if below is None:
            break
        shape, between = below
        at += 1 + between
    return shape


def _unknown_key(path: Path, suggester: Suggester) -> Finding:
    key, owner = str(path[-1]), path[:-1]
    shape = _shape_at(owner)
    place = _owner(owner)
    if key in LATER.get(shape, ()):
        return Finding(
            "E108", path, f"this version of orca does not know the key '{key}' in {place} yet", at_key=True
        )
    known = [field.alias or name for name, field in shape.model_fields.items()]
    shown = key if len(key) <= 60 else key[:60] + "…"
    other = OTHER_WORDS.get(key)
    suggestion = other if other in known else suggester.closest(key, known)
    return Finding("E101", path, f"{place} has the unknown key '{shown}'", at_key=True, suggestion=suggestion)


def _owner(path: Path) -> str:
    """A mapping by name: `the spec`, `job 'build'`, `'retry' of job 'build'`."""
    if not path:
        return "the spec"
    return _subject(path)


def _subject(path: Path) -> str:
    """A value by name: `'timeout' of job 'build'`, `item 2 of 'commands' of job 'build'`."""
    if not path:
        return "the spec"
    if len(path) == 2 and path[0] in ("jobs", "params", "services"):
        return f"{str(path[0])[:-1]} '{path[1]}'"
    last = path[-1]
    if len(path) == 4 and (path[0], path[2]) == ("jobs", "services") and isinstance(last, str):
        return f"service '{last}' of {_subject(path[:2])}"
    shown = f"item {last + 1}" if isinstance(last, int) else f"'{last}'"
    return f"{shown} of {_subject(path[:-1])}" if len(path) > 1 else shown
