"""The plan's shapes. Strings that may hold `${{ }}` are called templates and are typed `Template`.

All durations are seconds, all sizes bytes. Order in `Plan.jobs` is the order in which the spec names them.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from orchestrator.errors import PlanTooNew
from orchestrator.plan.parts import (
    CleanupPolicy,
    Frozen,
    Json,
    ParamType,
    PullPolicy,
    Requirement,
    Resources,
    RetryPolicy,
    Template,
)
from orchestrator.plan.service_model import Service

PLAN_VERSION = 5
"""Raised when a change of the plan's shape or meaning needs another interpreter."""

DEFAULT_JOB_TIMEOUT = 6 * 3600.0
"""Seconds that a job may take where the spec says nothing: GitHub Actions' default."""
DEFAULT_FINALIZER_TIMEOUT = 3600.0
"""The same for a finalizer: a run that is to end should not wait for most of a day."""
DEFAULT_STOP_GRACE = 10.0
"""Seconds between the stop signal and the kill: Docker's own default."""
DEFAULT_MAX_VARIANTS = 256
"""Variants that one job may have where the spec does not raise it: GitHub Actions' limit."""


class Variant(Frozen):
    """One combination of a matrix, or one item of a list."""

    name: str
    """Readable, stable, unique in its job: `3.11, alpine`. `ids.variant_key` puts the job's name before it."""
    values: dict[str, Json] = {}
    """What `matrix` is; empty for an item."""
    item: Json = None
    """What `item` is; for a mapping `{key, value}`."""
    commands: tuple[Template, ...] | None = None
    """This variant's own commands, where its values are part of their text; None: the job's."""


class Matrix(Frozen):
    """A matrix whose values are known when the job starts: a text is an expression, or text with expressions in it."""

    axes: dict[str, Json] | Template = {}
    """Axis to its values, in order. As a template, the whole matrix, `include` and `exclude` in it."""
    include: tuple[Json, ...] | Template = ()
    exclude: tuple[Json, ...] | Template = ()


class Strategy(Frozen):
    """How a job is repeated. The variants are in the node where they are known when compiling."""

    matrix: Matrix | None = None
    """Of a matrix that has to be expanded when the job starts."""
    items: Json = None
    """Of `for_each` over a value that is known when the job starts: a template."""
    batch_size: int | None = None
    """Items in order, so many at a time: the next ones start when all of these have ended."""
    max_parallel: int | None = None
    """Variants at a time."""
    fail_fast: bool = True
    """The first failure that is not tolerated cancels the variants that have not ended."""
    max_variants: int = DEFAULT_MAX_VARIANTS

    @property
    def dynamic(self) -> bool:
        """Whether the variants are known only when the job starts."""
        return self.matrix is not None or self.items is not None


class Trigger(Frozen):
    """A transition into a job: `job` starts it by how it ended, or by choosing it.

    `success`: it succeeded. `failure`: it failed, tolerated or not. `complete`: either of these. `chosen`: it is a
    choice that took a branch with this job. A job with triggers starts once, when the first of them fires and its own
    requirements are met; where all sources have settled and none fired, it lies on a path that was not taken.
    """

    job: str
    on: Literal["success", "failure", "complete", "chosen"]


