"""Starting services on a real engine: PostgreSQL and Redis, and all that keeps one from coming up."""

import asyncio
import io
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.services import ServiceRequest
from orchestrator.plan.parts import Resources
from orchestrator.plan.service_model import HealthCheck, Port, Ready
from tests.support.scopes import FOREVER, LISTEN, REDIS, Scope, http, logged, made, service, shell
from tests.support.tries import Bench, bench_around
from workers.engine.docker_engine import DockerEngine
from workers.supervision.services.health import QUIET

POSTGRES = service(
    "postgres",
    image="postgres:15",
    env={"POSTGRES_DB": "app"},
    generated=("POSTGRES_PASSWORD",),
    health_check=HealthCheck(test=("CMD", "pg_isready", "-h", "127.0.0.1")),
    artifact=True,
)
SQL = "create table t (x int); insert into t values (42); select 'answer ' || x from t"
"""For the client that PostgreSQL's own image has; Redis is asked with its client for Python."""
CACHE = (
    "import redis; cache = redis.Redis('cache'); cache.set('x', 43); print('cached', cache.get('x').decode())"
)


async def test_postgres_and_redis_with_jobs_that_use_them(bench: Bench, mark: str, client: Any) -> None:
    case = made(bench, mark, POSTGRES, REDIS)
    started = await case.start()
    assert (started.status, started.reason, started.warnings, started.network, started.host) == (
        "success",
        None,
        (),
        case.network,
        "host",
    )
    assert [(one.name, one.state, one.check, one.port, one.ports) for one in started.services] == [
        ("postgres", "healthy", "pg_isready -h 127.0.0.1", 5432, (5432,)),
        ("cache", "healthy", "port 6379", 6379, (6379,)),
    ]
    assert all(0 < (one.after or 0) < 20 for one in started.services)
    psql = "PGPASSWORD=$POSTGRES_PASSWORD psql -h postgres -U postgres -At -v ON_ERROR_STOP=1 app"
    asks = case.job(f'{psql} -c "{SQL}"', image="postgres:15")
    cached = case.job(f'python -c "{CACHE}"', image="python:3.11-slim", job="cached")
    outcomes = await asyncio.gather(bench.run(asks), bench.run(cached))
    said = [await bench.texts(asks), await bench.texts(cached)]
    assert [(outcome.status, outcome.warnings) for outcome in outcomes] == [("success", ())] * 2, said
    assert ("answer 42" in said[0], "cached 43" in said[1]) == (True, True)
    made_up = await asyncio.to_thread(client.inspect_container, case.container("postgres"))
    (password,) = [text[18:] for text in made_up["Config"]["Env"] if text.startswith("POSTGRES_PASSWORD=")]
    assert len(password) == 32
    stopped = await case.stop()
    assert [(one.name, one.died, one.exit_code) for one in stopped.services] == [
        ("postgres", False, None),
        ("cache", False, None),
    ]
    assert stopped.warnings == ()
    log = await case.texts("postgres")
    assert log[-1].endswith("database system is shut down")
    artifact = stopped.services[0].artifact
    assert artifact is not None
    assert (artifact.path, stopped.services[1].artifact) == ("services/postgres.log", None)
    taken = bench.store.get_stream(artifact.key)
    data = b"".join([chunk async for chunk in taken])
    assert (len(data), data.count(b" LOG: ")) == (
        artifact.size,
        sum(line.count(" LOG: ") for line in log),
    )
    assert await case.left_over() == ([], [])
    # A value that was made up is nowhere but in the containers.
    assert not await asyncio.to_thread(_holds, Path(bench.store.url), password.encode())
    again = await case.stop()
    assert again == stopped


