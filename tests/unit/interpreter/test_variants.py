"""A job's state made of its variants': status, counts, reasons, times, outputs, and what a record holds of them."""

import json

import pytest

from orchestrator.contract.messages import MAX_LEAVES, ArtifactRef, JobOutcome, JobStatus, TryRecord
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.contexts import contexts_for
from orchestrator.interpreter.details import summary_of, table_of
from orchestrator.interpreter.expansion import expand
from orchestrator.interpreter.job_state import Ending, Fan, JobState, Limits
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.requests import container_request
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import Matrix, Strategy, Variant
from orchestrator.plan.variants import VariantsError
from tests.support.plans import for_each, job, matrix, plan, request, state, without_gaps

NOW = "2026-01-31T12:00:00.000Z"


def fanned(*items: object, **fields: object) -> tuple[RunState, JobState, Fan]:
    """A run whose one job `test` has begun with an item for each variant."""
    node = for_each("test", list(items), **fields)
    run = state(plan(node))
    return run, run.jobs["test"], run.fan_out(run.jobs["test"], node.variants)


def end(fan: Fan, *endings: JobStatus | Ending) -> Ending:
    for leaf, ending in zip(fan.listed, endings, strict=True):
        leaf.settle(ending if isinstance(ending, Ending) else Ending(ending), NOW)
    return fan.ending()


def test_a_job_shows_what_its_variants_do() -> None:
    _, test, fan = fanned("a", "b", "c")
    a, b, c = fan.listed
    seen: list[tuple[str, str | None]] = []
    steps: list[tuple[JobState, JobStatus]] = [
        (a, "waiting"),
        (b, "running"),
        (a, "running"),
        (b, "success"),
        (a, "waiting"),
    ]
    for leaf, status in steps:
        leaf.enter(status)
        seen.append((test.status, test.summary))
    assert seen == [
        ("waiting", "0/3 passed"),
        ("running", "0/3 passed"),
        ("running", "0/3 passed"),
        ("running", "1/3 passed"),
        ("waiting", "1/3 passed"),
    ]
    c.settle(Ending("success"), NOW)
    assert (test.summary, test.settled) == ("2/3 passed", False)


@pytest.mark.parametrize(
    ("endings", "expected"),
    [
        (("success", "success"), Ending("success")),
        (("success", Ending("cancelled", "cancelled: why")), Ending("cancelled", "cancelled: why")),
        (
            (Ending("failed", "oom: too much"), "success"),
            Ending("failed", "oom: 1 of 2 variants failed: test (0): too much"),
        ),
        (
            (Ending("failed", "oom: too much"), Ending("failed", "exit: command 1 exited with 3")),
            Ending(
                "failed",
                "oom: 2 of 2 variants failed: test (0): too much; also test (1)",
            ),
        ),
        (
            (Ending("failed", "exit: x"), "cancelled"),
            Ending("failed", "exit: 1 of 2 variants failed and 1 was cancelled: test (0): x"),
        ),
        (
            tuple(Ending("failed", f"exit: {'x' * 1000}") for _ in range(50)),
            Ending(
                "failed",
                f"exit: 50 of 50 variants failed: test (0): {'x' * 597}…; "
                "also test (1), test (2), test (3) and 46 more",
            ),
        ),
    ],
)
def test_how_a_job_ends(endings: tuple[JobStatus | Ending, ...], expected: Ending) -> None:
    _, _, fan = fanned(*range(len(endings)))
    assert end(fan, *endings) == expected


def test_an_ended_job_has_what_its_variants_left() -> None:
    run, test, fan = fanned("a", "b", "c")
    for number, leaf in enumerate(fan.listed):
        leaf.begin_try(NOW)
        ref = ArtifactRef(path=f"/{number}", key="k", size=1, sha256="0" * 64)
        outputs = {"same": "x", "own": number}
        moment = f"2026-01-31T12:00:0{number}.000Z"
        leaf.take(
            JobOutcome(
                status="success", outputs=outputs, artifacts=(ref,), exit_code=number, started_at=moment
            )
        )
    ending = end(fan, "success", Ending("failed", "exit: 1"), Ending("failed", "exit: 2"))
    run.settle("test", ending, NOW)
    assert (test.started_at, test.finished_at, test.exit_code, test.tried) == (NOW, NOW, 1, 3)
    assert [ref.path for ref in test.artifacts] == ["/0", "/1", "/2"]
    assert test.outputs == {"same": "x"}
    record = test.record(run.limits())
    assert (record.artifacts, [len(found.artifacts) for found in record.variants.values()]) == ((), [1, 1, 1])
    assert run.verdict() == "failed"


