"""Services beside jobs, and their end, on a real engine."""

import asyncio
import socket
from typing import Any

import pytest

from orchestrator.plan.service_model import Port
from tests.support.scopes import FOREVER, LISTEN, REDIS, logged, made, service
from tests.support.tries import Bench
from workers.engine.docker_engine import DockerEngine
from workers.engine.interface import ContainerSpec, Interrupt
from workers.supervision.services.identity import prefix_of


async def test_a_service_that_died_beside_a_job(bench: Bench, mark: str) -> None:
    case = made(bench, mark, service(script="echo last words; sleep 1.2; exit 5"), REDIS)
    assert (await case.start()).status == "success"
    job = case.job("sleep 2; exit 1")
    outcome = await bench.run(job)
    assert outcome.reason is not None
    lines = outcome.reason.message.splitlines()
    assert lines[0] == "command 1 of 1, 'sleep 2; exit 1', ended with exit code 1"
    assert lines[1].startswith("likely cause: service 'db' had ended with exit code 5, ")
    assert lines[1].endswith(" s before; its last lines:")
    assert lines[2:] == ["  last words"]
    fine = await bench.run(case.job("true", try_number=2))
    assert fine.status == "success"
    assert [text.splitlines()[0][:41] for text in fine.warnings] == [
        "service 'db' had ended with exit code 5, "
    ]
    stopped = await case.stop()
    assert [(one.name, one.died, one.exit_code, one.last_lines) for one in stopped.services] == [
        ("db", True, 5, ("last words",)),
        ("cache", False, None, ()),
    ]
    assert await case.left_over() == ([], [])


async def test_a_service_that_dies_is_told_while_the_job_runs(
    bench: Bench, docker_engine: DockerEngine, mark: str
) -> None:
    case = made(bench, mark, service(script=f"echo last words; {FOREVER}"), REDIS)
    assert (await case.start()).status == "success"
    job = case.job(
        "echo begin; until test -e /go; do sleep 0.1; done; echo end; exit 1",
        services=(case.container("db"),),
    )
    running = bench.begin(job)
    await bench.until_logged(job, "begin")
    await asyncio.to_thread(docker_engine.kill, case.container("db"))
    await bench.until_logged(job, "orca: service 'db' | last words")
    texts = await bench.texts(job)
    assert texts[-2:] == [
        "orca: service 'db' ended with exit code 137; its last lines:",
        "orca: service 'db' | last words",
    ]
    assert not running.done()
    assert (bench.beats[-1].phase, bench.beats[-1].note) == (
        "running",
        "service 'db' ended with exit code 137; the job goes on",
    )
    # Another worker takes the job over: nothing is told twice, and no line is lost.
    bench.cause = "detach"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    container = await bench.container(job)
    assert container is not None
    again = bench.begin(job)
    async with asyncio.timeout(20):
        while not bench.beats[-1].note:
            await asyncio.sleep(0.05)
    await asyncio.to_thread(
        docker_engine.exec, container.id, ["touch", "/go"], timeout=9, interrupt=Interrupt()
    )
    outcome = await again
    assert "likely cause: service 'db' had ended with exit code 137, " in str(outcome.reason)
    texts = await bench.texts(job)
    assert [text for text in texts if "ended with" in text] == [
        "orca: service 'db' ended with exit code 137; its last lines:"
    ]
    assert [text for text in texts if text in ("begin", "end")] == ["begin", "end"]
    await case.stopped_without_trace()


async def test_two_scopes_do_not_see_each_other_and_a_job_can_be_in_both(bench: Bench, mark: str) -> None:
    one = made(bench, mark, service("web", LISTEN, ports=(Port(container=8080),)), job="one")
    two = made(bench, mark, service("own", LISTEN, ports=(Port(container=8080),)), job="two")
    await one.start()
    await two.start()
    ask = "python -c \"import urllib.request as u; print(u.urlopen('http://%s:8080/health', timeout=5).read())\""
    alone = two.job(ask % "web", job="two", image="python:3.11-slim")
    assert (await bench.run(alone)).status == "failed"
    assert "Name or service not known" in "\n".join(await bench.texts(alone))
    both = two.job(
        ask % "web",
        ask % "own",
        job="three",
        image="python:3.11-slim",
        networks=(two.network, one.network),
    )
    assert (await bench.run(both)).status == "success", await bench.texts(both)
    await one.stop()
    await two.stop()
    assert await one.left_over() == ([], [])


