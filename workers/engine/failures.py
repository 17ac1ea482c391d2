"""What can go wrong at the engine, told apart by what the caller can do about it.

EngineError
├── ImageNotFound       the image is not on this host
├── PullFailed          the registry, or the way to it, said no
├── NameTaken           a container or network of that name exists
├── ContainerGone       there is no such container (any more)
├── StartFailed         the engine cannot create or start it as it was asked to
├── PathNotFound        there is no such path in the container
├── ExecTimeout         a command inside a container took too long
├── NetworkRefused      the engine cannot make the network
├── NetworkBusy         containers are still in the network
├── VolumeBusy          a container still has the volume
├── EngineUnreachable   no engine answers; also a `DockerUnreachable`
├── EngineFault         the engine failed in a way that nobody expects
└── Interrupted         not a failure: another thread ended the call through its `Interrupt`
"""

from orchestrator.errors import DockerUnreachable, EngineError


class ImageNotFound(EngineError):
    """The image is not on this host."""


class PullFailed(EngineError):
    """The image could not be pulled."""


class NameTaken(EngineError):
    """A container or network of that name exists."""


class ContainerGone(EngineError):
    """There is no such container, or it is just being removed."""


class HalfStarted(EngineError):
    """The engine was ended as it started a container, and does not know what of it runs all the same."""


class StartFailed(EngineError):
    """The engine refuses to create or start the container: a bad user, limit, folder or command."""


class PathNotFound(EngineError):
    """There is no such path in the container, or no such container."""


class ExecTimeout(EngineError):
    """A command inside a container took too long. `run` is its id, for `ContainerEngine.exec_runs`."""

    def __init__(self, message: str, run: str) -> None:
        super().__init__(message)
        self.run = run


class NetworkRefused(EngineError):
    """The engine cannot make the network: no address range is left, or the request is not to its liking."""


class NetworkBusy(EngineError):
    """Containers are still in the network."""


class VolumeBusy(EngineError):
    """A container, running or not, still has the volume."""


class EngineUnreachable(EngineError, DockerUnreachable):
    """No engine answers at the address, or it went away in the middle of a call."""

    exit_code = 3


class EngineFault(EngineError):
    """The engine failed in a way that is neither the caller's doing nor the network's."""


class Interrupted(EngineError):
    """The call was ended by `Interrupt.fire`."""
