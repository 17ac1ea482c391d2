"""How a job stands that took over what it had left, and what of that a record can hold."""

from orchestrator.client.earlier import reuse_of
from orchestrator.client.runs import MAX_REQUEST_BYTES
from orchestrator.contract.messages import (
    MAX_LEAVES,
    ArtifactRef,
    Earlier,
    JobOutcome,
    Reuse,
    RunRecord,
    RunRequest,
)
from orchestrator.interpreter.job_state import Ending
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.reusing import (
    CHANGED,
    ONLY_FAILED,
    Runs,
    Taken,
    judged,
    resumed_child,
    take_over,
)
from orchestrator.interpreter.state import MAX_RUN_OUTPUT_BYTES, UPDATES_BUDGET
from tests.support.kinds import nested
from tests.support.plans import for_each, job, plan, request, state

BEFORE, NOW = "2026-01-30T12:00:00.000Z", "2026-01-31T12:00:00.000Z"
REF = ArtifactRef(path="/made", key="runs/r/1/a-1/try-1/artifacts/1", size=1, sha256="a" * 64)
LEFT = Earlier(
    status="success",
    attempt=1,
    fingerprint="f" * 20,
    tries=2,
    exit_code=0,
    outputs={"o": 1},
    artifacts=(REF,),
    service_logs=(REF.model_copy(update={"key": "runs/r/1/a-1/try-1/services/db/log"}),),
    updates={"v": 2},
    images={"alpine:latest": ("0123456789abcdef",)},
    quality={"rows": 3},
    started_at=BEFORE,
    finished_at=BEFORE,
    child="r.a",
)


def test_the_record_shows_what_was_left_and_where_it_ran() -> None:
    run = state(plan(job("a")))
    run.attempt, run.reuse = 4, Reuse(attempt=3, jobs={"a": LEFT})
    found = run.jobs["a"]
    assert take_over(found, LEFT, run).status == "success"
    run.settle("a", Ending("success"), NOW)
    record = run.record().jobs["a"]
    assert (record.status, record.reused_from, record.tries, record.reused_tries) == ("success", 1, 0, 2)
    assert (record.started_at, record.finished_at, record.summary) == (
        BEFORE,
        BEFORE,
        "reused from attempt 1",
    )
    assert (record.outputs, record.updates, record.quality, record.child) == (
        {"o": 1},
        {"v": 2},
        {"rows": 3},
        "r.a",
    )
    assert record.images == {"alpine:latest": ("0123456789abcdef",)}
    # Later jobs get its own artifacts, and the record has the logs of its services too.
    assert (found.artifacts, len(record.artifacts)) == ((REF,), 2)
    assert found.since == 1


def test_a_record_says_nothing_of_reuse_where_there_was_none() -> None:
    run = state(plan(job("a")))
    run.settle("a", Ending("failed"), NOW)
    data = run.record().model_dump(mode="json")["jobs"]["a"]
    assert not {"reused_from", "reused_tries", "fingerprint", "updates", "images"} & set(data)
    assert run.jobs["a"].since == 1


def test_what_the_run_has_no_room_for_is_no_success() -> None:
    run = state(plan(job("a")))
    large = LEFT.model_copy(update={"outputs": {"o": "x" * MAX_RUN_OUTPUT_BYTES}})
    outcome = take_over(run.jobs["a"], large, run)
    assert (outcome.status, run.jobs["a"].reused) == ("failed", None)


def test_a_function_that_set_more_than_a_record_holds_cannot_be_taken_over() -> None:
    run = state(plan(job("a"), job("b")))
    for name, size in (("a", 10), ("b", UPDATES_BUDGET)):
        found = run.jobs[name]
        found.fingerprint = "f"
        found.take(JobOutcome(status="success", updates={"v": "x" * size}))
        run.settle(name, Ending("success"), NOW)
    jobs = run.record().jobs
    assert (jobs["a"].fingerprint, jobs["a"].updates) == ("f", {"v": "x" * 10})
    assert (jobs["b"].fingerprint, jobs["b"].updates) == ("", {})


