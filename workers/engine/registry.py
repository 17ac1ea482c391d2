"""What an engine can learn of an image that it does not have. Part of `ContainerEngine`."""

from typing import Protocol


class Registry(Protocol):
    """Every method may also raise `EngineUnreachable` and `EngineFault`."""

    def registry_digest(self, image: str) -> str:
        """The digest (`sha256:…`) of what a pull of `image` would fetch now. Without a tag, of `latest`.

        Raises:
            PullFailed: in the registry's words.
        """
        ...
