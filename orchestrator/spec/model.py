"""The shapes that a spec may have, as pydantic models: what each value may be, and nothing of other jobs.

Rules between jobs are the compiler's. Values keep the spec's own words; only durations (seconds), sizes
(bytes) and short forms are made uniform. Adding a key: a field here, its meaning in compile, a test in both, its text
in `key_texts.py`, its section in docs/language, and `make schema`. What all shapes are made of is in `values.py`, the
shapes of gates, waits and choices are in `kinds.py`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from orchestrator.spec import kind_shapes, service_shapes, shapes
from orchestrator.spec.kinds import Choice, Gate, Wait
from orchestrator.spec.service_shapes import PortWords
from orchestrator.spec.values import (
    Condition,
    Count,
    Given,
    Name,
    Names,
    PositiveSeconds,
    Seconds,
    Shape,
    Text,
    Texts,
)

Texted = Annotated[
    dict[Annotated[str, BeforeValidator(shapes.env_name)], str], BeforeValidator(shapes.mapping)
]
OnError = Annotated[Literal["stop", "continue", "hold"], BeforeValidator(shapes.on_error)]
OnComplete = Annotated[
    Annotated[Literal["success", "failure", "always"], Tag("\0word")]
    | Annotated[tuple[Name, ...], Tag("\0list")],
    Discriminator(shapes.word_or_list),
    BeforeValidator(shapes.on_complete),
]
"""A condition, or jobs to go to."""
Pull = Annotated[Literal["missing", "always", "never"], BeforeValidator(shapes.pull)]

MAX_VARIANTS: Final = 10_000
"""What `max_variants` may be at most."""
DEFAULT_MAX_VARIANTS: Final = 256
"""What it is where the spec does not say: GitHub Actions' own limit."""
RETRY_KINDS: Final = (
    "exit", "oom", "timeout", "lost", "pull", "start", "docker", "capacity", "service", "output", "artifact",
    "workspace", "store", "worker", "call", "workflow", "error",
)  # fmt: skip
"""Why a try can fail so that another may help: what `retry.on` accepts. `error` stands for all but a timeout."""


ExitCodes = Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], BeforeValidator(shapes.many)]
FailureKinds = Annotated[
    tuple[Annotated[str, BeforeValidator(shapes.one_of(RETRY_KINDS))], ...], BeforeValidator(shapes.many)
]


class RetryShape(Shape):
    """`retry`: a number is short for `{max_attempts: number}`."""

    max_attempts: Annotated[int, Field(ge=1, le=100)] = 1
    delay: Seconds = 1.0
    backoff: Literal["fixed", "linear", "exponential"] = "fixed"
    multiplier: Annotated[float, Field(ge=1, le=1000)] = 2.0
    max_delay: Seconds = 3600.0
    on: FailureKinds = ()
    exit_codes: ExitCodes = ()


class ResourcesShape(Shape):
    """`resources` of a container."""

    cpus: Given[Annotated[float, BeforeValidator(shapes.cpus)]] = None
    memory: Given[Annotated[int, BeforeValidator(shapes.memory)]] = None
    pids: Given[Annotated[int, Field(ge=1)]] = None


class RequirementShape(Shape):
    """An entry of `requires`. Without a condition it is the short form: other keys can lift its condition."""

    job: Name
    condition: Given[Literal["success", "failure", "skipped", "always"]] = None


@lru_cache(maxsize=4096)
def _shared(entry: RequirementShape) -> RequirementShape:
    """Equal entries as one object: many jobs that require many write the same ones again and again."""
    return entry


Retry = Annotated[RetryShape, BeforeValidator(shapes.retry)]
Requires = Annotated[
    tuple[Annotated[RequirementShape, BeforeValidator(shapes.requirement), AfterValidator(_shared)], ...],
    BeforeValidator(shapes.many),
]
Outputs = Annotated[
    Annotated[tuple[Name, ...], BeforeValidator(shapes.many), Tag("\0list")]
    | Annotated[dict[str, Annotated[str, BeforeValidator(shapes.expression)]], Tag("\0map")],
    Discriminator(shapes.outputs_form),
]
"""A list of promised names, or names with the expressions that compute them."""


