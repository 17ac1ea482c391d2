"""The real parts of a round: a machine with a Docker engine, a Temporal server on its file, a worker process.

Each part can be killed, stopped, frozen and started again. All are this process's own, and found by their process ids.
"""

import contextlib
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from orchestrator.contract.names import LABEL_MARK
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import ServerInfo, use_server
from tests.chaos.workflow import IMAGE
from tests.support.cli import Orca
from tests.support.machines import Machine
from workers.supervision.script import OUTPUT_FILE

FUNCTIONS: Final = Path(__file__).with_name("functions")
STOP_LIMIT: Final = 60.0
"""Seconds that a worker may take to end in good order."""
_RUNC: Final = "runc"
_PORTS: Final = (20_000, 32_000)
"""Below those that the kernel gives to outgoing connections: one of these could take a server's while it is away."""

_COUNTED: Final = """#!/bin/sh
# Runs containers, and leaves a file for each start of one: what the engine knows of the container. When its first
# process is gone a second one says when, and a third that it had not even done what a script does before all else.
command= id=
for word; do
    [ "$word" != start ] || command=start
    id=$word
done
if [ "$command" = start ]; then
    start={starts}/$id.$(date +%s.%N)
    cp {data}/containers/"$id"/config.v2.json "$start.json"
    first=$(cat {tasks}/"$id"/init.pid)
    disk={data}/overlay2/$(cat {data}/image/overlay2/layerdb/mounts/"$id"/mount-id)/diff
    (
        tail --pid="$first" --sleep-interval=0.1 -f /dev/null; date +%s.%N >"$start.end"
        [ ! -d "$disk" ] || [ -e "$disk"{trace} ] || : >"$start.idle"
    ) </dev/null >/dev/null 2>&1 &
fi
exec {runc} "$@"
"""
_TASKS: Final = "exec/containerd/daemon/io.containerd.runtime.v2.task/moby"
"""Where a machine's engine keeps what runs, with the first process of each container in a file."""


class Breakable(Protocol):
    """A part that is there, away, or frozen. All methods block."""

    def start(self) -> None:
        """Bring it up, or back."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def stop(self) -> None:
        """Ask it to end, and wait."""
        ...

    def freeze(self) -> None:
        """Keep it from running."""
        ...

    def thaw(self) -> None:
        """Let it go on."""
        ...


class Host(Machine):
    """A machine whose engine leaves a file in `starts` for each container that it starts."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.starts = self._folder / "starts"
        self.starts.mkdir()
        self.logs = self._folder
        """`log` is the engine's, `worker.log` that of its workers."""
        self._counted = self._folder / "counted-runc"
        self._counted.write_text(
            _COUNTED.format(
                data=shlex.quote(str(self._folder / "data")),
                starts=shlex.quote(str(self.starts)),
                tasks=shlex.quote(str(self._folder / _TASKS)),
                trace=shlex.quote(OUTPUT_FILE),
                runc=shlex.quote(_found(_RUNC)),
            )
        )
        self._counted.chmod(0o755)
        self.live_restore = False
        self.keep_alive(live_restore=False)

    def dead(self) -> list[str]:
        """Names of orca's containers that the engine was told to remove and cannot, until its disk lets go of them."""
        with self.engine() as client:
            found = client.containers.list(
                all=True, filters={"label": LABEL_MARK, "status": "dead"}, ignore_removed=True
            )
            return sorted(str(one.name) for one in found)

    def keep_alive(self, *, live_restore: bool) -> None:
        """Whether containers are to go on without their engine, from its next start on."""
        self.live_restore = live_restore
        counted = (f"--add-runtime=counted={self._counted}", "--default-runtime=counted")
        self.options = (*counted, "--live-restore") if live_restore else counted


