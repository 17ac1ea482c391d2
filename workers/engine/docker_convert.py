"""Between Docker's shapes and ours. Pure: no calls."""

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from workers.engine.interface import (
    ContainerSpec,
    ContainerState,
    ImageFacts,
    ImageHealthCheck,
    ListedContainer,
    LogEntry,
    ObservedContainer,
    ObservedNetwork,
    PortProtocol,
    PublishedPort,
)

JsonObject = Mapping[str, Any]
"""What the engine answers."""

MAX_LINE_BYTES: Final = 64 * 1024
"""Longer lines come in pieces, each with the time of its own first part."""
_FRAME_HEADER: Final = struct.Struct(">BxxxL")
_PROTOCOLS: Final[Mapping[str, PortProtocol]] = {"tcp": "tcp", "udp": "udp"}
_NEVER: Final = "0001-01-01T00:00:00Z"
_STATES: Final[Mapping[str, ContainerState]] = {
    "created": "created",
    "running": "running",
    "restarting": "running",
    "paused": "paused",
    "exited": "exited",
    "removing": "dead",
    "dead": "dead",
}


def host_options(spec: ContainerSpec, *, init: bool) -> dict[str, Any]:
    """Arguments for docker's `create_host_config`."""
    options: dict[str, Any] = {"init": init}
    if spec.cpus is not None:
        options["nano_cpus"] = round(spec.cpus * 1_000_000_000)
    if spec.memory is not None:
        # Without swap of its own, so that going over the limit kills instead of crawling.
        options["mem_limit"] = options["memswap_limit"] = spec.memory
    if spec.pids is not None:
        options["pids_limit"] = spec.pids
    if spec.network is not None:
        options["network_mode"] = spec.network
    if spec.tmpfs:
        options["tmpfs"] = dict(spec.tmpfs)
    if spec.published:
        options["port_bindings"] = {
            f"{port.container}/{port.protocol}": [
                (other.address, other.host) for other in spec.published if _same_port(port, other)
            ]
            for port in spec.published
        }
    return options


def _same_port(one: PublishedPort, other: PublishedPort) -> bool:
    return (one.container, one.protocol) == (other.container, other.protocol)


def create_options(spec: ContainerSpec) -> dict[str, Any]:
    """Arguments for docker's `create_container`, the host part excepted."""
    return {
        "image": spec.image,
        "name": spec.name,
        "command": None if spec.command is None else list(spec.command),
        "entrypoint": None if spec.entrypoint is None else list(spec.entrypoint),
        "environment": dict(spec.env),
        "working_dir": spec.working_dir,
        "user": spec.user,
        "labels": dict(spec.labels),
        "ports": [(port.container, port.protocol) for port in spec.published] or None,
        "healthcheck": None if spec.own_health_check else {"test": ["NONE"]},
    }


def observed_network(answer: JsonObject) -> ObservedNetwork:
    """From the answer to a network's inspection, or a row of a listing."""
    return ObservedNetwork(
        id=answer["Id"],
        name=answer["Name"],
        labels=dict(answer.get("Labels") or {}),
        internal=bool(answer.get("Internal")),
    )


def observed(answer: JsonObject) -> ObservedContainer:
    """From the answer to an inspection."""
    state = answer["State"]
    kind = _STATES[state["Status"]]
    return ObservedContainer(
        id=answer["Id"],
        name=answer["Name"].removeprefix("/"),
        state=kind,
        labels=dict(answer["Config"].get("Labels") or {}),
        exit_code=state["ExitCode"] if kind in ("exited", "dead") else None,
        oom_killed=bool(state.get("OOMKilled")),
        started_at=_moment(state.get("StartedAt")),
        finished_at=_moment(state.get("FinishedAt")),
        error=state.get("Error") or "",
        address=_address(answer.get("NetworkSettings") or {}),
        image=answer.get("Image") or "",
    )


def listed(answer: JsonObject) -> ListedContainer:
    """From one row of a listing."""
    names: list[str] = answer.get("Names") or [""]
    return ListedContainer(
        id=answer["Id"],
        name=names[0].removeprefix("/"),
        state=_STATES[answer["State"]],
        labels=dict(answer.get("Labels") or {}),
        published=_published(answer.get("Ports") or []),
    )


def _published(ports: Sequence[JsonObject]) -> tuple[PublishedPort, ...]:
    found = [
        PublishedPort(port["PrivatePort"], port["PublicPort"], port.get("IP") or "", _PROTOCOLS[port["Type"]])
        for port in ports
        if port.get("PublicPort") and port.get("Type") in _PROTOCOLS
    ]
    return tuple(sorted(found, key=lambda port: (port.host, port.address, port.protocol)))


def image_facts(answer: JsonObject) -> ImageFacts:
    """From the answer to an image's inspection."""
    config: JsonObject = answer.get("Config") or {}
    exposed: list[str] = list(config.get("ExposedPorts") or {})
    return ImageFacts(
        id=answer["Id"],
        user=config.get("User") or "",
        working_dir=config.get("WorkingDir") or "",
        ports=_exposed(exposed, "tcp"),
        udp_ports=_exposed(exposed, "udp"),
        health_check=_health_check(config.get("Healthcheck") or {}),
        digests=_digests(answer.get("RepoDigests") or []),
    )


