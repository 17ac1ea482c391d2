"""Values that the host makes up for services, such as passwords: the same for whoever asks again on this host. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Final

from orchestrator.contract.messages import ServiceSecret

LENGTH: Final = 32
"""Characters; 192 bits."""


def generated(key: bytes, secret: ServiceSecret) -> str:
    """A value of 32 characters that are safe in URLs, a function of the host's `key` and of where it is used."""
    # A NUL is in none of the three, so that no two secrets are the same text.
    place = "\0".join((secret.network, secret.service, secret.variable))
    digest = hmac.new(key, place.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()[:LENGTH]


def environment(key: Callable[[], bytes], secrets: Iterable[ServiceSecret]) -> dict[str, str]:
    """Variable to value, for a container. The host's `key` is asked for only where it is needed."""
    return {secret.variable: generated(key(), secret) for secret in secrets}
