"""What a new attempt may take over, read from the records of those before it."""

from typing import Any

from orchestrator.client.earlier import children_of, reuse_of, with_children
from orchestrator.contract.messages import ArtifactRef, JobRecord, Reuse, RunRecord
from tests.support.records import NOW

MADE = ArtifactRef(path="/made", key="runs/r/1/a-1/try-1/artifacts/1", size=1, sha256="a" * 64)
SAID = ArtifactRef(path="db.log", key="runs/r/1/a-1/try-1/services/db-1/log", size=1, sha256="b" * 64)


def record(attempt: int, **jobs: Any) -> RunRecord:
    made = {name: made_job(**fields) for name, fields in jobs.items()}
    return RunRecord(run_id="r", attempt=attempt, spec="s", status="failed", created_at=NOW, jobs=made)


def made_job(status: str = "success", **fields: Any) -> JobRecord:
    ran = {"tries": 1, "started_at": NOW} if status in ("success", "failed") else {}
    return JobRecord.model_validate({"kind": "container", "status": status, **ran, **fields})


def test_what_was_under_way_or_in_doubt_stays_in_doubt_until_an_attempt_says_more() -> None:
    def doubted(*fields: dict[str, Any]) -> bool:
        count = len(fields)
        records = [record(count - place, a=found) for place, found in enumerate(reversed(fields))]
        return reuse_of(records).jobs["a"].in_doubt

    held = {"status": "held", "in_doubt": True, "tries": 1}
    assert doubted(held)
    assert doubted({"status": "running", "tries": 1})
    assert not doubted({"status": "running", "kind": "workflow", "tries": 1})
    # Cancelled before anybody decided: held in the second attempt too, without a try.
    assert doubted(held, {"status": "cancelled", "in_doubt": True})
    assert not doubted(held, {"status": "failed"})


def test_a_success_keeps_all_that_others_may_need() -> None:
    found = reuse_of(
        [
            record(
                1,
                a={
                    "fingerprint": "f", "outputs": {"o": 1}, "artifacts": (MADE, SAID), "updates": {"v": 2},
                    "exit_code": 0, "finished_at": NOW, "tries": 3,
                },
            )
        ]
    ).jobs["a"]  # fmt: skip
    assert (found.status, found.attempt, found.fingerprint, found.tries) == ("success", 1, "f", 3)
    assert (found.outputs, found.updates, found.exit_code) == ({"o": 1}, {"v": 2}, 0)
    # Logs of services are no files for later jobs.
    assert (found.artifacts, found.service_logs) == ((MADE,), (SAID,))


def test_what_was_reused_belongs_to_the_attempt_in_which_it_ran() -> None:
    second = record(3, a={"reused_from": 1, "reused_tries": 2, "tries": 0, "fingerprint": "f"})
    found = reuse_of([second, record(2, a={}), record(1, a={})])
    assert found.attempt == 3
    assert (found.jobs["a"].attempt, found.jobs["a"].tries) == (1, 2)


def test_where_it_ran_and_with_which_images_is_known_of_the_attempt_that_ran_it() -> None:
    tried = {"number": 1, "status": "success", "host": "h1"}
    images = {"alpine": ("m1",)}
    first = record(1, a={"images": images, "history": ({**tried, "host": "h0"}, tried)})
    second = record(2, a={"reused_from": 1, "tries": 0, "images": images})
    for records in ([first], [second, first]):
        found = reuse_of(records).jobs["a"]
        assert (found.images, found.host) == ({"alpine": ("m1",)}, "h1")
    # Temporal has forgotten the first one.
    found = reuse_of([second]).jobs["a"]
    assert (found.images, found.host) == ({"alpine": ("m1",)}, "")


def test_an_attempt_that_did_not_come_to_a_job_says_nothing_of_it() -> None:
    for status in ("omitted", "cancelled", "pending"):
        found = reuse_of([record(2, a={"status": status}), record(1, a={"fingerprint": "f"})]).jobs["a"]
        assert (found.status, found.attempt) == ("success", 1), status
    for status in ("failed", "skipped"):
        found = reuse_of([record(2, a={"status": status}), record(1, a={})]).jobs["a"]
        assert (found.status, found.attempt, found.outputs) == (status, 2, {}), status
    begun = {"status": "cancelled", "tries": 1}
    assert reuse_of([record(2, a=begun), record(1, a={})]).jobs["a"].status == "cancelled"


def test_what_nobody_ran_stands_since_it_first_ended_so() -> None:
    skipped = {"status": "skipped"}
    found = reuse_of([record(3, a=skipped), record(2, a=skipped), record(1, a={})])
    assert (found.jobs["a"].status, found.jobs["a"].attempt) == ("skipped", 2)
    left, right = ({"kind": "choice", "outputs": {"branch": number}} for number in (1, 2))
    found = reuse_of([record(3, c=left), record(2, c=left), record(1, c=right)])
    assert (found.jobs["c"].attempt, found.jobs["c"].outputs) == (2, {"branch": 1})


def test_variants_count_one_by_one() -> None:
    first = record(1, t={"variants": {"t (1)": made_job(fingerprint="f"), "t (2)": made_job("failed")}})
    second = record(
        2, t={"status": "failed", "variants": {"t (1)": made_job("cancelled"), "t (2)": made_job("failed")}}
    )
    found = reuse_of([second, first]).jobs["t"]
    assert (found.status, found.outputs) == ("failed", {})
    assert {key: (one.status, one.attempt) for key, one in found.variants.items()} == {
        "t (1)": ("success", 1),
        "t (2)": ("failed", 2),
    }
    assert reuse_of([record(3, t={"status": "omitted"}), second, first]).jobs["t"] == found


def test_jobs_that_only_an_older_attempt_had_are_kept() -> None:
    found = reuse_of([record(2, a={}), record(1, a={}, gone={"fingerprint": "f"})])
    assert found.jobs["gone"].fingerprint == "f"


def test_nested_runs_are_found_and_filled_in() -> None:
    found = reuse_of(
        [
            record(
                1,
                good={"kind": "workflow", "child": "r.good"},
                bad={"kind": "workflow", "status": "failed", "child": "r.bad"},
                each={"status": "failed", "variants": {"each (1)": made_job("failed", child="r.each")}},
            )
        ]
    )
    assert list(children_of(found, succeeded=False)) == ["r.bad", "r.each"]
    assert list(children_of(found, succeeded=True)) == ["r.good", "r.bad", "r.each"]
    inner = Reuse(attempt=1)
    filled = with_children(found, {"r.bad": inner, "r.each": inner})
    assert (filled.jobs["good"].nested, filled.jobs["bad"].nested) == (None, inner)
    assert filled.jobs["each"].variants["each (1)"].nested == inner
