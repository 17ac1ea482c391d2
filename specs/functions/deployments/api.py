"""Deployments as an API would keep them."""

from typing import Any


def create(app_name: str, version: str, base_url: str) -> dict[str, Any]:
    """A new deployment, and where it will answer."""
    return {"id": f"{app_name}-{version}", "url": f"{base_url}/{app_name}"}
