"""A run that failed goes on: what succeeded is reused, with outputs, artifacts and logs, and that is said before."""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.api.client import APIClient

from orchestrator.contract.names import LABEL_JOB, LABEL_RUN
from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca

CHAIN = """
name: chain
params: {flag: {default: "no"}, note: {default: none}}
defaults: {image: alpine:latest}
jobs:
  build:
    commands: ["echo building", "echo made > /made", "echo id=7 >> $ORCA_OUTPUT"]
    artifacts: [/made]
  test:
    matrix: {n: [1, 2]}
    fail_fast: false
    requires: [build]
    env: {ID: "${{ jobs.build.outputs.id }}"}
    commands: ["echo testing $ID with ${{ matrix.n }}", "test ${{ matrix.n }} = 1 || test ${{ params.flag }} = yes"]
  ship:
    requires: [build, test]
    commands: ["echo shipping $(cat /made)"]
  tidy:
    on_complete: always
    commands: ["echo tidy"]
outputs: {shipped: "${{ jobs.ship.status }}"}
"""


class MovingTag:
    """A tag of a test's own."""

    def __init__(self) -> None:
        self.name = f"orca-test-{secrets.token_hex(6)}:latest"
        self._client: Any = APIClient(version="auto")
        self.move("alpine:latest")

    def move(self, image: str) -> None:
        repository, _, tag = self.name.partition(":")
        self._client.tag(image, repository, tag)

    def remove(self) -> None:
        self._client.remove_image(self.name, noprune=True)

    def close(self) -> None:
        if self._client.images(self.name):
            self.remove()
        self._client.close()


@pytest.fixture
def moving_tag() -> Iterator[MovingTag]:
    tag = MovingTag()
    yield tag
    tag.close()


def status_of(record: dict[str, Any]) -> dict[str, str]:
    return {name: job["status"] for name, job in record["jobs"].items()}