Axis = Annotated[list[Any] | str, BeforeValidator(shapes.axis)]
"""The values of one axis, or one expression that gives them."""
Entry = Annotated[dict[str, Any] | str, BeforeValidator(shapes.entry)]
Entries = Annotated[
    Annotated[tuple[Entry, ...], Tag("\0list")] | Annotated[str, Tag("\0text")],
    Discriminator(shapes.list_or_text),
    BeforeValidator(shapes.entries),
]
"""`include` or `exclude`: a list of mappings, or one expression that gives it."""
PortNumber = Annotated[int, Field(ge=1, le=service_shapes.MAX_PORT)]
Words = Annotated[tuple[str, ...], BeforeValidator(service_shapes.words)]


class MatrixShape(Shape):
    """`matrix`: axes, which may have any name but these, and what is done with their combinations."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Axis] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]

    include: Given[Entries] = None
    exclude: Given[Entries] = None
    max_parallel: Given[Count] = None
    fail_fast: Given[bool] = None

    @property
    def axes(self) -> dict[str, Any]:
        """For each axis its values, or the expression that gives them; in the order of the spec."""
        return self.__pydantic_extra__


Matrix = Annotated[
    Annotated[MatrixShape, Tag("\0map")] | Annotated[str, Tag("\0text")],
    Discriminator(shapes.map_or_text),
    BeforeValidator(shapes.matrix),
]
"""Axes with their values, or one expression that gives all of it."""
Items = Annotated[list[Any] | dict[str, Any] | str, BeforeValidator(shapes.items)]
"""`for_each`: a list, a mapping, or one expression that gives either."""


class HttpShape(Shape):
    """`http` of `ready`: a text is short for `path`."""

    path: Annotated[str, BeforeValidator(service_shapes.http_path)]
    port: Given[PortNumber] = None


class ReadyShape(Shape):
    """`ready` of a health check: exactly one of them."""

    tcp: Given[PortNumber] = None
    http: Given[Annotated[HttpShape, BeforeValidator(service_shapes.http)]] = None
    log: Given[Annotated[str, BeforeValidator(service_shapes.log_pattern)]] = None


class HealthCheckShape(Shape):
    """`health_check` of a service: the Compose specification's fields, and `ready`."""

    test: Given[Annotated[tuple[str, ...], BeforeValidator(service_shapes.health_test)]] = None
    ready: Given[Annotated[ReadyShape, BeforeValidator(service_shapes.ready)]] = None
    disable: bool = False
    interval: Given[PositiveSeconds] = None
    timeout: Given[PositiveSeconds] = None
    retries: Given[Count] = None
    start_period: Given[Seconds] = None
    start_interval: Given[PositiveSeconds] = None


class ServiceShape(Shape):
    """A service: a text is short for its `image`."""

    image: Text
    env: Texted = Field(default_factory=dict[str, str])
    command: Given[Words] = None
    entrypoint: Given[Words] = None
    health_check: Given[Annotated[HealthCheckShape, BeforeValidator(service_shapes.health_check)]] = None
    start_timeout: Given[PositiveSeconds] = None
    ports: Annotated[
        tuple[Annotated[PortWords, BeforeValidator(service_shapes.port)], ...], BeforeValidator(shapes.many)
    ] = ()
    resources: Given[ResourcesShape] = None
    tmpfs: Annotated[dict[str, str], BeforeValidator(service_shapes.tmpfs)] = Field(
        default_factory=dict[str, str]
    )
    required: bool = True
    artifact: bool = False
    pull: Given[Pull] = None


Service = Annotated[ServiceShape, BeforeValidator(service_shapes.service)]
Services = Annotated[
    Annotated[tuple[Text, ...], Tag("\0list")] | Annotated[dict[str, Service], Tag("\0map")],
    Discriminator(service_shapes.list_or_map),
    BeforeValidator(service_shapes.services),
]
"""Images and names of the workflow's services, or names with the services that they are."""


class DefaultsShape(Shape):
    """`defaults`: what jobs get that do not say otherwise."""

    image: Given[Text] = None
    timeout: Given[PositiveSeconds] = None
    retry: Given[Retry] = None
    env: Texted = Field(default_factory=dict[str, str])
    shell: Given[Text] = None
    working_dir: Given[Text] = None
    user: Given[Text] = None
    pull: Given[Pull] = None
    resources: Given[ResourcesShape] = None
    on_error: Given[OnError] = None
    idempotent: Given[bool] = None
    stop_grace: Given[Seconds] = None