def test_contexts_of_a_variant_and_of_who_reads_them() -> None:
    node = matrix("test", {"os": ["x", "y"]}, outputs={"tag": "${{ jobs.test.outputs.raw }}!"})
    shape = plan(node, job("use", "test"))
    run = state(shape)
    fan = run.fan_out(run.jobs["test"], node.variants)
    x, y = fan.listed
    for leaf in (x, y):
        raw = JobOutcome(status="success", outputs={"raw": leaf.key}, exit_code=0)
        leaf.begin_try(NOW)
        leaf.take(complete_outputs(leaf, raw, request(shape), run))
    inside = contexts_for(request(shape), run, leaf=x)
    assert (inside["matrix"], inside["item"]) == ({"os": "x"}, None)
    assert inside["jobs"]["test"]["outputs"]["tag"] == "test (x)!"
    run.settle("test", end(fan, "success", "success"), NOW)
    outside = contexts_for(request(shape), run)
    assert (outside["matrix"], outside["item"]) == ({}, None)
    assert outside["jobs"]["test"]["summary"] == "2/2 passed"
    assert list(outside["jobs"]["test"]["matrix"])[1] == {
        "name": "test (y)",
        "matrix": {"os": "y"},
        "item": None,
        "status": "success",
        "result": "success",
        "outputs": {"raw": "test (y)", "tag": "test (y)!"},
        "reason": None,
        "exit_code": 0,
        "tries": 1,
    }
    with pytest.raises(ExpressionError, match=r"do not agree on the output 'tag'"):
        outside["jobs"]["test"]["outputs"]["tag"]
    assert "matrix" not in outside["jobs"]["use"]


def test_a_job_without_variants_has_a_summary_all_the_same() -> None:
    run = state(plan(job("test", strategy=Strategy(items="${{ fromJSON('[]') }}"))))
    run.settle("test", Ending("skipped", "skipped: `for_each` has no items"), NOW)
    seen = contexts_for(request(run.plan), run)["jobs"]["test"]
    assert (seen["summary"], list(seen["matrix"])) == ("0/0 passed", [])


def test_a_variant_s_request_has_its_values_and_its_own_commands() -> None:
    node = job(
        "test",
        strategy=Strategy(),
        variants=(
            Variant(name="a", values={"n": "a"}),
            Variant(name="b", values={"n": "b"}, commands=("echo b $V",)),
        ),
        image="alpine:${{ matrix.n }}",
        commands=("echo ${{ matrix.n }}",),
        env={"V": "${{ matrix.n }}"},
        artifacts=("/${{ matrix.n }}.txt",),
        user="${{ matrix.n }}",
        working_dir="/${{ matrix.n }}",
        entrypoint=("${{ matrix.n }}",),
    )
    shape = plan(node)
    run = state(shape)
    fan = run.fan_out(run.jobs["test"], node.variants)
    a, b = (container_request(node, leaf, request(shape), run, try_number=1) for leaf in fan.listed)
    assert (a.job, a.variant, a.image, a.commands, a.env) == (
        "test",
        "a",
        "alpine:a",
        ("echo a",),
        {"V": "a"},
    )
    assert (a.artifacts, a.user, a.working_dir, a.entrypoint) == (("/a.txt",), "a", "/a", ("a",))
    assert (b.variant, b.commands, b.env) == ("b", ("echo b $V",), {"V": "b"})


def test_a_dynamic_matrix_is_rendered_deeply_and_named_by_its_title() -> None:
    axes = {"cfg": [{"os": "${{ params.os }}", "n": "${{ params.n }}"}], "v": "${{ params.vs }}"}
    node = job(
        "test",
        title="on ${{ matrix.cfg.os }} with ${{ matrix.v }}",
        strategy=Strategy(matrix=Matrix(axes=axes)),
    )
    shape = plan(node)
    found = expand(node, request(shape, params={"os": "x", "n": 3, "vs": [1, "two"]}), state(shape))
    assert [(variant.name, variant.values) for variant in found] == [
        ("on x with 1", {"cfg": {"os": "x", "n": 3}, "v": 1}),
        ("on x with two", {"cfg": {"os": "x", "n": 3}, "v": "two"}),
    ]


def test_a_whole_matrix_from_one_expression_has_filters_inside_and_beside() -> None:
    text = json.dumps({"n": [1, 2, 3], "exclude": [{"n": 1}], "include": [{"n": 4}]})
    strategy = Strategy(
        matrix=Matrix(axes="${{ fromJSON(params.all) }}", include=({"n": 5},), exclude=({"n": 2},))
    )
    node = job("test", strategy=strategy)
    shape = plan(node)
    found = expand(node, request(shape, params={"all": text}), state(shape))
    assert [variant.values["n"] for variant in found] == [3, 4, 5]
    with pytest.raises(VariantsError, match="`matrix` of job 'test': a matrix must be a mapping"):
        expand(node, request(shape, params={"all": "[]"}), state(shape))


