"""The shapes of what makes a job a gate, a wait or a choice."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from orchestrator.spec import kind_shapes, shapes
from orchestrator.spec.values import Condition, Count, Given, Name, Names, PositiveSeconds, Shape, Text

FieldType = Annotated[
    Literal["string", "number", "boolean", "select", "multi_select"], BeforeValidator(kind_shapes.field_type)
]
Options = Annotated[
    Annotated[tuple[Annotated[Any, BeforeValidator(kind_shapes.option)], ...], Tag("\0list")]
    | Annotated[str, Tag("\0text")],
    Discriminator(shapes.list_or_text),
    BeforeValidator(kind_shapes.options),
]
"""What can be chosen: a list, or one expression that gives it."""
Approver = Annotated[str, BeforeValidator(kind_shapes.approver)]
Approvers = Annotated[
    Annotated[tuple[Approver, ...], Tag("\0list")] | Annotated[str, Tag("\0text")],
    Discriminator(shapes.list_or_text),
    BeforeValidator(kind_shapes.approvers),
]
"""Who may answer: a list, or one expression that gives it."""


class GateFieldShape(Shape):
    """A field of a gate's form: a text is short for its type."""

    type: FieldType = "string"
    label: str = ""
    description: str = ""
    required: bool = False
    default: Any = None
    pattern: Given[str] = None
    options: Given[Options] = None

    @property
    def has_default(self) -> bool:
        """Whether the spec gives a default; null is none."""
        return self.default is not None


class ReminderShape(Shape):
    """`reminder` of a gate."""

    every: PositiveSeconds
    job: Name


class GateShape(Shape):
    """`gate`: a text is short for its prompt."""

    prompt: Text
    fields_: Annotated[
        dict[str, Annotated[GateFieldShape, BeforeValidator(kind_shapes.field)]],
        BeforeValidator(shapes.mapping),
    ] = Field(default_factory=dict[str, GateFieldShape], alias="fields")
    approvers: Approvers = ()
    min_approvals: Count = 1
    self_approval: bool = True
    timeout: Given[PositiveSeconds] = None
    on_timeout: Given[Literal["approve", "reject", "fail"]] = None
    reminder: Given[ReminderShape] = None


class WaitShape(Shape):
    """`wait`: a duration is short for `for`. Exactly one of the two is set."""

    for_: Annotated[
        Given[Annotated[float | str, BeforeValidator(kind_shapes.wait_for)]], Field(alias="for")
    ] = None
    until: Given[Annotated[str, BeforeValidator(kind_shapes.instant)]] = None


class BranchShape(Shape):
    """An entry of `choice`: `when` and `then`, or `default`."""

    when: Given[Condition] = None
    then: Given[Names] = None
    default: Given[Names] = None

    @property
    def key(self) -> Literal["then", "default"]:
        """The key that names the jobs."""
        return "then" if self.default is None else "default"

    @property
    def targets(self) -> tuple[str, ...]:
        """The jobs that this branch goes to."""
        return self.then or self.default or ()


Gate = Annotated[GateShape, BeforeValidator(kind_shapes.gate)]
Wait = Annotated[WaitShape, BeforeValidator(kind_shapes.wait)]
Choice = Annotated[
    tuple[Annotated[BranchShape, BeforeValidator(kind_shapes.branch)], ...], BeforeValidator(shapes.listed)
]
