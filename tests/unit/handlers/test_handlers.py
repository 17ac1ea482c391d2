"""What authors of functions import works without a worker."""

import subprocess
import sys

import pytest

from orchestrator.handlers import Cancelled, Context, QualityMetrics, StepResult


def test_a_context_reads_params_and_outputs() -> None:
    ctx = Context(params={"tier": "one", "none": None}, outputs={"ingest": {"rows": 3}})
    assert (ctx.param("tier"), ctx.param("none", "two"), ctx.param("other", 5)) == ("one", "two", 5)
    assert (ctx.output("ingest", "rows"), ctx.output("ingest", "other", default=0)) == (3, 0)
    assert ctx.output("other", "rows") is None
    assert (ctx.has_output("ingest", "rows"), ctx.has_output("other", "rows")) == (True, False)


def test_a_context_logs_to_the_terminal_in_an_author_s_own_tests(capsys: pytest.CaptureFixture[str]) -> None:
    Context().log("rows", 3)
    assert capsys.readouterr().out == "rows 3\n"


def test_a_heartbeat_is_where_a_cancelled_function_ends() -> None:
    beats: list[int] = []
    ctx = Context(beat=lambda: beats.append(1))
    ctx.heartbeat()
    ctx.cancelled.set()
    with pytest.raises(Cancelled):
        ctx.heartbeat()
    assert beats == [1, 1]


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (QualityMetrics(), {"record_count": 0, "passed": True}),
        (
            QualityMetrics(record_count=4, valid_count=3, passed=False, extra={"nulls": 1}),
            {
                "record_count": 4,
                "valid_count": 3,
                "invalid_count": 1,
                "valid_rate": 0.75,
                "passed": False,
                "nulls": 1,
            },
        ),
        (
            QualityMetrics(record_count=4, valid_count=3, invalid_count=0),
            {"record_count": 4, "valid_count": 3, "invalid_count": 0, "valid_rate": 0.75, "passed": True},
        ),
        (
            QualityMetrics(valid_count=0),
            {"record_count": 0, "valid_count": 0, "invalid_count": 0, "passed": True},
        ),
    ],
)
def test_quality_metrics_as_json(metrics: QualityMetrics, expected: dict[str, object]) -> None:
    assert metrics.as_dict() == expected


def test_results_say_how_a_function_ended() -> None:
    assert StepResult.ok().status == "ok"
    assert StepResult.ok({"a": 1}, updates={"b": 2}).updates == {"b": 2}
    failed = StepResult.fail("only 3 records", category="DATA_QUALITY")
    assert (failed.status, failed.error, failed.category, failed.retry) == (
        "fail",
        "only 3 records",
        "DATA_QUALITY",
        True,
    )
    assert StepResult.skip("done today").reason == "done today"


def test_importing_it_brings_nothing_of_the_worker_s() -> None:
    code = (
        "import sys, orchestrator.handlers\n"
        "print([name for name in ('temporalio', 'pydantic', 'docker', 'obstore') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
