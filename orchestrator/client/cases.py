"""Test cases of workflows: dry runs with mocks, and how they should end: reading them, and comparing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from orchestrator.client.leaves import leaves_of
from orchestrator.client.mocks import mocks_of, read_mocks
from orchestrator.client.prepare import Checked, compile_file
from orchestrator.client.strict_yaml import Findings, StrictShape, read_yaml, shaped
from orchestrator.contract.messages import JobRecord, RunRecord
from orchestrator.contract.mocks import Mocks
from orchestrator.errors import OrcaError, SpecError, UsageError
from orchestrator.ids import variant_key
from orchestrator.plan.model import Plan
from orchestrator.plan.params import bind_params
from orchestrator.plan.parts import Json
from orchestrator.spec.places import Path as Place

_MISSING: Final = object()


class JobExpectation(StrictShape):
    """How a job should have ended; what is left out is not looked at."""

    status: Literal["success", "failed", "skipped", "omitted", "cancelled"] | None = None
    outputs: dict[str, Json] = {}
    """Those that are named must be so; there may be others."""
    reason: str | None = None
    """A part of the reason."""
    tries: int | None = None


class Expectation(StrictShape):
    """How a run should have ended; what is left out is not looked at."""

    status: Literal["success", "failed", "partial", "cancelled"] | None = None
    jobs: dict[str, JobExpectation] = {}
    """By job, or full name of a variant."""
    outputs: dict[str, Json] = {}
    vars: dict[str, Json] = {}


class CaseShape(StrictShape):
    """One case, as a file says it."""

    name: str
    spec: str
    """Relative to the case's file."""
    params: dict[str, Json] = {}
    mocks: Any = None
    """What a mocks file holds, or the path of one."""
    expect: Expectation


@dataclass(frozen=True)
class Case:
    """A case that can be run."""

    file: Path
    name: str
    checked: Checked
    mocks: Mocks
    expect: Expectation


def read_cases(path: Path) -> list[Case]:
    """The cases in a file, a list of mappings.

    Raises:
        UsageError: it, or a file that it names, cannot be read.
        SpecError: it, or a workflow or mocks file that it names, is wrong; carries every finding of that file.
    """
    findings = Findings(read_yaml(path, what="cases"))
    data = findings.source.data
    if not isinstance(data, list) or not data:
        findings.wrong("a file of cases is a list of mappings with 'name', 'spec' and 'expect'", ())
        findings.check()
    written = cast("list[Any]", data)
    shapes = [shaped(CaseShape, _written_out(one), findings, (number,)) for number, one in enumerate(written)]
    findings.check()
    compiled: dict[str, Checked] = {}
    cases: list[Case] = []
    names: dict[str, None] = {}
    for number, shape in enumerate(cast("list[CaseShape]", shapes)):
        if shape.name in names:
            findings.wrong(f"there is another case '{shape.name}' in this file", (number, "name"))
        names[shape.name] = None
        if shape.spec not in compiled:
            spec = path.parent / shape.spec
            compiled[shape.spec] = Checked(spec, compile_file(spec), {})
        cases.append(_case(path, shape, compiled[shape.spec], findings, (number,)))
    findings.check()
    return cases


def _case(path: Path, shape: CaseShape, base: Checked, findings: Findings, place: Place) -> Case:
    plan = base.compiled.plan
    params: dict[str, Json] = {}
    try:
        params = bind_params(plan.params, shape.params)
    except UsageError as error:
        findings.wrong(str(error).replace("\n", "; "), (*place, "params"), at_key=True)
    mocks = Mocks()
    if isinstance(shape.mocks, str):
        mocks = read_mocks(path.parent / shape.mocks, plan)
    elif shape.mocks is not None:
        mocks = mocks_of(shape.mocks, plan, findings, (*place, "mocks"))
    _check_expected(shape.expect, plan, findings, (*place, "expect"))
    return Case(path, shape.name, Checked(base.path, base.compiled, params), mocks, shape.expect)


