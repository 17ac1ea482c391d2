"""What each kind of job needs of the run that it is part of."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.contract.messages import RunRequest
from orchestrator.interpreter.background import Background
from orchestrator.interpreter.pacing import Pacing
from orchestrator.interpreter.shared_services import SharedServices
from orchestrator.interpreter.state import RunState


@dataclass(frozen=True)
class Surroundings:
    """What a node needs of the run that it is part of."""

    request: RunRequest
    state: RunState
    pacing: Pacing
    shared: SharedServices
    background: Background
    changed: Callable[[], None]
    """Say that the state has changed, so that people see it."""
