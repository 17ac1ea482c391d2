"""Which keys the store takes. Pure; parts of a key come from users' names, so keys are checked."""

from orchestrator.errors import StoreError

MAX_KEY = 1000
"""Characters; object stores end at 1024 bytes."""


class BadKey(StoreError):
    """A key that could leave its place in the store, or that some stores would refuse."""


def checked_key(key: str) -> str:
    """`key` itself.

    Raises:
        BadKey: it is empty, absolute or too long, or has `.`, `..`, an empty part, a backslash or a
            control character.
    """
    parts = key.split("/")
    if len(key) > MAX_KEY or any(part in ("", ".", "..") or not _printable(part) for part in parts):
        raise BadKey(
            f"{key[:80]!r} is not a key for the store: it must be a relative path of at most"
            f" {MAX_KEY} characters without '.', '..', empty parts, backslashes or control characters"
        )
    return key


def checked_prefix(prefix: str) -> str:
    """`prefix`, which ends in `/`, without that `/`.

    Raises:
        BadKey: it does not end in `/`, or what is before it is no key.
    """
    if not prefix.endswith("/"):
        raise BadKey(f"{prefix[:80]!r} is not a folder in the store: it must end in '/'")
    return checked_key(prefix[:-1])


def _printable(part: str) -> bool:
    return part.isprintable() and "\\" not in part