def _holds(folder: Path, text: bytes) -> bool:
    return any(text in file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("wanted", "state", "message"),
    [
        (service(script="echo one; echo two >&2; exit 3"), "exited", ["ended at once with exit code 3", "two"]),
        (service(script="echo bye"), "exited", ["ended at once with exit code 0; its last lines:", "  bye"]),
        (
            service("pg", image="postgres:15"),
            "exited",
            ["service 'pg' ended at once with exit code 1", "You must specify POSTGRES_PASSWORD"],
        ),
        (
            service(script=f"echo up; {FOREVER}", health_check=shell("echo no; exit 4"), start_timeout=1.0),
            "unhealthy",
            ["did not get healthy within its start timeout of 1 s", "of 'echo no; exit 4'", "exit code 4: no", "  up"],
        ),
        (
            service(script=FOREVER, health_check=shell("exit 1", interval=0.3, retries=2)),
            "unhealthy",
            ["service 'db' is not healthy: 2 checks in a row failed;", "printed nothing"],
        ),
        (
            service(script=FOREVER, health_check=HealthCheck(test=("CMD", "pg_isready"))),
            "unhealthy",
            ["cannot be checked: the health check 'pg_isready' cannot be run", "executable file not found"],
        ),
        (
            service(script=FOREVER, health_check=shell("no-such-command --x")),
            "unhealthy",
            ["cannot be checked: the health check 'no-such-command --x'", "not found"],
        ),
        (
            service(script=FOREVER, health_check=HealthCheck(ready=Ready(tcp=81)), start_timeout=0.5),
            "unhealthy",
            ["of port 81 (the last one: port 81: connection refused)"],
        ),
        (
            service(script=LISTEN, health_check=http("/no"), start_timeout=1.0),
            "unhealthy",
            ["GET /no on port 8080 (the last one: status 404)"],
        ),
        (
            service(script="echo a; echo b; sleep 9", health_check=logged("^c$"), start_timeout=0.5),
            "unhealthy",
            ["a line of its log like '^c$' (the last one: no line matched)", "  b"],
        ),
        (
            service(
                script="x=a; while :; do x=$x$x; done",
                health_check=logged("^never$"),
                resources=Resources(memory=16 * 1024 * 1024),
            ),
            "exited",
            ["went over its memory limit and was killed (exit code 137)"],
        ),
        (service(entrypoint=("no-such-program",)), "absent", ["service 'db' cannot be started: ", "no-such-program"]),
    ],
)  # fmt: skip
async def test_what_keeps_a_service_from_coming_up(
    bench: Bench, mark: str, wanted: ServiceRequest, state: str, message: list[str]
) -> None:
    case = made(bench, mark, wanted)
    async with asyncio.timeout(15):
        started = await case.start()
    assert started.reason is not None
    assert (started.status, started.reason.kind, started.services[0].state) == (
        "failed",
        FailureKind.SERVICE,
        state,
    )
    for part in message:
        assert part in started.reason.message
    # The message is there, and so is everything else until it is stopped.
    assert await case.left_over() == ([case.container(wanted.name)], [case.network])
    stopped = await case.stop()
    assert (stopped.services[0].died, stopped.warnings) == (state == "exited", ())
    assert await case.left_over() == ([], [])


async def test_an_image_that_nobody_has(bench: Bench, mark: str) -> None:
    case = made(bench, mark, service(image="orca.invalid/none:1"))
    started = await case.start()
    assert str(started.reason).startswith(
        "pull: service 'db' cannot be started: image 'orca.invalid/none:1' could not be pulled: "
    )
    await case.stopped_without_trace()


