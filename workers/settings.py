"""What a worker is told by its environment. The only reader of environment variables in this package."""

import math
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from orchestrator.contract.names import DEFAULT_TASK_QUEUE, caller_name
from orchestrator.errors import UsageError
from orchestrator.ids import short_hash, slug
from orchestrator.plan.durations import duration
from orchestrator.sizes import parse_size

REAP_GRACE: Final = 600.0
"""Seconds for which something must have been of no use before it is removed."""
JOBS_PER_CPU = 4
"""Containers at a time for each processor: what a small host still runs through without losing throughput."""
_DEPLOYMENT: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_BUILD_ID: Final = re.compile(r"[A-Za-z0-9_.+-]{1,100}")
_MODULE: Final = re.compile(r"\*|[^\W\d]\w*(\.[^\W\d]\w*)*(\.\*)?")
_HOST: Final = re.compile(r"(\*|(\*\.)?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


@dataclass(frozen=True)
class Calls:
    """What jobs may call on this worker. By default nothing: a spec must not run code that its host did not choose."""

    modules: tuple[str, ...] = ()
    """Names of modules, `package.*` for a package and all below it, `*` for all."""
    path: tuple[Path, ...] = ()
    """Folders in which modules are looked for, beside where Python looks."""
    hosts: tuple[str, ...] = ()
    """Where `call: http` may go: `name`, `name:port`, `*.example.com`, `*`; an IPv6 address in brackets."""

    @property
    def some(self) -> bool:
        """Whether anything may be called."""
        return bool(self.modules or self.hosts)

    @property
    def mark(self) -> str:
        """Tells these from all others."""
        return short_hash(",".join(self.modules), ",".join(self.hosts), os.pathsep.join(map(str, self.path)))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read ORCA_CALL_MODULES, ORCA_CALL_PATH and ORCA_HTTP_HOSTS.

        Raises:
            UsageError: one of them says what it cannot mean.
        """
        folders = tuple(
            Path(folder).expanduser().absolute()
            for folder in (environ.get("ORCA_CALL_PATH") or "").split(os.pathsep)
            if folder
        )
        for folder in folders:
            if not folder.is_dir():
                raise UsageError(f"ORCA_CALL_PATH names '{folder}', which is no folder")
        return cls(
            modules=_listed(
                "ORCA_CALL_MODULES",
                environ.get("ORCA_CALL_MODULES"),
                _MODULE,
                "names of modules such as 'travel.tools', 'travel.*' for a package and all below it, or '*'",
            ),
            path=folders,
            hosts=_listed(
                "ORCA_HTTP_HOSTS",
                environ.get("ORCA_HTTP_HOSTS"),
                _HOST,
                "names of hosts such as 'api.example.com', 'localhost:8080', '*.example.com', or '*'",
            ),
        )


@dataclass(frozen=True)
class Version:
    """Which version of which Worker Deployment a worker is, in Temporal's own versioning of workers."""

    deployment: str
    build_id: str
    follows: bool = False
    """Runs go over to the deployment's current version as they go on; else each ends on the one that it began with."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self | None:
        """Read ORCA_DEPLOYMENT, ORCA_BUILD_ID and ORCA_VERSIONING; None where versioning is not switched on.

        Raises:
            UsageError: one of them says what it cannot mean, or is missing beside another.
        """
        names = ("ORCA_DEPLOYMENT", "ORCA_BUILD_ID", "ORCA_VERSIONING")
        deployment, build_id, behaviour = (environ.get(name) or "" for name in names)
        if not (deployment or build_id or behaviour):
            return None
        if not (deployment and build_id):
            raise UsageError(
                "ORCA_DEPLOYMENT and ORCA_BUILD_ID switch worker versioning on together: the name of the deployment "
                "and of this version of it, such as 'orca' and '1.4.2'"
            )
        for name, text, shape, may in (
            (names[0], deployment, _DEPLOYMENT, "'_' and '-'"),
            (names[1], build_id, _BUILD_ID, "'_', '.', '+' and '-'"),
        ):
            if not shape.fullmatch(text):
                raise UsageError(
                    f"{name} is '{text}'; it may hold letters, digits, {may}, at most 100 of them"
                )
        if behaviour not in ("", "pinned", "auto-upgrade"):
            raise UsageError(
                f"ORCA_VERSIONING is '{behaviour}'; it is 'pinned' (a run ends on the version that it began with; "
                "the default) or 'auto-upgrade' (it goes over to the current one)"
            )
        return cls(deployment, build_id, follows=behaviour == "auto-upgrade")


@dataclass(frozen=True)
class Settings:
    """All that a worker needs to know beside where Temporal is (`temporalio.envconfig`) and Docker (DOCKER_HOST)."""

    store: str
    """Folder or URL."""
    host_id: str
    """This host's name, the same after a restart: containers are found again by it."""
    max_jobs: int
    """Jobs at a time of those that any host may take, and as many that only this one can: containers that were sent
    here or have services, and, counted apart, calls that were sent here."""
    cpus: float | None
    """Processors that jobs may ask for together; None: as many as the engine has."""
    memory: int | None
    """Bytes, likewise."""
    task_queue: str
    home: Path
    """The state folder."""
    calls: Calls = Calls()
    reap_grace: float | None = REAP_GRACE
    """Seconds before leftovers on this host are removed; None: never."""
    version: Version | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read ORCA_STORE, ORCA_HOST_ID, ORCA_MAX_JOBS, ORCA_CPUS, ORCA_MEMORY, ORCA_TASK_QUEUE, ORCA_HOME and
        ORCA_REAP_GRACE, and what `Calls` and `Version` read.

        Raises:
            UsageError: a value is wrong, or the state folder cannot be written.
        """
        home = Path(environ.get("ORCA_HOME") or "~/.orca").expanduser()
        return cls(
            store=environ.get("ORCA_STORE") or str(home / "store"),
            host_id=_name("ORCA_HOST_ID", environ.get("ORCA_HOST_ID") or _kept_host_id(home)),
            max_jobs=_count("ORCA_MAX_JOBS", environ.get("ORCA_MAX_JOBS")),
            cpus=_processors("ORCA_CPUS", environ.get("ORCA_CPUS")),
            memory=_bytes("ORCA_MEMORY", environ.get("ORCA_MEMORY")),
            task_queue=environ.get("ORCA_TASK_QUEUE") or DEFAULT_TASK_QUEUE,
            home=home,
            calls=Calls.from_env(environ),
            reap_grace=_grace("ORCA_REAP_GRACE", environ.get("ORCA_REAP_GRACE")),
            version=Version.from_env(environ),
        )

    @property
    def caller(self) -> str:
        """This worker's name where functions are concerned, the same after a restart with the same `calls`."""
        return caller_name(self.host_id, self.calls.mark)

    def service_key(self) -> bytes:
        """This host's key for the values that it makes up for services; made the first time, for this user's eyes only.

        Raises:
            UsageError: it cannot be kept.
        """
        return bytes.fromhex(
            _kept(
                self.home / "service-key",
                lambda: secrets.token_hex(32),
                mode=0o600,
                what="its key for generated passwords",
                advice="set ORCA_HOME to a folder that it may write",
            )
        )


def _listed(name: str, text: str | None, shape: re.Pattern[str], what: str) -> tuple[str, ...]:
    """The items of a list with commas. Raises UsageError where one is not of that shape."""
    items = [item.strip() for item in (text or "").split(",")]
    for item in filter(None, items):
        if not shape.fullmatch(item):
            raise UsageError(f"{name} has '{item}'; it holds {what}, with commas between them")
    return tuple(filter(None, items))


def _count(name: str, text: str | None) -> int:
    if not text:
        return JOBS_PER_CPU * (os.cpu_count() or 1)
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= 1000:
        raise UsageError(f"{name} is '{text}'; it must be a whole number from 1 to 1000")
    return value


def _processors(name: str, text: str | None) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise UsageError(
            f"{name} is '{text}'; it must be a number of processors greater than 0, such as 2 or 0.5"
        )
    return value


def _bytes(name: str, text: str | None) -> int | None:
    if not text:
        return None
    value = parse_size(text)
    if not value:
        raise UsageError(f"{name} is '{text}'; it must be a size such as 512m, 8g or 64GiB")
    return value


def _grace(name: str, text: str | None) -> float | None:
    if not text:
        return REAP_GRACE
    if text == "never":
        return None
    seconds = duration(text)
    if seconds is None:
        raise UsageError(f"{name} is '{text}'; it must be a duration such as '10m' or '1h', or 'never'")
    return seconds


def _name(variable: str, text: str) -> str:
    if slug(text, 100) != text:
        raise UsageError(
            f"{variable} is '{text}'; it may hold letters, digits, '_', '.' and '-', at most 100 of them"
        )
    return text


def _kept_host_id(home: Path) -> str:
    """The id in `host-id`."""
    return _kept(
        home / "host-id",
        lambda: f"{slug(os.uname().nodename, 40)}-{secrets.token_hex(4)}",
        mode=0o644,
        what="its host id",
        advice="set ORCA_HOME to a folder that it may write, or name the host with ORCA_HOST_ID",
    )


def _kept(file: Path, make: Callable[[], str], *, mode: int, what: str, advice: str) -> str:
    """The line in `file`; made and written the first time, also where two workers begin at once."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh = file.with_name(f"{file.name}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            fresh.touch(mode)
            fresh.write_text(f"{make()}\n")
            try:
                os.link(fresh, file)
            except FileExistsError:
                pass  # Another worker was first.
            finally:
                fresh.unlink()
        return file.read_text().strip()
    except OSError as error:
        raise UsageError(
            f"the worker cannot keep {what} in '{file}': {error.strerror or error}; {advice}"
        ) from error
