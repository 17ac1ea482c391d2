"""Where requests may go. Pure."""

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from workers.calling.faults import CallFault

METADATA: Final = ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254")
"""Addresses at which clouds give a machine its credentials. Allowed only where they are listed themselves."""
_METADATA: Final = tuple(ipaddress.ip_address(address) for address in METADATA)
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
    if parts.scheme not in _PORTS or not host:
        return None
    return host, port or _PORTS[parts.scheme]


def allows(host: str, port: int, allowed: Sequence[str]) -> bool:
    """Whether a list has that host."""
    return any(_matches(entry.lower(), host.lower().rstrip("."), port) for entry in allowed)


def check_address(address: str, port: int, allowed: Sequence[str]) -> None:
    """Whether a connection to `address` may be used, whatever name led there.

    Raises:
        CallFault: it is one at which a cloud gives out credentials, and is not listed itself.
    """
    if (ip := barred(address, port, allowed)) is not None:
        raise CallFault(
            f"address {ip}, at which a cloud gives a machine its credentials, is not asked; where that is meant, add "
            "the address itself to the worker's ORCA_HTTP_HOSTS"
        )


def barred(address: str, port: int, allowed: Sequence[str]) -> str | None:
    """The address, plainly written, where it is one at which a cloud gives out credentials and is not listed itself."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    listed = (str(ip), f"{ip}:{port}", f"[{ip}]", f"[{ip}]:{port}")
    return str(ip) if ip in _METADATA and not any(entry in listed for entry in allowed) else None


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
