"""What crosses Temporal: requests are small references, outcomes small facts. Never logs, never file content."""

from typing import Any, Final, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from orchestrator.contract.capacity import Ask, SharedRoom
from orchestrator.contract.failures import FailureReason
from orchestrator.contract.mocks import Mocks
from orchestrator.contract.people import CancelRecord, GateRecord, Ignored, PauseRecord, RepairRecord
from orchestrator.plan.model import Plan
from orchestrator.plan.parts import CleanupPolicy, Frozen, Json, PullPolicy, Resources

MAX_OUTPUT_BYTES = 64 * 1024
"""All outputs of one job together, as UTF-8. Larger data belongs in an artifact."""
MAX_LEAVES = 1000
"""Jobs of one run, those with variants counted as so many: its record, with reason and tries for each and all
outputs, must fit into one payload."""

NO_NETWORK = "none"
"""As the only name in `ContainerRequest.networks`: the container is in none."""


class ArtifactRef(Frozen):
    """One collected path: a tar in the store whose entries are relative to `/`."""

    path: str
    """As the spec wrote it, after evaluation."""
    key: str
    """In the store."""
    size: int
    """Bytes of the tar."""
    sha256: str
    """Of the tar, hex."""


class Heartbeat(Frozen):
    """What a worker says while a container runs; reaches the workflow when the worker dies."""

    host: str
    container_id: str = ""
    phase: Literal["waiting", "looking", "pulling", "preparing", "running", "collecting"] = "looking"
    """`waiting`: nothing has begun, since the host has no room."""
    log_position: str = ""
    """Docker's timestamp of the last line that is safely in the store."""
    note: str = ""
    """For people: what it waits for, or what became of a service beside it."""
    ending: Literal["", "cancel", "timeout"] = ""
    """Why the container was told to end, where it was: its end is then not the job's own."""
    engine: str = ""
    """When the engine began under which the container runs, as that says; empty where nobody knows."""


class ServiceSecret(Frozen):
    """A value that is a function of the host's own key and of where it is used. It never crosses Temporal."""

    variable: str
    """In the environment of service and job."""
    network: str
    service: str


class SharedService(Frozen):
    """A service that jobs of the run share, and without which a job of theirs does not begin."""

    name: str
    container: str
    serves: bool = True
    """Jobs reach it at a port, so that it is missed also where it ends with 0."""


class FallenService(Frozen):
    """A shared service that does not run any more."""

    name: str
    why: str
    """A clause that goes on from its name: `ended with exit code 137`."""
    taken: bool = False
    """Its engine took it along; it did not end by itself."""


class ContainerRequest(Frozen):
    """One logical try of a container job, with every expression evaluated."""

    run_id: str
    attempt: int
    job: str
    variant: str | None = None
    try_number: int = 1
    plan_digest: str = ""
    image: str
    commands: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    """What people are shown for each command; empty: the commands themselves."""
    env: dict[str, str] = {}
    shell: str = "sh"
    working_dir: str | None = None
    """None: `/workspace` where one is shipped, else the image's own."""
    user: str | None = None
    entrypoint: tuple[str, ...] | None = None
    pull: PullPolicy = "missing"
    resources: Resources = Resources()
    timeout: float
    """Seconds, from the container's start."""
    stop_grace: float
    """Seconds between stop signal and kill."""
    workspace: str | None = None
    """Key in the store of the shipped folder (a gzipped tar)."""
    artifacts: tuple[str, ...] = ()
    """Paths or globs to collect; relative ones start at the working directory."""
    restore: tuple[ArtifactRef, ...] = ()
    cleanup: CleanupPolicy = "remove_on_completion"
    networks: tuple[str, ...] = ()
    """Names of networks to join, which exist on the host; `("none",)`: no network; empty: the engine's default."""
    secrets: tuple[ServiceSecret, ...] = ()
    """Variables whose values the host makes up, the same for the service and for the job."""
    services: tuple[str, ...] = ()
    """Containers of the services beside this try: where one has ended when the job fails, the reason says so."""
    required_services: tuple[str, ...] = ()
    """Containers of its own services that must not have gone with their engine when it begins."""
    shared_services: tuple[SharedService, ...] = ()
    """Those that must stand when it begins, and of which is told whether they still do when it has ended."""
    beside: Ask = Ask()
    """What its own services ask for together."""
    shared: SharedRoom | None = None
    """What is set aside for the shared services that it uses."""
    stays: bool = False
    """It may not be sent to another host for room."""
    previous: Heartbeat | None = None
    """What the worker that had this try before said last; None the first time."""
    cancelled: bool = False
    """The run was cancelled while nobody had this try: stop its container if there is one, and start nothing."""


