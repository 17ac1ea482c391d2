"""Names of the variables through which a job finds its services: `POSTGRES_HOST`, `POSTGRES_PORT`. Pure."""

import re

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]")


def host_variable(service: str) -> str:
    """`MY_DB_HOST` for a service `my-db`."""
    return f"{_prefix(service)}_HOST"


def port_variable(service: str) -> str:
    """`MY_DB_PORT` for a service `my-db`."""
    return f"{_prefix(service)}_PORT"


def _prefix(service: str) -> str:
    return _NOT_IN_NAMES.sub("_", service).upper()
