"""What the Docker engine has of orca's, asked through the Engine API.

Tests run side by side and share the engine, so each asks for what its own runs made: see `own`.
"""

import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import docker

from orchestrator.contract.names import LABEL_MARK, LABEL_NAMESPACE_ID, LABEL_RUN
from orchestrator.embedded.home import Home
from tests.support.cli import HOMES
from tests.support.engines import TEST_LABEL

REMOVAL_LIMIT = 15.0
"""Seconds for removals to be done."""

Labels = Mapping[str, str]


_servers: dict[Path, frozenset[str]] = {}
"""The ids of the namespaces of the servers that have run, by their database."""


def own(labels: Labels) -> bool:
    """Whether that is of a server of this process, by the server's id among its labels."""
    wanted = labels.get(LABEL_NAMESPACE_ID)
    return any(wanted in _namespaces(Home(home).database) for home in HOMES)


def _namespaces(database: Path) -> frozenset[str]:
    if database not in _servers and database.exists():
        # The server itself may have ended long since. One that began just now may have nothing in it yet.
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            if connection.execute("SELECT * FROM sqlite_master WHERE name = 'namespaces'").fetchall():
                rows = connection.execute("SELECT id FROM namespaces WHERE name = 'default'").fetchall()
                _servers.update(
                    {database: frozenset(str(UUID(bytes=row[0])) for row in rows)} if rows else {}
                )
        finally:
            connection.close()
    return _servers.get(database, frozenset())


def every_container() -> set[str]:
    """Names of orca's containers as they are now, whoever made them."""
    client = docker.from_env()
    try:
        found = client.containers.list(all=True, filters={"label": LABEL_MARK}, ignore_removed=True)
        return {str(container.name) for container in found}
    finally:
        client.close()


def containers_of(run: str | None = None, *, but: Collection[str] = ()) -> list[str]:
    """Names of containers, running or not; of one run, or of all our `own` ones `but` some. Waits out removals."""
    client = docker.from_env()
    try:
        label = f"{LABEL_RUN}={run}" if run else LABEL_MARK
        deadline = time.monotonic() + REMOVAL_LIMIT
        while True:
            found = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
            found = [one for one in found if one.name not in but and (run or own(one.labels))]
            going = any(container.status in ("exited", "removing") for container in found)
            if not going or time.monotonic() > deadline:
                return sorted(str(container.name) for container in found)
            time.sleep(0.1)
    finally:
        client.close()


def networks() -> set[str]:
    """Names of our `own` networks."""
    client = docker.from_env()
    try:
        api: Any = client.api
        found: list[dict[str, Any]] = api.networks(filters={"label": LABEL_MARK})
        return {one["Name"] for one in found if own(one["Labels"])}
    finally:
        client.close()


def volumes() -> set[str]:
    """Names of all volumes, whoever made them: those that images ask for have no label."""
    client = docker.from_env()
    try:
        return {str(volume.name) for volume in client.volumes.list()}
    finally:
        client.close()


def volumes_left(
    before: Collection[str], ours: Callable[[Labels], bool] = own, *, within: float = REMOVAL_LIMIT
) -> set[str]:
    """Volumes that have come since, and that nothing has, or that something of ours has.

    A volume without labels is on its own for a moment before its container is there and after that has gone. Others'
    are told from leftovers by that: a leftover stays.

    Args:
        before: the names of those that were there.
        ours: tells from an object's labels whether it is ours.
        within: how long they are watched, in seconds.
    """
    deadline = time.monotonic() + within
    left = _volumes_now(before, ours)
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left &= _volumes_now(before, ours)
    return left


def _volumes_now(before: Collection[str], ours: Callable[[Labels], bool]) -> set[str]:
    client = docker.from_env()
    try:
        left: set[str] = set()
        for volume in client.volumes.list():
            labels: Labels = volume.attrs["Labels"] or {}
            if volume.name in before:
                continue
            if {LABEL_MARK, TEST_LABEL} & labels.keys():
                whose = [labels]
            else:
                holders = client.containers.list(
                    all=True, filters={"volume": str(volume.name)}, ignore_removed=True
                )
                whose = [holder.labels for holder in holders]
            if not whose or any(map(ours, whose)):
                left.add(str(volume.name))
        return left
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
