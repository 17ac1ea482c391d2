"""`mocks.yaml`: how the jobs of a dry run end, checked against the plan that they are for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, cast

from pydantic import field_validator

from orchestrator.client.strict_yaml import Findings, StrictShape, read_yaml, shaped
from orchestrator.contract.failures import FailureKind
from orchestrator.contract.mocks import Mock, Mocks
from orchestrator.plan.model import ChoiceNode, ContainerNode, GateNode, Node, Plan, WaitNode, WorkflowNode
from orchestrator.plan.parts import Json
from orchestrator.spec.places import Path as Place

_STATUSES: Final = ("success", "failed", "skipped")
_DECISIONS: Final = ("approve", "reject", "timeout")
_KINDS: Final = tuple(kind.value for kind in FailureKind)


class MockShape(StrictShape):
    """One job's end, as a file says it; `contract.mocks.Mock` says what each key means."""

    status: Literal["success", "failed", "skipped"] = "success"
    outputs: dict[str, Json] = {}
    exit_code: int | None = None
    kind: str | None = None
    reason: str = ""
    decision: Literal["approve", "reject", "timeout"] = "approve"
    by: str = "mock"
    tries: "list[MockShape]" = []
    variants: "dict[str, MockShape]" = {}
    jobs: "dict[str, MockShape]" = {}

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, value: str | None) -> str | None:
        if value is not None and value not in _KINDS:
            raise ValueError(f"must be one of {', '.join(_KINDS)}, not '{value}'")
        return value

    def told(self) -> Mock:
        """As the interpreter takes it."""
        return Mock.model_validate(self.model_dump(exclude_unset=True))


class MocksShape(StrictShape):
    """The whole file."""

    jobs: dict[str, MockShape] = {}


def read_mocks(path: Path, plan: Plan) -> Mocks:
    """The mocks in the file at `path`, for runs of `plan`.

    Raises:
        UsageError: it cannot be read.
        SpecError: it is wrong; carries every finding.
    """
    findings = Findings(read_yaml(path, what="mocks"))
    found = mocks_of(findings.source.data, plan, findings, ())
    findings.check()
    return found


def mocks_of(data: Any, plan: Plan, findings: Findings, place: Place) -> Mocks:
    """The mocks in `data`, which stands at `place`. What is wrong goes to `findings`."""
    shape = shaped(MocksShape, _written_out(data), findings, place)
    if shape is None:
        return Mocks()
    _check_jobs(shape.jobs, plan, plan.workflows, findings, (*place, "jobs"))
    return Mocks(jobs={name: mock.told() for name, mock in shape.jobs.items()})


def _written_out(data: Any) -> Any:
    """`data` with each short form as what it is short for: `build: failed`, `approve: reject`."""
    if not isinstance(data, Mapping):
        return data
    found = dict(cast("Mapping[str, Any]", data))
    for key in ("jobs", "variants"):
        if isinstance(found.get(key), Mapping):
            inner = cast("Mapping[str, Any]", found[key])
            found[key] = {name: _written_out(_long(mock)) for name, mock in inner.items()}
    if isinstance(found.get("tries"), list):
        found["tries"] = [_written_out(_long(mock)) for mock in found["tries"]]
    return found


def _long(mock: Any) -> Any:
    if mock in _DECISIONS:
        return {"decision": mock}
    return {"status": mock} if isinstance(mock, str) else mock


def _check_jobs(
    mocks: Mapping[str, MockShape],
    plan: Plan,
    nested: Mapping[str, Plan],
    findings: Findings,
    place: Place,
) -> None:
    for name, mock in mocks.items():
        at = (*place, name)
        if name not in plan.jobs:
            findings.unknown(f"workflow '{plan.spec}' has no job '{name}'", at, list(plan.jobs))
        else:
            _check(mock, plan.jobs[name], nested, findings, at)


def _check(mock: MockShape, node: Node, nested: Mapping[str, Plan], findings: Findings, place: Place) -> None:
    """What is said of a job must be possible for its kind: a key that does nothing would make a test lie."""
    if isinstance(node, WaitNode | ChoiceNode):
        findings.wrong(
            f"job '{node.name}' is a {node.kind}, which a dry run carries out by itself: it takes no mock",
            place,
            at_key=True,
        )
        return
    _check_keys(mock, node, findings, place)
    if isinstance(node, GateNode):
        _check_answers(mock, node, findings, place)
    _check_variants(mock, node, nested, findings, place)
    for number, one in enumerate(mock.tries):
        _check(one, node, nested, findings, (*place, "tries", number))
    if not mock.jobs:
        return
    if not isinstance(node, WorkflowNode):
        findings.wrong(
            f"'jobs' is for nested workflows, and job '{node.name}' is a {node.kind}", (*place, "jobs")
        )
    elif (inner := nested.get(node.workflow)) is not None:
        _check_jobs(mock.jobs, inner, nested, findings, (*place, "jobs"))


def _check_keys(mock: MockShape, node: Node, findings: Findings, place: Place) -> None:
    said = mock.model_fields_set
    for key in ("decision", "by"):
        if key in said and not isinstance(node, GateNode):
            findings.wrong(f"'{key}' is for gates, and job '{node.name}' is a {node.kind}", (*place, key))
    if isinstance(node, GateNode):
        for key in ("status", "exit_code", "kind", "reason", "tries"):
            if key in said:
                findings.wrong(
                    f"'{key}' is not for gates; 'decision' says how gate '{node.name}' is answered",
                    (*place, key),
                )
    if "exit_code" in said and not isinstance(node, ContainerNode | GateNode):
        findings.wrong(
            f"'exit_code' is for containers, and job '{node.name}' is a {node.kind}", (*place, "exit_code")
        )
    if "kind" in said and mock.status != "failed":
        findings.wrong(
            "'kind' says how a job failed; beside it 'status: failed' is missing", (*place, "kind")
        )


def _check_answers(mock: MockShape, node: GateNode, findings: Findings, place: Place) -> None:
    fields = [field.name for field in node.fields]
    for name in mock.outputs:
        if name not in fields:
            at = (*place, "outputs", name)
            findings.unknown(f"gate '{node.name}' has no field '{name}'", at, fields)


def _check_variants(
    mock: MockShape, node: Node, nested: Mapping[str, Plan], findings: Findings, place: Place
) -> None:
    known = [variant.name for variant in node.variants]
    for name, one in mock.variants.items():
        at = (*place, "variants", name)
        if not node.variants and node.strategy is None:
            findings.wrong(f"job '{node.name}' has no variants", at, at_key=True)
        elif known and name not in known:
            findings.unknown(f"job '{node.name}' has no variant '{name}'", at, known)
        else:
            _check(one, node, nested, findings, at)
