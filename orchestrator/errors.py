"""The error tree. Every error that reaches a person is one of these; each class owns its exit code.

    OrcaError                     1
    ├── SpecError                 2   the spec is wrong; carries every diagnostic
    ├── UsageError                2   the call is wrong: a bad parameter, a bad option
    │   └── RunNotFound           2
    ├── ExpressionError           2   a `${{ }}` expression cannot be parsed or evaluated
    ├── Unreachable               3
    │   ├── TemporalUnreachable   3
    │   ├── DockerUnreachable     3
    │   └── WorkerUnreachable     3   an open run's state is known to its workers only, and none answers
    ├── PlanTooNew                1   a plan was made by a newer orca than the one that is to read it
    ├── StoreError                1   logs, artifacts or a workspace cannot be read or written
    └── EngineError               1   the container engine refused something (workers/engine/failures.py has its kinds)

A container that exits non-zero is not an error but a value (`contract.messages.JobOutcome`).
A message says what happened, where, and what to do next. This room imports nothing of ours.
"""

from collections.abc import Sequence
from typing import ClassVar, Protocol


class OrcaError(Exception):
    """Base of all; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 1


class DiagnosticLike(Protocol):
    """What `SpecError` needs to know of a diagnostic (`orchestrator.spec.diagnostics.Diagnostic` is one)."""

    @property
    def code(self) -> str:
        """Stable code such as `E103`."""
        ...

    def __str__(self) -> str:
        """One line: `file:line:col: error[E103]: message`."""
        ...


class SpecError(OrcaError):
    """The spec is wrong. `diagnostics` has every finding, in source order."""

    exit_code = 2

    def __init__(self, diagnostics: Sequence[DiagnosticLike]) -> None:
        super().__init__("\n".join(str(item) for item in diagnostics))
        self.diagnostics = tuple(diagnostics)


class UsageError(OrcaError):
    """The call is wrong: a bad parameter value, an unknown option, a file that is not there."""

    exit_code = 2


class RunNotFound(UsageError):
    """No run has that id."""


class ExpressionError(OrcaError):
    """An expression cannot be parsed or evaluated. `offset` is the place in its source, from 0, where known."""

    exit_code = 2

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class Unreachable(OrcaError):
    """Something that orca needs does not answer."""

    exit_code = 3


class TemporalUnreachable(Unreachable):
    """No Temporal server answers at the address."""


class DockerUnreachable(Unreachable):
    """No Docker engine answers."""


class WorkerUnreachable(Unreachable):
    """No worker answers for an open run."""


class PlanTooNew(OrcaError):
    """A plan was made by a newer orca than this one."""

    def __init__(self, *, known: int, needed: int) -> None:
        super().__init__(
            f"this orca knows plan versions up to {known}, and this plan has version {needed}; upgrade orca here"
        )


class StoreError(OrcaError):
    """The store cannot be read or written."""


class EngineError(OrcaError):
    """The container engine refused or failed; `workers/engine/failures.py` names the kinds."""
