"""Names that both sides of Temporal must agree on. Changing one breaks running workflows."""

from typing import Final

WORKFLOW_TYPE: Final = "orca-run"
"""The one generic interpreter."""
DEFAULT_TASK_QUEUE: Final = "orca"

QUERY_RECORD: Final = "record"
QUERY_GATE: Final = "gate"
"""The whole record of one gate, by its full name (`people.GateRecord`), which a run's record may have to cut."""
UPDATE_ANSWER: Final = "answer"
"""Answers a gate, and says at once whether that counts (`people.Answer`)."""
SIGNAL_APPROVE: Final = "approve"
SIGNAL_REJECT: Final = "reject"
"""The same for scripts and the Web UI: `{"gate", "by", "fields", "comment"}`. One that is no good is recorded."""
UPDATE_REPAIR: Final = "repair"
UPDATE_PAUSE: Final = "pause"
UPDATE_CANCEL: Final = "cancel"
SIGNAL_CANCEL: Final = "cancel"
"""Cancels in one of the modes (`people.Cancel`). The signal is for nested runs and for scripts: `{"mode": "drain"}`."""
REFUSED_ERROR: Final = "refused"
"""Type of the error with which an answer, a repair, a pause or a cancel is refused; its message says why."""
OWN_CANCEL: Final = "request own cancel"
"""Type of the local activity with which a run asks the server to cancel it, so that it can end as cancelled there."""

SEARCH_SPEC: Final = "OrcaSpec"
SEARCH_STATE: Final = "OrcaState"
SEARCH_LABELS: Final = "OrcaLabels"

MEMO_RECORD: Final = "record"
"""Holds the run's record where Temporal's own closing event cannot carry it (a cancelled run)."""
MEMO_DIGEST: Final = "plan_digest"
MEMO_CANCEL: Final = "cancel"
"""Of a run that is cancelled by force `CANCEL_FORCE`: workers look there while they stop what ran."""
CANCEL_FORCE: Final = "force"
MEMO_ATTEMPT: Final = "attempt"
"""Of an attempt that resumes an earlier one: its number, for lists of runs."""

LABEL_MARK: Final = "dev.orca"
"""On every object that orca makes; the others narrow it down."""
LABEL_RUN: Final = "dev.orca.run"
LABEL_ATTEMPT: Final = "dev.orca.attempt"
LABEL_JOB: Final = "dev.orca.job"
LABEL_VARIANT: Final = "dev.orca.variant"
LABEL_TRY: Final = "dev.orca.try"
LABEL_SERVICE: Final = "dev.orca.service"
"""Name of the service that a container is; absent on the containers of jobs."""
LABEL_PLAN: Final = "dev.orca.plan"
LABEL_KEEP: Final = "dev.orca.keep"
LABEL_NAMESPACE: Final = "dev.orca.namespace"
LABEL_NAMESPACE_ID: Final = "dev.orca.namespace-id"
"""The server's own id of that namespace, which tells servers apart whose namespaces have the same name."""

HEARTBEAT_TIMEOUT: Final = 15.0
"""Seconds without a heartbeat after which a worker counts as dead."""
HEARTBEAT_INTERVAL: Final = 2.0
"""Seconds between heartbeats; also how late a cancellation can reach a container."""

SCRIPT_MARK: Final = "\x01orca:"
"""Begins a line that the job's script writes for the worker: which command starts, whether outputs exist."""


def host_queue(task_queue: str, host: str) -> str:
    """The queue that only the workers on `host` poll; for functions, the worker of that name."""
    return f"{task_queue}@{host}"


def caller_name(host: str, mark: str) -> str:
    """How a worker on `host` is named where functions are concerned; `mark` tells what it allows."""
    return f"{host}#{mark}"


def host_of(name: str) -> str:
    """The host in a caller's name; a host's own name is that of the host."""
    return name.partition("#")[0]


DETACHED_ERROR: Final = "detached"
"""Type of the error with which a stopping worker gives a try back; its details hold the last `Heartbeat`."""
HOST_WAIT: Final = 300.0
"""Seconds that a try waits for the host that has its container before it counts as lost."""