def test_the_record_of_a_thousand_that_were_reused_fits_into_a_payload_and_into_the_next_input() -> None:
    names = [f"{number:04}{'n' * 96}" for number in range(MAX_LEAVES)]
    shape = plan(for_each("test", names))
    run = state(shape)
    fan = run.fan_out(run.jobs["test"], shape.jobs["test"].variants)
    ref = REF.model_copy(update={"key": "runs/" + "k" * 150})
    images = {"registry/project/image:1.2.3": ("0123456789abcdef", "fedcba9876543210")}
    for leaf in fan.listed:
        leaf.fingerprint = "f" * 20
        outcome = JobOutcome(
            status="success",
            outputs={f"o{leaf.place}": "y" * 240},
            artifacts=(ref,),
            updates={"v": "u" * 20},
            images=images,
        )
        leaf.take(complete_outputs(leaf, outcome, request(shape), run))
        leaf.reused = LEFT
        leaf.settle(Ending("success"), NOW)
    run.settle("test", fan.ending(), NOW)
    record: RunRecord = run.record()
    assert all(leaf.images == images for leaf in record.jobs["test"].variants.values())
    assert len(record.model_dump_json().encode()) < 2_000_000
    found = request(shape, reuse=reuse_of([record]))
    assert len(found.model_dump_json()) < MAX_REQUEST_BYTES
    assert RunRequest.model_validate_json(found.model_dump_json()) == found


def test_a_nested_run_goes_on_only_where_nothing_before_it_ran() -> None:
    inner = Reuse(attempt=2)
    failed = Earlier(status="failed", attempt=2, child="r.n", nested=inner)
    run = state(plan(job("a"), nested("n", "p", "a"), workflows={"p": plan(job("x"))}))
    run.attempt, run.reuse = 3, Reuse(attempt=2, jobs={"a": LEFT, "n": failed})
    take_over(run.jobs["a"], LEFT, run)
    run.settle("a", Ending("success"), NOW)
    found = resumed_child(run.jobs["n"], run)
    assert found is not None
    assert (found.run_id, found.reuse) == ("r.n", inner)
    run.reuse = run.reuse.model_copy(update={"again": ("n",)})
    assert resumed_child(run.jobs["n"], run) is None
    run.reuse = run.reuse.model_copy(update={"again": ()})
    run.jobs["a"].since = 3
    assert resumed_child(run.jobs["n"], run) is None
    run.reuse = run.reuse.model_copy(update={"only_failed": True})
    found = resumed_child(run.jobs["n"], run)
    assert found is not None
    assert found.reuse.only_failed


def test_what_ran_with_an_image_that_is_another_one_now_runs() -> None:
    run = state(plan(job("a")))
    for replaced, why in (
        (("python:3.11",), "image python:3.11 is another one now"),
        (("python:3.11", "db"), "image python:3.11 is another one now, and so is 1 more"),
        (("python:3.11", "db", "mq"), "image python:3.11 is another one now, and so are 2 more"),
    ):
        left = LEFT.model_copy(update={"replaced": replaced})
        reuse = Reuse(attempt=1, jobs={"a": left})
        assert judged(run.jobs["a"], reuse, run, lambda: LEFT.fingerprint) == Runs(why, changed=True)
        # What the spec says now goes before, and with --only-failed nothing counts.
        assert judged(run.jobs["a"], reuse, run, lambda: "other") == Runs(CHANGED, changed=True)
        reuse = reuse.model_copy(update={"only_failed": True})
        assert judged(run.jobs["a"], reuse, run, lambda: LEFT.fingerprint) == Taken(left, ONLY_FAILED)


def test_more_images_than_a_record_holds_are_left_out() -> None:
    run = state(plan(job("a"), job("b")))
    for name, count in (("a", 3), ("b", 300)):
        run.jobs[name].take(
            JobOutcome(status="success", images={f"image:{n}": ("m" * 16,) for n in range(count)})
        )
        run.settle(name, Ending("success"), NOW)
    jobs = run.record().jobs
    assert (len(jobs["a"].images), len(jobs["b"].images)) == (3, 0)


def test_finalizers_are_never_taken_over() -> None:
    shape = plan(job("end", finalizer=True, on_complete="always"))
    run = state(shape)
    reuse = Reuse(attempt=1, jobs={"end": LEFT}, only_failed=True)
    found = judged(run.jobs["end"], reuse, run, lambda: LEFT.fingerprint)
    assert found == Runs("it runs at the end of each attempt")
