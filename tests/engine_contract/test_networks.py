"""The contract of `ContainerEngine`: commands inside containers, networks, published ports."""

import secrets
import socket
import threading
import time

import pytest

from tests.support.contract import EXEC_SAY, EXEC_SLEEP, EXEC_WIDE, SLEEP, Bench
from tests.support.engines import TEST_LABEL
from workers.engine.failures import (
    ContainerGone,
    ExecTimeout,
    Interrupted,
    NameTaken,
    NetworkBusy,
    StartFailed,
)
from workers.engine.interface import MAX_EXEC_OUTPUT, Interrupt, NetworkSpec, ObservedNetwork, PublishedPort


def test_commands_inside_a_container(bench: Bench) -> None:
    engine, container = bench.engine, bench.started(SLEEP)
    ended = engine.exec(container, ["sh", "-c", EXEC_SAY], timeout=20, interrupt=Interrupt())
    assert (ended.exit_code, sorted(ended.output.splitlines())) == (3, ["no", "up"])
    wide = engine.exec(container, ["sh", "-c", EXEC_WIDE], timeout=20, interrupt=Interrupt())
    assert (wide.exit_code, wide.output) == (0, "x" * MAX_EXEC_OUTPUT)
    none = engine.exec(container, ["no-such-command"], timeout=20, interrupt=Interrupt())
    assert none.exit_code in (126, 127)
    assert "no-such-command" in none.output
    begun = time.monotonic()
    with pytest.raises(ExecTimeout) as late:
        engine.exec(container, ["sh", "-c", EXEC_SLEEP], timeout=0.2, interrupt=Interrupt())
    assert engine.exec_runs(late.value.run)
    while engine.exec_runs(late.value.run):
        assert time.monotonic() < begun + 10
        time.sleep(0.1)
    interrupt = Interrupt()
    timer = threading.Timer(0.2, interrupt.fire)
    timer.start()
    with pytest.raises(Interrupted):
        engine.exec(container, ["sh", "-c", EXEC_SLEEP], timeout=20, interrupt=interrupt)
    engine.kill(container)
    engine.wait(container, interrupt=Interrupt())
    for gone in (container, "orca-none"):
        with pytest.raises(ContainerGone):
            engine.exec(gone, ["sh", "-c", EXEC_SAY], timeout=20, interrupt=Interrupt())


def test_a_network_from_creation_to_removal(bench: Bench) -> None:
    engine, name = bench.engine, f"orca-test-{secrets.token_hex(6)}"
    network = engine.create_network(NetworkSpec(name, {TEST_LABEL: bench.mark, "kind": "a"}, internal=True))
    assert engine.inspect_network(name) == engine.inspect_network(network)
    assert engine.inspect_network(name) == ObservedNetwork(
        network, name, {TEST_LABEL: bench.mark, "kind": "a"}, internal=True
    )
    assert [one.id for one in engine.list_networks({TEST_LABEL: bench.mark})] == [network]
    assert engine.list_networks({TEST_LABEL: bench.mark, "other": None}) == []
    with pytest.raises(NameTaken):
        engine.create_network(NetworkSpec(name))
    container = engine.create(bench.spec(SLEEP, network=name, aliases=("db",)))
    engine.start(container)
    observed = engine.inspect(container)
    assert observed is not None
    assert observed.address
    with pytest.raises(NetworkBusy):
        engine.remove_network(name)
    engine.remove(container)
    engine.remove_network(name)
    engine.remove_network(name)
    assert engine.inspect_network(name) is None
    stranded = engine.create(bench.spec(SLEEP, network="none"))
    engine.remove(stranded)


def test_a_host_port_that_is_in_use(bench: Bench) -> None:
    port = PublishedPort(container=80, host=_free_port())
    first, second = (bench.engine.create(bench.spec(SLEEP, published=(port,))) for _ in range(2))
    bench.engine.start(first)
    with pytest.raises(StartFailed):
        bench.engine.start(second)
    taken = {one.id: one.published for one in bench.engine.list_labelled({TEST_LABEL: bench.mark})}
    assert taken == {first: (port,), second: ()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_container_in_two_networks(bench: Bench) -> None:
    engine = bench.engine
    names = [f"orca-test-{secrets.token_hex(6)}" for _ in range(2)]
    for name in names:
        engine.create_network(NetworkSpec(name, {TEST_LABEL: bench.mark}))
    container = engine.create(bench.spec(SLEEP, network=names[0]))
    engine.connect_network(names[1], container)
    engine.start(container)
    for name in names:
        with pytest.raises(NetworkBusy):
            engine.remove_network(name)
    engine.connect_network(names[1], container)
    for network, other in (("orca-none", container), (names[1], "orca-none")):
        with pytest.raises(ContainerGone):
            engine.connect_network(network, other)


def test_a_network_that_is_gone_when_its_container_starts(bench: Bench) -> None:
    name = f"orca-test-{secrets.token_hex(6)}"
    bench.engine.create_network(NetworkSpec(name, {TEST_LABEL: bench.mark}))
    container = bench.engine.create(bench.spec(SLEEP, network=name))
    bench.engine.remove_network(name)
    with pytest.raises(ContainerGone):
        bench.engine.start(container)
