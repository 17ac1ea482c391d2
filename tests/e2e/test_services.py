"""Services on a real engine, as a person meets them: PostgreSQL and Redis, failures, cancels, a worker that dies."""

import json
import os
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of, networks_of

WRITE = """
      - python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore asyncpg redis
      - |
        python - <<'END'
        import asyncio, os, asyncpg, redis
        env = os.environ
        async def main():
            cache = redis.Redis(host=env["REDIS_HOST"], port=int(env["REDIS_PORT"]))
            database = await asyncpg.connect(host=env["POSTGRES_HOST"], port=int(env["POSTGRES_PORT"]),
                user=env["POSTGRES_USER"], password=env["POSTGRES_PASSWORD"], database=env["POSTGRES_DB"])
            await database.execute("create table mine (name text)")
            await database.execute("insert into mine values ('${{ matrix.n }}')")
            cache.set("${{ matrix.n }}", "here")
            # The other variant has written by then.
            await asyncio.sleep(4)
            print("found", [row[0] for row in await database.fetch("select name from mine")], cache.keys())
        asyncio.run(main())
        END
"""
ISOLATED = f"""
name: isolated
jobs:
  test:
    image: python:3.11-slim
    matrix: {{n: [one, two]}}
    services:
      postgres:
        image: postgres:15
        env: {{POSTGRES_PASSWORD: secret, POSTGRES_DB: app}}
        health_check: {{test: pg_isready -h 127.0.0.1 -U postgres, interval: 1s, start_interval: 500ms, retries: 60}}
        artifact: true
      redis: redis:7
    env: {{POSTGRES_USER: postgres, POSTGRES_PASSWORD: secret, POSTGRES_DB: app}}
    commands:{WRITE}
"""


@pytest.fixture(scope="module")
def isolated(orca: Orca, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], str]:
    """A run of `ISOLATED`: its id, its record, and what was printed while it was followed."""
    spec = tmp_path_factory.mktemp("isolated") / "spec.yaml"
    spec.write_text(ISOLATED)
    done = orca("submit", spec, "--follow")
    assert done.returncode == 0, done.stdout + done.stderr
    run = done.stdout.partition(":")[0]
    return run, orca.json("status", run), done.stdout + done.stderr


def test_two_variants_do_not_see_each_other_s_services(isolated: tuple[str, dict[str, Any], str]) -> None:
    _, record, printed = isolated
    assert "test (one) | found ['one'] [b'one']" in printed
    assert "test (two) | found ['two'] [b'two']" in printed
    assert "● test (one): running (starting postgres, redis)" in printed
    variants = record["jobs"]["test"]["variants"]
    for variant in variants.values():
        assert (variant["warnings"], list(variant["services"])) == ([], ["postgres", "redis"])
        assert variant["services"]["postgres"]["state"] == "healthy"
        assert variant["services"]["postgres"]["check"] == "pg_isready -h 127.0.0.1 -U postgres"
    begun = [variant["history"][0]["started_at"] for variant in variants.values()]
    ended = [variant["history"][0]["finished_at"] for variant in variants.values()]
    assert max(begun) < min(ended)


def test_status_has_a_line_for_each_service(orca: Orca, isolated: tuple[str, dict[str, Any], str]) -> None:
    lines = orca.ok("status", isolated[0]).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("  ✓ test (one)"))
    assert lines[place + 1].split()[:3] == ["↳", "postgres", "healthy"]
    assert "(pg_isready -h 127.0.0.1 -U postgres)" in lines[place + 1]
    assert lines[place + 2].split()[:3] == ["↳", "redis", "healthy"]


def test_logs_and_artifacts_of_services(
    orca: Orca, isolated: tuple[str, dict[str, Any], str], tmp_path: Path
) -> None:
    run = isolated[0]
    log = orca.ok("logs", run, "test (one)/postgres").splitlines()
    assert any("database system is ready to accept connections" in line for line in log)
    assert not any(line.startswith("test (one)") for line in log)
    entries = [
        json.loads(line) for line in orca.ok("logs", run, "test (one)/redis", "-o", "json").splitlines()
    ]
    assert {(entry["job"], entry["service"], entry["try_number"]) for entry in entries} == {
        ("test (one)", "redis", 1)
    }
    own = [json.loads(line) for line in orca.ok("logs", run, "-o", "json").splitlines()]
    assert all("service" not in entry for entry in own)
    everything = orca.ok("logs", run, "--services").splitlines()
    assert any(line.startswith("test (two)/postgres | ") for line in everything)
    wrong = orca("logs", run, "test/mysql")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "error: job 'test' has no service 'mysql' of its own; it has 'postgres', 'redis'\n",
    )
    found = orca.json("artifacts", run, "test (one)", "--download", str(tmp_path))
    assert [item["path"] for item in found] == ["services/postgres.log"]
    with tarfile.open(found[0]["file"]) as archive:
        member = archive.extractfile("services/postgres.log")
        assert member is not None
        assert b"database system is ready" in member.read()


