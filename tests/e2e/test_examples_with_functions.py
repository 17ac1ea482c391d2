"""The examples that call functions run as their headers say, and take every way that is in them.

The header of such an example has what serves the HTTP that it asks for, if it asks for any, an `orca up` with its
worker's settings, and a submit. They are run as they stand, but for the port.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Orca, stop

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
PORT = "8901"
"""The stand-in's port in the headers."""
HOTELS, DEPLOY, WEEKLY, SCHEDULE = (
    "hotel-search.yaml",
    "deploy-application.yaml",
    "weekly-refresh.yaml",
    "schedule-generation.yaml",
)
NESTED = ("provision.yaml", "publish-part.yaml")
"""Run by the others."""


def header(name: str) -> list[str]:
    """The command lines in a spec's first comment."""
    lines = re.match(r"(?:#.*\n)*", (SPECS / name).read_text())
    assert lines is not None
    return [line.removeprefix("#   ") for line in lines[0].splitlines() if line.startswith("#   ")]


def settings(name: str) -> dict[str, str]:
    """The worker's settings in the header."""
    (line,) = (line for line in header(name) if line.endswith(" orca up &"))
    words = shlex.split(line.removesuffix("orca up &"))
    return dict(word.split("=", 1) for word in words)


def submitted(name: str) -> list[str]:
    """The words of the header's submit, from the spec on."""
    (line,) = (line for line in header(name) if line.startswith("orca submit "))
    words = shlex.split(line)[2:]
    return words[: words.index("&&")] if "&&" in words else words


@dataclass(frozen=True)
class Site:
    """`orca up` with an example's settings, and what serves its HTTP."""

    orca: Orca
    spec: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def submit(self, *more: str) -> str:
        """Start the example as its header does; `more` comes behind that."""
        return str(self.orca.json("submit", *submitted(self.spec), *more, cwd=ROOT)["run_id"])

    def run(self, *more: str) -> dict[str, Any]:
        """The same, to its end."""
        return self.orca.wait(self.submit(*more))

    def asked(self, gate: str, *more: str) -> str:
        """A run whose gate waits."""
        run = self.submit(*more)
        self.orca.wait_for(run, lambda record: record["jobs"][gate]["status"] == "waiting")
        return run


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """All that the example named by the parameter needs."""
    spec: str = request.param
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    env = {name: value.replace(PORT, str(port)) for name, value in settings(spec).items()}
    orca = Orca(tmp_path_factory.mktemp("home"), env)
    serving = [line for line in header(spec) if line.startswith("python ")]
    processes = [
        subprocess.Popen(
            [sys.executable, *shlex.split(line.replace(PORT, str(port)).removesuffix(" &"))[1:]], cwd=ROOT
        )
        for line in serving
    ]
    # On a port of its own: the session's other server has the usual one.
    up = orca.start("up", "--port", str(23000 + os.getpid() % 1000), "-o", "json", cwd=ROOT)
    try:
        if processes:
            reached(port)
        assert up.stdout is not None
        assert up.stdout.readline().startswith("{"), stop(up)
        yield Site(orca, spec, port)
    finally:
        stop(up)
        for process in processes:
            process.terminate()
            process.wait(timeout=30)


def reached(port: int) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def states(record: dict[str, Any], *, but: str = "success") -> dict[str, str]:
    """The jobs that did not end as most do."""
    return {name: job["status"] for name, job in record["jobs"].items() if job["status"] != but}


def of(name: str) -> pytest.MarkDecorator:
    """The test's site is that of this example."""
    return pytest.mark.parametrize("site", [name], indirect=True, ids=[name])


def test_each_example_that_calls_functions_is_run_here() -> None:
    calling = [path.name for path in SPECS.glob("*.yaml") if "call: " in path.read_text()]
    assert sorted(calling) == sorted([HOTELS, DEPLOY, WEEKLY, SCHEDULE, *NESTED])


