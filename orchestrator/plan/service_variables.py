"""What a job finds of its services in its environment: the names of the variables. Pure.

The compiler knows them as set, and the interpreter sets them.
"""

import re

from orchestrator.plan.model import Service


def variable_prefix(service: str) -> str:
    """What the variables of a service begin with: `MY_DB` for `my-db`, so `MY_DB_HOST` and `MY_DB_PORT`."""
    return re.sub("[^A-Z0-9]", "_", service.upper())


def variable_names(service: Service) -> tuple[str, ...]:
    """All variables that the job gets of a service of its own, or of a shared one."""
    prefix = variable_prefix(service.name)
    return (f"{prefix}_HOST", f"{prefix}_PORT", *service.shared_env, *service.generated)
