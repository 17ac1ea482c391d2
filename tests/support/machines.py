"""Machines beside this one: each has a Docker engine of its own, and a worker beside it, in namespaces of its own.

A machine has its own network, processes and mounts. So it can be cut off at once, as by a power failure, and nothing
that its engine does to bridges and packet filters reaches the engine of this host. Making one takes root.
"""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import docker

from orchestrator.contract.names import LABEL_MARK
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server
from tests.support.cli import COMMAND, Orca, stop

START_LIMIT: Final = 30.0
_CLONE_NEWNET: Final = 0x40000000
_CHUNK: Final = 64 * 1024

# The first process of the machine reaps what the engine's own processes leave behind.
_BOOT: Final = "ip link set lo up && exec docker-init -s -- sleep infinity"


class Machine:
    """A machine that is switched on and off.

    Args:
        name: its host id.
        options: for its `dockerd`, beside those that keep it apart.

    Attributes:
        address: of its engine, for DOCKER_HOST.
    """

    def __init__(self, name: str, options: Sequence[str] = ()) -> None:
        self.name = name
        # Short, since the path of a socket may have 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix=f"orca-{name}-"))
        self.options = tuple(options)
        self._machine: subprocess.Popen[bytes] | None = None
        self._dockerd: subprocess.Popen[bytes] | None = None
        self._relay: _Relay | None = None
        self._workers: list[subprocess.Popen[str]] = []
        self.address = f"unix://{self._folder}/docker.sock"

    @property
    def is_on(self) -> bool:
        """Whether it is switched on."""
        return self._machine is not None

    def switch_on(self) -> None:
        """Start it and its engine, with what is on its disk. What a real one keeps in memory is gone."""
        assert self._machine is None, f"machine '{self.name}' is on"
        shutil.rmtree(self._folder / "exec", ignore_errors=True)
        kept_apart = ["--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
        self._machine = self._start(
            "setpriv", "--pdeathsig", "KILL", "unshare", *kept_apart, "sh", "-c", _BOOT
        )
        deadline = time.monotonic() + START_LIMIT
        while not _children(self._machine):
            assert self._machine.poll() is None, self._log
            assert time.monotonic() < deadline, self._log
            time.sleep(0.01)
        self.start_engine()

    def cut_off(self) -> None:
        """End everything on it at once."""
        for worker in self._workers:
            worker.kill()
            worker.communicate()
        self._workers.clear()
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._machine is not None:
            # Its first process goes with it, and with that one all others, its mounts and its network.
            self._machine.kill()
            self._machine.wait()
            self._machine = None
        if self._dockerd is not None:
            self._dockerd.wait()
            self._dockerd = None

    def start_engine(self) -> None:
        """Start its engine."""
        assert self._dockerd is None, f"the engine of machine '{self.name}' runs"
        folder = self._folder
        for left in ("pid", "docker.sock"):
            (folder / left).unlink(missing_ok=True)
        (folder / "daemon.json").write_text("{}")
        self._dockerd = self._start(
            "nsenter", f"--target={self._first_process}", "--net", "--pid", "--mount", "dockerd",
            f"--host={self.address}", f"--data-root={folder}/data", f"--exec-root={folder}/exec",
            f"--pidfile={folder}/pid", f"--config-file={folder}/daemon.json",
            f"--cgroup-parent=/{folder.name}", "--exec-opt=native.cgroupdriver=cgroupfs", *self.options,
        )  # fmt: skip
        deadline = time.monotonic() + START_LIMIT
        while not self._answers():
            assert self._dockerd.poll() is None, self._log
            assert time.monotonic() < deadline, self._log
            time.sleep(0.1)

    def stop_engine(self) -> None:
        """Let its engine stop all containers and end. The machine stays on."""
        assert self._dockerd is not None
        os.kill(_children(self._dockerd)[0], signal.SIGTERM)
        self._dockerd.wait(60)
        self._dockerd = None

    def kill_engine(self) -> None:
        """End its engine at once. Its containers run on until it begins again, the machine stays on."""
        assert self._dockerd is not None
        os.kill(_children(self._dockerd)[0], signal.SIGKILL)
        self._dockerd.wait(60)
        self._dockerd = None

    def signal_engine(self, sign: signal.Signals) -> None:
        """Send its engine a signal: SIGSTOP freezes it, SIGCONT lets it go on."""
        assert self._dockerd is not None
        (engine,) = _children(self._dockerd)
        if sign is signal.SIGCONT:
            # What started it stops together with it, and does not go on by itself.
            self._dockerd.send_signal(sign)
        os.kill(engine, sign)

    def remove(self) -> None:
        """Cut it off and remove all that it had."""
        self.cut_off()
        shutil.rmtree(self._folder)
        for group in Path("/sys/fs/cgroup").glob(f"**/{self._folder.name}"):
            for folder in sorted(group.rglob("*/"), key=lambda path: -len(path.parts)):
                folder.rmdir()
            group.rmdir()

    def load(self, image: str) -> None:
        """Bring an image here from this host's engine."""
        ours = docker.from_env()
        try:
            with self.engine() as theirs:
                api: Any = theirs.api
                api.load_image(ours.images.get(image).save(named=True))
        finally:
            ours.close()

    def worker(self, orca: Orca, *, port: int, **env: str) -> "subprocess.Popen[str]":
        """Start a worker on it.

        Args:
            orca: whose environment it gets; the state folder is one beside it.
            port: Temporal's on this host's loopback; the machine reaches it under the same one.
            env: more environment.
        """
        if self._relay is None:
            self._relay = _Relay(self._first_process, port)
        environ = {
            **orca.environ,
            "ORCA_HOME": str(orca.home.with_name(self.name)),
            "DOCKER_HOST": self.address,
            "ORCA_HOST_ID": self.name,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{port}",
            **env,
        }
        words = ["nsenter", f"--net=/proc/{self._first_process}/ns/net", COMMAND, "worker"]
        # Its log goes to a file: nobody reads along, and a full pipe would stop it.
        with (self._folder / "worker.log").open("a") as log:
            worker = subprocess.Popen(words, env=environ, stdout=log, stderr=log, text=True)
        self._workers.append(worker)
        return worker

    @contextlib.contextmanager
    def engine(self) -> Generator[docker.DockerClient]:
        """A client of its engine."""
        client = docker.DockerClient(self.address)
        try:
            yield client
        finally:
            client.close()

    def left(self) -> list[str]:
        """Names of orca's containers and networks on it, and all volumes: those of images have no label."""
        with self.engine() as client:
            api: Any = client.api
            found = client.containers.list(all=True, filters={"label": LABEL_MARK}, ignore_removed=True)
            networks: list[dict[str, str]] = api.networks(filters={"label": LABEL_MARK})
            volumes: list[dict[str, str]] = api.volumes()["Volumes"] or []
            return sorted(
                [*(str(one.name) for one in found), *(one["Name"] for one in (*networks, *volumes))]
            )

    def nothing_left(self, *, within: float = 5.0) -> bool:
        """Whether nothing of orca's is on it any more; waits for removals."""
        deadline = time.monotonic() + within
        while self.left():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    @property
    def _first_process(self) -> int:
        assert self._machine is not None, f"machine '{self.name}' is off"
        return _children(self._machine)[0]

    @property
    def _log(self) -> str:
        return (self._folder / "log").read_text()[-4000:]

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _answers(self) -> bool:
        # Docker's client leaves its connection open where none can be made.
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(START_LIMIT)
            try:
                asking.connect(self.address.removeprefix("unix://"))
                asking.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return asking.recv(64).split()[1:2] == [b"200"]
            except OSError:
                return False


@contextlib.contextmanager
def server_alone(folder: Path) -> Generator[tuple[Orca, str]]:
    """A server without a worker, whose workers may be on any machine; a command beside it, and the server's address."""
    orca = Orca(folder / "home", {"ORCA_STORE": str(folder / "store")})
    up = orca.start("up", "--no-worker", "-o", "json")
    try:
        assert up.stdout is not None
        assert up.stdout.readline().startswith("{")
        server = running_server(Home(orca.home))
        assert server is not None
        yield orca, server.address
    finally:
        stop(up)


def _children(process: "subprocess.Popen[bytes]") -> list[int]:
    """Of a process with one thread."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


class _Relay:
    """Listens on the loopback of a machine, and passes connections on to the same port of this host's."""

    def __init__(self, process: int, port: int) -> None:
        with ThreadPoolExecutor(1) as pool:
            # A thread of its own, which ends in the machine's network.
            self._listener = pool.submit(_listen_beside, process, ("127.0.0.1", port)).result()
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Break off all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = self._loop.create_task(asyncio.start_server(self._pass_on, sock=self._listener))
        self._loop.run_forever()
        serving.result().close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        with contextlib.suppress(asyncio.CancelledError):
            # Cancelled in `close` alone. What serves streams takes a cancelled handler for an error of its own.
            await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either end is closed, which closes the other."""
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        writer.transport.abort()
    finally:
        writer.close()


def _listen_beside(process: int, address: tuple[str, int]) -> socket.socket:
    """A listening socket in the network of a process. Leaves the calling thread there."""
    system = ctypes.CDLL(None, use_errno=True)
    network = os.open(f"/proc/{process}/ns/net", os.O_RDONLY)
    try:
        if system.setns(network, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "cannot enter the other network")
        return socket.create_server(address)
    finally:
        os.close(network)


@contextlib.contextmanager
def outside() -> Generator[tuple[str, int]]:
    """Where something listens that is reached through this host, and is not this host."""
    here, there = "198.51.100.1", "198.51.100.2"
    wire = f"orca{os.getpid()}"
    other = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
    try:
        own_network = Path("/proc/self/ns/net").readlink()
        while Path(f"/proc/{other.pid}/ns/net").readlink() == own_network:
            assert other.poll() is None
            time.sleep(0.01)
        beyond = ["nsenter", f"--net=/proc/{other.pid}/ns/net"]
        for words in (
            ["ip", "link", "add", wire, "type", "veth", "peer", "name", "wire", "netns", str(other.pid)],
            ["ip", "address", "add", f"{here}/30", "dev", wire],
            ["ip", "link", "set", wire, "up"],
            [*beyond, "ip", "address", "add", f"{there}/30", "dev", "wire"],
            [*beyond, "ip", "link", "set", "wire", "up"],
            [*beyond, "ip", "route", "add", "default", "via", here],
        ):
            subprocess.run(words, check=True)
        with ThreadPoolExecutor(1) as pool:
            listener = pool.submit(_listen_beside, other.pid, (there, 0)).result()
        with listener:
            yield there, listener.getsockname()[1]
    finally:
        # The wire goes with its other end.
        other.kill()
        other.wait()
