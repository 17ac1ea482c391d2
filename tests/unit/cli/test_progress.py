"""How a followed run with variants reads, as plain lines and as a tree."""

import pytest
from rich.console import Console

from orchestrator.cli.following import print_record
from orchestrator.cli.options import Output
from orchestrator.cli.progress import LineProgress
from orchestrator.cli.tree import TreeProgress
from orchestrator.contract.messages import JobRecord, RunRecord

NOW = "2026-01-31T12:00:00.000Z"
LATER = "2026-01-31T12:00:03.000Z"


def made(status: str, **fields: object) -> JobRecord:
    return JobRecord.model_validate({"kind": "container", "status": status, **fields})


def run_of(jobs: dict[str, JobRecord], status: str = "running") -> RunRecord:
    base = {"run_id": "r", "attempt": 1, "spec": "s", "created_at": NOW, "started_at": NOW}
    ended = {"finished_at": LATER} if status != "running" else {}
    return RunRecord.model_validate({**base, **ended, "status": status, "jobs": jobs})


WHY = "exit: 1 of 3 variants failed: test (b): command 1 exited with 3"
DONE = {"started_at": NOW, "finished_at": LATER, "tries": 1}
FIRST = run_of(
    {
        "test": made(
            "running",
            tries=2,
            summary="0/3 passed",
            started_at=NOW,
            variants={
                "test (a)": made("running", tries=1),
                "test (b)": made("running", tries=1),
                "test (c)": made("pending"),
            },
        )
    }
)
LAST = run_of(
    {
        "test": made(
            "failed",
            **{**DONE, "tries": 4},
            summary="2/3 passed",
            exit_code=3,
            reason=WHY,
            variants={
                "test (a)": made("success", **DONE, exit_code=0, warnings=("late",)),
                "test (b)": made(
                    "failed", **{**DONE, "tries": 2}, exit_code=3, reason="exit: command 1 exited with 3"
                ),
                "test (c)": made("success", **DONE, exit_code=0),
            },
        )
    },
    "failed",
)


def test_lines_tell_of_each_variant_by_its_full_name(capsys: pytest.CaptureFixture[str]) -> None:
    lines = LineProgress()
    lines.show(FIRST)
    lines.show(FIRST)
    lines.show(LAST)
    assert capsys.readouterr().err.splitlines() == [
        "● test: running",
        "● test (a): running",
        "● test (b): running",
        "✓ test (a): success after 3.0 s",
        "✗ test (b): failed (try 2) after 3.0 s (exit: command 1 exited with 3)",
        "✓ test (c): success after 3.0 s",
        f"✗ test: failed after 3.0 s (2/3 passed; {WHY})",
    ]


def test_status_has_the_variants_below_their_job(capsys: pytest.CaptureFixture[str]) -> None:
    print_record(LAST, Output.TEXT)
    assert capsys.readouterr().out.splitlines() == [
        "r: failed in 3.0 s",
        "  job         state    tries  exit  time   note",
        f"✗ test        failed   4      3     3.0 s  2/3 passed; {WHY}",
        "  ✓ test (a)  success  1      0     3.0 s",
        "  ✗ test (b)  failed   2      3     3.0 s  exit: command 1 exited with 3",
        "  ✓ test (c)  success  1      0     3.0 s",
        "warning: test (a): late",
    ]


def drawn(record: RunRecord) -> list[str]:
    tree = TreeProgress()
    tree.show(record)
    console = Console(width=100, record=True, file=None)
    with console.capture() as captured:
        console.print(tree)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_the_tree_has_the_variants_below_their_job() -> None:
    assert drawn(LAST) == [
        "r: failed in 3.0 s",
        "└── ✗ test  failed  3.0 s  2/3 passed; exit: 1 of 3 variants failed: test (b): command 1 exited wit…",
        "    ├── ✓ test (a)  success  3.0 s",
        "    ├── ✗ test (b)  failed try 2  3.0 s  exit: command 1 exited with 3",
        "    └── ✓ test (c)  success  3.0 s",
    ]


def test_a_dry_run_says_so_in_the_tree_and_in_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    dry = run_of({"a": made("success", **DONE)}, "success").model_copy(update={"dry_run": True})
    assert drawn(dry)[0] == "r, a dry run: success in 3.0 s"
    print_record(dry, Output.TEXT)
    assert capsys.readouterr().out.startswith("r, a dry run: success in 3.0 s\n")


def test_a_large_tree_is_bounded_and_counts_the_rest() -> None:
    variants = {f"test ({n})": made("running" if n % 10 == 0 else "success", **DONE) for n in range(1000)}
    jobs = {
        "build": made("success", **DONE),
        "test": made("running", summary="900/1000 passed", variants=variants),
    }
    lines = drawn(run_of(jobs))
    assert len(lines) == 42
    assert [line.split()[2] for line in lines if line.startswith("├──")] == ["build", "test"]
    assert sum("test (" in line for line in lines) == 38
    assert not any("test (1)" in line for line in lines)
    assert lines[-1] == "└── 1001 jobs and variants: 901 success, 100 running"
