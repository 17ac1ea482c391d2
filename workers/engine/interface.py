"""What a worker needs of a container engine. The contract stands in the docstrings; one test suite checks it.

Calls are synchronous and may block; they are made from threads. Frozen shapes only; nothing here is Docker's.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol

from workers.engine.capacity import EngineCapacity
from workers.engine.failures import Interrupted
from workers.engine.registry import Registry
from workers.engine.times import Times

ContainerState = Literal["created", "running", "paused", "exited", "dead"]
PortProtocol = Literal["tcp", "udp"]

NO_NETWORK: Final = "none"
"""The network of a container that is in none."""
MAX_EXEC_OUTPUT: Final = 4096
"""Characters that are kept of what a command inside a container prints."""


@dataclass(frozen=True)
class PublishedPort:
    """A port of a container that the host listens on."""

    container: int
    host: int
    address: str = "127.0.0.1"
    protocol: PortProtocol = "tcp"


@dataclass(frozen=True)
class ContainerSpec:
    """A container to create. Never privileged, never with folders of the host."""

    name: str
    image: str
    entrypoint: tuple[str, ...] | None = None
    """None: the image's own."""
    command: tuple[str, ...] | None = None
    """None: the image's own, or none where `entrypoint` is given."""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    working_dir: str | None = None
    """Absolute; made where it does not exist."""
    user: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    cpus: float | None = None
    memory: int | None = None
    """Bytes, swap included: going over it kills."""
    pids: int | None = None
    network: str | None = None
    """Name or id of the one network that it joins, or `none`; None: the engine's default."""
    aliases: tuple[str, ...] = ()
    """Names by which the others in `network` find it."""
    tmpfs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Folder to its mount options (`size=64m,mode=1777`); in memory, gone with the container."""
    published: tuple[PublishedPort, ...] = ()
    own_health_check: bool = True
    """Whether the engine runs the image's own health check, if it has one."""
    init: bool = True
    """Whether the engine's small init is process 1, where the engine has one; it passes signals on."""


@dataclass(frozen=True)
class NetworkSpec:
    """A bridge network to create."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    internal: bool = False
    """Without a way out."""


@dataclass(frozen=True)
class ObservedNetwork:
    """A network as the engine sees it."""

    id: str
    name: str
    labels: Mapping[str, str]
    internal: bool = False


@dataclass(frozen=True)
class ExecResult:
    """How a command inside a container ended."""

    exit_code: int
    """126 or 127 where it could not be started."""
    output: str
    """The beginning of stdout and stderr together, at most `MAX_EXEC_OUTPUT` characters."""


@dataclass(frozen=True)
class ObservedContainer:
    """A container as the engine sees it now."""

    id: str
    name: str
    state: ContainerState
    labels: Mapping[str, str]
    exit_code: int | None = None
    """None unless it has ended."""
    oom_killed: bool = False
    started_at: str | None = None
    """RFC 3339 UTC; None when it never ran."""
    finished_at: str | None = None
    error: str = ""
    """Why it could not start, where that is so."""
    address: str | None = None
    """IPv4 address in its network while it runs."""
    image: str = ""
    """Id of the image that it was made of."""


@dataclass(frozen=True)
class ListedContainer:
    """The little that a listing says."""

    id: str
    name: str
    state: ContainerState
    labels: Mapping[str, str]
    published: tuple[PublishedPort, ...] = ()
    """Those that it has taken now, in ascending order of the host's port."""


@dataclass(frozen=True)
class ImageHealthCheck:
    """An image's own health check. Seconds; None: the engine's default."""

    test: tuple[str, ...]
    """`("CMD", …)` or `("CMD-SHELL", text)`."""
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    start_interval: float | None = None
    retries: int | None = None


@dataclass(frozen=True)
class ImageFacts:
    """What matters of an image."""

    id: str
    user: str = ""
    """Empty: root."""
    working_dir: str = ""
    ports: tuple[int, ...] = ()
    """TCP ports that it exposes, in ascending order."""
    udp_ports: tuple[int, ...] = ()
    """UDP ports that it exposes, likewise."""
    health_check: ImageHealthCheck | None = None
    digests: tuple[str, ...] = ()
    """Under which registries know it (`sha256:…`); none of one that was only built or loaded here."""


class LogEntry(NamedTuple):
    """One line of a container. `timestamp` is RFC 3339 UTC with nine decimals; `text` has no line end."""

    timestamp: str
    text: str


class ByteStream(Protocol):
    """Chunks from the engine. Must be closed, since an open one may hold locks there; closing twice is fine."""

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        ...

    def __next__(self) -> bytes:
        """The next chunk, never empty."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Interrupt:
    """Lets one thread end a blocking call that another thread is in. Fires once and stays fired."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closers: list[Callable[[], None]] = []
        self.fired = False

    def fire(self) -> None:
        """End the calls that were given this object, and all later ones at once."""
        with self._lock:
            self.fired = True
            for close in self._closers:
                close()

    @contextmanager
    def closing_with(self, close: Callable[[], None]) -> Generator[None]:
        """For engines: while the block runs, `fire` calls `close` once, which must make the block return or
        raise, may not raise itself and may not block.

        Raises:
            Interrupted: it has fired, before the block or during it (whatever the block raised).
        """
        with self._lock:
            if self.fired:
                raise Interrupted("the call was ended before it began")
            self._closers.append(close)
        try:
            yield
        except Exception as error:
            if self.fired:
                raise Interrupted("the call was ended") from error
            raise
        finally:
            with self._lock:
                self._closers.remove(close)
        if self.fired:
            raise Interrupted("the call was ended")


