"""The contract of `ContainerEngine`, checked on the engine in memory and on Docker with the same table."""

import gc
import io
import os
import secrets
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from docker.api.client import APIClient

from orchestrator.errors import DockerUnreachable, EngineError
from tests.support.contract import (
    COPY,
    FAIL,
    LONG,
    NOTHING,
    SAY,
    SLEEP,
    STUBBORN,
    TRAP,
    WIDE,
    Bench,
)
from tests.support.engines import IMAGE, TEST_LABEL
from workers.engine.docker_engine import DockerEngine
from workers.engine.failures import (
    ContainerGone,
    ImageNotFound,
    Interrupted,
    NameTaken,
    PathNotFound,
    PullFailed,
    StartFailed,
)
from workers.engine.interface import ContainerEngine, ImageHealthCheck, Interrupt, ObservedContainer


def test_images(bench: Bench) -> None:
    assert bench.engine.ping()
    facts = bench.engine.inspect_image(IMAGE)
    assert (facts.id.startswith("sha256:"), facts.user) == (True, "")
    assert bench.engine.inspect_image(facts.id) == facts
    assert all(digest.startswith("sha256:") for digest in facts.digests)
    with pytest.raises(ImageNotFound):
        bench.engine.inspect_image("orca.invalid/none:1")
    with pytest.raises(PullFailed, match=r"image 'orca\.invalid/none:1' could not be pulled: "):
        bench.engine.pull_image("orca.invalid/none:1")


def test_a_container_from_creation_to_removal(bench: Bench) -> None:
    spec = bench.spec(FAIL)
    assert bench.engine.inspect(spec.name) is None
    container = bench.engine.create(spec)
    seen = bench.engine.inspect(spec.name)
    assert seen is not None
    assert spec.labels.items() <= seen.labels.items()  # The image may bring labels of its own.
    image = bench.engine.inspect_image(IMAGE).id
    created = ObservedContainer(container, spec.name, "created", seen.labels, image=image)
    assert seen == created
    bench.engine.start(spec.name)
    assert bench.engine.wait(spec.name, interrupt=Interrupt()) == 3
    bench.engine.start(container)
    assert bench.engine.wait(container, interrupt=Interrupt()) == 3
    ended = bench.engine.inspect(container)
    assert ended is not None
    assert ended == replace(
        created,
        state="exited",
        exit_code=3,
        started_at=ended.started_at,
        finished_at=ended.finished_at,
    )
    assert None not in (ended.started_at, ended.finished_at)
    bench.engine.remove(container)
    assert bench.engine.inspect(container) is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"image": "orca.invalid/none:1"}, ImageNotFound),
        ({"memory": 1}, StartFailed),
        ({"name": "taken"}, NameTaken),
    ],
)
def test_what_cannot_be_created(bench: Bench, changes: dict[str, Any], error: type[EngineError]) -> None:
    if changes == {"name": "taken"}:
        changes = {"name": f"orca-test-{bench.mark}"}
        bench.engine.create(bench.spec(NOTHING, **changes))
    with pytest.raises(error):
        bench.engine.create(bench.spec(NOTHING, **changes))


def test_what_cannot_be_started(bench: Bench) -> None:
    container = bench.engine.create(bench.spec(NOTHING, user="nobody-knows"))
    with pytest.raises(StartFailed):
        bench.engine.start(container)


NEEDING: dict[str, Callable[[ContainerEngine], object]] = {
    "start": lambda engine: engine.start("orca-none"),
    "wait": lambda engine: engine.wait("orca-none", interrupt=Interrupt()),
    "logs": lambda engine: list(engine.logs("orca-none", follow=False, interrupt=Interrupt())),
    "stop": lambda engine: engine.stop("orca-none", grace=1),
}


@pytest.mark.parametrize("call", NEEDING)
def test_calls_that_need_a_container(bench: Bench, call: str) -> None:
    with pytest.raises(ContainerGone):
        NEEDING[call](bench.engine)


def test_calls_that_need_none(bench: Bench) -> None:
    bench.engine.kill("orca-none")
    bench.engine.remove("orca-none")
    container, _ = bench.ended(NOTHING)
    bench.engine.stop(container, grace=1)
    bench.engine.kill(container)
    assert bench.engine.wait(container, interrupt=Interrupt()) == 0


def test_logs_come_whole_and_in_order(bench: Bench) -> None:
    container = bench.started(SAY)
    followed = bench.lines(container, follow=True)
    entries = bench.lines(container)
    assert [entry.text for entry in entries] == ["one", "two", "three"]
    # Docker ends the stream with the container, which may be before the last line is out.
    assert len(followed) >= 2
    assert followed == entries[: len(followed)]
    stamps = [entry.timestamp for entry in entries]
    assert stamps == sorted(stamps)
    assert {(len(stamp), stamp[-1]) for stamp in stamps} == {(30, "Z")}
    assert bench.lines(container, since=stamps[1]) == entries[1:]
    assert bench.lines(container, tail=2) == entries[1:]
    assert bench.lines(container, tail=20) == entries


def test_a_long_line_comes_in_large_pieces(bench: Bench) -> None:
    container, _ = bench.ended(WIDE)
    *pieces, last = [entry.text for entry in bench.lines(container)]
    assert "".join(pieces) == "x" * LONG
    assert [len(piece) for piece in pieces] == [64 * 1024, LONG - 64 * 1024]
    assert last == "end"


