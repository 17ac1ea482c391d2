"""What of a run has logs and artifacts of its own, and how it is found by name."""

from typing import Any

import pytest

from orchestrator import ids
from orchestrator.client.artifacts import artifacts_of
from orchestrator.client.leaves import leaves_of
from orchestrator.client.logs import selection, silent, sources, still_running
from orchestrator.contract.messages import ArtifactRef, JobRecord, RunRecord, ServiceRecord
from orchestrator.errors import UsageError
from orchestrator.plan.service_model import Service
from tests.support.plans import job, plan

NOW = "2026-01-31T12:00:00.000Z"


def leaf(status: str = "success", tries: int = 1, *paths: str) -> JobRecord:
    refs = tuple(ArtifactRef(path=path, key=path, size=1, sha256="0" * 64) for path in paths)
    return JobRecord.model_validate(
        {"kind": "container", "status": status, "tries": tries, "artifacts": refs}
    )


def record(**jobs: JobRecord | dict[str, JobRecord]) -> RunRecord:
    """A run; a job that is given as a mapping has those variants."""
    made = {
        name: job
        if isinstance(job, JobRecord)
        else JobRecord(kind="container", status="running", variants=job, tries=len(job))
        for name, job in jobs.items()
    }
    return RunRecord(run_id="r", attempt=1, spec="s", status="running", created_at=NOW, jobs=made)


VARIANTS = {"test (3.11, alpine)": leaf(tries=2), "test (f(x))": leaf("running")}
RUN = record(build=leaf(), test=VARIANTS, later=leaf("pending", 0))


def test_a_job_with_variants_is_its_variants() -> None:
    assert [(found.job, found.variant, found.name) for found in leaves_of(RUN)] == [
        ("build", None, "build"),
        ("test", "3.11, alpine", "test (3.11, alpine)"),
        ("test", "f(x)", "test (f(x))"),
        ("later", None, "later"),
    ]
    assert leaves_of(RUN, "test") == leaves_of(RUN)[1:3]
    assert leaves_of(RUN, "test (f(x))") == leaves_of(RUN)[2:3]