class JobOutcome(Frozen):
    """How one logical try ended. A non-zero exit is a value here, not an exception."""

    status: Literal["success", "failed", "cancelled", "skipped"]
    """`skipped`: a function said that there was nothing to do."""
    reason: FailureReason | None = None
    """None exactly when `status` is success or skipped."""
    note: str = ""
    """Why it was skipped, in a sentence."""
    exit_code: int | None = None
    """None when no container ran to its end."""
    outputs: dict[str, Json] = {}
    artifacts: tuple[ArtifactRef, ...] = ()
    started_at: str | None = None
    """When the container started, RFC 3339 UTC; None when it never did."""
    finished_at: str | None = None
    host: str = ""
    container_id: str = ""
    warnings: tuple[str, ...] = ()
    """Things that went wrong and did not change the outcome, such as lost log lines."""
    updates: dict[str, Json] = {}
    """Variables that a function sets."""
    quality: dict[str, Json] | None = None
    """What a function says of its data's quality."""
    fallen: tuple[FallenService, ...] = ()
    """Of the request's `shared_services`, those that had ended. Where there is no `started_at` they are why the job did
    not begin."""
    swept: bool = False
    """Its own services had gone with their engine, which is why the job did not begin."""
    images: dict[str, tuple[str, ...]] = {}
    """What it was made of, its services too: marks (`contract.images`) by the image's written name."""
    final: bool = False
    """Another try would end the same way, whatever the job's `retry` says: the function is not there, say."""


class RunRequest(Frozen):
    """The interpreter's whole input."""

    run_id: str
    attempt: int = 1
    plan: Plan
    plan_digest: str
    params: dict[str, Json] = {}
    git: dict[str, str] = {}
    workspace: str | None = None
    """Key in the store."""
    file_hashes: dict[str, str] = {}
    """What `hashFiles` gives, by `plan.file_patterns.call_key`; computed before, as replayed code reads no files."""
    created_at: str
    task_queue: str
    submitted_by: str = ""
    """Who started the run, as they say."""
    nested: "dict[str, NestedFiles]" = {}
    """By key of `Plan.workflows`: what was read of the folder of each nested workflow that ships one."""
    mocks: Mocks | None = None
    """Of a dry run: nothing is sent out, and each job ends as these say."""
    reuse: "Reuse | None" = None
    """Of an attempt that resumes an earlier one."""
    workspace_mark: str = ""
    """Stands for what the workspace holds beside the specs themselves; empty: nobody looked, and its key does."""


class NestedFiles(Frozen):
    """What a nested workflow has of its own folder; see `RunRequest`."""

    workspace: str | None = None
    workspace_mark: str = ""
    file_hashes: dict[str, str] = {}


JobStatus = Literal[
    "pending", "waiting", "running", "success", "failed", "cancelled", "skipped", "omitted", "held"
]


