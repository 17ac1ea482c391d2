"""A host whose engine has no addresses left for another network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.names import LABEL_MARK
from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca
from tests.support.machines import Machine, server_alone

POOL = ("--bip=10.89.1.1/24", "--default-address-pool=base=10.89.0.0/27,size=29")
"""Room for four networks of six addresses."""
SPEC = """
name: crowded
jobs:
  test:
    image: alpine:latest
    services:
      db:
        image: alpine:latest
        command: sh -c 'echo ready; exec sleep 600'
        health_check: {ready: {log: ready}}
    commands: ["ping -c 1 -W 2 db"]
  inside:
    image: alpine:latest
    network: internal
    commands: ["true"]
  alone: {image: "alpine:latest", commands: ["true"]}
"""


@pytest.fixture
def crowded() -> Iterator[Machine]:
    """All four networks of its engine are taken, one of them by what looks like an earlier run's."""
    machine = Machine("crowded", POOL)
    try:
        machine.switch_on()
        machine.load("alpine:latest")
        with machine.engine() as engine:
            for number in range(3):
                engine.networks.create(f"foreign-{number}")
            engine.networks.create("orca-earlier-run", labels={LABEL_MARK: "true"})
        yield machine
    finally:
        machine.remove()


@pytest.fixture
def orca(crowded: Machine, tmp_path: Path) -> Iterator[Orca]:
    """Beside a server whose only worker is on that machine."""
    with server_alone(tmp_path) as (command, address):
        crowded.worker(command, port=int(address.rpartition(":")[2]))
        yield command


def test_an_exhausted_address_pool_says_so_and_leaves_nothing(
    orca: Orca, crowded: Machine, write_spec: WriteSpec
) -> None:
    spec = write_spec(SPEC)
    record = orca.wait(orca.submit(spec))
    assert record["status"] == "failed"
    assert record["jobs"]["alone"]["status"] == "success"
    for name, whose in (("test", "services'"), ("inside", "job's")):
        reason = record["jobs"][name]["reason"]
        assert reason.startswith(
            f"docker: the {whose} network could not be made: cannot create network 'orca-"
        )
        assert "could not find an available, non-overlapping IPv4 address pool" in reason
        assert (
            "of the networks on this host 1 is orca's ('docker network ls --filter label=dev.orca')" in reason
        )
        assert record["jobs"][name]["exit_code"] is None
    assert crowded.left() == ["orca-earlier-run"]
    with crowded.engine() as engine:
        engine.networks.get("orca-earlier-run").remove()
        # One is enough for the two jobs, where they come one after the other.
        spec.write_text(SPEC.replace("network: internal", "network: internal\n    after: [test]"))
        assert orca.wait(orca.submit(spec))["status"] == "success"
        api: Any = engine.api
        names: list[str] = sorted(one["Name"] for one in api.networks())
    assert names == ["bridge", "foreign-0", "foreign-1", "foreign-2", "host", "none"]
    assert crowded.nothing_left()