@of(HOTELS)
def test_a_hotel_is_booked_once_a_person_has_chosen(site: Site) -> None:
    run = site.asked("confirm", "--param", f"hotels_url={site.url}")
    (gate,) = site.orca.json("gates", run)
    assert gate["fields"][0]["options"] == ["Harbour", "Station"]
    # The header's own answer.
    (line,) = (line for line in header(HOTELS) if "orca approve" in line)
    words = shlex.split(line.partition("orca approve RUN ")[2])
    assert site.orca.ok("approve", run, *words, "--by", "ann") == "gate 'confirm' is approved\n"
    record = site.orca.wait(run)
    assert (record["status"], states(record)) == ("success", {"widen": "skipped"})
    assert record["outputs"] == {"booking": "BOOKED-STATION"}
    assert record["jobs"]["confirm"]["outputs"]["approved_by"] == ["ann"]


@of(HOTELS)
def test_other_dates_are_suggested_where_no_hotel_is_cheap_enough(site: Site) -> None:
    record = site.run("--param", f"hotels_url={site.url}", "--param", "max_price=10")
    assert (record["status"], states(record)) == ("success", {"confirm": "skipped", "book": "skipped"})
    assert record["jobs"]["widen"]["outputs"] == {
        "suggestion": "no hotel for 'oslo' at this price; try a week later"
    }
    assert record["jobs"]["enough"]["summary"] == (
        "took the default: no `when` holds (jobs.filter_price.outputs.filtered = [])"
    )
    told = site.orca.ok("explain", record["run_id"], "book").splitlines()
    assert told[1:] == [
        "",
        "○ book: skipped",
        "    skipped: all that it requires lies on paths that were not taken ('confirm')",
        "    ○ requires 'confirm': skipped, on a path that was not taken",
    ]


@of(DEPLOY)
def test_development_is_deployed_without_asking(site: Site) -> None:
    record = site.run("--param", f"base_url={site.url}", "--param", "environment=dev")
    assert (record["status"], states(record)) == (
        "success",
        {"require_approval": "skipped", "rollback": "skipped", "notify_failure": "skipped"},
    )
    assert record["outputs"] == {"deployment_id": "shop-1.2.3", "status": "success"}
    assert "Deployed SHOP v1.2.3" in site.orca.ok("logs", record["run_id"], "notify_success")
    assert record["jobs"]["provision"]["outputs"] == {"cluster": "cluster-in-net-dev"}
    child = site.orca.json("status", record["jobs"]["provision"]["child"])
    assert (child["spec"], child["status"]) == ("provision", "success")


@of(DEPLOY)
def test_production_waits_for_one_who_may_approve(site: Site) -> None:
    run = site.asked("require_approval", "--param", f"base_url={site.url}")
    done = site.orca("approve", run, "--by", "bob")
    assert (done.returncode, "bob may not answer" in done.stderr) == (2, True)
    told = site.orca.json("explain", run)["jobs"]
    assert told["check_environment"]["facts"] == [
        "took branch 1: `when: params.environment == 'production'` is true (params.environment = 'production')"
    ]
    assert told["require_approval"]["why"] == "started: 'check_environment' chose it"
    (waits,) = told["require_approval"]["waits_for"]
    assert waits.startswith(
        "approval: Approve production deployment of shop 1.2.3?; answered by user:release-lead, group:release until "
    )
    assert told["provision"]["waits_for"] == ["'require_approval', which is waiting"]
    assert told["rollback"]["waits_for"] == [
        "a way to it: when deploy fails, which is pending",
        "a way to it: when health_check fails, which is pending",
    ]
    site.orca.ok("approve", run, "--by", "bob", "--group", "release", "--comment", "it is Monday")
    record = site.orca.wait(run)
    assert (record["status"], states(record)) == (
        "success",
        {"rollback": "skipped", "notify_failure": "skipped"},
    )
    assert record["jobs"]["require_approval"]["outputs"]["approved_by"] == ["bob"]


@of(DEPLOY)
def test_a_sick_application_is_rolled_back(site: Site) -> None:
    words = (
        "--param",
        f"base_url={site.url}",
        "--param",
        "environment=staging",
        "--param",
        "app_name=sick-shop",
    )
    record = site.run(*words)
    assert (record["status"], states(record)) == (
        "failed",
        {"require_approval": "skipped", "health_check": "failed", "notify_success": "skipped"},
    )
    assert record["jobs"]["health_check"]["tries"] == 3
    assert record["jobs"]["rollback"]["outputs"] == {"rolled_back": "sick-shop-1.2.3"}
    assert "Deployment failed: call: GET " in site.orca.ok("logs", record["run_id"], "notify_failure")
    told = site.orca.ok("explain", record["run_id"])
    assert "    no further try: `retry` allows 3 in all\n" in told
    assert "\n✓ rollback: success\n    started: 'health_check' failed\n" in told
    assert "\n    ✗ starts when deploy fails: success: 2/2 passed\n" in told