def failing(service: str, commands: str = "[echo never]") -> str:
    return f"""
name: failing
jobs:
  test:
    image: alpine:latest
    services:
      cache: redis:7
      db: {service}
    commands: {commands}
"""


@pytest.mark.parametrize(
    ("service", "reason", "state", "exit_code"),
    [
        pytest.param(
            '{image: "postgres:15"}',
            "service: service 'db' ended at once with exit code 1; its last lines:\n",
            "exited",
            1,
            id="ends early",
        ),
        pytest.param(
            '{image: "alpine:latest", command: [sh, -c, "echo thinking; sleep 60"], start_timeout: 2s, '
            "health_check: {test: exit 1}}",
            "service: service 'db' is not healthy: ",
            "unhealthy",
            None,
            id="never healthy",
        ),
        pytest.param(
            '{image: "alpine:latest", command: [sleep, "60"], health_check: {test: [CMD, pg_isready]}}',
            "service: service 'db' cannot be checked: the health check 'pg_isready' cannot be run in its container",
            "unhealthy",
            None,
            id="no such command",
        ),
        pytest.param(
            "nobody.invalid/knows:1",
            "pull: service 'db' cannot be started: ",
            "absent",
            None,
            id="unknown image",
        ),
    ],
)
def test_a_service_that_does_not_come_up_fails_the_job(
    orca: Orca, write_spec: WriteSpec, service: str, reason: str, state: str, exit_code: int | None
) -> None:
    run = orca.submit(write_spec(failing(service)))
    record = orca.wait(run)
    test = record["jobs"]["test"]
    assert (record["status"], test["status"], test["exit_code"]) == ("failed", "failed", None)
    assert test["reason"].startswith(reason), test["reason"]
    assert (test["services"]["db"]["state"], test["services"]["db"]["exit_code"]) == (state, exit_code)
    assert orca.ok("logs", run, "test") == ""
    assert containers_of(run) == []


def test_the_last_lines_of_a_service_stand_in_status(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(failing('{image: "postgres:15"}')))
    orca.wait(run)
    shown = orca.ok("status", run)
    assert "POSTGRES_PASSWORD" in shown
    assert "service 'db' ended at once with exit code 1; its last lines:" in shown
    assert any("POSTGRES_PASSWORD" in line for line in orca.ok("logs", run, "test/db").splitlines())


def test_a_service_that_dies_beside_the_job_is_the_likely_cause(orca: Orca, write_spec: WriteSpec) -> None:
    dies = (
        '{image: "alpine:latest", command: [sh, -c, "echo up; sleep 3; echo no more; exit 7"], '
        "health_check: {ready: {log: up}}}"
    )
    run = orca.submit(write_spec(failing(dies, '["sleep 5", "nc -w 1 db 5432 </dev/null"]')))
    test = orca.wait(run)["jobs"]["test"]
    assert test["reason"].startswith("exit: command 2 of 2"), test["reason"]
    assert "likely cause: service 'db' had ended with exit code 7, " in test["reason"]
    assert test["reason"].endswith("  no more")
    assert test["services"]["db"]["note"] == "ended by itself with exit code 7 ('no more')"
    assert test["warnings"] == []


