"""What is checked of a service, from what the spec says and what the image brings."""

import re

import pytest

from orchestrator.compile.known_services import KNOWN_SERVICES
from orchestrator.contract.messages import ServiceSecret
from orchestrator.contract.services import ServiceRequest
from orchestrator.plan.service_model import HealthCheck, Port, Ready
from orchestrator.plan.well_known import WELL_KNOWN_PORTS
from tests.support.scopes import service
from workers.engine.interface import ImageFacts, ImageHealthCheck
from workers.supervision.services import words
from workers.supervision.services.checks import (
    BadCheck,
    Check,
    CommandCheck,
    HttpCheck,
    LogCheck,
    NoCheck,
    PortCheck,
    checking,
    ports_of,
)
from workers.supervision.services.generated import environment, generated
from workers.supervision.services.health import Rules

PLAIN = ImageFacts(id="i")
EXPOSING = ImageFacts(id="i", ports=(80, 6379))
OWN = ImageFacts(
    id="i",
    ports=(80,),
    health_check=ImageHealthCheck(("CMD-SHELL", "test -e /up"), interval=3.0, timeout=2.0, retries=4),
)


@pytest.mark.parametrize(
    ("wanted", "image", "check", "text"),
    [
        (service(), PLAIN, NoCheck(wanted=False), ""),
        (service(), EXPOSING, PortCheck((80, 6379), some_will_do=True), "ports 80, 6379"),
        (service(ports=(Port(container=5432),)), EXPOSING, PortCheck((5432,)), "port 5432"),
        (service(ports=(Port(container=53, protocol="udp"),)), PLAIN, NoCheck(wanted=False, udp=True), ""),
        (service(), ImageFacts(id="i", udp_ports=(53,)), NoCheck(wanted=False, udp=True), ""),
        (
            service(image="mirror.local/rabbitmq:3"),
            ImageFacts(id="i", ports=(4369, 5671, 5672)),
            PortCheck((5672, 4369, 5671), some_will_do=True, main=5672),
            "ports 5672, 4369, 5671",
        ),
        (
            service(),
            OWN,
            CommandCheck(("/bin/sh", "-c", "test -e /up")),
            "the image's own check 'test -e /up'",
        ),
        (service(health_check=HealthCheck(test=("NONE",))), OWN, NoCheck(wanted=True), ""),
        (
            service(health_check=HealthCheck(test=("CMD", "pg_isready", "-h", "a b"))),
            OWN,
            CommandCheck(("pg_isready", "-h", "a b")),
            "pg_isready -h 'a b'",
        ),
        (
            service(health_check=HealthCheck(test=("CMD-SHELL", "a | b"))),
            OWN,
            CommandCheck(("/bin/sh", "-c", "a | b")),
            "a | b",
        ),
        (service(health_check=HealthCheck(ready=Ready(tcp=99))), OWN, PortCheck((99,)), "port 99"),
        (
            service(health_check=HealthCheck(ready=Ready(http="/health"))),
            OWN,
            HttpCheck(80, "/health"),
            "GET /health on port 80",
        ),
        (
            service(health_check=HealthCheck(ready=Ready(http="up", http_port=8080))),
            OWN,
            HttpCheck(8080, "/up"),
            "GET /up on port 8080",
        ),
        (
            service(health_check=HealthCheck(ready=Ready(log="ready .*"))),
            OWN,
            LogCheck("ready .*"),
            "a line of its log like 'ready .*'",
        ),
    ],
)
def test_what_is_checked(wanted: ServiceRequest, image: ImageFacts, check: Check, text: str) -> None:
    found = checking(wanted, image)
    assert (found.check, found.text) == (check, text)