def _digests(names: Sequence[str]) -> tuple[str, ...]:
    """Of `alpine@sha256:…`, each once, however many repositories have it."""
    return tuple(sorted({digest for _, _, digest in (name.rpartition("@") for name in names) if digest}))


def _exposed(ports: Sequence[str], protocol: PortProtocol) -> tuple[int, ...]:
    """Of `5432/tcp`, `53/udp`, `80`."""
    parts = (port.partition("/") for port in ports)
    return tuple(sorted(int(number) for number, _, kind in parts if (kind or "tcp") == protocol))


def _health_check(config: JsonObject) -> ImageHealthCheck | None:
    test: list[str] = config.get("Test") or []
    if not test or test[0] not in ("CMD", "CMD-SHELL"):
        return None
    return ImageHealthCheck(
        test=tuple(test),
        interval=_seconds(config.get("Interval")),
        timeout=_seconds(config.get("Timeout")),
        start_period=_seconds(config.get("StartPeriod")),
        start_interval=_seconds(config.get("StartInterval")),
        retries=config.get("Retries") or None,
    )


def _seconds(nanoseconds: int | None) -> float | None:
    """Docker's 0 stands for its default."""
    return nanoseconds / 1e9 if nanoseconds else None


def _address(settings: JsonObject) -> str | None:
    networks: Mapping[str, JsonObject] = settings.get("Networks") or {}
    return next((one["IPAddress"] for one in networks.values() if one.get("IPAddress")), None)


def label_filter(labels: Mapping[str, str | None]) -> list[str]:
    """Docker's filter for labels."""
    return [name if value is None else f"{name}={value}" for name, value in labels.items()]


def unix_time(timestamp: str) -> str:
    """An RFC 3339 UTC time with nine decimals as Docker's `since` wants it: `seconds.nanoseconds`."""
    whole, _, fraction = timestamp.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()
    return f"{int(seconds)}.{fraction.ljust(9, '0')}"


class LogDecoder:
    """Turns Docker's multiplexed log stream into entries; frames may be cut anywhere between chunks.

    A frame is one piece of at most 16 KiB of a line with its own timestamp; only the last piece of a line
    ends in a line feed. Pieces of stdout and stderr may alternate.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._open: dict[int, _OpenLine] = {}

    def feed(self, chunk: bytes) -> list[LogEntry]:
        """The entries that `chunk` completes."""
        data = self._rest + chunk if self._rest else chunk
        entries: list[LogEntry] = []
        start, size = 0, len(data)
        while size - start >= _FRAME_HEADER.size:
            stream, length = _FRAME_HEADER.unpack_from(data, start)
            end = start + _FRAME_HEADER.size + length
            if end > size:
                break
            self._frame(stream, data[start + _FRAME_HEADER.size : end], entries)
            start = end
        self._rest = data[start:]
        return entries

    def finish(self) -> list[LogEntry]:
        """Lines that never got their end."""
        entries = [line.entry() for line in self._open.values()]
        self._open.clear()
        return entries

    def _frame(self, stream: int, payload: bytes, entries: list[LogEntry]) -> None:
        stamp, _, text = payload.partition(b" ")
        line = self._open.get(stream)
        if text.endswith(b"\n"):
            if line is None:
                entries.append(_entry(stamp, text[:-1]))
            else:
                line.add(text[:-1])
                entries.append(line.entry())
                del self._open[stream]
            return
        if line is None:
            line = self._open[stream] = _OpenLine(stamp)
        line.add(text)
        if line.size >= MAX_LINE_BYTES:
            entries.append(line.entry())
            del self._open[stream]


class StreamDecoder:
    """Takes the text out of Docker's multiplexed stream, up to `limit` characters; the rest is read and dropped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take in the next chunk; frames may be cut anywhere between chunks."""
        data = self._rest + chunk
        start = 0
        while len(data) - start >= _FRAME_HEADER.size:
            _, length = _FRAME_HEADER.unpack_from(data, start)
            end = start + _FRAME_HEADER.size + length
            if end > len(data):
                break
            self._keep(data[start + _FRAME_HEADER.size : end])
            start = end
        self._rest = data[start:]

    def text(self) -> str:
        """What has been kept."""
        return self._kept.decode("utf-8", "replace")[: self._limit]

    def _keep(self, payload: bytes) -> None:
        room = self._limit * 4 - len(self._kept)
        self._kept += payload[: max(0, room)]


class _OpenLine:
    """A line whose end has not come yet."""

    def __init__(self, stamp: bytes) -> None:
        self._stamp = stamp
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> None:
        self._parts.append(part)
        self.size += len(part)

    def entry(self) -> LogEntry:
        return _entry(self._stamp, b"".join(self._parts))


def _entry(stamp: bytes, text: bytes) -> LogEntry:
    return LogEntry(stamp.decode("ascii", "replace"), text.removesuffix(b"\r").decode("utf-8", "replace"))


def _moment(value: str | None) -> str | None:
    return None if not value or value == _NEVER else value