def test_an_interrupt_ends_waiting_and_following(bench: Bench) -> None:
    container = bench.started(SLEEP)
    interrupt = Interrupt()
    seen: list[str] = []
    failures: list[EngineError] = []

    def follow() -> None:
        try:
            for batch in bench.engine.logs(container, follow=True, interrupt=interrupt):
                seen.extend(entry.text for entry in batch)
        except EngineError as error:
            failures.append(error)

    def wait() -> None:
        try:
            bench.engine.wait(container, interrupt=interrupt)
        except EngineError as error:
            failures.append(error)

    threads = [threading.Thread(target=follow), threading.Thread(target=wait)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while not seen and time.monotonic() < deadline:
        time.sleep(0.02)
    interrupt.fire()
    for thread in threads:
        thread.join(10)
    assert seen == ["up"]
    assert [type(failure) for failure in failures] == [Interrupted, Interrupted]
    with pytest.raises(Interrupted):
        bench.engine.wait(container, interrupt=interrupt)
    observed = bench.engine.inspect(container)
    assert observed is not None
    assert observed.state == "running"


@pytest.mark.parametrize(
    ("script", "grace", "code", "lines"),
    [(TRAP, 20.0, 7, ["up", "bye"]), (STUBBORN, 0.5, 137, ["up"]), (STUBBORN, 0.0, 137, ["up"])],
)
def test_stop(bench: Bench, script: str, grace: float, code: int, lines: list[str]) -> None:
    container = bench.started(script)
    next(iter(bench.engine.logs(container, follow=True, interrupt=Interrupt())))
    bench.engine.stop(container, grace=grace)
    assert bench.engine.wait(container, interrupt=Interrupt()) == code
    assert [entry.text for entry in bench.lines(container)] == lines


def test_kill_and_remove_while_running(bench: Bench) -> None:
    container = bench.started(STUBBORN)
    bench.engine.kill(container)
    assert bench.engine.wait(container, interrupt=Interrupt()) == 137
    other = bench.started(STUBBORN)
    bench.engine.remove(other)
    assert bench.engine.inspect(other) is None


def test_archives_in_and_out(bench: Bench) -> None:
    container = bench.engine.create(bench.spec(COPY))
    bench.engine.put_archive(container, "/", iter([_tar("data/in", b"a" * 3000)]))
    bench.engine.start(container)
    assert bench.engine.wait(container, interrupt=Interrupt()) == 0
    with closing(bench.engine.get_archive(container, "/data/out")) as chunks:
        assert _files(b"".join(chunks)) == {"out": b"a" * 3000 + b"!"}
    with closing(bench.engine.get_archive(container, "/data")) as chunks:
        assert _files(b"".join(chunks)) == {"data/in": b"a" * 3000, "data/out": b"a" * 3000 + b"!"}
    stream = bench.engine.get_archive(container, "/data")
    stream.close()
    stream.close()
    for missing in (container, "orca-none"):
        with pytest.raises(PathNotFound):
            bench.engine.get_archive(missing, "/none/at/all")
        with pytest.raises(PathNotFound):
            bench.engine.put_archive(missing, "/none/at/all", iter([_tar("x", b"")]))


def test_listing_by_label(bench: Bench) -> None:
    spec = bench.spec(NOTHING, labels={TEST_LABEL: bench.mark, "kind": "a"})
    container = bench.engine.create(spec)
    bench.engine.create(bench.spec(NOTHING, labels={TEST_LABEL: bench.mark, "kind": "b"}))
    found = bench.engine.list_labelled({TEST_LABEL: bench.mark, "kind": "a"})
    assert [(one.id, one.name, one.state) for one in found] == [(container, spec.name, "created")]
    assert spec.labels.items() <= found[0].labels.items()
    assert len(bench.engine.list_labelled({TEST_LABEL: bench.mark, "kind": None})) == 2
    assert bench.engine.list_labelled({TEST_LABEL: bench.mark, "other": None}) == []


def test_what_an_image_says_of_its_ports_and_health(docker_engine: DockerEngine) -> None:
    client: Any = APIClient(version="auto")
    tag = f"orca-test-{secrets.token_hex(6)}:latest"
    text = (
        f"FROM {IMAGE}\nEXPOSE 6379 53/udp 80\n"
        "HEALTHCHECK --interval=3s --timeout=2s --retries=4 CMD test -e /ready\n"
    )
    list(client.build(fileobj=io.BytesIO(text.encode()), tag=tag, rm=True, decode=True))
    try:
        facts = docker_engine.inspect_image(tag)
    finally:
        client.remove_image(tag)
        client.close()
    assert facts.ports == (80, 6379)
    assert facts.health_check == ImageHealthCheck(
        test=("CMD-SHELL", "test -e /ready"), interval=3.0, timeout=2.0, start_period=None, retries=4
    )


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # docker's, when it cannot connect
def test_no_engine_at_the_address() -> None:
    engine = DockerEngine("unix:///nowhere/docker.sock")
    with pytest.raises(DockerUnreachable) as caught:
        engine.ping()
    message = str(caught.value)
    del caught
    gc.collect()
    assert message == (
        "no Docker engine answers at unix:///nowhere/docker.sock (No such file or directory); start it (as root:"
        " 'dockerd' or 'systemctl start docker'), or set DOCKER_HOST to the address of one that runs"
    )


def _tar(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _files(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                found[member.name] = content.read()
    return found


def test_what_the_host_has(bench: Bench) -> None:
    found = bench.engine.capacity()
    assert found.cpus >= 1.0
    assert found.memory >= 64 * 1024**2


def test_docker_has_what_its_host_has(docker_engine: DockerEngine) -> None:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = docker_engine.capacity()
    assert (found.cpus, found.memory) == (os.cpu_count(), pages)