def _check_expected(expect: Expectation, plan: Plan, findings: Findings, place: Place) -> None:
    """A name that the workflow does not have would never be compared."""
    for name in expect.jobs:
        node = plan.jobs.get(name) or plan.jobs.get(name.partition(" (")[0])
        repeated = node is not None and node.strategy is not None
        known = [*plan.jobs]
        if node is not None and node.variants:
            known += [variant_key(node.name, variant.name) for variant in node.variants]
        elif name not in plan.jobs and repeated:
            continue  # A variant that is known only in the run.
        if name not in known:
            findings.unknown(f"workflow '{plan.spec}' has no job '{name}'", (*place, "jobs", name), known)
    for key, declared in (("outputs", plan.outputs), ("vars", plan.vars)):
        for name in getattr(expect, key):
            if name not in declared:
                what = "output" if key == "outputs" else "variable"
                findings.unknown(
                    f"workflow '{plan.spec}' has no {what} '{name}'", (*place, key, name), list(declared)
                )


def _written_out(data: Any) -> Any:
    """A case with each short form as what it is short for: `build: success`."""
    if not isinstance(data, Mapping):
        return data
    found = dict(cast("Mapping[str, Any]", data))
    expect = found.get("expect")
    if isinstance(expect, str):
        found["expect"] = {"status": expect}
    elif isinstance(expect, Mapping):
        found["expect"] = expected = dict(cast("Mapping[str, Any]", expect))
        if isinstance(expected.get("jobs"), Mapping):
            jobs = cast("Mapping[str, Any]", expected["jobs"])
            expected["jobs"] = {
                name: {"status": job} if isinstance(job, str) else job for name, job in jobs.items()
            }
    return found


def differences(expect: Expectation, record: RunRecord) -> Iterator[str]:
    """What is not as expected, a line each: `job 'deploy': expected skipped, but it is success`."""
    if expect.status is not None and record.status != expect.status:
        why = f" ({record.error.partition(chr(10))[0]})" if record.error else ""
        yield f"the run: expected {expect.status}, but it is {record.status}{why}"
    jobs = {leaf.name: leaf.record for leaf in leaves_of(record)} | record.jobs
    for name, expected in expect.jobs.items():
        if name not in jobs:
            yield f"job '{name}': expected {expected.status or 'to be there'}, but the run has no such variant"
        else:
            yield from (f"job '{name}': {line}" for line in _of_job(expected, jobs[name]))
    yield from _values("output", expect.outputs, record.outputs)
    yield from _values("variable", expect.vars, record.vars)


def _of_job(expected: JobExpectation, job: JobRecord) -> Iterator[str]:
    if expected.status is not None and job.status != expected.status:
        why = f" ({job.reason.partition(chr(10))[0]})" if job.reason else ""
        yield f"expected {expected.status}, but it is {job.status}{why}"
    if expected.reason is not None and expected.reason not in (job.reason or ""):
        yield f"expected a reason with {_shown(expected.reason)}, but it is {_shown(job.reason)}"
    if expected.tries is not None and job.tries != expected.tries:
        yield f"expected {expected.tries} tries, but there were {job.tries}"
    yield from _values("output", expected.outputs, job.outputs)


def _values(what: str, expected: Mapping[str, Json], found: Mapping[str, Json]) -> Iterator[str]:
    for name, value in expected.items():
        other = found.get(name, _MISSING)
        if other is _MISSING:
            yield f"{what} '{name}': expected {_shown(value)}, but there is none"
        elif not _same(other, value):
            yield f"{what} '{name}': expected {_shown(value)}, but it is {_shown(other)}"


def _same(one: Json, other: Json) -> bool:
    """Equality of JSON, in which true is no 1 and 1 is 1.0."""
    return _shown(_tidy(one)) == _shown(_tidy(other))


def _tidy(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _tidy(part) for key, part in sorted(cast("Mapping[str, Json]", value).items())}
    return [_tidy(part) for part in cast("list[Json]", value)] if isinstance(value, list) else value


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Verdict:
    """How a case went."""

    case: Case
    run_id: str
    """Empty where the run could not be started."""
    seconds: float
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.differences


def not_run(case: Case, error: OrcaError) -> Verdict:
    """The verdict on a case that could not be run to its end."""
    reason = str(error) if not isinstance(error, SpecError) else "its workflow is wrong"
    return Verdict(case, "", 0.0, (f"it could not be run: {reason}",))
