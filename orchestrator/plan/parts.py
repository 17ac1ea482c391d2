"""What all parts of a plan are made of. All durations are seconds, all sizes bytes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Template = str
"""Text that may hold `${{ }}`; evaluated by the interpreter when the job starts."""

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict of the same."""

Condition = Literal["success", "failure", "skipped", "always"]
Backoff = Literal["fixed", "linear", "exponential"]
CleanupPolicy = Literal["remove_on_completion", "keep_on_failure", "keep"]
ParamType = Literal["string", "integer", "number", "boolean", "array", "object"]
PullPolicy = Literal["missing", "always", "never"]


class Frozen(BaseModel):
    """Base of all messages and plan parts: immutable, and a key that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Requirement(Frozen):
    """An edge of the graph: this job waits for `job` and starts only if it ended as `condition` says.

    `success`: it succeeded, failed with `on_error: continue`, or was skipped by its own condition.
    `failure`: it failed. `skipped`: its own condition said no. `always`: it ended, however.
    """

    job: str
    condition: Condition = "success"


class RetryPolicy(Frozen):
    """The user's own retries, apart from Temporal's. `max_attempts` counts all tries, the first included."""

    max_attempts: Annotated[int, Field(ge=1, le=100)] = 1
    delay: Annotated[float, Field(ge=0)] = 1.0
    backoff: Backoff = "fixed"
    multiplier: Annotated[float, Field(ge=1)] = 2.0
    max_delay: Annotated[float, Field(ge=0)] = 3600.0
    on: tuple[str, ...] = ()
    """Failure kinds that are worth another try; empty means all but `cancelled` and `expression`."""
    exit_codes: tuple[int, ...] = ()
    """Exit codes that are worth another try; empty means all."""


class Resources(Frozen):
    """Limits of one container; None means the engine's default."""

    cpus: float | None = None
    memory: int | None = None
    """Bytes."""
    pids: int | None = None
