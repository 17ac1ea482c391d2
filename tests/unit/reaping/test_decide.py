"""What becomes of something on a host: by table, and never of a live run's current try."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.contract.messages import (
    ContainerRequest,
    JobRecord,
    JobStatus,
    RunRecord,
    ServiceRecord,
    TryRecord,
)
from orchestrator.contract.services import ServiceScope
from workers.reaping.decide import (
    Closed,
    Missing,
    NotAsked,
    Open,
    Run,
    Verdict,
    decide,
    needs_record,
    stranger,
)
from workers.reaping.things import Kind, Owner, Thing
from workers.supervision.identity import Namespace, all_labels
from workers.supervision.services.identity import container_labels, network_labels

HOME = Namespace("default", "id-1")
IMAGE = "alpine:latest"


def container(
    *,
    job: str = "build",
    variant: str | None = None,
    number: int = 1,
    attempt: int = 1,
    namespace: Namespace = HOME,
    runs: bool = False,
    cleanup: Any = "remove_on_completion",
) -> Thing:
    request = ContainerRequest(
        run_id="run-1",
        attempt=attempt,
        job=job,
        variant=variant,
        try_number=number,
        image=IMAGE,
        timeout=60,
        stop_grace=1,
        cleanup=cleanup,
    )
    return Thing("container", "c1", "orca-c1", all_labels(request, namespace=namespace), runs=runs)


def network(*, job: str = "build", number: int = 1, keep: Any = "remove_on_completion") -> Thing:
    scope = ServiceScope(run_id="run-1", attempt=1, job=job, number=number)
    return Thing("network", "n1", "orca-n1", network_labels(scope, namespace=HOME, cleanup=keep))


def service(*, job: str = "build", number: int = 1, runs: bool = True, keep: Any = "") -> Thing:
    scope = ServiceScope(run_id="run-1", attempt=1, job=job, number=number)
    labels = container_labels(scope, "db", namespace=HOME, cleanup=keep or "remove_on_completion")
    return Thing("container", "s1", "orca-s1", labels, runs=runs)


def relabelled(**changes: str) -> Thing:
    labels = {**container().labels, **{f"dev.orca.{key}": value for key, value in changes.items()}}
    return Thing("container", "c1", "orca-c1", {key: value for key, value in labels.items() if value})


def job_at(number: int, status: Any = "running", *, job_status: Any = None, **fields: Any) -> JobRecord:
    """A job whose last try has that number and status."""
    history = tuple(
        TryRecord(number=each, status=status if each == number else "failed") for each in range(1, number + 1)
    )
    return JobRecord(kind="container", status=job_status or status, tries=number, history=history, **fields)


def record(build: JobRecord | None = None, *, attempt: int = 1, **fields: Any) -> RunRecord:
    jobs = {"build": build} if build else {}
    return RunRecord(
        run_id="run-1", attempt=attempt, spec="s", status="running", created_at="", jobs=jobs, **fields
    )


def live(state: RunRecord | None = None, *pending: str) -> Open:
    return Open(frozenset(pending), state)


CLOSED = Closed("terminated")
SHARED = {"db": ServiceRecord(state="healthy", start=2)}
VARIANT = ids.variant_key("build", "3.11")
OF_VARIANT = JobRecord(kind="container", status="running", tries=3, variants={VARIANT: job_at(2)})


@pytest.mark.parametrize(
    ("thing", "run", "fate"),
    [
        (container(), CLOSED, "remove"),
        (container(runs=True), CLOSED, "remove"),
        (network(), CLOSED, "remove"),
        (service(), CLOSED, "remove"),
        (network(job=""), CLOSED, "remove"),
        # Nobody can be asked, or nobody knows.
        (container(), NotAsked("no answer"), "unknown"),
        (container(), live(), "unknown"),
        (container(), live(record()), "unknown"),
        # Looked after right now.
        (container(), live(None, "build"), "live"),
        (container(number=2), live(None, "build #2"), "live"),
        (network(), live(None, "stop services: build"), "live"),
        (service(number=2), live(None, "start services: build #2"), "live"),
        (service(job=""), live(None, "stop services"), "live"),
        (service(job="", number=3), live(None, "start services #3"), "live"),
        # Tries.
        (container(), live(record(job_at(1))), "live"),
        (container(), live(record(job_at(2))), "remove"),
        (container(number=2), live(record(job_at(2))), "live"),
        (container(number=3), live(record(job_at(2))), "live"),
        (network(), live(record(job_at(2))), "remove"),
        (container(), live(record(job_at(1, "failed", job_status="running"))), "remove"),
        (container(), live(record(job_at(1, "success"))), "remove"),
        (container(), live(record(job_at(1, "failed", job_status="held"))), "live"),
        (container(), live(record(JobRecord(kind="container", status="waiting", tries=1))), "live"),
        (container(), live(record(JobRecord(kind="container", status="success", tries=1))), "remove"),
        (container(), live(record(JobRecord(kind="container", status="pending"))), "live"),
        (container(variant="3.11"), live(record(OF_VARIANT)), "remove"),
        (container(variant="3.11", number=2), live(record(OF_VARIANT)), "live"),
        (container(variant="3.12"), live(record(OF_VARIANT)), "unknown"),
        # Attempts.
        (container(), live(record(job_at(1), attempt=2)), "remove"),
        (container(attempt=2), live(record(job_at(1))), "unknown"),
        # Shared services.
        (service(job=""), live(record(services=SHARED)), "remove"),
        (service(job="", number=2), live(record(services=SHARED)), "live"),
        (network(job=""), live(record()), "live"),
        # Others'.
        (container(namespace=Namespace("other", "id-1")), CLOSED, "foreign"),
        (container(namespace=Namespace("default", "id-2")), CLOSED, "foreign"),
        (container(namespace=Namespace("default", "id-2")), Missing(), "foreign"),
        (container(namespace=Namespace("default")), CLOSED, "remove"),
        (relabelled(namespace=""), CLOSED, "foreign"),
        (Thing("container", "x", "x", {"dev.orca": "false"}), CLOSED, "foreign"),
        (Thing("container", "x", "x", {"dev.orca": "true"}), CLOSED, "unknown"),
        (relabelled(run=""), CLOSED, "unknown"),
        (relabelled(attempt="one"), CLOSED, "unknown"),
        (relabelled(**{"try": "0"}), CLOSED, "unknown"),
        # The server does not know the run.
        (container(), Missing(), "remove"),
        (container(namespace=Namespace("default")), Missing(), "unknown"),
        # Kept on request.
        (container(cleanup="keep"), CLOSED, "kept"),
        (container(cleanup="keep", runs=True), CLOSED, "stop"),
        (container(cleanup="keep_on_failure"), CLOSED, "kept"),
        (network(keep="keep"), CLOSED, "kept"),
        (container(cleanup="keep", runs=True), live(record(job_at(1))), "live"),
    ],
)
def test_what_becomes_of_it(thing: Thing, run: Run, fate: str) -> None:
    assert decide(thing, HOME, run).fate == fate


@pytest.mark.parametrize(
    ("thing", "outcome", "fate"),
    [
        (container(cleanup="keep_on_failure"), "success", "remove"),
        (container(cleanup="keep_on_failure"), "cancelled", "remove"),
        (container(cleanup="keep_on_failure"), "failed", "kept"),
        (container(cleanup="keep"), "success", "kept"),
        (service(keep="keep_on_failure"), "success", "remove"),
        (service(keep="keep_on_failure"), "cancelled", "stop"),
        (network(keep="keep_on_failure"), "failed", "kept"),
        (network(job="", keep="keep_on_failure"), "success", "kept"),
    ],
)
def test_what_is_kept_where_its_try_failed(thing: Thing, outcome: str, fate: str) -> None:
    assert decide(thing, HOME, CLOSED, outcome=outcome).fate == fate


def test_reasons_are_clauses_that_name_what_was_seen() -> None:
    assert decide(container(), HOME, CLOSED) == Verdict("remove", "its run has ended (terminated)")
    assert decide(container(), HOME, live(record(job_at(2)))) == Verdict(
        "remove", "it is of try 1, and its job is at try 2"
    )
    assert decide(container(namespace=Namespace("default", "id-2")), HOME, CLOSED) == Verdict(
        "foreign", "its run is on another server, in a namespace 'default' too"
    )
    assert decide(container(), HOME, Missing()) == Verdict(
        "remove", "the server that it was made for no longer knows its run", doubtful=True
    )
    kept = decide(container(cleanup="keep"), HOME, CLOSED)
    assert kept.why == "its run has ended (terminated), and the run's cleanup_policy is keep"


def test_how_people_name_whose_it_is() -> None:
    assert [owner.key for owner in (Owner("r", 1, "a", None, 1), Owner("r", 1, "a", "3.11", 2, "db"))] == [
        "a",
        "a (3.11) #2/db",
    ]
    assert [Owner("r", 1, "", None, number, "db").key for number in (1, 2)] == [
        "services/db",
        "services #2/db",
    ]


def test_a_record_is_asked_for_only_where_nothing_else_tells() -> None:
    assert needs_record(container(), live())
    assert not needs_record(container(), live(None, "build"))
    assert not needs_record(container(), CLOSED)


CHANGES = st.dictionaries(
    st.sampled_from(
        [*container(cleanup="keep").labels, "dev.orca.variant", "dev.orca.service", "maintainer"]
    ),
    st.none()
    | st.sampled_from(["true", "1", "2", "build", "default", "id-2", "keep", "keep_on_failure", ""]),
    max_size=3,
)
KINDS: list[Kind] = ["container", "network", "volume"]
STATUSES: list[Literal["running", "success", "failed", "cancelled"]] = [
    "running",
    "success",
    "failed",
    "cancelled",
]
JOB_STATUSES: list[JobStatus] = ["pending", "waiting", "running", "held", "success", "failed"]


def changed(changes: dict[str, str | None]) -> dict[str, str]:
    """The labels of a job's container with a few of them different or gone."""
    labels = {**container().labels, **changes}
    return {key: value for key, value in labels.items() if value is not None}


