"""The registry of the engine in memory."""

from workers.engine.failures import PullFailed


class MemoryRegistry:
    """`Registry` in memory: there is none."""

    def registry_digest(self, image: str) -> str:
        """See `Registry`."""
        raise PullFailed(f"the registry does not say what image '{image}' is: there is no registry")
