"""Why a job did not succeed. Every failure has one kind and one sentence."""

from enum import StrEnum

from orchestrator.plan.parts import Frozen


class FailureKind(StrEnum):
    """What `retry.on` names and what a record's reason begins with."""

    EXIT = "exit"
    """A command exited non-zero."""
    OOM = "oom"
    """The container went over its memory limit."""
    TIMEOUT = "timeout"
    LOST = "lost"
    """The worker or its host died and the container could not be found again."""
    PULL = "pull"
    """The image could not be pulled, or is not there and may not be pulled."""
    START = "start"
    """The container could not be created or started: a bad user, entrypoint, shell or limit."""
    DOCKER = "docker"
    """No Docker engine answers, or it failed."""
    CAPACITY = "capacity"
    """No worker offers as many processors or as much memory as is asked for."""
    SERVICE = "service"
    OUTPUT = "output"
    """`$ORCA_OUTPUT` is malformed or too large, or a promised output is missing."""
    ARTIFACT = "artifact"
    """An artifact is missing, or could not be collected or restored."""
    WORKSPACE = "workspace"
    STORE = "store"
    EXPRESSION = "expression"
    """A `${{ }}` could not be evaluated with the values of this run."""
    CALL = "call"
    """A function raised, or said that it failed; an HTTP answer was not the expected one."""
    REJECTED = "rejected"
    """A person said no, or a gate's timeout did."""
    WORKFLOW = "workflow"
    """A nested workflow did not succeed."""
    CANCELLED = "cancelled"
    WORKER = "worker"
    """A fault in the worker itself."""


class FailureReason(Frozen):
    """A kind for machines, a sentence for people. Printed as `kind: message`."""

    kind: FailureKind
    message: str
    """Plain English, at most 2 000 characters: what happened and what to do next."""

    def __str__(self) -> str:
        """`oom: the container went over its memory limit of 64 MiB`."""
        return f"{self.kind.value}: {self.message}"
