"""What is said of one key. No words of its own."""

from typing import Any, NamedTuple


class KeyText(NamedTuple):
    """What is said of one key."""

    text: str
    examples: tuple[Any, ...] = ()
    default: str = ""
    """In words, where the models have none or none that says it."""
