"""What the Docker engine has of orca's, asked through the Engine API."""

import time

import docker

from orchestrator.contract.names import LABEL_MARK, LABEL_RUN


def containers_of(run: str | None = None) -> list[str]:
    """Names of orca's containers, running or not; of one run, or of all. Waits out a removal that is under way."""
    client = docker.from_env()
    try:
        label = f"{LABEL_RUN}={run}" if run else LABEL_MARK
        for _ in range(50):
            found = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
            if not any(container.status in ("exited", "removing") for container in found):
                break
            time.sleep(0.1)
        return sorted(str(container.name) for container in found)
    finally:
        client.close()
