"""What dead workers and terminated runs leave on a host: exactly that goes, and `orca doctor` tells of it before."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker

from orchestrator.contract import names
from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca, stop
from tests.support.containers import containers_of, networks_of, volumes
from tests.support.machines import server_alone

IMAGE = "alpine:latest"
TEMPORAL = str(Path(sys.executable).with_name("temporal"))
SPEC = """
name: left
jobs:
  nap:
    image: "alpine:latest"
    services: {quiet: {image: "alpine:latest", command: [sleep, "600"]}}
    commands: ["sleep 600"]
    stop_grace: 1
"""


def until(condition: Callable[[], object], *, limit: float = 120) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def running(run: str) -> list[str]:
    """Ids of a run's containers that run."""
    client = docker.from_env()
    try:
        found = client.containers.list(filters={"label": f"{names.LABEL_RUN}={run}"}, ignore_removed=True)
        return sorted(str(container.id) for container in found)
    finally:
        client.close()


@contextmanager
def others(run: str) -> Generator[dict[str, str]]:
    """Containers that look like leftovers of `run` and are not ours: their ids, by what is different."""
    client = docker.from_env()
    mine = client.containers.list(filters={"label": f"{names.LABEL_RUN}={run}"})[0].labels
    labels = {
        "no label": {},
        "another namespace": {**mine, names.LABEL_NAMESPACE: "other"},
        "another server": {**mine, names.LABEL_NAMESPACE_ID: "0"},
    }
    made = {
        what: client.containers.run(IMAGE, ["sleep", "600"], labels=of, detach=True)
        for what, of in labels.items()
    }
    try:
        yield {what: str(container.id) for what, container in made.items()}
    finally:
        for container in made.values():
            container.remove(force=True)
        client.close()


def there(containers: dict[str, str]) -> list[str]:
    """Which of them run."""
    client = docker.from_env()
    try:
        running_ids = {container.id for container in client.containers.list(ignore_removed=True)}
        return [what for what, identity in containers.items() if identity in running_ids]
    finally:
        client.close()


def volume_of(run: str) -> str:
    """A volume with the labels of something of `run`, which orca itself makes none of."""
    client = docker.from_env()
    try:
        mine = client.containers.list(filters={"label": f"{names.LABEL_RUN}={run}"})[0].labels
        return str(client.volumes.create(labels=mine).name)
    finally:
        client.close()


def told(doctor: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What becomes of each, and why, by its id."""
    return {one["id"]: (one["fate"], one["why"]) for one in doctor["leftovers"]}


def test_exactly_what_nobody_needs_goes(tmp_path: Path, write_spec: WriteSpec) -> None:
    with server_alone(tmp_path) as (orca, address):
        worker = start_worker(orca, address, grace="never")
        ended, live = orca.submit(write_spec(SPEC)), orca.submit(write_spec(SPEC))
        until(lambda: all(len(running(run)) == 2 for run in (ended, live)))
        goes, stays, volume = set(running(ended)), running(live), volume_of(ended)
        with others(ended) as strangers:
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
            terminate(address, ended)
            doctor = orca_json(orca, "doctor")
            fates = told(doctor)
            assert {each for each, (fate, _) in fates.items() if fate == "remove"} == (
                goes | {network["Id"] for network in networks_of(ended)} | {volume}
            )
            assert all(fates[each] == ("remove", "its run has ended (terminated)") for each in goes)
            assert all(fates[each][0] in ("live", "unknown") for each in stays)
            assert fates[strangers["another namespace"]] == ("foreign", "its run is in namespace 'other'")
            assert fates[strangers["another server"]][0] == "foreign"
            assert strangers["no label"] not in fates

            worker = start_worker(orca, address, grace="1s")
            try:
                until(lambda: not containers_of(ended, but=labelled(strangers)) and not networks_of(ended))
                until(lambda: volume not in volumes())
                assert running(live) == stays
                assert there(strangers) == list(strangers)
                # And the run that goes on is taken up by the new worker.
                until(lambda: told(orca_json(orca, "doctor"))[stays[0]][0] == "live")
                orca.ok("cancel", live)
                assert orca.wait(live)["status"] == "cancelled"
            finally:
                stop(worker)
            assert there(strangers) == list(strangers)
        assert containers_of(live) == networks_of(live) == []


def test_a_doctor_reaps_on_request(tmp_path: Path, write_spec: WriteSpec) -> None:
    with server_alone(tmp_path) as (orca, address):
        worker = start_worker(orca, address, grace="never")
        run = orca.submit(write_spec(SPEC))
        until(lambda: len(running(run)) == 2)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        terminate(address, run)
        shown = orca("doctor").stdout
        # How wide a column is depends on what else is on this host.
        assert re.search(rf"{run} +nap/quiet +goes in 10 m +its run has ended", shown), shown
        assert "'orca doctor --reap' does it now" in shown
        assert len(running(run)) == 2
        done = orca("doctor", "--reap").stdout
        assert "2 containers, 1 network removed or stopped just now" in done
        assert containers_of(run) == networks_of(run) == []


def test_where_all_is_well(tmp_path: Path) -> None:
    with server_alone(tmp_path) as (orca, address):
        before = orca_json(orca, "doctor")
        assert (before["ok"], level(before, "temporal"), level(before, "workers")) == (False, "ok", "wrong")
        assert orca("doctor").returncode == 3
        worker = start_worker(orca, address, grace="10m")
        try:
            until(lambda: level(orca_json(orca, "doctor"), "workers") == "ok")
            found = orca.json("doctor")
            assert found["ok"], found
            texts = {check["name"]: check["text"] for check in found["checks"]}
            assert "1 on task queue 'orca': 'host-1' (0." in texts["workers"]
            assert "plan version" in texts["workers"]
            assert f"{address}, namespace 'default', version " in texts["temporal"]
            assert "agree to within" in texts["clocks"]
            assert "takes, lists, gives and deletes an object" in texts["store"]
        finally:
            stop(worker)
        assert [path.name for path in (tmp_path / "store").rglob("doctor/*")] == []


def start_worker(orca: Orca, address: str, *, grace: str) -> "subprocess.Popen[str]":
    env = {"ORCA_HOST_ID": "host-1", "ORCA_REAP_GRACE": grace, "TEMPORAL_ADDRESS": address}
    return Orca(orca.home, {**orca.env, **env}).start("worker")


def terminate(address: str, run: str) -> None:
    words = ["workflow", "terminate", "--workflow-id", run, "--address", address]
    subprocess.run([TEMPORAL, *words], check=True, capture_output=True)


def orca_json(orca: Orca, *words: str) -> dict[str, Any]:
    """What a command prints as JSON, whatever it ends with."""
    done = orca(*words, "-o", "json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def level(doctor: dict[str, Any], name: str) -> str:
    return next(check["level"] for check in doctor["checks"] if check["name"] == name)


def labelled(strangers: dict[str, str]) -> list[str]:
    client = docker.from_env()
    try:
        return [str(client.containers.get(identity).name) for identity in strangers.values()]
    finally:
        client.close()
