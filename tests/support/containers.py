"""What the Docker engine has of orca's, asked through the Engine API."""

import time
from collections.abc import Collection
from typing import Any

import docker

from orchestrator.contract.names import LABEL_MARK, LABEL_RUN

REMOVAL_LIMIT = 5.0
"""Seconds for removals to be done."""


def every_container() -> set[str]:
    """Names of orca's containers as they are now."""
    client = docker.from_env()
    try:
        found = client.containers.list(all=True, filters={"label": LABEL_MARK}, ignore_removed=True)
        return {str(container.name) for container in found}
    finally:
        client.close()


def containers_of(run: str | None = None, *, but: Collection[str] = ()) -> list[str]:
    """Names of orca's containers, running or not; of one run, or of all `but` some. Waits out removals."""
    client = docker.from_env()
    try:
        label = f"{LABEL_RUN}={run}" if run else LABEL_MARK
        deadline = time.monotonic() + REMOVAL_LIMIT
        while True:
            found = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
            found = [container for container in found if container.name not in but]
            going = any(container.status in ("exited", "removing") for container in found)
            if not going or time.monotonic() > deadline:
                return sorted(str(container.name) for container in found)
            time.sleep(0.1)
    finally:
        client.close()


def networks_and_volumes() -> set[str]:
    """Names of orca's networks, and of all volumes: those that images ask for have no label."""
    client = docker.from_env()
    try:
        api: Any = client.api
        networks: list[dict[str, str]] = api.networks(filters={"label": LABEL_MARK})
        volumes: list[dict[str, str]] = api.volumes()["Volumes"] or []
        return {one["Name"] for one in (*networks, *volumes)}
    finally:
        client.close()


def networks_of(run: str) -> list[dict[str, Any]]:
    """What the engine says of a run's networks."""
    client = docker.from_env()
    try:
        api: Any = client.api
        return api.networks(filters={"label": f"{LABEL_RUN}={run}"})
    finally:
        client.close()
