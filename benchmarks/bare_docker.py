"""The floor for container jobs: the same containers through the bare Docker API (create, start, wait, remove)."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker import APIClient

IMAGE = "alpine:latest"
COMMAND = ["sh", "-c", "true"]


def container(client: Any) -> None:
    """One no-op container from its creation to its removal. `client` is an APIClient, whose stubs leave types out."""
    made = client.create_container(IMAGE, COMMAND)["Id"]
    client.start(made)
    code = client.wait(made)["StatusCode"]
    client.remove_container(made)
    if code != 0:
        raise RuntimeError(f"the no-op container exited with {code}")


def chain(length: int) -> float:
    """Seconds for `length` containers, one after the other."""
    client = APIClient()
    begin = time.perf_counter()
    for _ in range(length):
        container(client)
    return time.perf_counter() - begin


def fan_out(width: int, parallel: int) -> float:
    """Seconds for one container, then `width` of them `parallel` at a time, then one."""
    client = APIClient(num_pools=parallel * 2)
    begin = time.perf_counter()
    container(client)
    with ThreadPoolExecutor(parallel) as pool:
        for done in [pool.submit(container, client) for _ in range(width)]:
            done.result()
    container(client)
    return time.perf_counter() - begin