class NodeBase(Frozen):
    """What every kind of job has."""

    name: str
    requires: tuple[Requirement, ...] = ()
    """Includes `after` (as condition `always`) and what `parallel_with` adds."""
    finalizer: bool = False
    """Runs when everything else is done, also after a cancel. So does all that waits for a finalizer."""
    on_complete: Literal["success", "failure", "always"] = "success"
    """For a finalizer: how the run must stand. For others: how the direct requirements must have ended."""
    condition: Template | None = None
    """`if`, evaluated when the requirements are met; false means skipped."""
    unless: Template | None = None
    triggers: tuple[Trigger, ...] = ()
    """Alternatives: transitions (`on_success`, `on_failure`, `on_complete` as a list, `error_handlers`) and choices."""
    on_error: Literal["stop", "continue", "hold"] = "stop"
    """`hold`: a failure keeps the run open until a person says how to go on."""
    idempotent: bool = True
    """Whether it may be run again where nobody knows how far a try got. Else a person says how to go on then."""
    publish: dict[str, Template] = {}
    """Variables of the run that the job sets when it has succeeded; may read its own outputs."""
    reminds: str = ""
    """Name of the gate for which this job is the reminder; it runs for nothing else."""
    timeout: float = DEFAULT_JOB_TIMEOUT
    """Seconds for one try, counted from the start of its container or function. Gates and nested workflows have a
    limit of their own kind."""
    retry: RetryPolicy = RetryPolicy()
    outputs: dict[str, Template] = {}
    """Outputs computed when the job ends; may read the job's own raw outputs as `jobs.<name>.outputs`."""
    required_outputs: tuple[str, ...] = ()
    """Names that the job promised (`outputs` as a list): a missing one fails it."""
    title: Template | None = None
    """`name`: what people are shown beside the job's name; of variants what stands in the brackets."""
    strategy: Strategy | None = None
    """Of a job with a matrix or a list."""
    variants: tuple[Variant, ...] = ()
    """Those that are known when compiling, in order."""


class ContainerNode(NodeBase):
    """A job that runs commands in one container."""

    kind: Literal["container"] = "container"
    image: Template
    commands: tuple[Template, ...] = ()
    """In one shell, in order, stopping at the first failure. Empty means the image's own command."""
    titles: tuple[str, ...] = ()
    """What people are shown for each command where it is not its own text: the spec's line, with its `${{ }}`."""
    env: dict[str, Template] = {}
    """Top-level `env`, the job's own, and the values that `commands` may not hold as text, in that order."""
    artifacts: tuple[Template, ...] = ()
    artifacts_from: tuple[str, ...] = ()
    """Jobs whose artifacts are restored: all in `requires` with a container, and those named."""
    workspace: bool = False
    working_dir: Template | None = None
    shell: str = "sh"
    user: Template | None = None
    entrypoint: tuple[Template, ...] | None = None
    pull: PullPolicy = "missing"
    stop_grace: float = DEFAULT_STOP_GRACE
    resources: Resources = Resources()
    services: tuple[Service, ...] = ()
    """Started before the job in a network of its own, stopped after it."""
    shared_services: tuple[str, ...] = ()
    """Names of the plan's own services that the job uses."""
    network: Literal["default", "internal", "none"] = "default"


class GateField(Frozen):
    """One field of a gate's form; its answer becomes an output of the job."""

    name: str
    type: Literal["string", "number", "boolean", "select", "multi_select"] = "string"
    label: Template = ""
    """What people are asked; empty: the name."""
    description: Template = ""
    required: bool = False
    default: Json = None
    """May hold templates. Given exactly where `has_default` says so."""
    has_default: bool = False
    pattern: str | None = None
    """Of a string: a regular expression that the whole answer matches."""
    options: tuple[Json, ...] | Template = ()
    """Of select and multi_select: what can be chosen, or an expression that gives the list."""


class GateNode(NodeBase):
    """A job that waits for people."""

    kind: Literal["gate"] = "gate"
    prompt: Template
    fields: tuple[GateField, ...] = ()
    approvers: tuple[Template, ...] | Template = ()
    """`user:ann`, `group:release`, or a name alone, which is a user's; empty: anyone. As text an expression for all."""
    min_approvals: int = 1
    """Different people who have to approve; one who rejects is enough to close the gate."""
    self_approval: bool = True
    """Whether who submitted the run may approve."""
    limit: float | None = None
    """Seconds for which it is open; None: for ever."""
    on_timeout: Literal["approve", "reject", "fail"] = "fail"
    remind_every: float | None = None
    """Seconds between two runs of `reminder` while it is open."""
    reminder: str = ""
    """The job that is run then."""


