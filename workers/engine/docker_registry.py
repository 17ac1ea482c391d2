"""What Docker Engine asks registries. One method, one API call."""

from abc import ABC, abstractmethod
from typing import Any

from workers.engine.docker_errors import Kinds, translated
from workers.engine.failures import PullFailed

_REFUSED = Kinds(PullFailed, PullFailed, PullFailed, PullFailed)


class DockerRegistry(ABC):
    """`Registry` on Docker."""

    address: str

    @property
    @abstractmethod
    def _quick(self) -> Any:
        """The client that gives up on a silent engine."""

    def registry_digest(self, image: str) -> str:
        """See `Registry`."""
        with translated(self.address, f"the registry does not say what image '{image}' is", _REFUSED):
            found: dict[str, Any] = self._quick.inspect_distribution(image)
        return str(found["Descriptor"]["digest"])