async def test_a_port_that_another_container_has(bench: Bench, mark: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    first = made(bench, mark, service(script=LISTEN, ports=(Port(container=8080, host=port),)))
    started = await first.start()
    assert (started.status, started.services[0].check) == ("success", "port 8080")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    assert reader is not None
    second = made(bench, mark, service("web", LISTEN, ports=(Port(container=8080, host=port),)), job="other")
    refused = await second.start()
    assert refused.reason is not None
    assert refused.reason.message.startswith(
        f"service 'web' cannot publish port {port}: container '{first.container('db')}' has it; publish"
    )
    assert "is already allocated" in refused.reason.message
    await second.stop()
    await first.stopped_without_trace()


async def test_a_port_that_a_program_has(bench: Bench, mark: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        case = made(bench, mark, service(script=LISTEN, ports=(Port(container=8080, host=port),)))
        refused = await case.start()
    assert refused.reason is not None
    assert refused.reason.message.startswith(
        f"service 'db' cannot publish port {port}: a program on the host has it; publish another port"
    )
    assert f"127.0.0.1:{port}: bind: address already in use" in refused.reason.message
    await case.stopped_without_trace()


async def test_a_port_is_not_blamed_for_another_failure(bench: Bench, mark: str) -> None:
    """A container that does not start may show its ports as taken all the same."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    wanted = service(entrypoint=("no-such-program",), ports=(Port(container=8080, host=port),))
    case = made(bench, mark, wanted)
    refused = await case.start()
    assert str(refused.reason).startswith("service: service 'db' cannot be started: ")
    assert "no-such-program" in str(refused.reason)
    await case.stopped_without_trace()


async def test_an_image_that_the_engines_client_refuses(bench: Bench, mark: str) -> None:
    wrong = service("extra", image="https://orca.invalid/none:1", required=False)
    case = made(bench, mark, wrong, REDIS)
    started = await case.start()
    assert [(one.name, one.state) for one in started.services] == [("extra", "absent"), ("cache", "healthy")]
    assert started.warnings[0].startswith(
        "service 'extra' cannot be started: image 'https://orca.invalid/none:1'"
    )
    await case.stopped_without_trace()


async def test_one_that_is_not_required_is_a_warning_and_one_without_image_is_left_out(
    bench: Bench, mark: str
) -> None:
    case = made(bench, mark, service("bad", "exit 1", required=False), service("off", image=""), REDIS)
    started = await case.start()
    assert [(one.name, one.state, one.exit_code) for one in started.services] == [
        ("bad", "exited", 1),
        ("cache", "healthy", None),
    ]
    assert [text.splitlines()[0] for text in started.warnings] == [
        "service 'bad' ended at once with exit code 1; it printed nothing"
    ]
    assert await case.observed("off") is None
    await case.stopped_without_trace()


@pytest.mark.parametrize(
    ("ready", "internal", "check"),
    [
        (Ready(tcp=8080), False, "port 8080"),
        (Ready(http="/health", http_port=8080), False, "GET /health on port 8080"),
        (Ready(log="^serv"), False, "a line of its log like '^serv'"),
        (Ready(tcp=8080), True, "port 8080"),
    ],
)
async def test_other_ways_to_be_ready(
    bench: Bench, mark: str, ready: Ready, internal: bool, check: str
) -> None:
    wanted = service(script=f"sleep 0.4; {LISTEN}", health_check=HealthCheck(ready=ready))
    case = made(bench, mark, wanted)
    started = await case.start(internal=internal)
    assert (started.reason, started.services[0].check) == (None, check)
    assert 0.3 < (started.services[0].after or 0) < 3.0
    await case.stopped_without_trace()


async def test_nothing_to_check(bench: Bench, mark: str) -> None:
    case = made(bench, mark, service(script=FOREVER))
    started = await case.start()
    assert [(one.state, one.check) for one in started.services] == [("started", "")]
    assert [text[:41] for text in started.warnings] == ["service 'db' was started, but nothing tel"]
    await case.stopped_without_trace()


async def test_ports_for_datagrams_are_told_and_not_probed(bench: Bench, mark: str) -> None:
    case = made(bench, mark, service(script=FOREVER, ports=(Port(container=53, protocol="udp"),)))
    started = await case.start()
    assert [(one.state, one.port, one.ports) for one in started.services] == [("started", 53, (53,))]
    assert "no health check and only UDP ports, which cannot be probed; give it" in started.warnings[0]
    await case.stopped_without_trace()


async def test_checks_that_hang_do_not_pile_up(bench: Bench, mark: str, client: Any) -> None:
    hangs = shell("echo x >> /begun; sleep 1.2; exit 1", timeout=0.2, given=("test", "timeout"))
    case = made(bench, mark, service(script=FOREVER, health_check=hangs, start_timeout=3.0))
    started = await case.start()
    assert "(the last one: it took longer than 0.2 s, and still runs)" in str(started.reason)
    begun = await asyncio.to_thread(client.exec_create, case.container("db"), ["cat", "/begun"])
    said = await asyncio.to_thread(client.exec_start, begun["Id"])
    assert 2 <= said.decode().split().count("x") <= 3
    await case.stopped_without_trace()


async def test_the_answer_to_a_whole_check_is_told_where_the_last_was_cut_short(
    bench: Bench, mark: str
) -> None:
    slow = shell("sleep 0.4; echo not yet; exit 9")
    case = made(bench, mark, service(script=FOREVER, health_check=slow, start_timeout=1.2))
    started = await case.start()
    assert "of 'sleep 0.4; echo not yet; exit 9' (the last one: exit code 9: not yet)" in str(started.reason)
    await case.stopped_without_trace()


def built(client: Any, text: str) -> Iterator[str]:
    tag = f"orca-test-{secrets.token_hex(6)}:latest"
    list(client.build(fileobj=io.BytesIO(text.encode()), tag=tag, rm=True, decode=True))
    yield tag
    client.remove_image(tag, force=True)


@pytest.fixture(name="checked_image")
def checked_image_fixture(client: Any) -> Iterator[str]:
    yield from built(
        client,
        "FROM alpine:latest\nEXPOSE 81\nHEALTHCHECK --interval=1h --retries=4 CMD test -e /ready\n"
        'CMD ["sh", "-c", "sleep 0.3; touch /ready; sleep 60"]\n',
    )


@pytest.fixture(name="half_open_image")
def half_open_image_fixture(client: Any) -> Iterator[str]:
    yield from built(client, "FROM alpine:latest\nEXPOSE 81 82\n")


async def test_the_images_own_check_is_run_by_us_alone(
    bench: Bench, mark: str, checked_image: str, client: Any
) -> None:
    case = made(bench, mark, service(image=checked_image))
    started = await case.start()
    assert [(one.state, one.check, one.port) for one in started.services] == [
        ("healthy", "the image's own check 'test -e /ready'", 81)
    ]
    answer = await asyncio.to_thread(client.inspect_container, case.container("db"))
    assert answer["Config"]["Healthcheck"]["Test"] == ["NONE"]
    assert "Health" not in answer["State"]
    await case.stopped_without_trace()


async def test_an_image_of_whose_ports_some_never_open(bench: Bench, mark: str, half_open_image: str) -> None:
    wanted = service(script="exec httpd -f -p 82 -h /", image=half_open_image)
    case = made(bench, mark, wanted)
    started = await case.start()
    assert (started.status, [one.state for one in started.services]) == ("success", ["healthy"])
    assert started.warnings == (
        "service 'db' counts as healthy, though not all ports that its image exposes are open (port 81: connection"
        " refused); name the one that matters with 'ready: {tcp: PORT}', then nothing else is waited for",
    )
    assert QUIET < (started.services[0].after or 0) < QUIET + 2
    await case.stopped_without_trace()


async def test_a_start_that_begins_again_takes_up_what_runs(
    bench: Bench, docker_engine: DockerEngine, mark: str
) -> None:
    slow = service("slow", f"sleep 2; touch /up; {FOREVER}", health_check=shell("test -e /up"))
    case = made(bench, mark, slow, REDIS)
    bench.cause = "detach"
    starting = asyncio.create_task(case.start())
    async with asyncio.timeout(20):
        while (await case.observed("cache")) is None or (await case.observed("slow")) is None:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.7)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    before = [await case.observed(name) for name in ("slow", "cache")]
    assert [one.state for one in before if one] == ["running", "running"]
    async with bench_around(docker_engine, Path(bench.store.url)) as other:
        again = Scope(other, case.scope, case.services)
        started = await again.start()
        assert (started.status, [one.state for one in started.services]) == (
            "success",
            ["healthy", "healthy"],
        )
        assert 2.0 <= (started.services[0].after or 0) < 6.0
    after = [await case.observed(name) for name in ("slow", "cache")]
    assert [one.id for one in after if one] == [one.id for one in before if one]
    assert [one.started_at for one in after if one] == [one.started_at for one in before if one]
    await case.stopped_without_trace()


async def test_a_cancelled_start_leaves_all_to_the_stop(bench: Bench, mark: str) -> None:
    never = service(script=f"echo up; {FOREVER}", health_check=shell("exit 1"))
    case = made(bench, mark, never, POSTGRES)
    starting = asyncio.create_task(case.start())
    async with asyncio.timeout(20):
        while (seen := await case.observed("db")) is None or seen.state != "running":
            await asyncio.sleep(0.02)
    starting.cancel()
    started = await starting
    assert (started.status, str(started.reason)) == ("cancelled", "cancelled: the job was cancelled")
    await case.stopped_without_trace()
    assert await case.texts("db") == ["up"]