class ContainerEngine(Times, Registry, Protocol):
    """One engine on one host. Every method may also raise `EngineUnreachable` and `EngineFault`.

    `container` is an id or a name.
    """

    def ping(self) -> str:
        """Ask whether the engine answers; returns its address or name, for people."""
        ...

    def capacity(self) -> EngineCapacity:
        """The processors and the memory that containers can have."""
        ...

    def inspect_image(self, image: str) -> ImageFacts:
        """Facts of an image on this host.

        Raises:
            ImageNotFound: it is not here.
        """
        ...

    def pull_image(self, image: str) -> None:
        """Fetch an image from its registry; returns when it is here. Without a tag, `latest`.

        Raises:
            PullFailed: in the registry's words.
        """
        ...

    def inspect(self, container: str) -> ObservedContainer | None:
        """The container as it is now; None when there is none."""
        ...

    def create(self, spec: ContainerSpec) -> str:
        """Make a container and return its id. It does not run yet.

        Raises:
            ImageNotFound: the image is not here.
            NameTaken: the name is in use.
            StartFailed: the spec asks for something impossible.
        """
        ...

    def start(self, container: str) -> None:
        """Start a created container; one that runs or has run already is left alone.

        Raises:
            ContainerGone: there is none, or a network that it is to be in is gone.
            StartFailed: it cannot be started as it was created: a bad command, a host port that is in use.
        """
        ...

    def wait(self, container: str, *, interrupt: Interrupt) -> int:
        """Block until the container has ended; its exit code, at once where it ended before.

        Raises:
            ContainerGone: there is none.
            Interrupted: `interrupt` fired first.
        """
        ...

    def logs(
        self,
        container: str,
        *,
        follow: bool,
        since: str | None = None,
        tail: int | None = None,
        interrupt: Interrupt,
    ) -> Iterator[list[LogEntry]]:
        """Lines of stdout and stderr in the order the engine has them, in batches as they come.

        Long lines come whole up to 64 KiB, then in pieces; a last line without line end is not lost.

        Args:
            container: id or name; must have been started.
            follow: go on until the container ends.
            since: only entries of this timestamp and later.
            tail: of what is there only the last so many entries; a long line may count as several.
            interrupt: ends the iteration with `Interrupted`.

        Raises:
            ContainerGone: there is none.
        """
        ...

    def stop(self, container: str, *, grace: float) -> None:
        """Send the stop signal, and the kill signal after `grace` seconds; returns when it has ended.

        Nothing happens to a container that does not run.

        Raises:
            ContainerGone: there is none.
        """
        ...

    def kill(self, container: str) -> None:
        """Send the kill signal. Nothing happens to a container that does not run or is gone."""
        ...

    def remove(self, container: str) -> None:
        """Remove the container, also while it runs, with its anonymous volumes. None there is fine."""
        ...

    def exec(
        self, container: str, command: Sequence[str], *, timeout: float, interrupt: Interrupt
    ) -> ExecResult:
        """Run `command` inside a running container, as the container's user, and wait for its end.

        Raises:
            ContainerGone: there is none, or it does not run (any more).
            ExecTimeout: it took longer than `timeout` seconds; it may go on inside the container.
            Interrupted: `interrupt` fired first; likewise.
        """
        ...

    def exec_runs(self, run: str) -> bool:
        """Whether a command that took too long (`ExecTimeout.run`) still runs inside its container."""
        ...

    def create_network(self, spec: NetworkSpec) -> str:
        """Make a bridge network and return its id.

        Raises:
            NameTaken: there is one of that name.
            NetworkRefused: the engine cannot: no address range is left, or it does not like the request.
        """
        ...

    def inspect_network(self, network: str) -> ObservedNetwork | None:
        """The network of that id or exact name; None when there is none."""
        ...

    def connect_network(self, network: str, container: str) -> None:
        """Have `container`, which need not run, be in `network` too. One that is in it already is left alone.

        Raises:
            ContainerGone: there is no such network or no such container.
            StartFailed: the engine refuses.
        """
        ...

    def remove_network(self, network: str) -> None:
        """Remove the network. None there is fine.

        Raises:
            NetworkBusy: containers are still in it.
        """
        ...

    def list_networks(self, labels: Mapping[str, str | None]) -> list[ObservedNetwork]:
        """All networks that have these labels; a value of None asks for any."""
        ...

    def put_archive(self, container: str, path: str, chunks: Iterable[bytes]) -> None:
        """Unpack a tar (plain or gzipped) at the existing folder `path` of a container, which need not run.

        Raises:
            PathNotFound: there is no such folder, or no such container.
            EngineFault: the engine does not like the archive.
        """
        ...

    def get_archive(self, container: str, path: str) -> ByteStream:
        """A tar of `path` of a container, which need not run, in chunks; entries begin with the last part of `path`.

        Raises:
            PathNotFound: there is no such path, or no such container (when called, not when iterated).
        """
        ...

    def list_labelled(self, labels: Mapping[str, str | None]) -> list[ListedContainer]:
        """All containers, running or not, that have these labels; a value of None asks for any."""
        ...
