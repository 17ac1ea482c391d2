"""A cloud with networks and clusters."""

from typing import Any


def network(environment: str) -> dict[str, Any]:
    """A network for an environment."""
    return {"id": f"net-{environment}"}


def cluster(network: str) -> dict[str, Any]:
    """A cluster in a network."""
    return {"id": f"cluster-in-{network}"}
