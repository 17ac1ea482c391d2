"""What people say to a running workflow: answers to gates, repairs, pause, cancel. Times are RFC 3339 in UTC."""

from typing import Literal

from orchestrator.plan.parts import Frozen, Json

MAX_COMMENT = 2000
"""Characters."""
MAX_ANSWER_BYTES = 64 * 1024
"""All fields of an answer together, as JSON."""
MAX_IGNORED = 20
"""Bad signals that a record tells of, the last ones."""


class Answer(Frozen):
    """One person's answer to a gate."""

    gate: str
    """The job, or of a variant its full name: `confirm (eu)`."""
    decision: Literal["approve", "reject"] = "approve"
    fields: dict[str, Json] = {}
    comment: str = ""
    by: str
    """Who says so. Nobody checks it but whoever guards the way to Temporal."""
    groups: tuple[str, ...] = ()
    """Groups that the person is in, as they say."""


class AnswerReply(Frozen):
    """What an answer came to."""

    gate: str
    approvals: int
    needed: int
    closed: bool
    """Whether this answer decided the gate."""
    message: str
    """A sentence for whoever answered."""


class FieldRecord(Frozen):
    """A field of an open gate, with every expression evaluated."""

    name: str
    type: Literal["string", "number", "boolean", "select", "multi_select"]
    label: str = ""
    description: str = ""
    required: bool = False
    default: Json = None
    has_default: bool = False
    pattern: str | None = None
    options: tuple[Json, ...] = ()


class AnswerRecord(Frozen):
    """An answer that counted."""

    by: str
    at: str
    decision: Literal["approve", "reject"]
    comment: str = ""
    fields: dict[str, Json] = {}
    via: Literal["update", "signal", "timeout"] = "update"


class GateRecord(Frozen):
    """A gate in a run's record, from the moment at which it opened."""

    prompt: str
    fields: tuple[FieldRecord, ...] = ()
    approvers: tuple[str, ...] = ()
    needed: int = 1
    self_approval: bool = True
    opened_at: str
    deadline: str | None = None
    on_timeout: Literal["approve", "reject", "fail"] = "fail"
    answers: tuple[AnswerRecord, ...] = ()
    closed_at: str | None = None
    cut: bool = False
    """Whether the record had no room for all of it; the query `gate` tells the whole."""


class Repair(Frozen):
    """What is to become of a held job: another try, or an end that a person gives it."""

    job: str
    """The job, or of a variant its full name."""
    action: Literal["retry", "skip", "set_outputs", "fail"]
    outputs: dict[str, Json] = {}
    """Of `set_outputs`: the job then counts as a success with these."""
    by: str = ""
    comment: str = ""


class RepairRecord(Frozen):
    """A repair in a job's record."""

    action: Literal["retry", "skip", "set_outputs", "fail"]
    by: str = ""
    at: str
    comment: str = ""


class Pause(Frozen):
    """Nothing new starts from here on, or may start again."""

    paused: bool
    by: str = ""
    comment: str = ""


class PauseRecord(Frozen):
    """A pause that lasts."""

    by: str = ""
    at: str
    comment: str = ""


CancelMode = Literal["drain", "graceful", "force"]
"""`drain`: what runs comes to its end, nothing new starts, finalizers run. `graceful`: what runs gets its stop signal
and its grace, finalizers run. `force`: what runs is killed, no finalizer runs, the run ends at once."""


class Cancel(Frozen):
    """The run is to end."""

    mode: CancelMode = "graceful"
    again: bool = False
    """Of `graceful`: it was cancelled so before, and now its finalizers are to be cancelled too."""
    by: str = ""
    comment: str = ""


class CancelRecord(Frozen):
    """A cancel in a run's record, the last one."""

    mode: CancelMode
    finalizers: bool = True
    """Whether they still run."""
    by: str = ""
    at: str
    comment: str = ""


class Reply(Frozen):
    """What a repair, a pause or a cancel came to."""

    message: str
    """A sentence for whoever asked."""


class Ignored(Frozen):
    """A signal that was no good."""

    signal: str
    at: str
    why: str
