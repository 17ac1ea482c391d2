"""The floor for a job with services: the same through the bare Docker API, with polls at the same pace."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker import APIClient
from docker.errors import APIError

POSTGRES, REDIS, IMAGE = "postgres:15", "redis:7", "alpine:latest"
CHECK = ["pg_isready", "-h", "127.0.0.1"]
PING = ["redis-cli", "ping"]
GRACE = 1
"""Seconds between the stop signal and the kill."""
FIRST_PAUSE, GROWTH, LONGEST = 0.1, 1.25, 5.0


def job_with_services(name: str) -> float:
    """Seconds for a network, a PostgreSQL and a Redis in it until both are healthy, a no-op job, and tear-down."""
    client = APIClient(num_pools=8)
    begin = time.perf_counter()
    network = client.create_network(name, driver="bridge")["Id"]
    with ThreadPoolExecutor(4) as pool:
        services = [
            pool.submit(_service, client, name, "postgres", POSTGRES, CHECK, {"POSTGRES_PASSWORD": "secret"}),
            pool.submit(_service, client, name, "redis", REDIS, PING, {}),
        ]
        running = [service.result() for service in services]
        _job(client, name)
        for ended in [pool.submit(_end, client, container) for container in running]:
            ended.result()
    client.remove_network(network)
    return time.perf_counter() - begin


def _service(client: Any, network: str, alias: str, image: str, check: list[str], env: dict[str, str]) -> str:
    """Its id, when it is healthy."""
    joined = client.create_networking_config({network: client.create_endpoint_config(aliases=[alias])})
    host = client.create_host_config(network_mode=network)
    made = client.create_container(
        image, environment=env, host_config=host, networking_config=joined, healthcheck={"test": ["NONE"]}
    )["Id"]
    client.start(made)
    _poll(lambda: _passes(client, made, check))
    return str(made)


def _passes(client: Any, container: str, check: list[str]) -> bool:
    run = client.exec_create(container, check)["Id"]
    try:
        client.exec_start(run)
    except APIError:
        return False
    return client.exec_inspect(run)["ExitCode"] == 0


def _poll(check: Callable[[], bool]) -> None:
    pause = FIRST_PAUSE
    time.sleep(pause)
    while not check():
        time.sleep(min(pause, LONGEST))
        pause *= GROWTH


def _job(client: Any, network: str) -> None:
    host = client.create_host_config(network_mode=network, init=True)
    made = client.create_container(IMAGE, ["sh", "-c", "true"], host_config=host)["Id"]
    client.start(made)
    code = client.wait(made)["StatusCode"]
    client.remove_container(made)
    if code != 0:
        raise RuntimeError(f"the no-op container exited with {code}")


def _end(client: Any, container: str) -> None:
    client.stop(container, timeout=GRACE)
    client.remove_container(container, v=True, force=True)