def test_a_killed_service_container_is_named_too(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(
        write_spec(
            failing("postgres:15", '["sleep 6", "exit 1"]').replace("postgres:15", '{image: "redis:7"}')
        )
    )
    orca.wait_for(
        run, lambda record: any("-db-" not in name and "-cache-" not in name for name in containers_of(run))
    )
    client = docker.from_env()
    try:
        (database,) = (name for name in containers_of(run) if "-db-" in name)
        client.containers.get(database).kill()
    finally:
        client.close()
    test = orca.wait(run)["jobs"]["test"]
    assert "likely cause: service 'db' had ended with exit code 137, " in test["reason"]


def test_a_port_that_another_has(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: ports
jobs:
  first:
    image: alpine:latest
    services: {web: {image: "redis:7", ports: ["28971:6379"]}}
    commands: [sleep 8]
  second:
    image: alpine:latest
    after: [early]
    services: {web: {image: "redis:7", ports: ["28971:6379"]}}
    commands: [echo never]
  early: {image: "alpine:latest", commands: [sleep 4]}
"""
    )
    run = orca.submit(spec)
    record = orca.wait(run)
    assert record["jobs"]["first"]["status"] == "success"
    assert "cannot publish port 28971: container 'orca-" in record["jobs"]["second"]["reason"]


def test_an_optional_service_is_a_warning(orca: Orca, write_spec: WriteSpec) -> None:
    run = orca.submit(write_spec(failing('{image: "postgres:15", required: false}', "[echo on]")))
    test = orca.wait(run)["jobs"]["test"]
    assert test["status"] == "success"
    assert test["warnings"][0].startswith("service 'db' ended at once with exit code 1")
    assert test["services"]["db"]["state"] == "exited"


@pytest.mark.parametrize("moment", ["starting", "running"])
def test_a_cancel_leaves_nothing(orca: Orca, write_spec: WriteSpec, moment: str) -> None:
    slow = '{image: "alpine:latest", command: [sleep, "100"], health_check: {test: exit 1}}'
    service = slow if moment == "starting" else "redis:7"
    run = orca.submit(
        write_spec(failing(service, "[sleep 100]").replace("commands:", "stop_grace: 1s\n    commands:"))
    )
    count = 2 if moment == "starting" else 3
    orca.wait_for(run, lambda _: len(containers_of(run)) == count)
    orca.ok("cancel", run)
    record = orca.wait(run)
    assert (record["status"], record["jobs"]["test"]["status"]) == ("cancelled", "cancelled")
    assert record["jobs"]["test"]["services"]["cache"]["stopped"]
    assert containers_of(run) == []


def test_shared_services_and_networks(orca: Orca, write_spec: WriteSpec) -> None:
    spec = write_spec(
        """
name: shared
services:
  db: {image: "redis:7", artifact: true}
jobs:
  write:
    image: redis:7
    services: [db]
    commands: ["redis-cli -h $DB_HOST set x from-write"]
  read:
    image: redis:7
    requires: [write]
    services: [db]
    commands: ["redis-cli -h db get x"]
  inside:
    image: alpine:latest
    network: internal
    commands: ["ls /sys/class/net", "sleep 3"]
  alone:
    image: alpine:latest
    network: none
    commands: ["ls /sys/class/net | tr '\\\\n' ' '"]
"""
    )
    run = orca.submit(spec)
    orca.wait_for(run, lambda _: any("-inside-" in name for name in containers_of(run)))
    assert [network["Internal"] for network in networks_of(run) if "-inside-" in network["Name"]] == [True]
    record = orca.wait(run)
    assert record["status"] == "success", record
    assert record["services"]["db"]["stopped"]
    assert "from-write" in orca.ok("logs", run, "read").splitlines()
    assert "eth0" in orca.ok("logs", run, "inside").splitlines()
    assert "lo " in orca.ok("logs", run, "alone").splitlines()
    assert any(
        "Ready to accept connections" in line for line in orca.ok("logs", run, "services/db").splitlines()
    )
    assert [(item["job"], item["path"]) for item in orca.json("artifacts", run)] == [
        ("services", "services/db.log")
    ]
    assert "shared" in orca.ok("status", run)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Orca]:
    """A server without a worker."""
    command = Orca(tmp_path / "home")
    up = command.start("up", "--no-worker", "-o", "json")
    assert up.stdout is not None
    assert up.stdout.readline().startswith("{")
    yield command
    stop(up)


@pytest.mark.parametrize("moment", ["starting", "running"])
def test_services_and_job_outlive_a_killed_worker(alone: Orca, write_spec: WriteSpec, moment: str) -> None:
    ready = "echo up; sleep 4; echo ready; sleep 100"
    spec = write_spec(
        failing(
            f'{{image: "alpine:latest", command: [sh, -c, "{ready}"], health_check: {{ready: {{log: ready}}}}}}',
            '["for i in $(seq 1 25); do echo line $i; sleep 1; done"]',
        )
    )
    count = 2 if moment == "starting" else 3
    worker = alone.start("worker")
    try:
        run = alone.submit(spec)
        alone.wait_for(run, lambda _: len(containers_of(run)) == count)
        before = containers_of(run)
        running = alone("logs", run, "test/db")
        assert "service 'db' of job 'test' is starting or running" in running.stderr
        os.kill(worker.pid, signal.SIGKILL)
        worker.communicate(timeout=10)
        worker = alone.start("worker")
        alone.wait_for(run, lambda _: len(containers_of(run)) == 3)
        assert set(before) <= set(containers_of(run))
        record = alone.wait(run)
        assert (record["status"], record["jobs"]["test"]["tries"]) == ("success", 1), record
        lines = alone.ok("logs", run, "test").splitlines()
        assert [line for line in lines if line.startswith("line")] == [f"line {n}" for n in range(1, 26)]
        assert alone.ok("logs", run, "test/db").splitlines() == ["up", "ready"]
    finally:
        stop(worker)
