"""What is checked of a service, and by which rules: from its request and its image's facts. Pure."""

import shlex
from dataclasses import dataclass
from typing import Final

from orchestrator.contract.services import ServiceRequest
from orchestrator.plan import patterns
from orchestrator.plan.service_model import HealthCheck, Ready
from orchestrator.plan.well_known import WELL_KNOWN_PORTS, name_of_image
from workers.engine.interface import ImageFacts, ImageHealthCheck
from workers.supervision.services.health import Rules

_SHELL: Final = ("/bin/sh", "-c")


class BadCheck(Exception):
    """The health check cannot be carried out as it is written; the message says why and what to write."""


@dataclass(frozen=True)
class CommandCheck:
    """A command inside the container that exits with 0."""

    command: tuple[str, ...]


@dataclass(frozen=True)
class PortCheck:
    """Connections to all these ports are accepted; to some of them where `some_will_do` in the end."""

    ports: tuple[int, ...]
    some_will_do: bool = False
    main: int | None = None
    """The one among those that will do."""


@dataclass(frozen=True)
class HttpCheck:
    """A GET that is answered with a status below 400."""

    port: int
    path: str


@dataclass(frozen=True)
class LogCheck:
    """A line of the log in which the pattern is found (see `plan.patterns`)."""

    pattern: str


@dataclass(frozen=True)
class NoCheck:
    """Nothing can be checked, or nothing is to be (`wanted`)."""

    wanted: bool
    udp: bool = False
    """There are ports, but they cannot be probed."""


Check = CommandCheck | PortCheck | HttpCheck | LogCheck | NoCheck


@dataclass(frozen=True)
class Checking:
    """How one service is checked."""

    check: Check
    rules: Rules
    text: str
    """For people: what is checked."""

    is_command: bool = False
    """The text is a command, as the spec has it."""

    @property
    def quoted(self) -> str:
        """The same within a sentence."""
        return f"'{self.text}'" if self.is_command else self.text


def ports_of(service: ServiceRequest, image: ImageFacts) -> tuple[int, ...]:
    """The ports that it has: those that the spec names, then what the image exposes, TCP first.

    Of a well-known image's ports the one that it is known for comes first.
    """
    asked = [port.container for port in service.ports]
    return tuple(dict.fromkeys([*asked, *_exposed(service, image), *image.udp_ports]))


def _exposed(service: ServiceRequest, image: ImageFacts) -> tuple[int, ...]:
    """The TCP ports that the image exposes."""
    main = _main_port(service, image)
    return image.ports if main is None else tuple(dict.fromkeys([main, *image.ports]))


def _main_port(service: ServiceRequest, image: ImageFacts) -> int | None:
    """That of the exposed ports for which the image is known."""
    known = WELL_KNOWN_PORTS.get(name_of_image(service.image))
    return known if known in image.ports else None


def checking(service: ServiceRequest, image: ImageFacts) -> Checking:
    """What to check: the spec's check, else the image's own, else a connection to its ports, else nothing.

    Raises:
        BadCheck: what the spec asks for makes no sense for this service.
    """
    wanted, own = service.health_check, image.health_check
    rules = _rules(wanted, None if wanted.ready is not None else own, start_timeout=service.start_timeout)
    if wanted.test is not None:
        if wanted.test[:1] == ("NONE",):
            return Checking(NoCheck(wanted=True), rules, "")
        return Checking(CommandCheck(_command(wanted.test)), rules, _text(wanted.test), is_command=True)
    if wanted.ready is not None:
        check, text = _ready(wanted.ready, service, image)
        return Checking(check, rules, text)
    if own is not None:
        return Checking(CommandCheck(_command(own.test)), rules, f"the image's own check '{_text(own.test)}'")
    return _of_ports(service, image, rules)


def _of_ports(service: ServiceRequest, image: ImageFacts, rules: Rules) -> Checking:
    if ports := _asked(service) or _exposed(service, image):
        text = f"port {ports[0]}" if len(ports) == 1 else f"ports {', '.join(map(str, ports))}"
        if _asked(service):
            return Checking(PortCheck(ports), rules, text)
        # An image exposes ports that it may use: not each of them is ever opened.
        return Checking(PortCheck(ports, some_will_do=True, main=_main_port(service, image)), rules, text)
    return Checking(NoCheck(wanted=False, udp=bool(ports_of(service, image))), rules, "")


def _asked(service: ServiceRequest) -> tuple[int, ...]:
    """The TCP ports that the spec names."""
    return tuple(port.container for port in service.ports if port.protocol == "tcp")


def _rules(wanted: HealthCheck, own: ImageHealthCheck | None, *, start_timeout: float) -> Rules:
    """The spec's fields, as the image's own check fills them in."""

    def chosen(name: str) -> float:
        filled = None if own is None or name in wanted.given else getattr(own, name)
        return getattr(wanted, name) if filled is None else filled

    return Rules(
        interval=chosen("interval"),
        timeout=chosen("timeout"),
        retries=int(chosen("retries")),
        start_period=chosen("start_period"),
        start_interval=chosen("start_interval"),
        start_timeout=start_timeout,
        patient="retries" in wanted.given,
    )


def _command(test: tuple[str, ...]) -> tuple[str, ...]:
    kind, *words = test
    return (*_SHELL, *words) if kind == "CMD-SHELL" else tuple(words)


def _text(test: tuple[str, ...]) -> str:
    kind, *words = test
    return " ".join(words) if kind == "CMD-SHELL" else shlex.join(words)


def _ready(ready: Ready, service: ServiceRequest, image: ImageFacts) -> tuple[Check, str]:
    if ready.tcp is not None:
        return PortCheck((ready.tcp,)), f"port {ready.tcp}"
    if ready.http is not None:
        ports = _asked(service) or _exposed(service, image)
        port = ready.http_port or (ports[0] if ports else None)
        if port is None:
            raise BadCheck(
                f"'ready: http' needs a port, and image '{service.image}' exposes none; name one under 'ports'"
            )
        path = ready.http if ready.http.startswith("/") else f"/{ready.http}"
        return HttpCheck(port, path), f"GET {path} on port {port}"
    pattern = ready.log or ""
    if (problem := patterns.problem(pattern)) is not None:
        raise BadCheck(f"the pattern of 'ready: log', '{pattern}', cannot be used: {problem}")
    return LogCheck(pattern), f"a line of its log like '{pattern}'"
