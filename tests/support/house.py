"""Jobs and services in a memory engine, and what a test can see of them."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.contract.messages import RunRecord
from orchestrator.contract.names import LABEL_SERVICE
from orchestrator.plan.model import ContainerNode
from orchestrator.plan.service_model import HealthCheck, Ready, Service
from tests.support.memory_engine import Running
from tests.support.memory_host import MemoryHost
from tests.support.plans import job

IMAGE = "alpine:latest"


class House:
    """What jobs and services do, by the last word of their entrypoint, and what they saw."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, str]] = {}
        self.naps = threading.Event()
        self.lock = threading.Lock()
        self.starts: list[str] = []
        self.gate = threading.Event()
        self.engine = MemoryHost(
            programs={
                "serve": self.serve,
                "early": self.early,
                "mute": self.mute,
                "dies": self.dies,
                "work": self.work,
                "fail": lambda _: 3,
                "nap": self.nap,
                "slow": self.slow,
                "slowly": self.slowly,
                "ends": self.ends,
                "prepares": self.prepares,
            }
        )

    def serve(self, box: Running) -> int:
        with self.lock:
            self.starts.append(box.env.get("NAME", ""))
        box.out("ready")
        box.sleep(600, until_stopped=True)
        return 143

    def slowly(self, box: Running) -> int:
        """Gets ready once the gate opens."""
        self.gate.wait(30)
        return self.serve(box)

    def early(self, box: Running) -> int:
        box.out("no password given")
        return 1

    def mute(self, box: Running) -> int:
        box.out("still thinking")
        box.sleep(600, until_stopped=True)
        return 143

    def dies(self, box: Running) -> int:
        box.out("ready")
        box.sleep(0.7)
        box.out("out of luck")
        return 9

    def prepares(self, box: Running) -> int:
        box.out("ready")
        box.sleep(0.7)
        return 0

    def ends(self, box: Running) -> int:
        """A job that kills all services."""
        for one in self.engine.list_labelled({LABEL_SERVICE: None}):
            self.engine.kill(one.id)
        return 0

    def work(self, box: Running) -> int:
        self.seen[box.env.get("NAME", box.env["ORCA_JOB"])] = dict(box.env)
        return 0

    def slow(self, box: Running) -> int:
        box.sleep(2)
        return 5

    def nap(self, box: Running) -> int:
        self.naps.set()
        box.sleep(600, until_stopped=True)
        return 143

    async def inhabited(self) -> None:
        """Return once a container is there: what is asked of the run from then on knows of it."""
        async with asyncio.timeout(60):
            while not self.left[0]:
                await asyncio.sleep(0.01)

    @property
    def left(self) -> tuple[list[str], list[str]]:
        """Names of containers and networks that are there."""
        return (
            [one.name for one in self.engine.list_labelled({})],
            [one.name for one in self.engine.list_networks({})],
        )


READY = HealthCheck(ready=Ready(log="^ready$"))


def service(name: str = "db", does: str = "serve", **fields: Any) -> Service:
    usual: dict[str, Any] = {
        "name": name,
        "image": IMAGE,
        "entrypoint": (does,),
        "health_check": READY,
        "start_timeout": 10,
    }
    return Service.model_validate(usual | fields)


def with_services(name: str, *parts: Service | str, does: str = "work", **fields: Any) -> ContainerNode:
    """A job with these services, after the jobs of these names."""
    services = tuple(part for part in parts if isinstance(part, Service))
    requires = [part for part in parts if isinstance(part, str)]
    return job(name, *requires, services=services, entrypoint=(does,), **fields)


async def activities(client: Client, run: str) -> list[tuple[str, str]]:
    """Type and id of the activities of a run, in the order in which they were scheduled."""
    history = await client.get_workflow_handle(run).fetch_history()
    found = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    return [(each.activity_type.name, each.activity_id) for each in found]


async def until(client: Client, run: str, condition: Callable[[RunRecord], object]) -> RunRecord:
    """The record once `condition` holds for it. It is older than anything else that `condition` looks at."""
    async with asyncio.timeout(60):
        while not condition(found := await runs.record(client, run)):
            await asyncio.sleep(0.05)
    return found