@pytest.mark.parametrize(
    ("ready", "message"),
    [
        (Ready(http="/"), "'ready: http' needs a port, and image 'alpine:latest' exposes none; name one under 'ports'"),
        (Ready(log="("), r"the pattern of 'ready: log', '\(', cannot be used: unclosed group"),
        (Ready(log="(?=up)"), "cannot be used: look-around, including look-ahead and look-behind, is not supported"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked(ready: Ready, message: str) -> None:
    with pytest.raises(BadCheck, match=message):
        checking(service(health_check=HealthCheck(ready=ready)), PLAIN)


@pytest.mark.parametrize(
    ("health", "rules"),
    [
        (HealthCheck(), Rules(interval=3.0, timeout=2.0, retries=4, start_timeout=20.0)),
        (
            HealthCheck(interval=1.0, retries=9, given=("interval",)),
            Rules(interval=1.0, timeout=2.0, retries=4, start_timeout=20.0),
        ),
        # As Docker does it: a command of the spec's own takes the image's times too.
        (
            HealthCheck(test=("CMD", "true"), timeout=7.0, given=("test", "timeout")),
            Rules(interval=3.0, timeout=7.0, retries=4, start_timeout=20.0),
        ),
        (HealthCheck(ready=Ready(tcp=1), given=("ready",)), Rules(start_timeout=20.0)),
    ],
)
def test_the_images_own_check_fills_in_what_the_spec_does_not_give(health: HealthCheck, rules: Rules) -> None:
    assert checking(service(health_check=health), OWN).rules == rules


def test_retries_of_the_spec_are_for_commands_that_are_not_there_too() -> None:
    patient = HealthCheck(test=("CMD", "true"), retries=2, given=("test", "retries"))
    found = [checking(service(health_check=health), OWN).rules.patient for health in (patient, HealthCheck())]
    assert found == [True, False]


@pytest.mark.parametrize(
    ("wanted", "image", "quoted"),
    [
        (service(health_check=HealthCheck(test=("CMD-SHELL", "psql -c 'x'"))), PLAIN, "'psql -c 'x''"),
        (service(), OWN, "the image's own check 'test -e /up'"),
        (service(), EXPOSING, "ports 80, 6379"),
    ],
)
def test_commands_are_quoted_in_sentences(wanted: ServiceRequest, image: ImageFacts, quoted: str) -> None:
    assert checking(wanted, image).quoted == quoted


def test_ports_in_order_and_once() -> None:
    asked = service(
        ports=(Port(container=6379), Port(container=53, protocol="udp"), Port(container=1, host=2))
    )
    assert ports_of(asked, EXPOSING) == (6379, 53, 1, 80)
    assert ports_of(service(), ImageFacts(id="i", ports=(80,), udp_ports=(53, 80))) == (80, 53)


def test_a_well_known_image_has_the_port_it_is_known_for_first_where_it_exposes_it() -> None:
    exposing = ImageFacts(id="i", ports=(4222, 6222, 8222))
    assert ports_of(service(image="nats:2"), exposing) == (4222, 6222, 8222)
    assert ports_of(service(image="rabbitmq:3"), ImageFacts(id="i", ports=(4369, 5672))) == (5672, 4369)
    assert ports_of(service(image="rabbitmq:3"), exposing) == exposing.ports
    assert {name: known.port for name, known in KNOWN_SERVICES.items()} == WELL_KNOWN_PORTS


def test_only_a_port_that_takes_connections_is_asked_over_http() -> None:
    wanted = service(
        ports=(Port(container=53, protocol="udp"), Port(container=80)),
        health_check=HealthCheck(ready=Ready(http="/")),
    )
    assert checking(wanted, PLAIN).check == HttpCheck(80, "/")


def test_generated_values() -> None:
    key = b"k" * 32
    first = ServiceSecret(variable="POSTGRES_PASSWORD", network="net-1", service="db")
    value = generated(key, first)
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", value)
    assert environment(lambda: key, [first]) == {"POSTGRES_PASSWORD": value}
    others = [
        generated(b"l" * 32, first),
        *(
            generated(key, first.model_copy(update={name: "other"}))
            for name in ("variable", "network", "service")
        ),
        generated(key, ServiceSecret(variable="D", network="net-1", service="dbPOSTGRES_PASSWOR")),
    ]
    assert len({value, *others}) == 6


def test_a_key_that_is_not_needed_is_not_asked_for() -> None:
    def refuse() -> bytes:
        raise AssertionError

    assert environment(refuse, []) == {}


def test_a_message_quotes_the_last_lines_that_fit() -> None:
    assert words.with_lines("it ended", []) == "it ended; it printed nothing"
    lines = [f"line {number}" for number in range(30)]
    assert words.with_lines("it ended", lines).splitlines() == [
        "it ended; its last lines:",
        *(f"  line {number}" for number in range(10, 30)),
    ]
    long = words.with_lines("it ended", [letter * 500 for letter in "abcdefghijkl"])
    assert long.splitlines()[-1] == f"  {'l' * 199}…"
    assert len(long) < 1500


def test_how_an_early_end_is_told() -> None:
    assert words.ended(0, oom=False, after=0.42) == "ended at once with exit code 0"
    assert (
        words.ended(1, oom=False, after=12.34) == "ended with exit code 1 after 12.3 s, before it was healthy"
    )
    assert words.ended(137, oom=True, after=2.0) == (
        "went over its memory limit and was killed (exit code 137) after 2 s"
    )
