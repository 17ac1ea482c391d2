"""From a gate's node and the values of this run to the form that people see: every `${{ }}` is evaluated here, once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from orchestrator.contract.messages import RunRequest
from orchestrator.contract.people import FieldRecord, GateRecord
from orchestrator.contract.times import rfc3339
from orchestrator.errors import ExpressionError
from orchestrator.expressions import render, to_text
from orchestrator.interpreter.gates import value_problem
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.requests import place, plain, scope
from orchestrator.interpreter.state import RunState
from orchestrator.plan.file_hashes import known_hashes
from orchestrator.plan.model import GateField, GateNode
from orchestrator.plan.parts import Json, Template
from orchestrator.plan.variants.values import filled

MAX_PROMPT = 4000
"""Characters of a prompt, a label or a description; more is cut."""
MAX_OPTIONS = 1000
"""That a field can have."""


def opened(
    node: GateNode, job: JobState, request: RunRequest, state: RunState, *, now: datetime
) -> GateRecord:
    """The gate as it opens. Raises ExpressionError with the place in its message."""
    form = _Form(node, job, request, state)
    return GateRecord(
        prompt=form.text("prompt", node.prompt),
        fields=tuple(form.field(field) for field in node.fields),
        approvers=form.approvers(node.approvers),
        needed=node.min_approvals,
        self_approval=node.self_approval,
        opened_at=rfc3339(now),
        deadline=None if node.limit is None else rfc3339(now + timedelta(seconds=node.limit)),
        on_timeout=node.on_timeout,
    )


class _Form:
    """Evaluates the parts of one gate."""

    def __init__(self, node: GateNode, job: JobState, request: RunRequest, state: RunState) -> None:
        self._of = f"of gate '{job.key}'"
        self._functions = known_hashes(request.file_hashes)
        self._contexts: Mapping[str, Json] = scope(request, state, leaf=job)

    def value(self, what: str, value: Json) -> Json:
        with place(f"{what} {self._of}"):
            return filled(value, self._render)

    def text(self, what: str, template: Template) -> str:
        with place(f"{what} {self._of}"):
            return to_text(render(template, self._contexts, functions=self._functions))[:MAX_PROMPT]

    def field(self, field: GateField) -> FieldRecord:
        where = f"field '{field.name}'"
        options = self._list(f"options of {where}", field.options)
        default = self.value(f"default of {where}", field.default) if field.has_default else None
        found = FieldRecord(
            name=field.name,
            type=field.type,
            label=self.text(f"label of {where}", field.label),
            description=self.text(f"description of {where}", field.description),
            required=field.required,
            default=default,
            has_default=default is not None,
            pattern=field.pattern,
            options=tuple(options),
        )
        if field.type in ("select", "multi_select") and not options:
            raise ExpressionError(f"{where} {self._of}: there is nothing to choose from: `options` is empty")
        if len(options) > MAX_OPTIONS:
            raise ExpressionError(
                f"{where} {self._of}: it has {len(options):,} options, and a form has {MAX_OPTIONS:,}"
            )
        why = value_problem(found, default) if found.has_default else None
        if why is not None:
            raise ExpressionError(f"default of {where} {self._of}: it {why}")
        return found

    def approvers(self, approvers: Sequence[Template] | Template) -> tuple[str, ...]:
        names = [to_text(found).strip() for found in self._list("approvers", approvers)]
        if "" in names or (approvers and not names):
            # Nobody named would mean that anybody may answer, which is not what the spec asks for.
            raise ExpressionError(f"approvers {self._of}: an expression gives no name")
        return tuple(names)

    def _list(self, what: str, value: Sequence[Json] | Template) -> Sequence[Json]:
        if not isinstance(value, str):
            return cast("list[Json]", self.value(what, list(value)))
        if not value:
            return ()
        found = self.value(what, value)
        if not isinstance(found, list):
            raise ExpressionError(f"{what} {self._of}: the expression gives no list")
        return cast("list[Json]", found)

    def _render(self, template: Template) -> Json:
        return plain(render(template, self._contexts, functions=self._functions))
