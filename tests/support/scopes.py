"""Requests to start and stop services, and a supervisor that does as a worker would."""

import asyncio
from dataclasses import dataclass
from typing import Any

from orchestrator.contract.messages import ContainerRequest, ServiceSecret
from orchestrator.contract.services import (
    ServiceRequest,
    ServiceScope,
    ServicesStarted,
    ServicesStopped,
    StartServices,
    StopServices,
)
from orchestrator.plan.service_model import HealthCheck, Ready
from orchestrator.store.logs import LogReader
from tests.support.engines import IMAGE
from tests.support.tries import Bench, request
from workers.engine.interface import ObservedContainer
from workers.supervision.services.identity import container_of, network_of, prefix_of

GRACE = 1.0
LISTEN = "mkdir /w; echo hi > /w/health; echo serving; exec httpd -f -p 8080 -h /w"
FOREVER = "while :; do sleep 0.1; done"


def scope(run: str = "run", **changes: Any) -> ServiceScope:
    fields: dict[str, Any] = {"run_id": run, "attempt": 1, "job": "job", "plan_digest": "digest"}
    return ServiceScope(**(fields | changes))


def service(name: str = "db", script: str | None = None, **changes: Any) -> ServiceRequest:
    """One that runs `script` in a shell, where one is given."""
    fields: dict[str, Any] = {"name": name, "image": IMAGE, "start_timeout": 20.0}
    if script is not None:
        fields["entrypoint"] = ("sh", "-c", script)
    return ServiceRequest(**(fields | changes))


def shell(text: str, **changes: Any) -> HealthCheck:
    return HealthCheck(test=("CMD-SHELL", text), **changes)


def http(path: str) -> HealthCheck:
    return HealthCheck(ready=Ready(http=path, http_port=8080))


def logged(pattern: str) -> HealthCheck:
    return HealthCheck(ready=Ready(log=pattern))


REDIS = service("cache", image="redis:7")


@dataclass
class Scope:
    """One scope on a bench."""

    bench: Bench
    scope: ServiceScope
    services: tuple[ServiceRequest, ...]

    @property
    def network(self) -> str:
        return network_of(self.scope)

    def container(self, name: str) -> str:
        return container_of(self.scope, name)

    async def start(self, **changes: Any) -> ServicesStarted:
        wanted = StartServices(scope=self.scope, services=self.services, **changes)
        beats = self.bench.beats.append
        return await self.bench.supervisor.services.start(wanted, beats, lambda: self.bench.cause)

    async def stop(self, **changes: Any) -> ServicesStopped:
        fields: dict[str, Any] = {"scope": self.scope, "services": self.services, "stop_grace": GRACE}
        return await self.bench.supervisor.services.stop(
            StopServices(**(fields | changes)), self.bench.beats.append
        )

    def job(self, *commands: str, **changes: Any) -> ContainerRequest:
        """A job in the scope's network, with the services' generated values."""
        fields: dict[str, Any] = {
            "networks": (self.network,),
            "services": tuple(self.container(one.name) for one in self.services),
            "secrets": tuple(
                ServiceSecret(variable=variable, network=self.network, service=one.name)
                for one in self.services
                for variable in one.generated
            ),
        }
        return request(self.scope.run_id, *commands, **(fields | changes))

    async def observed(self, name: str) -> ObservedContainer | None:
        return await asyncio.to_thread(self.bench.engine.inspect, self.container(name))

    async def texts(self, name: str) -> list[str]:
        reader = LogReader(self.bench.store, prefix_of(self.scope, name))
        return [line.text async for line in reader.lines()]

    async def left_over(self) -> tuple[list[str], list[str]]:
        """Names of containers and networks of the run."""
        labels = {"dev.orca.run": self.scope.run_id}
        containers = await asyncio.to_thread(self.bench.engine.list_labelled, labels)
        networks = await asyncio.to_thread(self.bench.engine.list_networks, labels)
        return [one.name for one in containers], [one.name for one in networks]

    async def stopped_without_trace(self) -> None:
        await self.stop()
        assert await self.left_over() == ([], [])


def made(bench: Bench, mark: str, *services: ServiceRequest, **changes: Any) -> Scope:
    return Scope(bench, scope(mark, **changes), services)
