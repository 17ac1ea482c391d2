"""What becomes of something on this host, and why. Pure.

Whatever is in doubt stays: removing what somebody needs loses work, and leaving what nobody needs costs room.
"""

from dataclasses import dataclass

from orchestrator import ids
from orchestrator.contract import names
from orchestrator.contract.doctor import Fate
from orchestrator.contract.messages import JobRecord, RunRecord
from workers.reaping.things import Owner, Thing
from workers.supervision.identity import Namespace

ENDED: frozenset[str] = frozenset({"success", "failed", "cancelled", "skipped", "omitted"})


@dataclass(frozen=True)
class Closed:
    """The run has ended."""

    how: str
    """`completed`, `terminated`, …"""


@dataclass(frozen=True)
class Open:
    """The run goes on."""

    pending: frozenset[str]
    """Ids of activities that are under way or wait for a worker, as they were sent out the first time."""
    record: RunRecord | None = None
    """None: no worker told, or nobody asked."""


@dataclass(frozen=True)
class Missing:
    """The server knows no such run in the namespace."""


@dataclass(frozen=True)
class NotAsked:
    """Nobody knows how the run is."""

    why: str


Run = Closed | Open | Missing | NotAsked


@dataclass(frozen=True)
class Verdict:
    """What becomes of something."""

    fate: Fate
    why: str
    """A clause."""
    doubtful: bool = False
    """The server does not know the run at all: that is waited out for longer."""


def stranger(thing: Thing, home: Namespace) -> Verdict | None:
    """Why it is none of our business; None where Temporal is to be asked.

    Args:
        thing: what was found.
        home: the namespace that is asked.
    """
    if not thing.ours:
        return Verdict("foreign", "it is not orca's")
    if thing.owner is None:
        return Verdict("unknown", "its labels do not say whose it is")
    namespace = thing.labels.get(names.LABEL_NAMESPACE)
    if namespace != home.name:
        return Verdict("foreign", f"its run is in namespace '{namespace or ''}'")
    identity = thing.labels.get(names.LABEL_NAMESPACE_ID)
    if identity and home.id and identity != home.id:
        return Verdict("foreign", f"its run is on another server, in a namespace '{namespace}' too")
    return None


def needs_record(thing: Thing, run: Run) -> bool:
    """Whether the run has to be asked which tries are current."""
    owner = thing.owner
    return isinstance(run, Open) and owner is not None and not owner.activities & run.pending


def decide(thing: Thing, home: Namespace, run: Run, *, outcome: str | None = None) -> Verdict:
    """What becomes of `thing`.

    Args:
        thing: what was found.
        home: the namespace that was asked.
        run: how its run is there.
        outcome: of something that is kept where its try failed: how that ended, if the store knows.
    """
    strange, owner = stranger(thing, home), thing.owner
    if strange is not None or owner is None:
        return strange or Verdict("unknown", "its labels do not say whose it is")
    match run:
        case NotAsked(why):
            return Verdict("unknown", f"Temporal does not say how its run is: {why}")
        case Open():
            verdict = _of_open(owner, run)
        case Closed(how):
            verdict = Verdict("remove", f"its run has ended ({how})")
        case Missing():
            verdict = _of_missing(thing, home)
    return _kept(thing, owner, verdict, outcome) if verdict.fate == "remove" else verdict


def _of_missing(thing: Thing, home: Namespace) -> Verdict:
    if thing.labels.get(names.LABEL_NAMESPACE_ID) and home.id:
        return Verdict("remove", "the server that it was made for no longer knows its run", doubtful=True)
    return Verdict(
        "unknown",
        "this server does not know its run, and nothing says that it was made for this server",
    )


def _of_open(owner: Owner, run: Open) -> Verdict:
    if owner.activities & run.pending:
        return Verdict("live", "its run goes on, and it is being looked after")
    record = run.record
    if record is None:
        return Verdict("unknown", "its run goes on, and no worker says which tries are current")
    if owner.attempt != record.attempt:
        if owner.attempt < record.attempt:
            return Verdict("remove", f"it is of attempt {owner.attempt}, and the run is at {record.attempt}")
        return Verdict(
            "unknown", f"it is of attempt {owner.attempt}, and the run is only at {record.attempt}"
        )
    return _of_job(owner, record) if owner.job else _of_shared(owner, record)


def _of_shared(owner: Owner, record: RunRecord) -> Verdict:
    current = max((service.start for service in record.services.values()), default=0)
    if owner.number < current:
        return Verdict("remove", "the run has started its shared services anew")
    return Verdict("live", "its run goes on")


def _of_job(owner: Owner, record: RunRecord) -> Verdict:
    job = record.jobs.get(owner.job)
    if job is not None and owner.variant is not None:
        job = job.variants.get(ids.variant_key(owner.job, owner.variant))
    if job is None:
        return Verdict("unknown", "its run goes on and does not tell of its job")
    if job.status == "held":
        return Verdict("live", "its job is held: a person decides how it goes on")
    if owner.number < job.tries:
        return Verdict("remove", f"it is of try {owner.number}, and its job is at try {job.tries}")
    return _of_last_try(owner, job)


def _of_last_try(owner: Owner, job: JobRecord) -> Verdict:
    if owner.number > job.tries:
        return Verdict("live", "its run goes on and is just beginning with it")
    status = next((tried.status for tried in job.history if tried.number == owner.number), job.status)
    if status in ENDED:
        return Verdict("remove", f"its try has ended ({status})")
    return Verdict("live", "its run goes on, and its try is the current one")


def _kept(thing: Thing, owner: Owner, verdict: Verdict, outcome: str | None) -> Verdict:
    """What is to be kept by its run's `cleanup_policy` is stopped at most."""
    policy = thing.keep
    if not policy or (policy == "keep_on_failure" and _went_well(thing, owner, outcome)):
        return verdict
    why = f"{verdict.why}, and the run's cleanup_policy is {policy}"
    return Verdict("stop" if thing.runs else "kept", why, doubtful=verdict.doubtful)


def _went_well(thing: Thing, owner: Owner, outcome: str | None) -> bool:
    """Whether the store says that it need not be kept: services stay after whatever was no success."""
    if not owner.job:
        return False
    is_own = thing.kind == "container" and owner.service is None
    return outcome is not None and (outcome != "failed" if is_own else outcome == "success")
