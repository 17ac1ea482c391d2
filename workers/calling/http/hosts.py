"""Where requests may go. Pure."""

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from workers.calling.faults import CallFault

_BARRED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
    )
)
"""Where clouds give a machine its credentials and settings. Allowed only where the address is listed itself."""
_WRAPPING: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "::/96")
)
"""Addresses of version 6 that end in one of version 4, to which a network or its gateway may send what goes there."""
_DOTS: Final = str.maketrans("\u3002\uff0e\uff61", "...")
"""What counts as a dot in a name beside the dot itself (RFC 3490)."""
_PORTS: Final = {"http": 80, "https": 443}


def check_url(url: str, allowed: Sequence[str]) -> None:
    """Whether a request may go to `url`.

    Raises:
        CallFault: it is no http or https URL, or its host is not allowed.
    """
    try:
        found = target(url)
    except ValueError as error:
        raise CallFault(f"`url` cannot be read: {error}") from error
    if found is None:
        raise CallFault(f"`url` must begin with http:// or https:// and name a host; '{shown(url)}' does not")
    host, port = found
    if not allows(host, port, allowed):
        lists = f"it allows {', '.join(allowed)}" if allowed else "it allows none"
        raise CallFault(
            f"'{shown(url)}' is not asked: host '{host}' is not allowed on this worker ({lists}); add '{host}' to its "
            f"ORCA_HTTP_HOSTS, or start it with --allow-hosts {','.join((*allowed, host))}"
        )
    check_address(host, port, allowed)


def target(url: str) -> tuple[str, int] | None:
    """The host and port that `url` names; None where it is not for http or https. Raises ValueError for no URL."""
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port
    host = _plain(host or "")
    if parts.scheme not in _PORTS or not host:
        return None
    return host, port or _PORTS[parts.scheme]


def allows(host: str, port: int, allowed: Sequence[str]) -> bool:
    """Whether a list has that host."""
    return any(_matches(entry.lower(), _plain(host), port) for entry in allowed)


def check_address(address: str, port: int, allowed: Sequence[str]) -> None:
    """Whether a connection to `address` may be used, whatever name led there.

    Raises:
        CallFault: it is one at which a cloud gives out credentials, and is not listed itself.
    """
    if (ip := barred(address, port, allowed)) is not None:
        raise CallFault(
            f"address {ip} is not asked, since it is one of those at which clouds give a machine its credentials; "
            "where that is meant, add the address itself to the worker's ORCA_HTTP_HOSTS"
        )


def barred(address: str, port: int, allowed: Sequence[str]) -> str | None:
    """The address, plainly written, where it is one at which a cloud gives out credentials and is not listed itself."""
    given = _address(address)
    if given is None:
        return None
    ip = _unwrapped(given)
    if not any(ip in network for network in _BARRED):
        return None
    listed = (_split(entry) for entry in allowed)
    meant = any(_address(name) in (ip, given) and wanted in (None, port) for name, wanted in listed)
    return None if meant else str(ip)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(_plain(text.partition("%")[0]))
    except ValueError:
        return None


def _unwrapped(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address of version 4 that one of version 6 stands for, else itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.sixtofour is not None:
        return ip.sixtofour
    if any(ip in network for network in _WRAPPING):
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip


def _plain(host: str) -> str:
    """As it is looked up: in lower case, with dots for all that counts as one, and none at the end."""
    return host.lower().translate(_DOTS).rstrip(".")


def shown(url: str) -> str:
    """`url` for messages and logs: without user, password, query and fragment, which may be secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "<an address that cannot be read>"
    host = f"[{host}]" if ":" in host else host
    return SplitResult(parts.scheme, f"{host}{port}", parts.path, "", "").geturl()[:300]


def _matches(entry: str, host: str, port: int) -> bool:
    name, wanted = _split(entry)
    if wanted is not None and wanted != port:
        return False
    if name == "*":
        return True
    return host.endswith(name[1:]) if name.startswith("*.") else host == name.rstrip(".")


def _split(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, int(rest[1:]) if rest else None
    name, colon, port = entry.rpartition(":")
    return (name, int(port)) if colon else (entry, None)
