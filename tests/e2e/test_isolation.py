"""What a job reaches and what it does not, tried from inside the containers of real runs."""

import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from orchestrator.contract.names import LABEL_JOB, LABEL_RUN, LABEL_SERVICE, LABEL_VARIANT
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server
from tests.e2e.conftest import WriteSpec
from tests.support.cli import Orca
from tests.support.machines import outside

SPEC = """
name: apart
jobs:
  test:
    image: alpine:latest
    matrix: {n: [one, two]}
    services:
      web:
        image: alpine:latest
        command: sh -c 'mkdir /www; echo ${{ matrix.n }} >/www/index.html; exec httpd -f -p 80 -h /www'
        ports: [80]
    stop_grace: 1s
    commands: [sleep 600]
  shut-in:
    image: alpine:latest
    network: internal
    services: {web: {image: "alpine:latest", command: "httpd -f -p 80", ports: [80]}}
    stop_grace: 1s
    commands: [sleep 600]
  cut-off: {image: "alpine:latest", network: none, stop_grace: 1s, commands: [sleep 600]}
  plain: {image: "alpine:latest", stop_grace: 1s, commands: [sleep 600]}
"""


class Box:
    """A container of a run, and what can be tried in it."""

    def __init__(self, container: Container) -> None:
        self.labels: dict[str, str] = container.labels
        self._container: Any = container
        networks: dict[str, dict[str, str]] = self._container.attrs["NetworkSettings"]["Networks"]
        self.address = next((one["IPAddress"] for one in networks.values()), "")
        self.gateway = next((one["Gateway"] for one in networks.values()), "")

    def connects(self, host: str, port: int) -> bool:
        """Whether a connection can be made; a name that cannot be found is none."""
        code, _ = self._container.exec_run(["nc", "-w", "2", host, str(port), "-e", "true"])
        return code == 0

    def shell(self, command: str) -> str:
        _, output = self._container.exec_run(["sh", "-c", command])
        return output.decode().strip()


Find = Callable[..., Box]


@pytest.fixture
def boxes(orca: Orca, write_spec: WriteSpec) -> Iterator[Find]:
    """Finds a container of two runs of the spec by run (0 or 1), job, variant and service, while all of them run."""
    spec = write_spec(SPEC)
    runs = [orca.submit(spec) for _ in range(2)]
    client = docker.from_env()

    def find(run: int, job: str, variant: str | None = None, service: str | None = None) -> Box:
        wanted = {LABEL_RUN: runs[run], LABEL_JOB: job, LABEL_VARIANT: variant, LABEL_SERVICE: service}
        (found,) = [
            container
            for container in client.containers.list(filters={"label": f"{LABEL_RUN}={runs[run]}"})
            if all(container.labels.get(label) == value for label, value in wanted.items())
        ]
        return Box(found)

    try:
        for run in runs:
            orca.wait_for(
                run,
                lambda _, run=run: len(client.containers.list(filters={"label": f"{LABEL_RUN}={run}"})) == 8,
            )
        yield find
    finally:
        for run in runs:
            orca.ok("cancel", run)
            orca.wait(run)
        client.close()


@contextmanager
def listening(address: str) -> Generator[int]:
    """A port of this host that accepts connections at that address."""
    with socket.create_server((address, 0)) as server:
        yield server.getsockname()[1]


def test_a_job_reaches_its_services_and_nothing_of_other_jobs(boxes: Find) -> None:
    one, two = boxes(0, "test", "one"), boxes(0, "test", "two")
    assert one.shell("wget -q -O - http://web/") == "one"
    assert two.shell("wget -q -O - http://web/") == "two"
    theirs = boxes(0, "test", "two", "web")
    assert two.connects(theirs.address, 80)
    for other in (one, boxes(1, "test", "one"), boxes(0, "shut-in"), boxes(0, "plain"), boxes(1, "plain")):
        assert not other.connects(theirs.address, 80), other.labels
        # Nor the job itself, which could listen as well as its service does.
        assert "100% packet loss" in other.shell(f"ping -c 1 -W 1 {two.address}"), other.labels
    assert "0% packet loss" in theirs.shell(f"ping -c 1 -W 1 {two.address}")
    plain = boxes(0, "plain")
    assert not plain.connects("web", 80)
    container = theirs.labels
    for name in ("web.two", container[LABEL_RUN], "test"):
        assert not one.connects(name, 80)


def test_networks_that_lead_nowhere(boxes: Find) -> None:
    shut_in, cut_off = boxes(0, "shut-in"), boxes(0, "cut-off")
    assert shut_in.connects("web", 80)
    with outside() as (address, port):
        for box in (boxes(0, "plain"), boxes(0, "test", "one")):
            assert box.connects(address, port), box.labels
        assert not shut_in.connects(address, port)
        assert not boxes(0, "shut-in", service="web").connects(address, port)
        assert not cut_off.connects(address, port)


def test_a_job_reaches_neither_temporal_nor_docker_nor_the_host_s_loopback(orca: Orca, boxes: Find) -> None:
    server = running_server(Home(orca.home))
    assert server is not None
    frontend, ui = (int(address.rpartition(":")[2]) for address in (server.address, server.ui))
    for box in (boxes(0, "test", "one"), boxes(0, "plain"), boxes(0, "shut-in"), boxes(0, "cut-off")):
        for host in ("127.0.0.1", box.gateway or boxes(0, "plain").gateway, _own_address()):
            for port in (frontend, ui, 2375):
                assert not box.connects(host, port), (box.labels, host, port)
        assert box.shell("find / -name 'docker*.sock' -o -name 'containerd*.sock' 2>/dev/null") == ""
    box = boxes(0, "test", "one")
    with listening("127.0.0.1") as hidden, listening("0.0.0.0") as shown:
        assert box.connects(box.gateway, shown)
        assert not box.connects(box.gateway, hidden)


PUBLISHED = """
name: published
jobs:
  test:
    image: alpine:latest
    services:
      web: {image: "alpine:latest", command: "httpd -f -p 80", ports: ["28973:80"]}
    stop_grace: 1s
    commands: [sleep 600]
"""


def test_only_published_ports_are_reached_from_outside_and_on_the_loopback_alone(
    orca: Orca, write_spec: WriteSpec
) -> None:
    run = orca.submit(write_spec(PUBLISHED))
    try:
        orca.wait_for(
            run, lambda record: record["jobs"]["test"]["services"].get("web", {}).get("state") == "healthy"
        )
        assert _reached("127.0.0.1", 28973)
        with listening("0.0.0.0") as port:
            assert _reached(_own_address(), port)
        assert not _reached(_own_address(), 28973)
    finally:
        orca.ok("cancel", run)
        orca.wait(run)
    assert not _reached("127.0.0.1", 28973)


def _own_address() -> str:
    """The address of this host that others know it by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as towards:
        # Nothing is sent: this only asks which way would be taken.
        towards.connect(("198.51.100.1", 9))
        return towards.getsockname()[0]


def _reached(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False
