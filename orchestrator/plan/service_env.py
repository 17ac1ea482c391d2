"""Names of the variables through which a job finds its services: `POSTGRES_HOST`, `POSTGRES_PORT`. Pure.

The compiler knows them as set, and the interpreter sets them.
"""

import re

from orchestrator.plan.service_model import Service

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]")


def host_variable(service: str) -> str:
    """`MY_DB_HOST` for a service `my-db`."""
    return f"{_prefix(service)}_HOST"


def port_variable(service: str) -> str:
    """`MY_DB_PORT` for a service `my-db`."""
    return f"{_prefix(service)}_PORT"


def told_variables(service: Service) -> tuple[str, ...]:
    """All variables that the job gets of a service of its own, or of a shared one."""
    return (host_variable(service.name), port_variable(service.name), *service.shared_env, *service.generated)


def _prefix(service: str) -> str:
    return _NOT_IN_NAMES.sub("_", service).upper()
