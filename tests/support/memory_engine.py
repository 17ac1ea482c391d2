"""A container engine in memory that obeys the same contract suite as Docker. Its containers run Python functions.

A container without a function ends at once with exit code 0, which makes it the engine that does nothing of the
benchmarks.
"""

import io
import posixpath
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from tests.support.memory_chunks import Chunks
from tests.support.memory_registry import MemoryRegistry
from tests.support.memory_times import MemoryTimes
from workers.engine.capacity import EngineCapacity
from workers.engine.failures import (
    ContainerGone,
    ExecTimeout,
    ImageNotFound,
    NameTaken,
    NetworkBusy,
    PathNotFound,
    PullFailed,
    StartFailed,
)
from workers.engine.interface import (
    MAX_EXEC_OUTPUT,
    ByteStream,
    ContainerSpec,
    ContainerState,
    ExecResult,
    ImageFacts,
    Interrupt,
    ListedContainer,
    LogEntry,
    NetworkSpec,
    ObservedContainer,
    ObservedNetwork,
    PublishedPort,
)

LINE = 64 * 1024
KILLED = 137
SMALLEST_MEMORY = 6 * 1024 * 1024
CAPACITY = EngineCapacity(cpus=4.0, memory=8 * 1024**3)


class Killed(BaseException):
    """Ends a program from outside."""


class Running:
    """What a program can do inside its container."""

    def __init__(self, container: "_Container") -> None:
        self._container = container

    @property
    def env(self) -> Mapping[str, str]:
        return self._container.spec.env

    def out(self, line: str) -> None:
        self._container.say(line)

    def read(self, path: str) -> bytes:
        return self._container.files[path]

    def write(self, path: str, data: bytes) -> None:
        self._container.files[path] = data

    def sleep(self, seconds: float, *, until_stopped: bool = False) -> bool:
        """Wait; says whether the stop signal has come. A kill ends the program here."""
        box = self._container
        with box.changed:
            box.changed.wait_for(lambda: box.kill_sent or (until_stopped and box.stop_sent), timeout=seconds)
            if box.kill_sent:
                raise Killed
            return box.stop_sent


Program = Callable[[Running], int]


@dataclass
class _Container:
    id: str
    spec: ContainerSpec
    changed: threading.Condition
    image: str
    state: ContainerState = "created"
    exit_code: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    stop_sent: bool = False
    kill_sent: bool = False
    networks: set[str] = field(default_factory=set[str])
    entries: list[LogEntry] = field(default_factory=list[LogEntry])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def say(self, line: str) -> None:
        with self.changed:
            for start in range(0, max(len(line), 1), LINE):
                self.entries.append(LogEntry(_now(), line[start : start + LINE]))
            self.changed.notify_all()

    def run(self, program: Program) -> None:
        try:
            code = program(Running(self))
        except Killed:
            code = KILLED
        with self.changed:
            self.state, self.exit_code, self.finished_at = "exited", code, _now()
            self.changed.notify_all()