class JobShape(DefaultsShape):
    """A job: a container, or what one of `call`, `gate`, `wait`, `choice` and `workflow` makes of it."""

    name: Annotated[Given[str], BeforeValidator(shapes.job_title)] = None
    commands: Texts = ()
    call: Given[Annotated[str, BeforeValidator(kind_shapes.function)]] = None
    gate: Given[Gate] = None
    wait: Given[Wait] = None
    choice: Given[Choice] = None
    workflow: Given[Annotated[str, BeforeValidator(kind_shapes.spec_path)]] = None
    with_: dict[str, Any] = Field(default_factory=dict[str, Any], alias="with")
    matrix: Given[Matrix] = None
    include: Given[Entries] = None
    exclude: Given[Entries] = None
    for_each: Given[Items] = None
    batch_size: Given[Count] = None
    max_parallel: Given[Count] = None
    fail_fast: Given[bool] = None
    requires: Requires = ()
    after: Names = ()
    parallel_with: Names = ()
    if_: Annotated[Given[Condition], Field(alias="if")] = None
    unless: Given[Condition] = None
    on_complete: Given[OnComplete] = None
    on_success: Names = ()
    on_failure: Names = ()
    outputs: Outputs = ()
    publish: dict[str, Annotated[str, BeforeValidator(shapes.expression)]] = Field(
        default_factory=dict[str, str]
    )
    artifacts: Annotated[tuple[Text, ...], BeforeValidator(shapes.many)] = ()
    artifacts_from: Names = ()
    entrypoint: Given[Annotated[tuple[Text, ...], BeforeValidator(shapes.many)]] = None
    services: Services = ()
    network: Given[Literal["default", "internal", "none"]] = None

    @property
    def completion(self) -> Literal["success", "failure", "always"] | None:
        """The word after `on_complete`, where it is one: a condition."""
        return self.on_complete if isinstance(self.on_complete, str) else None

    @property
    def on_completion(self) -> tuple[str, ...]:
        """The jobs after `on_complete`, where it names some: a transition."""
        return self.on_complete if isinstance(self.on_complete, tuple) else ()


class ParamShape(Shape):
    """A declared param."""

    type: Literal["string", "integer", "number", "boolean", "array", "object"] = "string"
    required: bool = False
    default: Any = None
    enum: Annotated[tuple[Any, ...], BeforeValidator(shapes.listed)] = ()
    pattern: Given[str] = None
    description: str = ""

    @property
    def has_default(self) -> bool:
        """Whether the spec gives a default; null is one too."""
        return "default" in self.model_fields_set


class Spec(Shape):
    """A whole file."""

    name: Annotated[str, BeforeValidator(shapes.spec_name)]
    description: str = ""
    version: str = ""
    labels: Annotated[dict[str, str], BeforeValidator(shapes.mapping)] = Field(default_factory=dict[str, str])
    params: dict[str, Annotated[ParamShape, BeforeValidator(shapes.param)]] = Field(
        default_factory=dict[str, ParamShape]
    )
    env: Texted = Field(default_factory=dict[str, str])
    vars: dict[str, Any] = Field(default_factory=dict[str, Any])
    workspace: Given[Text] = None
    defaults: DefaultsShape = DefaultsShape()
    timeout: Given[PositiveSeconds] = None
    max_parallel: Given[Annotated[int, Field(ge=1)]] = None
    max_variants: Annotated[int, Field(ge=1, le=MAX_VARIANTS)] = DEFAULT_MAX_VARIANTS
    cleanup_policy: Literal["remove_on_completion", "keep_on_failure", "keep"] = "remove_on_completion"
    services: Annotated[dict[str, Service], BeforeValidator(service_shapes.shared_services)] = Field(
        default_factory=dict[str, ServiceShape]
    )
    jobs: Annotated[dict[str, JobShape], BeforeValidator(shapes.some_jobs)]
    error_handlers: dict[str, Names] = Field(default_factory=dict[str, tuple[str, ...]])
    outputs: dict[str, Annotated[str, BeforeValidator(shapes.expression)]] = Field(
        default_factory=dict[str, str]
    )


JOB_KINDS: Final = ("call", "gate", "wait", "choice", "workflow")
"""Keys that make a job another kind than a container, and that kind's name."""

LATER: Final[Mapping[type[Shape], tuple[str, ...]]] = {Spec: ("priority",)}
"""Keys of the language that this version does not know yet: another error than a mistyped key."""