def test_a_variant_of_a_job_that_has_not_started_may_yet_come() -> None:
    assert leaves_of(RUN, "later (x)") == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("biuld", "run 'r' has no job 'biuld'; it has 'build', 'test', 'later'"),
        (
            "test (3.12)",
            "job 'test' has no variant 'test (3.12)'; it has 'test (3.11, alpine)', 'test (f(x))'",
        ),
        ("build (x)", "job 'build' of run 'r' has no variants"),
        ("none (x)", "run 'r' has no job 'none (x)'; it has 'build', 'test', 'later'"),
    ],
)
def test_a_name_that_is_not_there(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        leaves_of(RUN, name)
    assert str(caught.value) == message


def test_many_variants_are_not_all_named() -> None:
    many = record(test={f"test ({n})": leaf() for n in range(500)})
    with pytest.raises(UsageError, match=r"'test \(19\)' and 480 more$"):
        leaves_of(many, "test (x)")


def test_logs_lie_where_the_worker_puts_them() -> None:
    found = sources(RUN, selection(RUN, "test"))
    assert [(source.job, source.try_number, source.running) for source in found] == [
        ("test (3.11, alpine)", 1, False),
        ("test (3.11, alpine)", 2, False),
        ("test (f(x))", 1, True),
    ]
    assert found[1].prefix == ids.try_prefix("r", 1, "test", "3.11, alpine", 2)
    second = selection(RUN, "test (3.11, alpine)", try_number=2)
    assert [source.try_number for source in sources(RUN, second)] == [2]
    with pytest.raises(UsageError, match=r"job 'test \(f\(x\)\)' of run 'r' has no try 2"):
        sources(RUN, selection(RUN, "test (f(x))", try_number=2))


def plain(name: str) -> Service:
    return Service(name=name, image="redis:7")


STOPPED = {"db": ServiceRecord(state="healthy", start=2, stopped=True)}
UP = {"db": ServiceRecord(state="healthy"), "cache": ServiceRecord(state="starting")}
PLAN = plan(
    job("build"),
    job("test", services=(plain("db"), plain("cache"))),
    services=(plain("db"), plain("never")),
)
SERVED = record(
    build=leaf(),
    test={
        "test (a/b)": leaf(tries=2).model_copy(update={"services": STOPPED}),
        "test (c)": leaf("running").model_copy(update={"services": UP}),
    },
).model_copy(update={"services": {"db": ServiceRecord(state="healthy", start=2)}})


def logs(name: str | None, **fields: Any) -> list[tuple[str, str | None, int, bool]]:
    found = sources(SERVED, selection(SERVED, name, **fields), PLAN)
    return [(each.job, each.service, each.try_number, each.running) for each in found]


def test_a_service_s_log_is_asked_for_by_name() -> None:
    assert logs("test (a/b)/db") == [("test (a/b)", "db", 1, False), ("test (a/b)", "db", 2, False)]
    assert logs("test/cache", try_number=1) == [
        ("test (a/b)", "cache", 1, False),
        ("test (c)", "cache", 1, True),
    ]
    assert logs("services/db") == [("services", "db", 1, False), ("services", "db", 2, True)]
    assert logs("services/never") == []
    (found,) = sources(SERVED, selection(SERVED, "test (c)/db"), PLAN)
    assert found.prefix == ids.service_prefix("r", 1, "test", "c", 1, "db")
    assert still_running([found]) == [
        "service 'db' of job 'test (c)' is starting or running; its log is there once it has stopped"
    ]


def test_services_come_with_their_jobs_where_they_are_asked_for() -> None:
    assert logs(None) == [
        ("build", None, 1, False),
        ("test (a/b)", None, 1, False),
        ("test (a/b)", None, 2, False),
        ("test (c)", None, 1, True),
    ]
    assert logs("test (c)", services=True) == [
        ("test (c)", None, 1, True),
        ("test (c)", "db", 1, True),
        ("test (c)", "cache", 1, True),
    ]
    assert [each[:2] for each in logs(None, services=True)][-2:] == [("services", "db"), ("services", "db")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("test/bd", "job 'test' has no service 'bd' of its own; it has 'db', 'cache'"),
        ("build/db", "job 'build' has no service 'db' of its own; it has none"),
        ("services/bd", "the workflow has no service 'bd' of its own; it has 'db', 'never'"),
        ("tset/db", "run 'r' has no job 'tset'; it has 'build', 'test'"),
        ("test (d)/db", "job 'test' has no variant 'test (d)'; it has 'test (a/b)', 'test (c)'"),
    ],
)
def test_a_service_that_is_not_there(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        logs(name)
    assert str(caught.value) == message


def test_logs_of_shared_services_are_artifacts_too() -> None:
    ref = ArtifactRef(path="services/db.log", key="k", size=1, sha256="0" * 64)
    run = record(build=leaf("success", 1, "/a")).model_copy(
        update={"services": {"db": ServiceRecord(state="healthy", artifact=ref)}}
    )
    found = [(item.job, item.number, item.ref.path, item.folder) for item in artifacts_of(run)]
    assert found == [("build", 1, "/a", "build"), ("services", 1, "services/db.log", "services")]
    assert [item.ref for item in artifacts_of(run, job="services")] == [ref]


def test_each_variant_s_artifacts_have_a_folder_of_their_own() -> None:
    variants = {
        f"t ({name})": leaf("success", 1, "/out") for name in ("3.11, a", "3.11 a", "x/../y", "X", "x", "..")
    }
    run = record(build=leaf("success", 1, "/a", "/b"), t=variants)
    found = artifacts_of(run)
    assert [(item.job, item.variant, item.number, item.folder) for item in found[:3]] == [
        ("build", None, 1, "build"),
        ("build", None, 2, "build"),
        ("t", "t (3.11, a)", 1, f"t/3.11-a-{ids.short_hash('t (3.11, a)')}"),
    ]
    folders = [item.folder for item in found[2:]]
    assert len({folder.lower() for folder in folders}) == 6
    assert all(folder.count("/") == 1 and ".." not in folder.split("/") for folder in folders)
    # A folder is the same whatever is asked for.
    assert [item.folder for item in artifacts_of(run, job="t (X)")] == [folders[3]]
    assert folders[2] == "t/x-..-y"


def test_jobs_without_a_log_say_where_to_look() -> None:
    def of(kind: str, **fields: Any) -> JobRecord:
        return JobRecord.model_validate({"kind": kind, "status": "success", "tries": 1, **fields})

    run = record(
        build=leaf(),
        ask=of("gate"),
        nap=of("wait"),
        way=of("choice"),
        sub=of("workflow", child="r.sub-1"),
        each=of(
            "workflow", variants={"each (a)": of("workflow", child="r.each-2"), "each (b)": of("workflow")}
        ),
        call=of("call"),
    )
    assert [source.job for source in sources(run)] == ["build", "call"]
    assert [silent(run, selection(run, name)) for name in ("build", "call", "nap")] == [
        [],
        [],
        ["job 'nap' is a timer and writes no log"],
    ]
    assert silent(run, selection(run, "ask")) == [
        "job 'ask' is a gate and writes no log; who answered what is in 'orca status r'"
    ]
    nested = [
        "'r.sub-1', which has the logs: 'orca logs r.sub-1'",
        "'r.each-2', which has the logs: 'orca logs r.each-2'",
    ]
    assert [line.partition(" ran as run ")[2] for line in silent(run, selection(run, None))] == nested
    assert silent(run, selection(run, "each (b)")) == [
        "job 'each (b)' runs a workflow of its own, which has not started: there is no log"
    ]