@of(WEEKLY)
@pytest.mark.parametrize("form", [WEEKLY, "weekly_refresh.py"])
@pytest.mark.parametrize(
    ("week", "status", "expected", "published"),
    [
        ("2026-01-10", "success", {"alert": "skipped"}, ["a", "b", "c"]),
        (
            "1999-01-09",
            "partial",
            {"validate": "failed", "normalize": "skipped", "cooldown": "skipped", "publish": "skipped"},
            [],
        ),
    ],
)
def test_a_week_is_published_if_it_has_enough_rows(
    site: Site, form: str, week: str, status: str, expected: dict[str, str], published: list[str]
) -> None:
    words = submitted(WEEKLY)
    assert words[0] == f"specs/{WEEKLY}"
    words = [f"specs/{form}", *words[1:], "--param", f"week_ending={week}", "--param", "cooldown=1s"]
    record = site.orca.wait(str(site.orca.json("submit", *words, cwd=ROOT)["run_id"]))
    assert (record["status"], states(record)) == (status, expected)
    variants = record["jobs"]["publish"]["variants"].values()
    assert [variant["outputs"]["published"] for variant in variants] == published
    quality = record["jobs"]["validate"]["quality"]
    assert (quality["record_count"], quality["passed"]) == ((5000, True) if published else (20, False))
    if not published:
        assert "too few rows" in site.orca.ok("logs", record["run_id"], "alert")
        assert record["jobs"]["validate"]["reason"] == "call: DATA_QUALITY: only 20 records"


def test_the_week_in_python_is_the_week_in_yaml(tmp_path: Path) -> None:
    orca = Orca(tmp_path)
    plans = [orca.json("plan", SPECS / name) for name in (WEEKLY, "weekly_refresh.py")]
    assert plans[0]["digest"] == plans[1]["digest"]
    assert plans[0] == plans[1]


@of(SCHEDULE)
def test_a_schedule_is_generated(site: Site) -> None:
    record = site.run()
    assert (record["status"], states(record)) == ("success", {"release_locks": "skipped", "alert": "skipped"})
    assert len(record["jobs"]["generate"]["outputs"]["schedule"]) == 31
    told = site.orca.json("explain", record["run_id"])["jobs"]
    assert told["publish"]["conditions"] == [
        "`if: ${{ jobs.conflicts.outputs.count == 0 }}` is true (jobs.conflicts.outputs.count = 0)"
    ]
    assert told["alert"]["why"] == "skipped: on_complete is failure and the run is success"


@of(SCHEDULE)
def test_somebody_is_told_of_a_schedule_that_cannot_be_generated(site: Site) -> None:
    record = site.run("--param", "end_date=2025-12-31")
    omitted = ("generate", "compliance", "conflicts", "resilience", "publish")
    assert (record["status"], states(record)) == (
        "failed",
        {"validate": "failed", **dict.fromkeys(omitted, "omitted"), "release_locks": "skipped"},
    )
    assert record["jobs"]["validate"]["reason"] == "call: INPUT: 2025-12-31 is before 2026-01-01"
    assert "the schedule was not generated" in site.orca.ok("logs", record["run_id"], "alert")


@pytest.mark.parametrize("name", [DEPLOY, SCHEDULE])
def test_the_cases_of_an_example_pass(tmp_path: Path, name: str) -> None:
    cases = SPECS / "cases" / name
    (line,) = (line for line in header(f"cases/{name}") if line.startswith("orca test "))
    told = Orca(tmp_path).ok(*shlex.split(line)[1:], cwd=ROOT)
    count = sum(line.startswith("- name: ") for line in cases.read_text().splitlines())
    assert told.endswith(f"{count} cases: {count} passed, 0 failed\n")
