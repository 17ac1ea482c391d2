"""A whole run whose store says nothing: it ends as its jobs do, says what is lost, and its worker can be stopped."""

import time
from pathlib import Path

import pytest

from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of
from tests.support.machines import server_alone
from tests.support.places import silent_server

SPEC = """
name: silent
jobs:
  make: {image: "alpine:latest", commands: ["echo made", "echo n=1 >> $ORCA_OUTPUT"]}
"""


@pytest.mark.timeout(420)
def test_a_run_whose_store_says_nothing(tmp_path: Path, write_spec: WriteSpec) -> None:
    with server_alone(tmp_path) as (orca, _), silent_server() as port:
        there = {
            "ORCA_STORE": "s3://bucket/orca",
            "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }
        silent = Orca(orca.home, {**orca.env, **there})
        worker = silent.start("worker")
        try:
            run = silent.submit(write_spec(SPEC))
            record = orca.wait_for(
                run, lambda found: found["status"] not in ("pending", "running"), timeout=360
            )
            assert record["status"] == "success", record
            assert record["jobs"]["make"]["outputs"] == {"n": "1"}
            told = [warning.partition(": ")[0] for warning in record["jobs"]["make"]["warnings"]]
            assert told[0].endswith("log lines were lost")
            assert told[1:] == ["the outcome is not in the store"]
            begin = time.monotonic()
        finally:
            stop(worker)
        assert time.monotonic() - begin < 60
        # It is all that would have told how the job ended, had its worker died before the server knew.
        assert len(containers_of(run)) == 1
        orca("doctor", "--reap")
        assert containers_of(run) == []