async def test_services_reach_the_job_by_its_name(bench: Bench, mark: str) -> None:
    asks = f"until ping -c 1 -W 1 end-to-end; do sleep 0.2; done; echo reached; {FOREVER}"
    case = made(bench, mark, service(script=asks), job="End_to_end")
    assert (await case.start()).status == "success"
    job = case.job("sleep 2", job="End_to_end", services=())
    assert (await bench.run(job)).status == "success"
    await case.stop()
    assert "reached" in await case.texts("db")
    assert await case.left_over() == ([], [])


async def test_a_job_without_network_and_one_whose_network_is_gone(bench: Bench, mark: str) -> None:
    case = made(bench, mark)
    lonely = case.job("ls /sys/class/net; ! wget -qO- -T 1 http://192.0.2.2", networks=("none",))
    assert (await bench.run(lonely)).status == "success"
    assert (await bench.texts(lonely))[1] == "lo"
    outcome = await bench.run(case.job("true", try_number=2))
    assert str(outcome.reason).startswith(
        f"service: network '{case.network}', in which the job's services are, has"
    )
    assert await case.left_over() == ([], [])


async def test_a_job_does_not_reach_the_hosts_loopback_or_the_engine(bench: Bench, mark: str) -> None:
    case = made(bench, mark)
    assert (await case.start()).status == "success"
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = int(server.getsockname()[1])
        gateway = "$(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')"
        tries = [
            f"! nc -w 2 {address} {port} </dev/null"
            for address in ("127.0.0.1", gateway, "host.docker.internal", "localhost")
        ]
        wanted = case.job(
            f"ping -c 1 -W 2 {gateway}",
            *tries,
            f"! nc -w 2 {gateway} 2375 </dev/null",
            "! ls /var/run/docker.sock",
        )
        outcome = await bench.run(wanted)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert outcome.status == "success", await bench.texts(wanted)
    await case.stopped_without_trace()


@pytest.mark.parametrize(
    ("cleanup", "failed", "kept"),
    [("keep", False, True), ("keep_on_failure", True, True), ("keep_on_failure", False, False)],
)
async def test_what_is_kept(bench: Bench, mark: str, cleanup: Any, failed: bool, kept: bool) -> None:
    case = made(bench, mark, service(script=f"echo up; {FOREVER}"))
    await case.start(cleanup=cleanup)
    await case.stop(cleanup=cleanup, failed=failed)
    seen = await case.observed("db")
    assert (seen is not None) == kept
    if seen is not None:
        assert (seen.state, seen.labels["dev.orca.keep"]) == ("exited", cleanup)
    assert await case.texts("db") == ["up"]
    assert (await case.left_over())[1] == ([case.network] if kept else [])
    await case.stopped_without_trace()


async def test_a_stop_that_is_cancelled_goes_to_its_end(bench: Bench, mark: str) -> None:
    case = made(bench, mark, service(script=f"trap '' TERM; echo up; {FOREVER}"), REDIS)
    await case.start()
    stopping = asyncio.create_task(case.stop())
    for _ in range(3):
        await asyncio.sleep(0.1)
        stopping.cancel()
    stopped = await stopping
    assert [one.died for one in stopped.services] == [False, False]
    assert await case.left_over() == ([], [])


async def test_the_network_waits_for_what_is_just_leaving_it(
    bench: Bench, docker_engine: DockerEngine, mark: str
) -> None:
    case = made(bench, mark, REDIS)
    await case.start()
    spec = ContainerSpec(f"orca-test-{mark}", "alpine:latest", ("sleep", "60"), network=case.network)
    other = await asyncio.to_thread(docker_engine.create, spec)
    await asyncio.to_thread(docker_engine.start, other)
    stopping = asyncio.create_task(case.stop())
    await asyncio.sleep(1.5)
    await asyncio.to_thread(docker_engine.remove, other)
    assert (await stopping).warnings == ()
    assert await case.left_over() == ([], [])


async def test_a_large_log_is_kept_whole(bench: Bench, mark: str) -> None:
    lines = 50_000
    talks = f"yes {'l' * 99} | head -n {lines}; echo end; sleep 60"
    case = made(bench, mark, service(script=talks, artifact=True, health_check=logged("^end$")))
    assert (await case.start()).status == "success"
    stopped = await case.stop()
    texts = await case.texts("db")
    assert (len(texts), texts[-1]) == (lines + 1, "end")
    artifact = stopped.services[0].artifact
    assert artifact is not None
    assert artifact.size > lines * 130
    assert await bench.store.exists(f"{prefix_of(case.scope, 'db')}log/end")
    assert await case.left_over() == ([], [])