def test_a_failed_run_goes_on_from_where_it_failed(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(CHAIN))
    first = orca.wait(run)
    assert status_of(first) == {
        "build": "success", "test": "failed", "ship": "omitted", "tidy": "success",
    }  # fmt: skip

    told = orca.ok("resume", run, "--dry-run", "--param", "flag=yes")
    assert [line.split("  ")[0] for line in told.splitlines()[1:6]] == [
        "build", "test (1)", "test (2)", "ship", "tidy",
    ]  # fmt: skip
    assert f"attempt 2 of run {run}: 1 of 5 are reused, 4 run" in told

    # The flag reaches the commands of both variants, so that both run again.
    done = orca("resume", run, "--param", "flag=yes", "--follow", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert "build     reused from attempt 1  unchanged" in done.stderr
    second = json.loads(done.stdout)
    assert (second["attempt"], second["status"], second["outputs"]) == (2, "success", {"shipped": "success"})
    build = second["jobs"]["build"]
    assert (build["reused_from"], build["tries"], build["reused_tries"]) == (1, 0, 1)
    assert build["artifacts"] == first["jobs"]["build"]["artifacts"]

    shown = orca.ok("status", run)
    assert "reused from attempt 1" in shown
    assert status_of(orca.json("status", run, "--attempt", "1"))["ship"] == "omitted"
    assert "building" in orca.ok("logs", run, "build")
    assert "shipping made" in orca.ok("logs", run, "ship")
    whole = orca("logs", run)
    assert "building" not in whole.stdout
    assert f"'orca logs {run} JOB'" in whole.stderr
    assert "testing 7 with 2" in orca.ok("logs", run, "test (2)", "--attempt", "1")


def test_an_edited_spec_runs_only_what_it_changes(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: edited
workspace: .
defaults: {image: alpine:latest}
jobs:
  a: {commands: ["echo a"]}
  b: {commands: ["cat b.txt"], requires: [a]}
  c: {commands: ["false"], requires: [a], retry: {max_attempts: 2, delay: 0}}
"""
    )
    (spec.parent / "b.txt").write_text("first\n")
    run = orca.submit(spec)
    assert status_of(orca.wait(run)) == {"a": "success", "b": "success", "c": "failed"}
    # Without the spec the workspace is the one of the first attempt.
    (spec.parent / "b.txt").write_text("second\n")
    told = orca.json("resume", run, "--dry-run")
    assert [(job["name"], job["action"]) for job in told["jobs"]] == [
        ("a", "reuse"), ("b", "reuse"), ("c", "run"),
    ]  # fmt: skip
    # With it the workspace is shipped anew. The spec lies in it too, and does not count.
    (spec.parent / "b.txt").write_text("first\n")
    spec.write_text(spec.read_text().replace('"false"', '"true"').replace("cat b.txt", "cat ./b.txt"))
    told = orca.json("resume", run, "--spec", str(spec))
    assert told["started"] is True
    assert [(job["name"], job["action"], job["why"]) for job in told["jobs"]] == [
        ("a", "reuse", "unchanged"),
        ("b", "run", "its `commands` changed"),
        ("c", "run", "it failed before"),
    ]
    assert status_of(orca.wait(run)) == {"a": "success", "b": "success", "c": "success"}
    (spec.parent / "b.txt").write_text("second\n")
    told = orca.json("resume", run, "--spec", str(spec))
    assert {job["name"]: job["why"] for job in told["jobs"]}["a"] == "values or files that it reads changed"
    assert status_of(orca.wait(run)) == {"a": "success", "b": "success", "c": "success"}
    assert "second" in orca.ok("logs", run, "b")
    other = spec.with_name("other.yaml")
    other.write_text(spec.read_text().replace("name: edited", "name: other"))
    refused = orca("resume", run, "--spec", str(other))
    assert (refused.returncode, "edited spec of the same `name`" in refused.stderr) == (2, True)


def test_a_nested_workflow_goes_on_in_its_own_run(orca: Orca, tmp_path: Path) -> None:
    (tmp_path / "inner.yaml").write_text(
        """
name: inner
params: {ok: {default: "no"}}
defaults: {image: alpine:latest}
jobs:
  first: {commands: ["echo first"]}
  second: {requires: [first], env: {OK: "${{ params.ok }}"}, commands: ["test $OK = yes"]}
"""
    )
    spec = tmp_path / "outer.yaml"
    spec.write_text(
        """
name: outer
params: {ok: {default: "no"}}
jobs:
  sub: {workflow: inner.yaml, with: {ok: "${{ params.ok }}"}}
  after: {image: "alpine:latest", requires: [sub], commands: ["true"]}
"""
    )
    run = orca.submit(spec)
    child = orca.wait(run)["jobs"]["sub"]["child"]
    orca.ok("resume", run, "--param", "ok=yes")
    record = orca.wait(run)
    assert (record["status"], record["jobs"]["sub"]["child"]) == ("success", child)
    inner = orca.json("status", child)
    assert (inner["attempt"], inner["jobs"]["first"]["reused_from"], status_of(inner)) == (
        2, 1, {"first": "success", "second": "success"},
    )  # fmt: skip
    assert "first" in orca.ok("logs", child, "first")
    assert "reused_from" not in inner["jobs"]["second"]


def test_what_cannot_be_resumed_is_refused(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec("name: open\njobs: {ask: {gate: 'Go?'}}\n")
    run = orca.submit(spec)
    refused = orca("resume", run)
    assert (refused.returncode, f"'orca cancel {run}'" in refused.stderr) == (2, True)
    orca.ok("cancel", run)
    orca.wait(run)
    for words in (("--from", "ask (1)"), ("--param", "x=1")):
        done = orca("resume", run, *words)
        assert (done.returncode, bool(done.stderr), done.stdout) == (2, True, ""), words


def test_neither_a_dry_run_nor_what_is_no_run_is_resumed(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec("name: open\njobs: {ask: {gate: 'Go?'}}\n")
    dry = orca.submit(spec, "--dry-run")
    orca.wait(dry)
    assert "is a dry run" in orca("resume", dry).stderr
    assert orca("resume", "nothing-x").returncode == 2


def test_no_container_is_started_for_what_is_reused(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(CHAIN))
    orca.wait(run)
    begin = time.time()
    orca.ok("resume", run, "--param", "note=unread")
    record = orca.wait(run)
    # `note` is read by nobody; of the matrix the variant that failed runs, and at the end the finalizer.
    assert sorted(started_of(run, since=begin)) == ["test", "tidy"]
    assert record["jobs"]["test"]["variants"]["test (1)"]["reused_from"] == 1


def test_another_image_under_the_same_name_is_a_reason_to_run(
    orca: Orca, write_spec: WriteSpec, moving_tag: MovingTag
) -> None:
    """A tag was moved between two attempts: of the job itself, of a service beside another, and not of a third."""
    run = orca.submit(
        write_spec(
            f"""
name: moved
defaults: {{image: alpine:latest}}
jobs:
  a: {{image: "{moving_tag.name}", commands: ["echo a"]}}
  b: {{commands: ["echo b"], services: {{side: {{image: "{moving_tag.name}", command: [sleep, "600"]}}}}}}
  c: {{commands: ["echo c"]}}
  d: {{commands: ["false"], requires: [a, b, c], retry: {{max_attempts: 1}}}}
"""
        )
    )
    first = orca.wait(run)["jobs"]
    assert list(first["b"]["images"]) == ["alpine:latest", moving_tag.name]
    assert first["a"]["images"][moving_tag.name] == first["c"]["images"]["alpine:latest"]
    same = orca("resume", run, "--dry-run")
    assert ("could not be compared" in same.stderr, same.stdout.count("unchanged")) == (False, 3)
    moving_tag.move("python:3.11-slim")
    told = orca.json("resume", run)
    assert [(job["name"], job["action"], job["why"]) for job in told["jobs"]] == [
        ("a", "run", f"image {moving_tag.name} is another one now"),
        ("b", "run", f"image {moving_tag.name} is another one now"),
        ("c", "reuse", "unchanged"),
        ("d", "run", "after 'a'"),
    ]
    second = orca.wait(run)["jobs"]
    assert [name for name, job in second.items() if job.get("reused_from")] == ["c"]
    assert second["a"]["images"] != first["a"]["images"]
    assert second["c"]["images"] == first["c"]["images"]
    moving_tag.remove()
    gone = orca("resume", run, "--dry-run")
    assert gone.stdout.count("unchanged") == 3
    assert f"count by their names alone: of image '{moving_tag.name}': " in gone.stderr


def started_of(run: str, *, since: float) -> list[str]:
    """The jobs of a run whose containers the engine has started since then."""
    client = docker.from_env()
    try:
        api: Any = client.api
        wanted = {"type": "container", "label": f"{LABEL_RUN}={run}", "event": "start"}
        found = api.events(decode=True, filters=wanted, since=since, until=time.time() + 1)
        return [event["Actor"]["Attributes"][LABEL_JOB] for event in found]
    finally:
        client.close()
