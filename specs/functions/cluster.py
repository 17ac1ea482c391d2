"""A cluster that deploys and takes back."""

from typing import Any


def deploy(region: str, image: str) -> dict[str, Any]:
    """Bring an image to a region; `nowhere` refuses."""
    if region == "nowhere":
        raise ValueError(f"there is no region '{region}'")
    return {"deployed": f"{image} in {region}"}


def rollback(deployment: str) -> dict[str, Any]:
    """Take a deployment back."""
    return {"rolled_back": deployment}
