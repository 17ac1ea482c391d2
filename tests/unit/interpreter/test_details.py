"""What the Web UI is given to show."""

from orchestrator.interpreter.details import summary_of, table_of
from orchestrator.interpreter.job_state import Ending
from orchestrator.plan.parts import RetryPolicy
from tests.support.plans import job, plan, state, without_gaps

NOW = "2026-01-31T12:00:00.000Z"


def test_the_table_has_a_row_for_each_job() -> None:
    run = state(plan(job("build"), job("test", "build"), job("tell", finalizer=True, on_complete="always")))
    run.status = "running"
    run.settle("build", Ending("failed", "exit: command 1 of 1 `a | b` failed\nwith <2>"), NOW)
    run.jobs["build"].exit_code = 2
    run.jobs["test"].enter("running")
    assert without_gaps(table_of(run)).splitlines() == [
        "### test: running",
        "Run `test-abcd2345`, attempt 1, 1 of 3 jobs done.",
        "",
        "| job | state | tries | exit | after | note |",
        "|---|---|---|---|---|---|",
        "| `build` | ✗\N{NO-BREAK SPACE}**failed** |  | 2 |  | exit: command 1 of 1 `a \\| b` failed with &lt;2> |",
        "| `test` | ●\N{NO-BREAK SPACE}**running** |  |  | `build` |  |",
        "| `tell` | ·\N{NO-BREAK SPACE}pending |  |  | everything |  |",
    ]


def test_the_page_has_room_between_columns() -> None:
    """It sets none itself, and takes plain spaces away."""
    run = state(plan(job("build")))
    gap = "\N{NO-BREAK SPACE}"
    assert (
        table_of(run).splitlines()[-3]
        == f"| job{gap} | state{gap} | tries{gap} | exit{gap} | after{gap} | note |"
    )


def test_a_dry_run_says_so() -> None:
    run = state(plan(job("build")))
    run.dry_run = True
    assert table_of(run).splitlines()[1] == "Dry run `test-abcd2345`, attempt 1, 0 of 1 jobs done."
    assert run.record().model_dump(mode="json")["dry_run"] is True
    assert "dry_run" not in state(run.plan).record().model_dump(mode="json")


def test_a_large_run_shows_a_page_of_rows() -> None:
    run = state(plan(*(job(f"job{number}") for number in range(500))))
    lines = table_of(run).splitlines()
    assert sum(line.startswith("| `job") for line in lines) == 200
    assert lines[-1] == "… and 300 more jobs; `orca status test-abcd2345` shows them all."


def test_a_summary_names_the_image_and_the_try() -> None:
    node = job("test", retry=RetryPolicy(max_attempts=3))
    assert summary_of(node, image="alpine:latest", try_number=1) == "alpine:latest"
    assert summary_of(node, image="alpine:latest", try_number=2) == "alpine:latest · try 2 of 3"
    assert len(summary_of(node, image="x" * 1000, try_number=1).encode()) == 200
