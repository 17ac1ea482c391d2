"""Which kind each job is, and which keys jobs of a kind have. Tables and look-ups; the rules are `kind_checks`'."""

from collections.abc import Mapping
from typing import Final, Literal, cast

from orchestrator.spec.model import JOB_KINDS, JobShape

Kind = Literal["container", "call", "gate", "wait", "choice", "workflow"]

KIND_WORDS: Final[Mapping[Kind, str]] = {
    "container": "a container",
    "call": "a call",
    "gate": "a gate",
    "wait": "a wait",
    "choice": "a choice",
    "workflow": "a nested workflow",
}
"""What a job of each kind is called in a sentence."""

_ALL: Final[tuple[Kind, ...]] = ("container", "call", "gate", "wait", "choice", "workflow")
_RUNNING: Final[tuple[Kind, ...]] = ("container", "call", "workflow")
_REPEATED: Final[tuple[Kind, ...]] = ("container", "call", "gate", "wait", "workflow")

_OF_CONTAINERS: Final = (
    "image", "commands", "env", "artifacts", "artifacts_from", "services", "resources", "pull", "shell", "working_dir",
    "user", "entrypoint", "network",
)  # fmt: skip
_OF_REPEATED: Final = (
    "matrix", "for_each", "include", "exclude", "batch_size", "max_parallel", "fail_fast",
)  # fmt: skip
KINDS_OF: Final[Mapping[str, tuple[Kind, ...]]] = {
    **dict.fromkeys(_OF_CONTAINERS, ("container",)),
    **dict.fromkeys(_OF_REPEATED, _REPEATED),
    "stop_grace": ("container", "call"),
    "idempotent": ("container", "call"),
    "with": ("call", "workflow"),
    "timeout": (*_RUNNING, "gate"),
    "retry": _RUNNING,
}
"""For each key that not all jobs have the kinds of those that do. The keys that say the kind are not in it."""

_DEFAULTS_OF: Final[Mapping[str, tuple[Kind, ...]]] = {
    **KINDS_OF,
    # A default is the limit of one try, and would close gates and cut off whole workflows.
    "timeout": ("container", "call"),
    # What may fail is not to be approved by a default.
    "on_error": _RUNNING,
}


def said_kinds(job: JobShape) -> tuple[Kind, ...]:
    """The kinds that a job's own keys say it is, the container last."""
    found: list[Kind] = [cast("Kind", key) for key in JOB_KINDS if getattr(job, key) is not None]
    if job.image is not None or job.commands:
        found.append("container")
    return tuple(found)


def kind_of(job: JobShape) -> Kind:
    """A job's kind: the first that it says, else a container, which may have its image from `defaults`."""
    said = said_kinds(job)
    return said[0] if said else "container"


def gets_default(kind: Kind, key: str) -> bool:
    """Whether jobs of a kind get a key of `defaults`."""
    return kind in _DEFAULTS_OF.get(key, _ALL)
