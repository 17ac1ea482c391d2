"""Ports of the host that services publish, and who has one that is taken. Pure.

The engine refuses to start a container for many reasons, with one status for all: that a port is the matter stands in
its sentence alone.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from workers.engine.interface import ListedContainer, PublishedPort

_TAKEN: Final = re.compile(
    r"port is already allocated|address already in use|ports? (?:is|are) not available", re.I
)
_PLACE: Final = re.compile(r"(?P<address>\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]*\]):(?P<port>\d{1,5})(?!\d)")
_EVERYWHERE: Final = ("0.0.0.0", "::")


def taken_port(sentence: str, published: Sequence[PublishedPort]) -> PublishedPort | None:
    """Which of a container's published ports the engine could not have, told by its sentence; None where it was none.

    Where several ports fit, as the sentence names no protocol, the first of them.
    """
    if not published or not _TAKEN.search(sentence):
        return None
    for place in _PLACE.finditer(sentence):
        address, number = place["address"].strip("[]"), int(place["port"])
        fitting = [port for port in published if port.host == number]
        if fitting:
            return next((port for port in fitting if port.address == address), fitting[0])
    return published[0] if len(published) == 1 else None


def holder_of(wanted: PublishedPort, containers: Iterable[ListedContainer], *, but: str) -> str | None:
    """The name of the container that has a port of the host; `but` is the one that wants it."""
    for container in containers:
        if container.name != but and any(clash(wanted, port) for port in container.published):
            return container.name
    return None


def clash(one: PublishedPort, other: PublishedPort) -> bool:
    """Whether the host cannot have both."""
    if (one.host, one.protocol) != (other.host, other.protocol):
        return False
    addresses = (one.address, other.address)
    return one.address == other.address or any(address in _EVERYWHERE for address in addresses)
