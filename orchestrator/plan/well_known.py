"""Images that are known by the last part of their path, and the port under which each is asked. A table; pure.

It holds for the official images (https://hub.docker.com/u/library) and for what keeps their contract under the same
name, in whatever registry.
"""

from collections.abc import Mapping
from typing import Final

WELL_KNOWN_PORTS: Final[Mapping[str, int]] = {
    "postgres": 5432,
    "redis": 6379,
    "valkey": 6379,
    "mysql": 3306,
    "mariadb": 3306,
    "mongo": 27017,
    "rabbitmq": 5672,
    "memcached": 11211,
    "nats": 4222,
}


def name_of_image(image: str) -> str:
    """The last part of an image's path, without tag and digest: `postgres` of `registry.local:5000/org/postgres:15`."""
    return image.split("@", 1)[0].rsplit("/", 1)[-1].split(":", 1)[0]
