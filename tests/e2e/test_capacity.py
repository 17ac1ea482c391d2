"""A worker that offers one processor and 256 MiB, as a person meets it."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop

TURNS = """
name: turns
defaults: {image: "alpine:latest"}
jobs:
  one: {resources: {cpus: 1}, commands: ["sleep 4"]}
  two: {resources: {cpus: 1}, commands: ["sleep 4"]}
  free: {resources: {memory: 32m}, commands: ["echo free"]}
"""
UNIT = """
name: unit
jobs:
  test:
    image: redis:7
    resources: {cpus: 0.5, memory: 64m}
    services:
      cache: {image: "redis:7", resources: {cpus: 0.5, memory: 64m}}
    commands: ["redis-cli -h cache ping", "sleep 2"]
    matrix: {n: [1, 2]}
"""


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orca]:
    """The command line beside an `orca up` whose worker offers little."""
    env = {"ORCA_CPUS": "1", "ORCA_MEMORY": "256m", "ORCA_HOST_ID": "narrow"}
    command = Orca(tmp_path_factory.mktemp("narrow-home"), env)
    up = command.start("up", "-o", "json")
    entry = command.home / "store" / "hosts" / "orca" / "narrow.json"
    try:
        assert up.stdout is not None
        first = up.stdout.readline()
        assert first.startswith("{"), stop(up)
        yield command
        assert up.poll() is None, stop(up)
        assert entry.exists()
    finally:
        stop(up)
    assert not entry.exists(), "a worker that ends in order offers nothing any more"


def overlap(records: list[dict[str, Any]]) -> bool:
    spans = sorted(
        (
            datetime.fromisoformat(record["history"][0]["started_at"]),
            datetime.fromisoformat(record["history"][0]["finished_at"]),
        )
        for record in records
    )
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def test_jobs_take_turns_and_the_second_says_what_it_waits_for(narrow: Orca, write_spec: WriteSpec) -> None:
    run = narrow.submit(write_spec(TURNS))
    record = narrow.wait_for(
        run, lambda record: any("room" in (job["reason"] or "") for job in record["jobs"].values())
    )
    (waits,) = (job for job in record["jobs"].values() if job["status"] == "waiting")
    assert waits["reason"] == "waiting for room on host 'narrow': asks for 1 CPU, 0 are free"
    assert "◌ " in narrow.ok("status", run)
    record = narrow.wait(run)
    assert record["status"] == "success"
    assert not overlap([record["jobs"][name] for name in ("one", "two")])
    # What asks for something else did not wait for its turn.
    assert record["jobs"]["free"]["finished_at"] < max(
        record["jobs"][name]["started_at"] for name in ("one", "two")
    )


def test_who_follows_sees_what_is_waited_for(narrow: Orca, write_spec: WriteSpec) -> None:
    done = narrow("submit", write_spec(TURNS), "--follow")
    assert done.returncode == 0, done.stderr
    assert ": waiting (waiting for room on host 'narrow': asks for 1 CPU, 0 are free)" in done.stderr


def test_units_with_services_take_turns_too(narrow: Orca, write_spec: WriteSpec) -> None:
    record = narrow.wait(narrow.submit(write_spec(UNIT)))
    assert record["status"] == "success", record
    assert not overlap(list(record["jobs"]["test"]["variants"].values()))


@pytest.mark.parametrize(
    ("resources", "text"),
    [
        ("cpus: 64", "asks for 64 CPUs; the largest worker, host 'narrow', offers 1 CPU; "),
        ("memory: 1g", "asks for 1 GiB; the largest worker, host 'narrow', offers 256 MiB; "),
        (
            "cpus: 64, memory: 1g",
            "asks for 64 CPUs and 1 GiB; the largest worker, host 'narrow', offers 1 CPU and 256 MiB; ",
        ),
    ],
)
def test_a_job_that_fits_nowhere_says_so(
    narrow: Orca, write_spec: WriteSpec, resources: str, text: str
) -> None:
    spec = write_spec(
        f"name: large\njobs:\n  large: {{image: 'alpine:latest', commands: [echo], resources: {{{resources}}}}}\n"
    )
    advice = "ask for less in 'resources', or start a worker on a larger host"
    record = narrow.wait(narrow.submit(spec))
    job = record["jobs"]["large"]
    assert (record["status"], job["tries"]) == ("failed", 1)
    assert job["reason"] == f"capacity: the job {text}{advice}"
    assert f"orca: capacity: the job {text}" in narrow.ok("logs", record["run_id"], "large")


def test_the_worker_says_what_it_offers(narrow: Orca) -> None:
    (log,) = narrow.home.rglob("*worker*.log")
    assert "as host 'narrow'; it offers 1 CPU and 256 MiB" in log.read_text()


def test_a_wrong_setting_ends_the_worker(tmp_path: Path) -> None:
    done = Orca(tmp_path / "home", {"ORCA_MEMORY": "lots"})("worker")
    assert done.returncode == 2
    assert "ORCA_MEMORY is 'lots'; it must be a size such as 512m, 8g or 64GiB" in done.stderr
