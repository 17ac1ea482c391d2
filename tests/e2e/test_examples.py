"""The examples in specs/ run, and the pipeline does what its text says.

Those that call functions are run by `test_examples_with_functions`.
"""

import asyncio
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.client.connect import connect
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server
from tests.support.cli import Orca
from tests.support.containers import containers_of
from tests.support.histories import turns

SPECS = Path(__file__).parents[2] / "specs"
EXAMPLES = sorted(path.name for path in SPECS.glob("*.yaml"))
CONTAINERS_ALONE = [name for name in EXAMPLES if "call: " not in (SPECS / name).read_text()]
PARAMS = {"release.yaml": ["--param", "version=1.2.3"]}


def span(job: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(job["started_at"]), datetime.fromisoformat(job["finished_at"])


def turns_of(orca: Orca, run: str) -> dict[str, tuple[int, int]]:
    async def ask() -> dict[str, tuple[int, int]]:
        server = running_server(Home(orca.home))
        assert server is not None
        return await turns(await connect(server.address), run)

    return asyncio.run(ask())


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_compiles(orca: Orca, name: str) -> None:
    assert orca.ok("validate", SPECS / name) == f"{SPECS / name}: valid\n"
    assert orca.json("plan", SPECS / name)["jobs"] != {}


@pytest.mark.parametrize("name", CONTAINERS_ALONE)
def test_each_example_of_containers_alone_runs(orca: Orca, name: str) -> None:
    record = orca.wait(orca.submit(SPECS / name, *PARAMS.get(name, [])))
    assert record["status"] == "success", record


def test_b_and_c_run_beside_one_another_between_a_and_d(orca: Orca) -> None:
    record = orca.wait(orca.submit(SPECS / "fan-in.yaml"))
    spans = {name: span(job) for name, job in record["jobs"].items()}
    assert record["outputs"] == {"sum": "61"}
    assert spans["b"][0] < spans["c"][1]
    assert spans["c"][0] < spans["b"][1]
    assert max(spans["a"]) <= min(spans["b"] + spans["c"])
    assert max(spans["b"] + spans["c"]) <= min(spans["d"])


def test_the_release_example_uses_params_outputs_artifacts_and_retries(orca: Orca, tmp_path: Path) -> None:
    run = orca.submit(SPECS / "release.yaml", "--param", "version=1.2.3")
    record = orca.wait(run)
    assert max(job["tries"] for job in record["jobs"].values()) == 3
    assert any("1.2.3" in str(value) for value in record["outputs"].values())
    found = orca.json("artifacts", run, "--download", str(tmp_path / "out"))
    assert found != []
    for item in found:
        assert Path(item["file"]).stat().st_size == item["size"]


@pytest.mark.parametrize(("branch", "deploy"), [("main", "success"), ("feature", "skipped")])
def test_the_pipeline_tests_in_parallel_deploys_on_main_only_and_always_notifies(
    orca: Orca, git_repository: Path, branch: str, deploy: str
) -> None:
    shutil.copy(SPECS / "ci-pipeline.yaml", git_repository)
    shutil.copytree(SPECS / "ci-pipeline", git_repository / "ci-pipeline")
    if branch != "main":
        subprocess.run(["git", "-C", str(git_repository), "checkout", "--quiet", "-b", branch], check=True)
    record = orca.json("submit", git_repository / "ci-pipeline.yaml", "--follow")
    states = {name: job["status"] for name, job in record["jobs"].items()}
    assert states == {
        "build": "success",
        "test-unit": "success",
        "test-integration": "success",
        "deploy-staging": deploy,
        "notify": "success",
    }
    unit_tests = record["jobs"]["test-unit"]
    assert list(unit_tests["variants"]) == ["test-unit (3.11, default)", "test-unit (3.11, error)"]
    assert unit_tests["summary"] == "2/2 passed"
    found = turns_of(orca, record["run_id"])
    assert found["start services: test-integration"][0] < min(
        found[variant][1] for variant in unit_tests["variants"]
    )
    notify = span(record["jobs"]["notify"])
    assert all(
        span(job)[1] <= notify[0]
        for job in record["jobs"].values()
        if job["started_at"] and job is not record["jobs"]["notify"]
    )
    if deploy == "skipped":
        assert "refs/heads/feature" in record["jobs"]["deploy-staging"]["reason"]
    assert containers_of(record["run_id"]) == []


def test_the_pipeline_notifies_when_a_test_fails(orca: Orca, git_repository: Path) -> None:
    text = (SPECS / "ci-pipeline.yaml").read_text()
    (git_repository / "ci-pipeline.yaml").write_text(text.replace("-s tests/unit", "-s tests/none"))
    shutil.copytree(SPECS / "ci-pipeline", git_repository / "ci-pipeline")
    record = orca.json("submit", git_repository / "ci-pipeline.yaml", "--follow", expect=1)
    states = {name: job["status"] for name, job in record["jobs"].items()}
    assert states == {
        "build": "success",
        "test-unit": "failed",
        "test-integration": "success",
        "deploy-staging": "omitted",
        "notify": "success",
    }
    log = orca.ok("logs", record["run_id"], "notify")
    assert "failed" in log