class WaitNode(NodeBase):
    """A durable timer. Exactly one of `duration` and `until` is set."""

    kind: Literal["wait"] = "wait"
    duration: float | Template | None = None
    """Seconds, or a template that gives seconds or a text such as `5m`."""
    until: Template | None = None
    """Gives an RFC 3339 instant, or seconds since 1970; one that has passed is waited for no longer."""


class Branch(Frozen):
    """One way out of a choice."""

    when: Template | None = None
    """None: the default."""
    then: tuple[str, ...] = ()


class ChoiceNode(NodeBase):
    """Takes the first branch whose condition holds, else the default, else none."""

    kind: Literal["choice"] = "choice"
    branches: tuple[Branch, ...]
    """In order; a default is the last."""


class CallNode(NodeBase):
    """Calls a function on a worker."""

    kind: Literal["call"] = "call"
    function: str
    """`package.module:function`, or the name of one that is built in: `http`."""
    arguments: dict[str, Json] = {}
    """`with`: JSON whose texts are templates."""
    stop_grace: float = DEFAULT_STOP_GRACE
    """Seconds that a cancelled function may take to end before it is left."""


class WorkflowNode(NodeBase):
    """Runs another workflow as a child."""

    kind: Literal["workflow"] = "workflow"
    workflow: str
    """Key in `Plan.workflows` of the root."""
    arguments: dict[str, Json] = {}
    """`with`: its params; JSON whose texts are templates."""
    limit: float | None = None
    """Seconds that the child may take; None: what its own spec says."""


Node = Annotated[
    ContainerNode | GateNode | WaitNode | ChoiceNode | CallNode | WorkflowNode, Field(discriminator="kind")
]
"""Closed union of all kinds, told apart by `kind`; match on it with `assert_never`."""


class Param(Frozen):
    """A declared parameter of a run."""

    name: str
    type: ParamType = "string"
    required: bool = False
    default: Json = None
    has_default: bool = False
    enum: tuple[Json, ...] = ()
    pattern: str | None = None
    description: str = ""


class Plan(Frozen):
    """A compiled spec."""

    version: int = PLAN_VERSION
    spec: str
    """The spec's name."""
    description: str = ""
    spec_version: str = ""
    labels: dict[str, str] = {}
    params: tuple[Param, ...] = ()
    env: dict[str, Template] = {}
    workspace: str | None = None
    """The folder to ship, as the spec writes it (relative to the spec's own folder)."""
    timeout: float | None = None
    """Seconds for the whole run, finalizers excepted; None means no limit."""
    max_parallel: int | None = None
    cleanup_policy: CleanupPolicy = "remove_on_completion"
    services: tuple[Service, ...] = ()
    """Shared by the jobs that name them; they run from before the first of these to after the last."""
    vars: dict[str, Json] = {}
    """Variables with their first values, whose texts are templates over `params`; `publish` sets them."""
    workflows: "dict[str, Plan]" = {}
    """Of a root plan: all that are nested in it, at any depth, by their path from the root spec's folder."""
    jobs: dict[str, Node]
    outputs: dict[str, Template] = {}
    order: tuple[str, ...]
    """Topological; jobs that do not depend on one another stand as the spec has them."""
    levels: tuple[tuple[str, ...], ...]
    """Jobs by the length of the longest way to them. The interpreter does not wait for levels."""
    critical_path: tuple[str, ...]
    estimated_events: int
    """Temporal history events that the run will make when nothing is retried."""

    @field_validator("version")
    @classmethod
    def _check_version(cls, version: int) -> int:
        """Refuse a newer plan before anything else of it is read: its shape may be another.

        Not a failure of the run: where a worker reads it, the workflow task fails, and a worker of the right version
        can still take it.
        """
        if version > PLAN_VERSION:
            raise PlanTooNew(known=PLAN_VERSION, needed=version)
        return version