class MemoryEngine(MemoryTimes, MemoryRegistry):
    """`ContainerEngine` in memory.

    Args:
        images: those that are here.
        programs: what containers do, by the last word of their entrypoint and command.
        execs: what commands run inside containers do, by their last word.
    """

    def __init__(
        self,
        images: Mapping[str, ImageFacts] | None = None,
        programs: Mapping[str, Program] | None = None,
        execs: Mapping[str, Program] | None = None,
    ) -> None:
        self._execs = execs or {}
        self._late: dict[str, _Container] = {}
        self._networks: dict[str, ObservedNetwork] = {}
        self._images = images or {"alpine:latest": ImageFacts(id="sha256:alpine")}
        self._programs = programs or {}
        self._containers: dict[str, _Container] = {}
        self._changed = threading.Condition(threading.RLock())
        self._ids = count(1)

    def ping(self) -> str:
        return "memory"

    def capacity(self) -> EngineCapacity:
        return CAPACITY

    def inspect_image(self, image: str) -> ImageFacts:
        by_id = (facts for facts in self._images.values() if facts.id == image)
        facts = self._images.get(image) or next(by_id, None)
        if facts is None:
            raise ImageNotFound(f"there is no image '{image}'")
        return facts

    def pull_image(self, image: str) -> None:
        raise PullFailed(f"image '{image}' could not be pulled: there is no registry")

    def inspect(self, container: str) -> ObservedContainer | None:
        with self._changed:
            box = self._find(container)
            if box is None:
                return None
            return ObservedContainer(
                id=box.id,
                name=box.spec.name,
                state=box.state,
                labels=dict(box.spec.labels),
                exit_code=box.exit_code,
                started_at=box.started_at,
                finished_at=box.finished_at,
                address="127.0.0.1" if box.state == "running" else None,
                image=box.image,
            )

    def create(self, spec: ContainerSpec) -> str:
        image = self.inspect_image(spec.image).id
        with self._changed:
            if self._find(spec.name) is not None:
                raise NameTaken(f"there is a container '{spec.name}'")
            if spec.memory is not None and spec.memory < SMALLEST_MEMORY:
                raise StartFailed("the memory limit is too small")
            identity = f"{next(self._ids):064x}"
            box = self._containers[identity] = _Container(identity, spec, self._changed, image)
            if spec.network not in (None, "none"):
                box.networks.add(spec.network)
            return identity

    def start(self, container: str) -> None:
        with self._changed:
            box = self._get(container)
            if box.state != "created":
                return
            if box.spec.user == "nobody-knows":
                raise StartFailed("there is no such user")
            if gone := [network for network in box.networks if self.inspect_network(network) is None]:
                raise ContainerGone(f"there is no network '{gone[0]}'")
            if taken := [port for port in box.spec.published if self._in_use(port)]:
                place = f"{taken[0].address}:{taken[0].host}"
                raise StartFailed(f"Bind for {place} failed: port is already allocated")
            box.state, box.started_at = "running", _now()
        words = [*(box.spec.entrypoint or ()), *(box.spec.command or ())]
        program = self._programs.get(words[-1] if words else "")
        if program is None:
            box.run(lambda _: 0)
        else:
            threading.Thread(target=box.run, args=(program,), daemon=True).start()

    def wait(self, container: str, *, interrupt: Interrupt) -> int:
        box = self._get(container)
        with interrupt.closing_with(self._wake), self._changed:
            self._changed.wait_for(lambda: box.exit_code is not None or interrupt.fired)
            return box.exit_code if box.exit_code is not None else KILLED

    def logs(
        self,
        container: str,
        *,
        follow: bool,
        since: str | None = None,
        tail: int | None = None,
        interrupt: Interrupt,
    ) -> Iterator[list[LogEntry]]:
        box = self._get(container)
        place = 0 if tail is None else max(0, len(box.entries) - tail)
        with interrupt.closing_with(self._wake):
            while True:
                with self._changed:
                    while follow and not interrupt.fired and box.exit_code is None:
                        if len(box.entries) > place:
                            break
                        self._changed.wait()
                    fresh = box.entries[place:]
                if not fresh or interrupt.fired:
                    return
                place += len(fresh)
                if batch := [entry for entry in fresh if since is None or entry.timestamp >= since]:
                    yield batch

    def stop(self, container: str, *, grace: float) -> None:
        with self._changed:
            box = self._get(container)
            box.stop_sent = True
            self._changed.notify_all()
            if box.state == "running" and not self._changed.wait_for(
                lambda: box.exit_code is not None, timeout=grace
            ):
                self.kill(container)

    def kill(self, container: str) -> None:
        with self._changed:
            box = self._find(container)
            if box is not None and box.state == "running":
                box.kill_sent = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: box.exit_code is not None)

    def remove(self, container: str) -> None:
        with self._changed:
            self.kill(container)
            box = self._find(container)
            if box is not None:
                del self._containers[box.id]

    def exec(
        self, container: str, command: Sequence[str], *, timeout: float, interrupt: Interrupt
    ) -> ExecResult:
        box = self._get(container)
        if box.state != "running":
            raise ContainerGone(f"container '{container}' does not run")
        program = self._execs.get(command[-1])
        if program is None:
            return ExecResult(126, f"there is no command '{command[0]}'")
        inner = _Container("", box.spec, self._changed, box.image, files=box.files)
        thread = threading.Thread(target=inner.run, args=(program,), daemon=True)
        thread.start()
        with interrupt.closing_with(self._wake), self._changed:
            in_time = self._changed.wait_for(
                lambda: inner.exit_code is not None or interrupt.fired, timeout=timeout
            )
        if not in_time:
            run = f"exec-{next(self._ids)}"
            self._late[run] = inner
            raise ExecTimeout(f"it took longer than {timeout:.3g} s", run)
        output = "".join(f"{entry.text}\n" for entry in inner.entries)
        return ExecResult(KILLED if inner.exit_code is None else inner.exit_code, output[:MAX_EXEC_OUTPUT])

    def exec_runs(self, run: str) -> bool:
        return self._late[run].exit_code is None

    def create_network(self, spec: NetworkSpec) -> str:
        with self._changed:
            if self.inspect_network(spec.name) is not None:
                raise NameTaken(f"there is a network '{spec.name}'")
            identity = f"{next(self._ids):064x}"
            self._networks[identity] = ObservedNetwork(identity, spec.name, dict(spec.labels), spec.internal)
            return identity

    def inspect_network(self, network: str) -> ObservedNetwork | None:
        with self._changed:
            named = (one for one in self._networks.values() if one.name == network)
            return self._networks.get(network) or next(named, None)

    def connect_network(self, network: str, container: str) -> None:
        with self._changed:
            box = self._get(container)
            if self.inspect_network(network) is None:
                raise ContainerGone(f"there is no network '{network}'")
            box.networks.add(network)

    def remove_network(self, network: str) -> None:
        with self._changed:
            found = self.inspect_network(network)
            if found is None:
                return
            inside = {found.id, found.name}
            if any(box.state == "running" and box.networks & inside for box in self._containers.values()):
                raise NetworkBusy(f"network '{network}' has containers in it")
            del self._networks[found.id]

    def list_networks(self, labels: Mapping[str, str | None]) -> list[ObservedNetwork]:
        with self._changed:
            return [one for one in self._networks.values() if _has(one.labels, labels)]

    def put_archive(self, container: str, path: str, chunks: Iterable[bytes]) -> None:
        box = self._find(container)
        if box is None or (path != "/" and not _below(box.files, path)):
            raise PathNotFound(f"there is no '{path}' in container '{container}'")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks)), mode="r:*") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if content is not None:
                    box.files[posixpath.join(path, member.name)] = content.read()

    def get_archive(self, container: str, path: str) -> ByteStream:
        box = self._find(container)
        found = {} if box is None else _below(box.files, path)
        if not found:
            raise PathNotFound(f"there is no '{path}' in container '{container}'")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, data in sorted(found.items()):
                entry = tarfile.TarInfo(posixpath.relpath(name, posixpath.dirname(path)))
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return Chunks(buffer.getvalue())

    def list_labelled(self, labels: Mapping[str, str | None]) -> list[ListedContainer]:
        with self._changed:
            return [
                ListedContainer(box.id, box.spec.name, box.state, dict(box.spec.labels), _published(box))
                for box in self._containers.values()
                if _has(box.spec.labels, labels)
            ]

    def _in_use(self, port: PublishedPort) -> bool:
        running = (box for box in self._containers.values() if box.state == "running")
        return any(
            (port.host, port.protocol) == (taken.host, taken.protocol)
            for box in running
            for taken in box.spec.published
        )

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _find(self, container: str) -> _Container | None:
        named = (box for box in self._containers.values() if box.spec.name == container)
        return self._containers.get(container) or next(named, None)

    def _get(self, container: str) -> _Container:
        box = self._find(container)
        if box is None:
            raise ContainerGone(f"there is no container '{container}'")
        return box


def _has(labels: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    return all(name in labels and value in (None, labels[name]) for name, value in wanted.items())


def _published(box: _Container) -> tuple[PublishedPort, ...]:
    if box.state != "running":
        return ()
    return tuple(sorted(box.spec.published, key=lambda port: (port.host, port.address, port.protocol)))


def _below(files: Mapping[str, bytes], path: str) -> dict[str, bytes]:
    folder = path.rstrip("/") + "/"
    return {name: data for name, data in files.items() if name == path or name.startswith(folder)}


_last = count()


def _now() -> str:
    """Nine decimals, and never the same twice."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}{next(_last) % 1000:03d}Z"