LABELS = CHANGES.map(changed)


@st.composite
def records(draw: st.DrawFn) -> RunRecord:
    tries = draw(st.lists(st.sampled_from(STATUSES), max_size=3))
    status = draw(st.sampled_from(JOB_STATUSES))
    history = tuple(TryRecord(number=at, status=each) for at, each in enumerate(tries, 1))
    told = history[draw(st.integers(0, len(history))) :]
    build = JobRecord(kind="container", status=status, tries=len(tries), history=told)
    services = {"db": ServiceRecord(state="healthy", start=draw(st.integers(1, 2)))}
    return record(build, attempt=draw(st.integers(1, 2)), services=services if draw(st.booleans()) else {})


RUNS = st.one_of(
    st.just(CLOSED),
    st.just(Missing()),
    st.just(NotAsked("why")),
    st.builds(
        Open,
        st.frozensets(st.sampled_from(["build", "build #2", "stop services: build", "start services"])),
        st.none() | records(),
    ),
)


@given(
    labels=LABELS,
    kind=st.sampled_from(KINDS),
    runs=st.booleans(),
    run=RUNS,
    outcome=st.none() | st.sampled_from(STATUSES),
)
def test_nothing_goes_that_somebody_may_need(
    labels: dict[str, str], kind: Kind, runs: bool, run: Run, outcome: str | None
) -> None:
    thing = Thing(kind, "id", "name", labels, runs=runs)
    verdict = decide(thing, HOME, run, outcome=outcome)
    if verdict.fate not in ("remove", "stop"):
        return
    owner = thing.owner
    assert labels["dev.orca"] == "true"
    assert owner is not None
    assert labels["dev.orca.namespace"] == "default"
    assert labels.get("dev.orca.namespace-id") in (None, "", "id-1")
    assert not isinstance(run, NotAsked)
    if isinstance(run, Missing):
        assert labels["dev.orca.namespace-id"] == "id-1"
        assert verdict.doubtful
    if isinstance(run, Open):
        assert run.record is not None
        assert not owner.activities & run.pending
        assert owner.attempt <= run.record.attempt
        if owner.attempt == run.record.attempt and owner.job:
            job = run.record.jobs[owner.job]
            last = next((one.status for one in job.history if one.number == owner.number), None)
            assert job.status != "held"
            assert owner.number < job.tries or last != "running"
    if thing.keep == "keep":
        assert verdict.fate == "stop"
        assert thing.runs


@given(labels=LABELS, run=RUNS)
def test_a_namespace_without_an_id_is_never_asked_to_vouch(labels: dict[str, str], run: Run) -> None:
    thing = Thing("container", "id", "name", labels)
    verdict = decide(thing, Namespace("default"), run)
    assert not (isinstance(run, Missing) and verdict.fate in ("remove", "stop"))
    assert (stranger(thing, HOME) is None) or decide(thing, HOME, run) == stranger(thing, HOME)
