"""Spec text to `Spec`, with every finding at once. Rules between jobs are the compiler's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import ValidationError

from orchestrator.spec import wording
from orchestrator.spec.diagnostics import Diagnostic, Suggester, in_order
from orchestrator.spec.model import Spec
from orchestrator.spec.places import Path, Source
from orchestrator.spec.repair import without
from orchestrator.spec.source import read_source

_ROUNDS: Final = 4
"""How often wrong parts are taken out before the rest counts as hopeless."""


@dataclass(frozen=True)
class Parsed:
    """A spec, where its parts stand, and what was found.

    With errors among the diagnostics `spec` is what could be understood: good for checks, not for a plan.
    """

    spec: Spec | None
    source: Source | None
    diagnostics: tuple[Diagnostic, ...]


def parse(text: str | bytes, file: str) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """The spec in `text` and every finding in source order; see `Parsed` on what a spec beside errors is."""
    parsed = read(text, file)
    return parsed.spec, parsed.diagnostics


def read(text: str | bytes, file: str) -> Parsed:
    """Like `parse`, and with the source, which the compiler needs to say where things stand."""
    source, found = read_source(text, file)
    if source is None:
        return Parsed(None, None, found)
    if source.data.__class__ is not dict:
        message = "a spec must be a mapping with 'name' and 'jobs'"
        wrong = source.diagnostic("E102", message, at=source.value(()))
        return Parsed(None, source, in_order((*found, wrong)))
    data: Any = _as_written(source.data, source)
    suggester = Suggester()
    diagnostics = list(found)
    for attempt in range(_ROUNDS):
        try:
            return Parsed(Spec.model_validate(data), source, in_order(diagnostics))
        except ValidationError as error:
            errors = cast("list[Mapping[str, Any]]", error.errors(include_url=False))
        if attempt == 0:
            diagnostics += [_diagnostic(wording.finding(item, suggester), source) for item in errors]
        data, items = without(
            data,
            [wording.path_of(item) for item in errors if item["type"] != "missing"],
            [wording.path_of(item) for item in errors if item["type"] == "missing"],
        )
        source = source.without(items)
    return Parsed(None, source, in_order(diagnostics))


def _diagnostic(finding: wording.Finding, source: Source) -> Diagnostic:
    path = finding.path
    missing_inside = finding.code == "E104" and bool(path) and isinstance(path[-1], str)
    at = source.key(path) if finding.at_key or missing_inside else source.value(path)
    return source.diagnostic(finding.code, finding.message, at=at, suggestion=finding.suggestion)


def _as_written(data: dict[str, Any], source: Source) -> dict[str, Any]:
    """`data` with the texts of numbers and booleans where text is meant: `APP_VERSION: 1.10` is not 1.1."""
    data = dict(data)
    _texts(data, source, ())
    _one_text(data, "version", source, ())
    for section in ("defaults", "jobs"):
        if isinstance(data.get(section), dict):
            data[section] = dict(data[section])
    if isinstance(data.get("defaults"), dict):
        _texts(data["defaults"], source, ("defaults",))
    _services(data, source, ())
    if isinstance(data.get("jobs"), dict):
        jobs = cast("dict[str, Any]", data["jobs"])
        for name, job in jobs.items():
            if isinstance(job, dict) and ("env" in job or "user" in job or "services" in job):
                jobs[name] = dict(cast("dict[str, Any]", job))
                _texts(jobs[name], source, ("jobs", name))
                _services(jobs[name], source, ("jobs", name))
    return data


def _services(holder: dict[str, Any], source: Source, path: Path) -> None:
    services = holder.get("services")
    if not isinstance(services, dict):
        return
    holder["services"] = copy = dict(cast("dict[str, Any]", services))
    for name, service in copy.items():
        if isinstance(service, dict) and "env" in service:
            copy[name] = dict(cast("dict[str, Any]", service))
            _texts(copy[name], source, (*path, "services", name))


def _texts(holder: dict[str, Any], source: Source, path: Path) -> None:
    _one_text(holder, "user", source, path)
    for key in ("env", "labels"):
        values = holder.get(key)
        if isinstance(values, dict):
            holder[key] = copy = dict(cast("dict[str, Any]", values))
            for name, value in copy.items():
                if value is None:
                    copy[name] = ""
                else:
                    _one_text(copy, name, source, (*path, key))


def _one_text(holder: dict[str, Any], key: str, source: Source, path: Path) -> None:
    if key in holder and not isinstance(holder[key], str):
        written = source.mark((*path, key)).inside
        if isinstance(written, str) and holder[key] is not None:
            holder[key] = written