def test_jobs_and_variants_share_the_run_s_room() -> None:
    run = state(
        plan(for_each("static", list(range(600))), job("one"), job("dynamic", strategy=Strategy(items="x")))
    )
    assert run.room_for(run.jobs["dynamic"], MAX_LEAVES - 601)
    assert not run.room_for(run.jobs["dynamic"], MAX_LEAVES - 600)
    run.fan_out(run.jobs["static"], run.jobs["static"].node.variants)
    assert not run.room_for(run.jobs["dynamic"], MAX_LEAVES - 600)
    run.fan_out(run.jobs["dynamic"], tuple(Variant(name=str(n)) for n in range(MAX_LEAVES - 601)))
    assert not run.room_for(run.jobs["one"], 2)


def test_the_largest_record_fits_into_a_payload() -> None:
    """All that is bounded is at its bound at once: names, reasons, tries, warnings, outputs, artifacts."""
    long = "ä" * 5000
    run, _, fan = fanned(*(f"{n:04}{'n' * 96}" for n in range(MAX_LEAVES)))
    for leaf in fan.listed:
        for number in (1, 2, 3):
            leaf.begin_try(NOW)
            leaf.tries[-1] = TryRecord(
                number=number,
                status="failed",
                reason=long[:100],
                exit_code=137,
                started_at=NOW,
                finished_at=NOW,
                host="h" * 12,
            )
        ref = ArtifactRef(path="/out/report", key="runs/" + "k" * 150, size=10**9, sha256="0" * 64)
        outcome = JobOutcome(
            status="success", outputs={f"o{leaf.place}": "y" * 240}, artifacts=(ref,), exit_code=137,
            started_at=NOW, warnings=(long,) * 20,
        )  # fmt: skip
        leaf.take(complete_outputs(leaf, outcome, request(run.plan), run))
        leaf.settle(Ending("failed", f"exit: {long}"), NOW)
    run.settle("test", fan.ending(), NOW)
    assert sum(len(leaf.outputs) for leaf in fan.listed) > 900
    size = len(run.record().model_dump_json().encode())
    assert size < 2_000_000


def test_what_conditions_saw_has_the_room_that_the_reason_leaves() -> None:
    run = state(plan(job("a")))
    found = run.jobs["a"]
    found.admitted = "`if: params.x` is true" + 3000 * "x"
    kept = found.record(Limits(reason=100))
    assert (kept.reason, len(kept.admitted.encode())) == (None, 100)
    found.reason = "y" * 55
    kept = found.record(Limits(reason=100))
    assert (kept.reason, len(kept.admitted.encode())) == ("y" * 55, 45)
    found.reason = "y" * 65
    assert found.record(Limits(reason=100)).admitted == ""


def test_the_table_has_a_row_for_each_variant() -> None:
    run, _, fan = fanned("a", "b|c`d<e f")
    run.status = "running"
    a, b = fan.listed
    a.begin_try(NOW)
    a.settle(Ending("failed", "exit: 3"), NOW)
    a.exit_code = 3
    b.begin_try(NOW)
    b.enter("running")
    assert without_gaps(table_of(run)).splitlines()[-3:] == [
        "| `test` | ●\N{NO-BREAK SPACE}**running** | 2 |  |  | 0/2 passed |",
        "| ↳\N{NO-BREAK SPACE}`(a)` | ✗\N{NO-BREAK SPACE}**failed** | 1 | 3 |  | exit: 3 |",
        "| ↳\N{NO-BREAK SPACE}`(b\\|c'd<e\N{NO-BREAK SPACE}f)` | ●\N{NO-BREAK SPACE}**running** | 1 |  |  |  |",
    ]


def test_a_large_table_shows_all_jobs_and_the_variants_that_are_worth_a_look() -> None:
    node = for_each("test", list(range(900)))
    run = state(plan(node, *(job(f"job{n}") for n in range(20))))
    fan = run.fan_out(run.jobs["test"], node.variants)
    for leaf in fan.listed[:700]:
        leaf.settle(Ending("success"), NOW)
    fan.listed[800].settle(Ending("failed", "exit: 3"), NOW)
    fan.listed[750].enter("running")
    lines = table_of(run).splitlines()
    rows = [line for line in lines if line.startswith(("| `", "| ↳"))]
    assert len(rows) == 200
    assert sum(line.startswith("| `job") for line in rows) == 20
    assert [row for row in rows if "(750)" in row or "(800)" in row] != []
    assert [row for row in rows if "success" in row] == []
    places = [int(row.partition("(")[2].partition(")")[0]) for row in rows if row.startswith("| ↳")]
    assert places == sorted(places)
    assert lines[-1] == "… and 721 more variants; `orca status test-abcd2345` shows them all."


def test_a_title_stands_beside_the_job_s_name() -> None:
    node = job("test", title="Unit tests")
    assert summary_of(node, image="alpine", try_number=1) == "Unit tests · alpine"
    assert "| `test` Unit tests |" in without_gaps(table_of(state(plan(node))))
    variant = for_each("test", ["a"], title="on ${{ item }}")
    assert summary_of(variant, image="alpine", try_number=1) == "alpine"
