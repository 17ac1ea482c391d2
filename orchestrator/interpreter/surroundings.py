"""What each kind of job needs of the run that it is part of."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.contract.messages import RunRequest
from orchestrator.interpreter.background import Background
from orchestrator.interpreter.cancelling import Cancelling
from orchestrator.interpreter.open_gates import OpenGates
from orchestrator.interpreter.pacing import Pacing
from orchestrator.interpreter.pausing import Pausing
from orchestrator.interpreter.repairs import Repairs
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
    pausing: Pausing
    repairs: Repairs
    gates: OpenGates
    cancelling: Cancelling
    remind: Callable[[str], None]
    """Start the reminder of that name, unless it still runs from the last time."""
    changed: Callable[[], None]
    """Say that the state has changed, so that people see it."""
