"""The rules about what functions, nested workflows and variables are given: that it is JSON, and fits."""

import math
from collections.abc import Iterator
from typing import Any, Final, cast

from orchestrator.compile.draft import Draft
from orchestrator.compile.nested import Child, problems
from orchestrator.errors import UsageError
from orchestrator.plan.model import Param
from orchestrator.plan.params import accepted
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.model import JobShape
from orchestrator.spec.places import Path

HTTP_INPUTS: Final = ("method", "url", "headers", "body", "query", "expect", "timeout", "max_bytes")
"""What the built-in function `http` takes."""


def leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value in `value` that is neither list nor mapping, with where it stands."""
    if isinstance(value, dict):
        for key, part in cast("dict[str, Any]", value).items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(cast("list[Any]", value)):
            yield from leaves(part, (*path, number))
    else:
        yield path, value


def json_of(draft: Draft) -> Iterator[tuple[Path, Any]]:
    """Every value of a spec that may be any JSON, with where it stands: `vars`, `with`, defaults of fields."""
    for name, value in draft.spec.vars.items():
        yield ("vars", name), value
    for name, job in draft.spec.jobs.items():
        yield ("jobs", name, "with"), job.with_
        for field_name, field in () if job.gate is None else job.gate.fields_.items():
            yield ("jobs", name, "gate", "fields", field_name, "default"), field.default


def json_values(draft: Draft) -> Iterator[Diagnostic]:
    """What YAML can say and JSON cannot, and expressions in keys, which nobody evaluates."""
    for at, whole in json_of(draft):
        odd_keys: dict[Path, None] = {}
        for path, value in leaves(whole, at):
            if isinstance(value, float) and not math.isfinite(value):
                message = f"'{_last_key(path)}' must be a finite number, not {value}"
                yield draft.at_value("E102", path, message)
            for length in range(len(at) + 1, len(path) + 1):
                if "${{" in str(path[length - 1]):
                    odd_keys[path[:length]] = None
        for path in odd_keys:
            message = f"'{path[-1]}' is a key, and '${{{{ }}}}' is not evaluated in keys"
            yield draft.at_key("E102", path, message)


def _last_key(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def nested_specs(draft: Draft) -> Iterator[Diagnostic]:
    """What jobs nest is there and does not nest itself."""
    for name, child in problems(draft.children):
        yield draft.at_value(child.code, ("jobs", name, "workflow"), f"job '{name}' {child.message}")


def inputs(draft: Draft) -> Iterator[Diagnostic]:
    """Functions that are built in and nested workflows are given what they take."""
    for name, job in draft.spec.jobs.items():
        if job.call == "http" and draft.kinds[name] == "call":
            yield from _of_http(draft, name, job)
        elif name in draft.children and draft.kinds[name] == "workflow":
            yield from _of_child(draft, name, job, draft.children[name])


def _of_http(draft: Draft, name: str, job: JobShape) -> Iterator[Diagnostic]:
    if "url" not in job.with_:
        message = f"job '{name}' calls 'http' without a 'url' in 'with'"
        yield draft.at_key("E130", ("jobs", name, "with" if job.with_ else "call"), message)
    for key in job.with_:
        if key not in HTTP_INPUTS:
            suggestion = draft.suggester.closest(key, HTTP_INPUTS)
            message = f"job '{name}' gives 'http' the input '{key}', which it does not take"
            yield draft.at_key("E130", ("jobs", name, "with", key), message, suggestion=suggestion)


def _of_child(draft: Draft, name: str, job: JobShape, child: Child) -> Iterator[Diagnostic]:
    if child.spec is None:
        return
    declared = child.spec.params
    for key, value in job.with_.items():
        path: Path = ("jobs", name, "with", key)
        if key not in declared:
            suggestion = draft.suggester.closest(key, tuple(declared))
            message = f"job '{name}' gives '{child.path}' the param '{key}', which that does not declare"
            yield draft.at_key("E130", path, message, suggestion=suggestion)
            continue
        if any(isinstance(text, str) and "${{" in text for _, text in leaves(value, ())):
            continue
        params = () if child.plan is None else child.plan.params
        param = next((one for one in params if one.name == key), None)
        if problem := _misfit(param, value):
            yield draft.at_value("E130", path, f"job '{name}' cannot nest '{child.path}' so: {problem}")
    for key, shape in declared.items():
        if shape.required and not shape.has_default and key not in job.with_:
            message = f"job '{name}' does not give '{child.path}' the param '{key}', which is required"
            at: Path = ("jobs", name, "with" if job.with_ else "workflow")
            yield draft.at_key("E130", at, message)


def _misfit(param: Param | None, value: Any) -> str | None:
    """Why `value` is not one that the param can have; None where it is, or nobody can say."""
    if param is None:
        return None
    try:
        accepted(param, value)
    except UsageError as error:
        return str(error)
    return None
