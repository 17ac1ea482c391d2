"""Messages about functions that workers call. Their end is a `JobOutcome`, as that of a container."""

from typing import Literal

from orchestrator.contract.messages import Heartbeat
from orchestrator.plan.parts import Frozen, Json

MAX_ARGUMENTS_BYTES = 256 * 1024
"""What a function is given, as JSON."""
HTTP = "http"
"""The function that is built in."""


class CallRequest(Frozen):
    """One logical try of a call, with every expression evaluated."""

    kind: Literal["call"] = "call"
    """Tells it from a container's request, which has no such field."""
    run_id: str
    attempt: int
    job: str
    variant: str | None = None
    try_number: int = 1
    spec: str
    function: str
    arguments: dict[str, Json] = {}
    params: dict[str, Json] = {}
    outputs: dict[str, dict[str, Json]] = {}
    """Of the jobs that this one requires or was started by."""
    vars: dict[str, Json] = {}
    timeout: float
    """Seconds."""
    stop_grace: float
    previous: Heartbeat | None = None
    cancelled: bool = False
    """The run was cancelled while nobody had this try: start nothing."""
