"""Messages about functions that workers call. Their end is a `JobOutcome`, as that of a container."""

from typing import Literal

from orchestrator.contract.messages import Heartbeat
from orchestrator.plan.parts import Frozen, Json

MAX_ARGUMENTS_BYTES = 256 * 1024
"""What a function is given, as JSON."""
HTTP = "http"
"""The function that is built in."""
REJOIN_WAIT = 15.0
"""Seconds that a call which is under way waits for its worker after an outage, and then for any other to say that it is
lost: a function cannot be taken over, and goes on only where its worker does."""


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
    """What the worker that had this try before said last; it was asked in vain where the try goes to another."""
    cancelled: bool = False
    """The run was cancelled while nobody had this try: start nothing."""
