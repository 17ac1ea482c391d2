"""What well-known images need to run beside a job, and what of it the job has to know. A table.

As `plan.well_known` has them. Only what the images document stands here; where a port says enough, no command is asked
for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from orchestrator.plan.service_model import HealthCheck, Ready
from orchestrator.plan.well_known import WELL_KNOWN_PORTS


@dataclass(frozen=True, slots=True)
class KnownService:
    """An image that orca knows."""

    port: int
    health_check: HealthCheck
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """What it is given, and the job is told."""
    generated: tuple[str, ...] = ()
    """Variables whose values are made up, for it and the job alike."""


_PATIENCE: Final = {"interval": 5, "timeout": 5, "retries": 3, "start_period": 60, "start_interval": 1}
"""Seconds, and a number of checks. The start period is as long as a service may take: a failed check only waits."""


def _check(*test: str) -> HealthCheck:
    return HealthCheck.model_validate({"test": test, **_PATIENCE, "given": ("test", *_PATIENCE)})


def _listens(name: str) -> HealthCheck:
    ready = Ready(tcp=WELL_KNOWN_PORTS[name])
    return HealthCheck.model_validate({"ready": ready, **_PATIENCE, "given": ("ready", *_PATIENCE)})


KNOWN_SERVICES: Final[Mapping[str, KnownService]] = {
    # Over TCP: the first start of the entrypoint, which makes the database, listens on a socket alone.
    "postgres": KnownService(
        port=WELL_KNOWN_PORTS["postgres"],
        health_check=_check("CMD", "pg_isready", "-h", "127.0.0.1", "-U", "postgres", "-d", "postgres"),
        env={"POSTGRES_USER": "postgres", "POSTGRES_DB": "postgres"},
        generated=("POSTGRES_PASSWORD",),
    ),
    # redis-cli ends with 0 also where the server answers that it is loading.
    "redis": KnownService(
        port=WELL_KNOWN_PORTS["redis"],
        health_check=_check("CMD-SHELL", 'test "$(redis-cli -h 127.0.0.1 ping)" = PONG'),
    ),
    "valkey": KnownService(
        port=WELL_KNOWN_PORTS["valkey"],
        health_check=_check("CMD-SHELL", 'test "$(valkey-cli -h 127.0.0.1 ping)" = PONG'),
    ),
    # Over TCP for the same reason: the first start skips networking. Access denied counts as an answer.
    "mysql": KnownService(
        port=WELL_KNOWN_PORTS["mysql"],
        health_check=_check("CMD", "mysqladmin", "ping", "-h", "127.0.0.1", "--silent"),
        env={"MYSQL_DATABASE": "app", "MYSQL_USER": "app"},
        generated=("MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"),
    ),
    # Its client is called otherwise in newer images; its first start skips networking too.
    "mariadb": KnownService(
        port=WELL_KNOWN_PORTS["mariadb"],
        health_check=_listens("mariadb"),
        env={"MARIADB_DATABASE": "app", "MARIADB_USER": "app"},
        generated=("MARIADB_PASSWORD", "MARIADB_ROOT_PASSWORD"),
    ),
    "mongo": KnownService(port=WELL_KNOWN_PORTS["mongo"], health_check=_listens("mongo")),
    "rabbitmq": KnownService(
        port=WELL_KNOWN_PORTS["rabbitmq"],
        health_check=_listens("rabbitmq"),
        env={"RABBITMQ_DEFAULT_USER": "rabbitmq"},
        generated=("RABBITMQ_DEFAULT_PASS",),
    ),
    "memcached": KnownService(port=WELL_KNOWN_PORTS["memcached"], health_check=_listens("memcached")),
    "nats": KnownService(port=WELL_KNOWN_PORTS["nats"], health_check=_listens("nats")),
}
"""By the last part of the image's path."""