class Engine:
    """A host's Docker engine."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def start(self) -> None:
        self._host.start_engine()

    def kill(self) -> None:
        self._host.kill_engine()

    def stop(self) -> None:
        self._host.stop_engine()

    def freeze(self) -> None:
        self._host.signal_engine(signal.SIGSTOP)

    def thaw(self) -> None:
        self._host.signal_engine(signal.SIGCONT)


class Server:
    """A Temporal server, as `orca up` has it: on its file, and under the same address whenever it is there."""

    def __init__(self, home: Home, *, port: int, ui_port: int) -> None:
        self._home, self._port, self._ui_port = home, port, ui_port
        self._use = contextlib.ExitStack()
        self._info: ServerInfo | None = None

    def start(self) -> None:
        used = use_server(self._home, port=self._port, ui_port=self._ui_port)
        self._info = self._use.enter_context(used)

    def kill(self) -> None:
        info = self._there()
        os.kill(info.pid, signal.SIGKILL)
        while info.alive:
            time.sleep(0.01)
        self.stop()

    def stop(self) -> None:
        self._info = None
        self._use.close()

    def freeze(self) -> None:
        os.kill(self._there().pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._there().pid, signal.SIGCONT)

    def _there(self) -> ServerInfo:
        assert self._info is not None, "the server is away"
        return self._info


@dataclass(frozen=True)
class OwnEnd:
    """A worker that ended without being told to, and was started again."""

    at: float
    """Seconds since the epoch at which that was noticed."""
    began: float
    """When it had been started."""
    exit_code: int
    """Below zero: the signal that ended it."""


class Worker:
    """The worker beside a host's engine. `look_after` starts it again where it has ended by itself."""

    def __init__(self, host: Host, orca: Orca, *, port: int, calls: Path) -> None:
        self._host, self._orca, self._port, self._calls = host, orca, port, calls
        self._process: subprocess.Popen[str] | None = None
        self._began = 0.0
        self.own_ends: list[OwnEnd] = []

    def start(self) -> None:
        self._began = time.time()
        self._process = self._host.worker(
            self._orca,
            port=self._port,
            ORCA_CALL_MODULES="chaos_calls",
            ORCA_CALL_PATH=str(FUNCTIONS),
            CHAOS_CALLS=str(self._calls),
            # What a dead worker leaves is removed within a round.
            ORCA_REAP_GRACE="2s",
        )

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        self._there().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._there().send_signal(signal.SIGCONT)

    def look_after(self) -> None:
        """As whatever keeps services alive on a host does."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            self.own_ends.append(OwnEnd(time.time(), self._began, code))
            self.start()

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._there(), None
        process.send_signal(sign)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the worker did not end within {STOP_LIMIT:.0f} s of {sign.name}") from None

    def _there(self) -> "subprocess.Popen[str]":
        assert self._process is not None, "the worker is away"
        return self._process


class Lab:
    """A host and what is needed to run rounds on it, one after the other."""

    def __init__(self, name: str) -> None:
        self.host = Host(name)
        self.port, self.ui_port = _free_ports(2)

    def open(self) -> None:
        """Switch the host on. The thread that does so has to live as long as the lab."""
        self.host.switch_on()
        self.host.load(IMAGE)

    def ready(self, *, live_restore: bool) -> None:
        """Have the engine run as it is wanted, and no start of before on file."""
        if self.host.live_restore is not live_restore:
            self.host.stop_engine()
            self.host.keep_alive(live_restore=live_restore)
            self.host.start_engine()
        for start in self.host.starts.iterdir():
            start.unlink()

    def sweep(self) -> None:
        """Remove whatever of orca's is on the host."""
        with self.host.engine() as engine:
            for container in engine.containers.list(
                all=True, filters={"label": LABEL_MARK}, ignore_removed=True
            ):
                with contextlib.suppress(OSError):
                    container.remove(v=True, force=True)
            api: Any = engine.api
            for network in api.networks(filters={"label": LABEL_MARK}):
                api.remove_network(network["Id"])

    def close(self) -> None:
        """Switch the host off and remove it."""
        self.host.remove()


def short_folder() -> Path:
    """A new folder whose name leaves room for sockets in it."""
    return Path(tempfile.mkdtemp(prefix="orca-chaos-"))


def _found(program: str) -> str:
    found = shutil.which(program)
    assert found is not None, f"'{program}' is not on this host, and no container can be run without it"
    return found


def _free_ports(count: int) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < count:
        port = random.randrange(*_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            chosen.append(port)
    return chosen