class Earlier(Frozen):
    """What earlier attempts of a run left of one job or variant."""

    status: JobStatus
    attempt: int
    """In which it ran; of one that did not run the first since which it stands so."""
    fingerprint: str = ""
    """Of what it ran with. Empty: nobody knows, and it is not taken over."""
    tries: int = 0
    exit_code: int | None = None
    outputs: dict[str, Json] = {}
    artifacts: tuple[ArtifactRef, ...] = ()
    service_logs: tuple[ArtifactRef, ...] = ()
    updates: dict[str, Json] = {}
    quality: dict[str, Json] | None = None
    started_at: str | None = None
    finished_at: str | None = None
    child: str = ""
    """Of a nested workflow: the run id of its last try."""
    images: dict[str, tuple[str, ...]] = {}
    """See `JobRecord`."""
    host: str = ""
    """Where it ran; empty where nobody knows."""
    replaced: tuple[str, ...] = ()
    """Those of its images whose names stood for another one when the attempt that may take it over was asked for."""
    in_doubt: bool = False
    """Nobody knows how far its last try got."""
    nested: "Reuse | None" = None
    """What that run itself left."""
    variants: "dict[str, Earlier]" = {}
    """By full name; a job that has any has its outputs and artifacts in them."""

    @model_serializer(mode="wrap")
    def _short(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what says nothing: a run's input has little room beside its plan."""
        said = ((key, value) for key, value in serialize(self).items() if value is not False)
        return {key: value for key, value in said if value not in (None, "", {}, [], ())}


class Reuse(Frozen):
    """What an attempt may take over from earlier ones, of which `attempt` is the last."""

    attempt: int
    jobs: dict[str, Earlier] = {}
    again: tuple[str, ...] = ()
    """Full names of jobs and variants that run again whatever they left."""
    only_failed: bool = False
    """Every success is taken over, also where something has changed."""


RunStatus = Literal["pending", "running", "success", "failed", "cancelled", "partial"]


class TryRecord(Frozen):
    """One logical try, as `RunRecord.history` keeps it for logs and artifacts."""

    number: int
    status: Literal["running", "success", "failed", "cancelled"]
    reason: str | None = None
    exit_code: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    host: str = ""


ServiceState = Literal["starting", "healthy", "started", "unhealthy", "exited", "absent", "interrupted"]
"""`started`: it runs and nothing can be checked. `absent`: it could not be started, or nobody knows how it is.
`interrupted`: it was stopped before it was ready, as another one failed or nobody wanted it any more."""


class ServiceRecord(Frozen):
    """A service in a run's record."""

    state: ServiceState
    after: float | None = None
    """Seconds from its start until it was healthy."""
    check: str = ""
    """What was checked, for people."""
    exit_code: int | None = None
    """Of one that ended by itself."""
    note: str = ""
    """Why it is not healthy, or what became of it, in a sentence."""
    start: int = 1
    """Which start of it this is: its try's number, or how often a run's shared services were started."""
    stopped: bool = False
    """It has been stopped, so that its whole log is there."""
    artifact: ArtifactRef | None = None
    """Its log, of one that jobs share; other services' are among their job's artifacts."""

    @property
    def standing(self) -> str:
        """How it is beside its state: `after 2.1 s (pg_isready -h 127.0.0.1)`, `with exit code 1: ended by itself`."""
        after = f"after {self.after:.1f} s" if self.after is not None else ""
        told = self.state == "starting" or (self.after is None and self.note)
        check = f"({self.check})" if self.check and not told else ""
        return "; ".join(part for part in (" ".join(filter(None, (after, check))), self.note) if part)


_SPARSE: Final = (
    "services", "gate", "quality", "child", "repairs", "off_path", "admitted", "vars", "paused", "ignored", "dry_run",
    "cancel",
    "fingerprint", "reused_from", "reused_tries", "updates", "images", "in_doubt",
)  # fmt: skip
"""Fields of records that are left out where they say nothing, as before there were any."""


class _Sparse(Frozen):
    """A record without the parts of the language that its run does not use."""

    services: dict[str, ServiceRecord] = Field(default_factory=dict[str, ServiceRecord])
    """By name, in the spec's order; of a job those of its last try, of a run those that its jobs share."""

    @model_serializer(mode="wrap")
    def _without_empty(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data = serialize(self)
        return {key: value for key, value in data.items() if value or key not in _SPARSE}


class JobRecord(_Sparse):
    """A job in a run's record. `orca status -o json` prints it as it is; see design: it does not change lightly."""

    kind: str
    status: JobStatus
    reason: str | None = None
    """Why it is not a plain success: `kind: sentence`; also why it was skipped or omitted."""
    tries: int = 0
    exit_code: int | None = None
    outputs: dict[str, Json] = {}
    started_at: str | None = None
    finished_at: str | None = None
    variants: "dict[str, JobRecord]" = {}
    """By full name (`test (3.11, alpine)`), in order; from the job's start on."""
    summary: str | None = None
    """`4/6 passed` where there are variants."""
    artifacts: tuple[ArtifactRef, ...] = ()
    """Empty where there are variants: they have them."""
    history: tuple[TryRecord, ...] = ()
    warnings: tuple[str, ...] = ()
    gate: GateRecord | None = None
    """From the moment at which it opened."""
    quality: dict[str, Json] | None = None
    """What a function said of its data's quality."""
    child: str = ""
    """Of a nested workflow: the run id of its last try."""
    repairs: tuple[RepairRecord, ...] = ()
    off_path: bool = False
    """Skipped because it lies on a path that was not taken."""
    admitted: str = ""
    """What its own `if` and `unless` saw when they let it start."""
    fingerprint: str = ""
    """Of a success: stands for what it ran with, so that a later attempt can tell whether that is still the same."""
    reused_from: int = 0
    """The attempt in which it ran; 0 where that is this one, or where it did not run."""
    reused_tries: int = 0
    """The tries that it took there; `tries` counts those of this attempt."""
    updates: dict[str, Json] = {}
    """Variables that its function set."""
    images: dict[str, tuple[str, ...]] = {}
    """Of a success: the images that it and its services, or its nested run, were made of; see `JobOutcome`."""
    in_doubt: bool = False
    """It is not idempotent, and nobody knows, or has said, how far its last try got."""


class RunRecord(_Sparse):
    """The whole state of a run. Times are RFC 3339 in UTC."""

    run_id: str
    attempt: int
    spec: str
    status: RunStatus
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    jobs: dict[str, JobRecord] = Field(default_factory=dict[str, JobRecord])
    outputs: dict[str, Json] = {}
    error: str | None = None
    vars: dict[str, Json] = {}
    paused: PauseRecord | None = None
    ignored: tuple[Ignored, ...] = ()
    """Signals that were no good, the last ones."""
    dry_run: bool = False
    """Nothing was sent out: each job ended as a mock says."""
    cancel: CancelRecord | None = None
    """How it was cancelled, where it was."""
