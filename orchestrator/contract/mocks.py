"""How the jobs of a dry run end, as its author declares it."""

from typing import Literal

from orchestrator.contract.failures import FailureKind
from orchestrator.plan.parts import Frozen, Json


class Mock(Frozen):
    """The end of one job. What is left out is that of a job that simply succeeds."""

    status: Literal["success", "failed", "skipped"] = "success"
    outputs: dict[str, Json] = {}
    exit_code: int | None = None
    """None: 0 of a container that succeeds, 1 of one that fails."""
    kind: FailureKind | None = None
    """Of a failure; None: what is usual for the kind of job."""
    reason: str = ""
    decision: Literal["approve", "reject", "timeout"] = "approve"
    """Of a gate; `outputs` are its fields."""
    by: str = "mock"
    tries: "tuple[Mock, ...]" = ()
    """One for each try, in order; the last one stands for all that follow."""
    variants: "dict[str, Mock]" = {}
    """By name of the variant, without the job's: `3.11, alpine`."""
    jobs: "dict[str, Mock]" = {}
    """Of a nested workflow: its own jobs, which are walked where this is not empty or nothing else is said."""


class Mocks(Frozen):
    """By job. A job that is not named succeeds without outputs; a gate is approved with its defaults."""

    jobs: dict[str, Mock] = {}
